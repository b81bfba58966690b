/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host offers: CPUs, memory, load. */
#include "config.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "sys/cgroup.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/host.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define PROC_FILE_MAX 65536
#define CPUS_MAX 65536
#define GIB (UINT64_C(1) << 30)

/* The CPUs that we may run on. */
static uint32_t
affinity(void)
{
	int cpus, n = 0;
	cpu_set_t *set;
	size_t size;

	for (cpus = 1024; n == 0 && cpus <= CPUS_MAX; cpus *= 2) {
		set = CPU_ALLOC(cpus);
		if (set == NULL)
			break;
		size = CPU_ALLOC_SIZE(cpus);
		if (sched_getaffinity(0, size, set) == 0)
			n = CPU_COUNT_S(size, set);
		CPU_FREE(set);
	}
	return (uint32_t)n;
}

/* The number of kB behind "key:" in /proc/meminfo, as bytes. */
static uint64_t
meminfo(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	unsigned long long kb;

	if (p == NULL || sscanf(p + strlen(key), " %llu", &kb) != 1)
		return 0;
	return (uint64_t)kb * 1024;
}

static void
read_memory(struct buf *b, struct host_facts *f)
{
	buf_clear(b);
	fs_read("/proc/meminfo", PROC_FILE_MAX, b);
	f->memory_bytes = meminfo(buf_str(b), "MemTotal:");
	f->memory_free_bytes = meminfo(buf_str(b), "MemAvailable:");
}

/* Applies the limits of our control group, version 2 ("0::/path"). */
static void
apply_cgroup(struct buf *b, struct host_facts *f)
{
	struct cgroup_limits l;
	char *group, *end;

	buf_clear(b);
	fs_read("/proc/self/cgroup", PROC_FILE_MAX, b);
	group = strstr(buf_str(b), "0::/");
	if (group == NULL)
		return;
	group += 3;
	end = strchrnul(group, '\n');
	*end = '\0';
	cgroup_read(CGROUP_ROOT, strcmp(group, "/") == 0 ? "" : group, &l);
	if (l.cpus > 0 && ceil(l.cpus) < f->cpus)
		f->cpus = (uint32_t)ceil(l.cpus);
	if (l.memory_max < f->memory_bytes)
		f->memory_bytes = l.memory_max;
	if (l.memory_free < f->memory_free_bytes)
		f->memory_free_bytes = l.memory_free;
}

int
host_read(struct host_facts *ret)
{
	struct host_facts f = { .cpus = 0 };
	struct buf b = BUF_INIT;
	struct utsname u;

	if (uname(&u) < 0)
		return -errno;
	snprintf(f.name, sizeof(f.name), "%.64s", u.nodename);
	f.cpus = affinity();
	read_memory(&b, &f);
	apply_cgroup(&b, &f);
	if (getloadavg(&f.load1, 1) != 1)
		f.load1 = 0;
	f.uptime_us = clock_mono_us();
	buf_done(&b);
	*ret = f;
	return 0;
}

uint32_t
host_advised_workers(uint32_t cpus, uint64_t memory_bytes)
{
	uint64_t by_cpu = cpus / 2, by_memory = memory_bytes / (2 * GIB);
	uint64_t n = by_cpu < by_memory ? by_cpu : by_memory;

	return n < 1 ? 1 : (uint32_t)n;
}
