/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the host says of itself, read cheaply. */
#ifndef YARDMASTER_SYS_HOST_H
#define YARDMASTER_SYS_HOST_H

#include <stdint.h>

struct host_facts {
	char name[65];		/* nodename */
	uint32_t cpus;		/* logical, limited by affinity and cgroup quota */
	uint64_t memory_bytes;	/* limited by cgroup */
	uint64_t memory_free_bytes;	/* available */
	double load1;		/* 1-minute load average */
	int64_t uptime_us;
};
/* 0 or -errno; what cannot be read is 0. */
int host_read(struct host_facts *ret);
/* Advised max workers: min(half of the CPUs, memory / 2 GiB), at least 1. */
uint32_t host_advised_workers(uint32_t cpus, uint64_t memory_bytes);

#endif
