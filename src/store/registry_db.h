/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inside of the registry: its statements and what its parts share. */
#ifndef STORE_REGISTRY_DB_H
#define STORE_REGISTRY_DB_H

#include "store/db.h"
#include "yardmaster/store/registry.h"

#define REGISTRY_VERSION 1

/* Before the suite in keys of history that are of no test. */
#define HISTORY_START "\1start "

enum registry_stmt {
	REG_HISTORY_GET, REG_HISTORY_PUT, REG_HISTORY_ALL,
	REG_LEASE_PUT, REG_LEASE_DROP, REG_LEASE_ALL,
	REG_BENCH_PUT, REG_BENCH_DROP, REG_BENCH_ALL,
	REG_SCHEDULE_ADD, REG_SCHEDULE_DROP, REG_SCHEDULE_ALL,
	REG_SCHEDULE_CLAIM, REG_SCHEDULE_NOTE,
	REG_PACE_PUT, REG_PACE_TRIM, REG_PACE_ALL,
	REG_STMTS
};

struct registry {
	struct db db;
	char *path;
	int64_t seen;		/* data_version at the last look */
	bool looked;
};

/* Begins and ends a writing transaction: commit when r is 0, else rolled
 * back. Returns r, or the failure of the commit. */
int registry_begin(struct registry *r);
int registry_end(struct registry *reg, int r);

#define PACE_AGENTS 8		/* newest agents kept for each test */
#define PACE_READ 10000		/* newest rows that speeds are learned from */
/* agents.c: what a test took on an agent; within a transaction. */
int pace_add(struct registry *reg, const char *key, const char *agent,
    int64_t elapsed_us);

#endif
