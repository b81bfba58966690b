/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who a process is, and trees of processes, as /proc tells. */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/proc.h"

#define KILL_PASSES 8	/* a tree that forks while it is killed */

/* What /proc/PID/stat says that matters here. */
struct entry {
	pid_t pid, ppid, sid;
	char state;
	uint64_t start_ticks;
	bool in_tree;
	bool sent;
};

static ssize_t
read_small(const char *path, char *out, size_t size)
{
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

static int
read_entry(pid_t pid, struct entry *ret)
{
	char path[32], text[1024], *p;
	unsigned long long start;
	int ppid, sid;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_small(path, text, sizeof(text)) <= 0)
		return ERR_NOT_FOUND;
	p = strrchr(text, ')');	/* a name may hold anything, ")" too */
	if (p == NULL || sscanf(p + 1, " %c %d %*d %d %*d %*d %*u %*u %*u %*u"
	    " %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ret->state, &ppid,
	    &sid, &start) != 4)
		return ERR_NOT_FOUND;
	ret->pid = pid;
	ret->ppid = ppid;
	ret->sid = sid;
	ret->start_ticks = start;
	ret->in_tree = ret->sent = false;
	return 0;
}

static bool
is_dead(const struct entry *e)
{
	return e->state == 'Z' || e->state == 'X' || e->state == 'x';
}

const char *
proc_boot_id(void)
{
	static char id[BOOT_ID_SIZE];	/* constant once read */

	if (id[0] == '\0' && read_small("/proc/sys/kernel/random/boot_id", id,
	    sizeof(id)) != BOOT_ID_SIZE - 1)
		id[0] = '\0';
	return id;
}

int
proc_identify(pid_t pid, struct proc_id *ret)
{
	struct entry e;

	if (pid <= 0 || read_entry(pid, &e) < 0 || is_dead(&e))
		return ERR_NOT_FOUND;
	ret->pid = pid;
	ret->start_ticks = e.start_ticks;
	snprintf(ret->boot_id, sizeof(ret->boot_id), "%s", proc_boot_id());
	return 0;
}

bool
proc_alive(const struct proc_id *id)
{
	struct proc_id now;

	return proc_identify(id->pid, &now) == 0 &&
	    now.start_ticks == id->start_ticks &&
	    strcmp(now.boot_id, id->boot_id) == 0;
}

int
proc_signal(const struct proc_id *id, int signo)
{
	int fd, r;

	if (id->pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
	if (fd < 0 && errno != ENOSYS)
		return -ESRCH;
	/* Opened first: if the number was ours then, the pidfd is ours. */
	if (!proc_alive(id))
		r = -ESRCH;
	else if (fd >= 0)
		r = (int)syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0);
	else
		r = kill(id->pid, signo);
	if (r == -1)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

int
proc_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

void
proc_dumpable(bool on)
{
	(void)prctl(PR_SET_DUMPABLE, on ? 1 : 0, 0, 0, 0);
}

/* All processes; returns how many. The caller frees *ret. */
static size_t
read_all(struct entry **ret)
{
	struct entry *v = NULL;
	size_t n = 0, cap = 0;
	struct dirent *e;
	DIR *d;

	d = opendir("/proc");
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		v = mem_grow(v, &cap, n + 1, sizeof(*v));
		if (read_entry((pid_t)atoi(e->d_name), &v[n]) == 0)
			n++;
	}
	if (d != NULL)
		closedir(d);
	*ret = v;
	return n;
}

static struct entry *
find_entry(struct entry *v, size_t n, pid_t pid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (v[i].pid == pid)
			return &v[i];
	return NULL;
}

/* Puts the members to the front of v: root, its descendants (a member may
 * come before its parent in /proc, hence the rounds) and session sid. */
static size_t
select_tree(struct entry *v, size_t n, pid_t root, pid_t sid)
{
	struct entry *parent, swap;
	size_t i, chosen = 0;
	bool more = true;

	while (more) {
		more = false;
		for (i = 0; i < n; i++) {
			if (v[i].in_tree)
				continue;
			parent = find_entry(v, chosen, v[i].ppid);
			if (!(root > 1 && v[i].pid == root) &&
			    !(sid > 1 && v[i].sid == sid) && parent == NULL)
				continue;
			v[i].in_tree = more = true;
			swap = v[chosen];
			v[chosen++] = v[i];
			v[i] = swap;
		}
	}
	return chosen;
}

/* The living members of the tree and session, without ourselves. */
static size_t
read_tree(pid_t root, pid_t sid, struct entry **ret)
{
	size_t n, i, kept = 0;
	struct entry *v;

	n = read_all(&v);
	n = select_tree(v, n, root, sid);
	for (i = 0; i < n; i++)
		if (!is_dead(&v[i]) && v[i].pid != getpid())
			v[kept++] = v[i];
	*ret = v;
	return kept;
}

/* Signals those not signalled before; adds them to *sent. How many. */
static int
signal_new(struct entry *v, size_t n, int signo, struct entry **sent,
    size_t *n_sent, size_t *cap)
{
	struct entry *old;
	int count = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		old = find_entry(*sent, *n_sent, v[i].pid);
		if (old != NULL && old->start_ticks == v[i].start_ticks)
			continue;
		if (kill(v[i].pid, signo) < 0)
			continue;
		*sent = mem_grow(*sent, cap, *n_sent + 1, sizeof(**sent));
		(*sent)[(*n_sent)++] = v[i];
		count++;
	}
	return count;
}

int
proc_signal_tree(pid_t root, pid_t sid, int signo)
{
	struct entry *v, *sent = NULL;
	size_t n, n_sent = 0, cap = 0;
	int count = 0, one, pass = 0;

	do {
		n = read_tree(root, sid, &v);
		one = signal_new(v, n, signo, &sent, &n_sent, &cap);
		free(v);
		count += one;
	} while (signo == SIGKILL && one > 0 && ++pass < KILL_PASSES);
	free(sent);
	return count;
}

int
proc_count_tree(pid_t root, pid_t sid)
{
	struct entry *v;
	size_t n;

	n = read_tree(root, sid, &v);
	free(v);
	return (int)n;
}
