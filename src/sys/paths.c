/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the files of the program are. */
#include "config.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"

#include "sys/spawn.h"

#define AGENT_PROGRAM PACKAGE "-agent"
#define STATIC_PROGRAM AGENT_PROGRAM "-static"
#define LINK_PROGRAM PACKAGE "-link"

/* The value of an environment variable that is not empty, or NULL. */
static const char *
env(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

char *
path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	while (*b == '/' && n > 0)
		b++;
	if (n == 0 || a[n - 1] == '/')
		return str_fmt("%s%s", a, b);
	return str_fmt("%s/%s", a, b);
}

char *
path_expand(const char *path)
{
	const char *home = env("HOME");

	if (home == NULL || path[0] != '~' ||
	    (path[1] != '\0' && path[1] != '/'))
		return str_dup(path);
	return path[1] == '\0' ? str_dup(home) : path_join(home, path + 2);
}

char *
path_dir(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n == 0)
		return str_dup(".");
	while (n > 1 && path[n - 1] == '/')
		n--;
	return str_ndup(path, n);
}

/* $XDG/yardmaster when that is an absolute path, else ~/fallback/yardmaster. */
static int
xdg_folder(const char *xdg, const char *fallback, char **ret)
{
	const char *base = env(xdg), *home = env("HOME");
	char *dir;

	if (base != NULL && *base == '/') {
		*ret = path_join(base, "yardmaster");
		return 0;
	}
	if (home == NULL)
		return ERR_NOT_FOUND;
	dir = path_join(home, fallback);
	*ret = path_join(dir, "yardmaster");
	free(dir);
	return 0;
}

int
paths_state(char **ret)
{
	const char *own = env("YARDMASTER_STATE");

	if (own != NULL) {
		*ret = str_dup(own);
		return 0;
	}
	return xdg_folder("XDG_STATE_HOME", ".local/state", ret);
}

int
paths_config(char **ret)
{
	return xdg_folder("XDG_CONFIG_HOME", ".config", ret);
}

int
paths_agent(const char *instance, char **ret)
{
	char *state;
	int r;

	if (!ident_is_agent_name(instance))
		return ERR_INVALID;
	if ((r = paths_state(&state)) < 0)
		return r;
	*ret = str_fmt("%s/agent/%s", state, instance);
	free(state);
	return 0;
}

char *
paths_self_dir(void)
{
	char exe[PATH_MAX];
	ssize_t n;

	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return NULL;
	exe[n] = '\0';
	return path_dir(exe);
}

/* dir/name when mode of it is allowed to us, else NULL; dir may be NULL. */
static char *
in_folder(const char *dir, const char *name, int mode)
{
	char *path;

	if (dir == NULL)
		return NULL;
	path = path_join(dir, name);
	if (access(path, mode) == 0)
		return path;
	free(path);
	return NULL;
}

/* The folder of our executable with something behind it, or NULL. */
static char *
beside_self(const char *relative)
{
	char *self = paths_self_dir(), *dir = NULL;

	if (self != NULL)
		dir = path_join(self, relative);
	free(self);
	return dir;
}

/* Where our executable is still in the folder where it was built, which
 * config.status marks, the source tree is that folder or the one above. */
static char *
in_source_tree(const char *name)
{
	static const char *const tops[] = { ".", ".." };
	char *dir = beside_self("config.status"), *found = NULL;
	bool built = dir != NULL && access(dir, F_OK) == 0;
	size_t i;

	free(dir);
	for (i = 0; built && found == NULL && i < 2; i++) {
		dir = beside_self(tops[i]);
		found = in_folder(dir, name, R_OK);
		free(dir);
	}
	return found;
}

char *
paths_data(const char *name)
{
	char *dir, *found;

	if ((found = in_folder(env("YARDMASTER_DATA"), name, R_OK)) != NULL ||
	    (found = in_source_tree(name)) != NULL)
		return found;
	dir = beside_self("../share/" PACKAGE);
	found = in_folder(dir, name, R_OK);
	free(dir);
	return found != NULL ? found : in_folder(PKGDATADIR, name, R_OK);
}

/* A program of this package: beside our executable, or in libexecdir, which
 * is looked for from there first so that a tree that was moved still works. */
static char *
own_program(const char *name)
{
	static const char *const dirs[] = { ".", "../libexec/" PACKAGE };
	char *dir, *found = NULL;
	size_t i;

	for (i = 0; found == NULL && i < 2; i++) {
		dir = beside_self(dirs[i]);
		found = in_folder(dir, name, X_OK);
		free(dir);
	}
	return found != NULL ? found : in_folder(PKGLIBEXECDIR, name, X_OK);
}

int
paths_link_program(char **ret)
{
	const char *own = env("YARDMASTER_LINK");
	char *found = own != NULL ? str_dup(own) : own_program(LINK_PROGRAM);

	if (found == NULL)
		return ERR_NOT_FOUND;
	*ret = found;
	return 0;
}

int
paths_static_agent(const char *machine, char **ret)
{
	char *name = str_fmt("%s.%s", STATIC_PROGRAM, machine);
	char *found = own_program(name);

	free(name);
	if (found == NULL)
		found = own_program(STATIC_PROGRAM);
	if (found == NULL)
		return ERR_NOT_FOUND;
	*ret = found;
	return 0;
}

int
paths_agent_program(char **ret)
{
	const char *own = env("YARDMASTER_AGENT");
	char *found;

	if (own != NULL) {	/* a wrong one is an error, not a hint */
		if (access(own, X_OK) < 0)
			return ERR_NOT_FOUND;
		*ret = str_dup(own);
		return 0;
	}
	if ((found = own_program(AGENT_PROGRAM)) == NULL)
		return spawn_find(AGENT_PROGRAM, NULL, ret) < 0 ?
		    ERR_NOT_FOUND : 0;
	*ret = found;
	return 0;
}
