/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Limits of a control group (version 2). Private to sys. */
#ifndef SYS_CGROUP_H
#define SYS_CGROUP_H

#include <stdint.h>

struct cgroup_limits {
	double cpus;		/* 0: no quota */
	uint64_t memory_max;	/* UINT64_MAX: none */
	uint64_t memory_free;	/* left below the tightest limit */
};

/* The tightest limits of group ("/a/b") and all groups around it below the
 * mount point root. */
void cgroup_read(const char *root, const char *group,
    struct cgroup_limits *ret);

#endif
