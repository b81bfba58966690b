/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the processes of an attempt through /proc. */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/tree.h"
#include "agent/wire.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/group.h"
#include "yardmaster/sys/proc.h"

#define PROC_FILE_MAX (1u << 20)
#define ROUNDS_MAX 20
#define GROUP_NOTE_MAX 4096

int
tree_signal(int signo)
{
	struct buf b = BUF_INIT;
	char path[64], *at, *end;
	int n = 0;
	long pid;

	snprintf(path, sizeof path, "/proc/self/task/%d/children",
	    (int)getpid());
	if (fs_read(path, PROC_FILE_MAX, &b) == 0) {
		at = (char *)(uintptr_t)buf_str(&b);
		while ((pid = strtol(at, &end, 10)) > 0 && end != at) {
			n += proc_signal_tree((pid_t)pid, 0, signo);
			at = end;
		}
	}
	buf_done(&b);
	return n;
}

/* What the environment of every process of an attempt holds. The spool, too:
 * an attempt of the same name may run for another agent of this host. */
struct marks {
	char *attempt, *spool;
};

static bool
belongs(long pid, const struct marks *m)
{
	struct buf b = BUF_INIT;
	const char *at, *end;
	char path[64];
	bool attempt = false, spool = false;

	snprintf(path, sizeof path, "/proc/%ld/environ", pid);
	if (fs_read(path, PROC_FILE_MAX, &b) == 0) {
		at = buf_str(&b);
		end = at + buf_len(&b);
		for (; at < end; at += strlen(at) + 1) {
			attempt |= strcmp(at, m->attempt) == 0;
			spool |= strcmp(at, m->spool) == 0;
		}
	}
	buf_done(&b);
	return attempt && spool;
}

static int
kill_round(const struct marks *m)
{
	struct dirent *e;
	struct proc_id id;
	DIR *dir = opendir("/proc");
	int n = 0;
	long pid;

	if (dir == NULL)
		return 0;
	while ((e = readdir(dir)) != NULL) {
		pid = strtol(e->d_name, NULL, 10);
		if (pid <= 1 || pid == getpid())
			continue;
		/* Identified first: the number must not change hands between
		 * the look and the signal. */
		if (proc_identify((pid_t)pid, &id) == 0 &&
		    belongs(pid, m) && proc_signal(&id, SIGKILL) == 0)
			n++;
	}
	closedir(dir);
	return n;
}

/* Unlike that of any other spool's worker: what a group of that name holds
 * may be killed. */
static char *
group_name(unsigned worker)
{
	struct stat st;

	if (stat(".", &st) == -1)
		memset(&st, 0, sizeof st);
	return str_fmt("yardmaster-%llx-%llx-%u",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	    worker);
}

/* The path of a worker's group as noted; "" when it has none. */
static void
noted_group(unsigned worker, struct buf *out)
{
	char name[WORKER_NAME_SIZE];

	snprintf(name, sizeof name, WORKER_GROUP, worker);
	(void)fs_read(name, GROUP_NOTE_MAX, out);
}

char *
tree_group(unsigned worker)
{
	char note[WORKER_NAME_SIZE], *name = group_name(worker);
	struct buf old = BUF_INIT;
	char *path = NULL;
	int r;

	snprintf(note, sizeof note, WORKER_GROUP, worker);
	noted_group(worker, &old);
	if (buf_len(&old) > 0)
		group_remove(buf_str(&old), name);
	if ((r = group_enter(name, &path)) == 0)
		r = fs_replace(note, path, strlen(path), 0600);
	else
		(void)unlink(note);
	log_debug("worker %u: group %s: %s", worker,
	    path != NULL ? path : name, r < 0 ? err_text(r) : "entered");
	buf_done(&old);
	free(name);
	return path;
}

void
tree_ungroup(unsigned worker, const char *path)
{
	char *name = group_name(worker);
	struct buf b = BUF_INIT;

	if (path != NULL)
		buf_puts(&b, path);
	else
		noted_group(worker, &b);
	if (buf_len(&b) > 0)
		group_remove(buf_str(&b), name);
	buf_done(&b);
	free(name);
}

static void
kill_group(unsigned worker)
{
	char *name = group_name(worker);
	struct buf b = BUF_INIT;

	noted_group(worker, &b);
	if (buf_len(&b) > 0)
		(void)group_kill(buf_str(&b), name);
	buf_done(&b);
	free(name);
}

int
tree_kill_orphans(unsigned worker, const struct ident *id)
{
	char text[IDENT_TEXT], *spool = getcwd(NULL, 0);
	struct marks m = {
		str_fmt("YARDMASTER_ATTEMPT=%s", ident_format(id, text)),
		str_fmt("YARDMASTER_SPOOL=%s", spool != NULL ? spool : ""),
	};
	int n = 0, found, round, none = 0;

	kill_group(worker);
	/* Until none is found, and once more: one may have forked while we
	 * looked, or be between two programs and show no environment. */
	for (round = 0; round < ROUNDS_MAX && none < 2; round++) {
		found = kill_round(&m);
		none = found == 0 ? none + 1 : 0;
		n += found;
	}
	free(m.attempt);
	free(m.spool);
	free(spool);
	return n;
}
