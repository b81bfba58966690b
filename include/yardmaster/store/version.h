/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef YARDMASTER_STORE_VERSION_H
#define YARDMASTER_STORE_VERSION_H

/* The version of the database library that is loaded ("3.40.1"). */
const char *store_library_version(void);

#endif
