/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of the console program. */
#ifndef YARDMASTER_CLI_CLI_H
#define YARDMASTER_CLI_CLI_H

/* Runs the command that argv names (none: the console) and returns the exit
 * code of the process. */
int cli_main(int argc, char **argv);

#endif
