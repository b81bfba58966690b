/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef YARDMASTER_CLI_VERSION_H
#define YARDMASTER_CLI_VERSION_H

/* Prints our version and those of the libraries whose faults matter: SSH,
 * its crypto, SQLite. */
void version_print(void);

#endif
