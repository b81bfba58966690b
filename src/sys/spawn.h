/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one way a process is started. Private to sys. */
#ifndef SYS_SPAWN_H
#define SYS_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

struct proc_limit;

struct spawn_plan {
	const char *file;	/* looked up in PATH of envp without '/' */
	char *const *argv;
	char *const *envp;	/* NULL: ours */
	const char *cwd;	/* NULL: ours */
	int fds[4];		/* become 0 to 3 of the child; fds[3] may be -1 */
	int nice;		/* added niceness */
	bool session;
	const struct proc_limit *limits;	/* n_limits */
	unsigned n_limits;
};

/* Starts it with default signals, an empty signal mask and nothing else open.
 * 0 or -errno, of exec too. */
int spawn_start(const struct spawn_plan *plan, pid_t *ret);

/*
 * The path of an executable: file itself when it has a '/', else the first in
 * an absolute folder of PATH in envp (NULL: ours). 0 and a heap string, or
 * -ENOENT, -EACCES.
 */
int spawn_find(const char *file, char *const *envp, char **ret);

#endif
