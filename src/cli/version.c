/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "--version". */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/net/link.h"
#include "yardmaster/store/version.h"

#include "cli/version.h"

void
version_print(void)
{
	char *link = NULL;

	printf("yardmaster %s\n", PACKAGE_VERSION);
	if (link_library_versions(&link) == 0)
		printf("%s\n", link);
	else
		printf("libssh2: the link program is not installed\n");
	printf("SQLite %s\n", store_library_version());
	free(link);
}
