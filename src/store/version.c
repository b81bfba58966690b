/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which database library is loaded. */
#include "config.h"

#include <sqlite3.h>

#include "yardmaster/store/version.h"

const char *
store_library_version(void)
{
	return sqlite3_libversion();
}
