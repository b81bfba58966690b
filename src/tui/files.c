/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search path of themes and key maps. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "tui/files.h"

static bool
is_path(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return strchr(name, '/') != NULL ||
	    (n > m && strcmp(name + n - m, suffix) == 0);
}

char *
files_find(const struct tui_files *files, const char *kind,
    const char *name, const char *suffix)
{
	char *file, *path = NULL;

	if (is_path(name, suffix))
		return str_dup(name);
	file = str_fmt("%s/%s%s", kind, name, suffix);
	if (files->config_dir != NULL) {
		path = path_join(files->config_dir, file);
		if (!fs_exists(path)) {
			free(path);
			path = NULL;
		}
	}
	if (path == NULL)
		path = paths_data(file);
	free(file);
	return path;
}

int
files_load(const struct tui_files *files, const char *kind,
    const char *name, const char *suffix, const char *builtin,
    struct ini *ret, struct diags *ds)
{
	char *path = files_find(files, kind, name, suffix);
	struct diag *d;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (path != NULL) {
		r = ini_load(ret, path, ds);
		free(path);
		return r;
	}
	if (strcmp(name, "default") == 0)
		return ini_parse(ret, "(built in)", builtin, strlen(builtin),
		    ds);
	d = diag_add(ds, DIAG_ERROR, NULL, 0, NULL, "%s: no %s%s", kind, name,
	    suffix);
	diag_set_hint(d, "files are looked for in the configuration folder, "
	    "$YARDMASTER_DATA and %s", PKGDATADIR);
	return ERR_NOT_FOUND;
}
