/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the registry keeps of agents: who is benched, and how long tests took
 * on each. */
#include "config.h"

#include "store/registry_db.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"

int
registry_bench(struct registry *reg, const struct registry_benched *b)
{
	if (b->text == NULL)
		return db_run(&reg->db, REG_BENCH_DROP, "tt", b->fleet,
		    b->agent);
	return db_run(&reg->db, REG_BENCH_PUT, "ttti", b->fleet, b->agent,
	    b->text, b->wall_us);
}

int
registry_each_benched(struct registry *reg, const char *fleet,
    int (*fn)(void *arg, const struct registry_benched *b), void *arg)
{
	struct registry_benched b = { .fleet = fleet };
	sqlite3_stmt *st;
	int r;

	st = db_use(&reg->db, REG_BENCH_ALL, &r, "t", fleet);
	if (st == NULL)
		return r;
	while ((r = db_step(st)) == 1) {
		b.agent = db_col_text(st, 0);
		b.text = db_col_text(st, 1);
		b.wall_us = db_col_int(st, 2);
		if (b.agent != NULL && b.text != NULL &&
		    (r = fn(arg, &b)) != 0)
			break;
	}
	db_reset(st);
	return r;
}

int
pace_add(struct registry *reg, const char *key, const char *agent,
    int64_t elapsed_us)
{
	int r = db_run(&reg->db, REG_PACE_PUT, "ttii", key, agent, elapsed_us,
	    clock_wall_us());

	return r < 0 ? r : db_run(&reg->db, REG_PACE_TRIM, "tti", key, key,
	    (int64_t)PACE_AGENTS);
}

int
history_each_pace(struct registry *reg,
    int (*fn)(void *arg, const char *key, const char *agent,
    int64_t elapsed_us), void *arg)
{
	const char *key, *agent;
	sqlite3_stmt *st;
	int r;

	st = db_use(&reg->db, REG_PACE_ALL, &r, "i", (int64_t)PACE_READ);
	if (st == NULL)
		return r;
	while ((r = db_step(st)) == 1) {
		key = db_col_text(st, 0);
		agent = db_col_text(st, 1);
		if (key != NULL && agent != NULL &&
		    (r = fn(arg, key, agent, db_col_int(st, 2))) != 0)
			break;
	}
	db_reset(st);
	return r;
}
