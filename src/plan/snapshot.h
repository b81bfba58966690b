/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What writing and reading a snapshot share: the table of plain values. */
#ifndef PLAN_SNAPSHOT_H
#define PLAN_SNAPSHOT_H

#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/plan/plan.h"

#define SNAPSHOT_VERSION 1

/* A value equal to the default is left out. */
struct snapshot_field {
	const char *name;
	size_t offset, size;	/* in struct plan_props */
	void (*write)(struct jw *w, const char *name, const void *member);
	/* False when v is no such value. */
	bool (*read)(const struct jval *v, void *member);
};

extern const struct snapshot_field snapshot_fields[];
extern const size_t n_snapshot_fields;

/* ---- snapshot_secrets.c ---- */

/* Writes and reads the member "secrets" of a snapshot; false when there is
 * something wrong with it. */
void snapshot_write_secrets(struct jw *w, const struct plan *p);
bool snapshot_read_secrets(const struct jval *root, struct plan *p);
/* The same for the secret columns of one data, whose columns are known. */
void snapshot_write_columns(struct jw *w, const struct plan_data *d);
bool snapshot_read_columns(const struct jval *v, struct plan_data *d);

/* ---- snapshot_amended.c ---- */

/* Writes and reads the members "amended", before the expansion, and "moved",
 * after it; false when there is something wrong with them. */
void snapshot_write_amended(struct jw *w, const struct plan *p);
bool snapshot_read_amended(const struct jval *root, struct plan *p);
bool snapshot_read_moved(const struct jval *root, struct plan *p);

/* ---- schedule.c ---- */

/* Writes and reads the member "schedules", with the instants that were fixed;
 * false when there is something wrong with it. */
void snapshot_write_schedules(struct jw *w, const struct plan *p);
bool snapshot_read_schedules(const struct jval *root, struct plan *p);

#endif
