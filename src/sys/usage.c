/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a tree of processes uses. Children are found by the lists that the
 * kernel keeps, so that only the tree is read and not all of /proc. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/sys/proc.h"

#define TREE_MAX 1024		/* processes that are looked at */
#define LIST_BYTES 8192

struct tree {
	pid_t v[TREE_MAX];
	size_t n;
};

static ssize_t
read_text(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = read(fd, out, size - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

/* Adds the children that one thread of pid made. */
static void
add_children(struct tree *t, pid_t pid, const char *thread)
{
	char path[300], list[LIST_BYTES], *p = list, *end;
	long child;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", (int)pid,
	    thread);
	if (read_text(path, list, sizeof(list)) <= 0)
		return;
	while (t->n < TREE_MAX && (child = strtol(p, &end, 10)) > 0) {
		t->v[t->n++] = (pid_t)child;
		p = end;
	}
}

static void
walk(struct tree *t, pid_t pid)
{
	struct dirent *e;
	char path[64];
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			add_children(t, pid, e->d_name);
	if (d != NULL)
		closedir(d);
}

/* The times of pid and of those it waited for; its resident pages. */
static int
read_usage(pid_t pid, uint64_t *ret_own, uint64_t *ret_waited,
    uint64_t *ret_pages)
{
	unsigned long long user, system, waited[2], pages;
	char path[64], text[1024], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_text(path, text, sizeof(text)) <= 0 ||
	    (p = strrchr(text, ')')) == NULL ||
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	    "%llu %llu %llu %llu %*d %*d %*d %*d %*u %*u %llu", &user, &system,
	    &waited[0], &waited[1], &pages) != 5)
		return ERR_NOT_FOUND;
	*ret_own = user + system;
	*ret_waited = waited[0] + waited[1];
	*ret_pages = pages;
	return 0;
}

int
proc_usage_below(pid_t root, struct proc_usage *ret)
{
	uint64_t own, waited, pages, ticks, all_pages = 0;
	struct tree t = { .n = 0 };
	size_t i;

	if (read_usage(root, &own, &ticks, &pages) < 0)
		return ERR_NOT_FOUND;
	walk(&t, root);
	for (i = 0; i < t.n; i++) {
		walk(&t, t.v[i]);
		if (read_usage(t.v[i], &own, &waited, &pages) < 0)
			continue;
		ticks += own + waited;
		all_pages += pages;
	}
	ret->cpu_us = (int64_t)(ticks * US_PER_S /
	    (uint64_t)sysconf(_SC_CLK_TCK));
	ret->memory_bytes = all_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}
