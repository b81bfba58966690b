/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Leases: what attempts of any run of the folder hold of limits by name. A
 * row says nothing of who lives: that the locks of the runs say, and whether
 * an attempt still runs, its agent.
 */
#include "config.h"

#include <string.h>

#include "store/registry_db.h"
#include "yardmaster/base/err.h"

int
registry_lease_begin(struct registry *reg)
{
	int r;

	/* Whoever waits for another console's write does it in its own time:
	 * a turn of the loop must not stand still for it. */
	sqlite3_busy_timeout(reg->db.h, 0);
	r = registry_begin(reg);
	sqlite3_busy_timeout(reg->db.h, DB_BUSY_MS);
	return r;
}

int
registry_lease_end(struct registry *reg, bool keep)
{
	int r;

	if (keep)
		return registry_end(reg, 0);
	r = sqlite3_get_autocommit(reg->db.h) ? 0 :
	    db_exec(&reg->db, "ROLLBACK");
	return r;
}

int
registry_lease_put(struct registry *reg, const struct lease *l)
{
	const struct hold *h = &l->hold;

	return db_run(&reg->db, REG_LEASE_PUT, "tiitttiiitttttii", l->id.run,
	    (int64_t)l->id.execution, (int64_t)l->id.attempt,
	    hold_kind_name(h->kind), h->name,
	    h->other != NULL ? h->other : "", (int64_t)h->n,
	    (int64_t)h->shared, (int64_t)h->capacity, h->instance, l->owner,
	    l->agent, l->host, l->instance, l->since_wall_us,
	    (int64_t)h->group);
}

int
registry_lease_drop(struct registry *reg, const struct ident *id)
{
	return db_run(&reg->db, REG_LEASE_DROP, "tii", id->run,
	    (int64_t)id->execution, (int64_t)id->attempt);
}

/* False for a row that no program of ours wrote. */
static bool
lease_read(sqlite3_stmt *st, struct lease *l)
{
	const char *run = db_col_text(st, 0), *kind = db_col_text(st, 3);
	int k;

	if (run == NULL || ident_parse(run, &l->id) < 0 || kind == NULL ||
	    (k = hold_kind_parse(kind)) < 0)
		return false;
	l->id.execution = (uint32_t)db_col_int(st, 1);
	l->id.attempt = (uint32_t)db_col_int(st, 2);
	l->hold = (struct hold){
		.kind = (enum hold_kind)k,
		.name = (char *)(uintptr_t)db_col_text(st, 4),
		.other = k == HOLD_EXCLUSION ?
		    (char *)(uintptr_t)db_col_text(st, 5) : NULL,
		.n = (uint32_t)db_col_int(st, 6),
		.shared = db_col_int(st, 7) != 0,
		.capacity = (uint32_t)db_col_int(st, 8),
		.instance = (char *)(uintptr_t)db_col_text(st, 9),
	};
	l->owner = db_col_text(st, 10);
	l->agent = db_col_text(st, 11);
	l->host = db_col_text(st, 12);
	l->instance = db_col_text(st, 13);
	l->since_wall_us = db_col_int(st, 14);
	l->hold.group = (uint32_t)db_col_int(st, 15);
	return l->hold.name != NULL;
}

int
registry_lease_each(struct registry *reg,
    int (*fn)(void *arg, const struct lease *l), void *arg)
{
	sqlite3_stmt *st;
	struct lease l;
	int r, got = 0;

	st = db_use(&reg->db, REG_LEASE_ALL, &r, "");
	if (st == NULL)
		return r;
	while (got == 0 && (r = db_step(st)) == 1)
		if (lease_read(st, &l))
			got = fn(arg, &l);
	db_reset(st);
	return got != 0 ? got : r < 0 ? r : 0;
}

int
registry_changed(struct registry *reg, bool *ret)
{
	int64_t version = 0;
	int r = db_int(&reg->db, "PRAGMA data_version", 0, &version);

	if (r < 0)
		return r;
	*ret = !reg->looked || version != reg->seen;
	reg->looked = true;
	reg->seen = version;
	return 0;
}

const char *
registry_path(const struct registry *reg)
{
	return reg->path;
}
