/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control groups: what a container or a service manager leaves us. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/cgroup.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

#define FILE_MAX 16384

/* Reads root + group + "/" + name into b; "" when it is not there. */
static const char *
read_file(const char *root, const char *group, const char *name,
    struct buf *b)
{
	char *path = str_fmt("%s%s/%s", root, group, name);

	buf_clear(b);
	fs_read(path, FILE_MAX, b);
	free(path);
	return buf_str(b);
}

/* "MAX PERIOD" in microseconds, MAX may be "max". */
static void
read_cpu(const char *root, const char *group, struct buf *b,
    struct cgroup_limits *l)
{
	unsigned long long max, period;
	double cpus;

	if (sscanf(read_file(root, group, "cpu.max", b), "%llu %llu", &max,
	    &period) != 2 || period == 0)
		return;
	cpus = (double)max / (double)period;
	if (l->cpus == 0 || cpus < l->cpus)
		l->cpus = cpus;
}

static void
read_memory(const char *root, const char *group, struct buf *b,
    struct cgroup_limits *l)
{
	unsigned long long max, current, cache = 0, left;
	const char *p;

	if (sscanf(read_file(root, group, "memory.max", b), "%llu", &max) != 1)
		return;
	if (max < l->memory_max)
		l->memory_max = max;
	if (sscanf(read_file(root, group, "memory.current", b), "%llu",
	    &current) != 1)
		return;
	/* Pages of files that nobody uses are given back when needed. */
	p = strstr(read_file(root, group, "memory.stat", b), "inactive_file ");
	if (p == NULL || sscanf(p, "inactive_file %llu", &cache) != 1)
		cache = 0;
	current = current > cache ? current - cache : 0;
	left = max > current ? max - current : 0;
	if (left < l->memory_free)
		l->memory_free = left;
}

void
cgroup_read(const char *root, const char *group, struct cgroup_limits *ret)
{
	char *path = str_dup(group);
	struct buf b = BUF_INIT;
	char *slash;

	*ret = (struct cgroup_limits){ .memory_max = UINT64_MAX,
		.memory_free = UINT64_MAX };
	for (;;) {
		read_cpu(root, path, &b, ret);
		read_memory(root, path, &b, ret);
		slash = strrchr(path, '/');
		if (slash == NULL)
			break;
		*slash = '\0';
	}
	buf_done(&b);
	free(path);
}
