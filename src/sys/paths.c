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

#define AGENT_PROGRAM "yardmaster-agent"

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

/* dir/yardmaster-agent when it can be executed, else NULL. */
static char *
agent_in(const char *dir)
{
	char *path = path_join(dir, AGENT_PROGRAM);

	if (access(path, X_OK) == 0)
		return path;
	free(path);
	return NULL;
}

int
paths_agent_program(char **ret)
{
	const char *own = env("YARDMASTER_AGENT");
	char *self, *found = NULL;

	if (own != NULL) {	/* a wrong one is an error, not a hint */
		if (access(own, X_OK) < 0)
			return ERR_NOT_FOUND;
		*ret = str_dup(own);
		return 0;
	}
	self = paths_self_dir();
	if (self != NULL)
		found = agent_in(self);
	free(self);
	if (found == NULL)
		found = agent_in(PKGLIBEXECDIR);
	if (found == NULL)
		return spawn_find(AGENT_PROGRAM, NULL, ret) < 0 ?
		    ERR_NOT_FOUND : 0;
	*ret = found;
	return 0;
}
