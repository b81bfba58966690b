/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long tests took and how they ended, by keys from the most specific. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "store/registry_db.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* No test that is meant takes longer: a year. */
#define SECONDS_MAX (366.0 * 86400.0)

/* What is known by one key. */
struct record {
	int64_t durations[HISTORY_KEPT];
	uint8_t outcomes[HISTORY_KEPT];
	uint32_t n_durations, n_outcomes;
};

static void
push_key(struct strvec *out, const struct history_item *item, bool suite,
    bool row, bool target)
{
	bool in_suite = suite && item->suite != NULL;

	strvec_pushf(out, "%s%s%s%s%s%s%s%s", in_suite ? item->suite : "",
	    in_suite ? "/" : "", item->test, row ? "[" : "",
	    row ? item->row : "", row ? "]" : "", target ? "@" : "",
	    target ? item->target : "");
}

void
history_keys(const struct history_item *item, struct strvec *out)
{
	bool row, target;
	int i;

	/* Bits: 1 without target, 2 without row. */
	for (i = 0; i < 4; i++) {
		row = (i & 2) == 0;
		target = (i & 1) == 0;
		if ((row && item->row == NULL) ||
		    (target && item->target == NULL))
			continue;
		if (item->suite != NULL)
			push_key(out, item, true, row, target);
		push_key(out, item, false, row, target);
	}
}

/* Adds an element of size bytes behind n, dropping the oldest of many. */
static void
push_newest(void *array, uint32_t *n, const void *element, size_t size)
{
	uint8_t *p = array;

	if (*n == HISTORY_KEPT) {
		memmove(p, p + size, (HISTORY_KEPT - 1) * size);
		(*n)--;
	}
	memcpy(p + (*n)++ * size, element, size);
}

/* A blob as n elements; one of a wrong length counts as empty. */
static uint32_t
read_blob(sqlite3_stmt *st, int column, void *out, size_t size)
{
	size_t n;
	const void *p = db_col_blob(st, column, &n);

	if (p == NULL || n % size != 0 || n / size > HISTORY_KEPT)
		return 0;
	memcpy(out, p, n);
	return (uint32_t)(n / size);
}

/* 1 and the record, 0 when there is none, or a negative code. */
static int
record_get(struct registry *reg, const char *key, struct record *ret)
{
	sqlite3_stmt *st;
	int r;

	*ret = (struct record){ .n_durations = 0 };
	st = db_use(&reg->db, REG_HISTORY_GET, &r, "t", key);
	if (st == NULL)
		return r;
	if ((r = db_step(st)) == 1) {
		ret->n_durations = read_blob(st, 0, ret->durations,
		    sizeof(ret->durations[0]));
		ret->n_outcomes = read_blob(st, 1, ret->outcomes,
		    sizeof(ret->outcomes[0]));
	}
	db_reset(st);
	return r;
}

static int
record_add(struct registry *reg, const char *key, enum outcome outcome,
    int64_t elapsed_us)
{
	struct record rec;
	uint8_t byte = (uint8_t)outcome;
	int r;

	if ((r = record_get(reg, key, &rec)) < 0)
		return r;
	push_newest(rec.outcomes, &rec.n_outcomes, &byte, sizeof(byte));
	if (outcome == OUTCOME_PASSED)
		push_newest(rec.durations, &rec.n_durations, &elapsed_us,
		    sizeof(elapsed_us));
	return db_run(&reg->db, REG_HISTORY_PUT, "tbb", key, rec.durations,
	    rec.n_durations * sizeof(rec.durations[0]), rec.outcomes,
	    (size_t)rec.n_outcomes);
}

static int
sample_add(struct registry *reg, const struct history_sample *s)
{
	struct strvec keys = STRVEC_INIT;
	size_t i;
	int r = 0;

	if (s->outcome != OUTCOME_PASSED && s->outcome != OUTCOME_FAILED &&
	    s->outcome != OUTCOME_TIMEOUT)
		return 0;
	history_keys(&s->item, &keys);
	for (i = 0; i < keys.n && r == 0; i++)
		r = record_add(reg, keys.v[i], s->outcome, s->speed == 0 ?
		    s->elapsed_us : s->elapsed_us / 1000 * s->speed +
		    s->elapsed_us % 1000 * s->speed / 1000);
	if (r == 0 && s->agent != NULL && s->outcome == OUTCOME_PASSED)
		r = pace_add(reg, keys.v[0], s->agent, s->elapsed_us);
	strvec_done(&keys);
	return r;
}

int
history_add(struct registry *reg, const struct history_sample *v, size_t n)
{
	size_t i;
	int r;

	if (n == 0)
		return 0;
	if ((r = registry_begin(reg)) < 0)
		return r;
	for (i = 0; i < n && r == 0; i++)
		r = sample_add(reg, &v[i]);
	return registry_end(reg, r);
}

static int
cmp_duration(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The median of the newest; 0 when there is none. */
static int64_t
median(const struct record *rec)
{
	int64_t v[HISTORY_MEDIAN];
	uint32_t n = rec->n_durations;

	if (n > HISTORY_MEDIAN)
		n = HISTORY_MEDIAN;
	if (n == 0)
		return 0;
	memcpy(v, rec->durations + rec->n_durations - n, n * sizeof(v[0]));
	qsort(v, n, sizeof(v[0]), cmp_duration);
	return n % 2 == 1 ? v[n / 2] : v[n / 2 - 1] +
	    (v[n / 2] - v[n / 2 - 1]) / 2;
}

static uint32_t
failures_of(const struct record *rec)
{
	uint32_t i, n = 0;

	for (i = 0; i < rec->n_outcomes; i++)
		n += rec->outcomes[i] != OUTCOME_PASSED;
	return n;
}

/* The rule of succession with half a pass and half a failure beforehand: one
 * failure of one weighs less than nine of ten. */
int32_t
history_likelihood(uint32_t outcomes, uint32_t failures)
{
	return (int32_t)((2 * failures + 1) * 1000 / (2 * outcomes + 2));
}

/* Takes from a record what a more specific one did not know. */
static void
estimate_from(const struct record *rec, struct history_estimate *e)
{
	if (e->passes == 0 && rec->n_durations > 0) {
		e->passes = rec->n_durations;
		e->usual_us = median(rec);
	}
	if (e->outcomes > 0)
		return;
	e->outcomes = rec->n_outcomes;
	e->failures = failures_of(rec);
}

int
history_estimate(struct registry *reg, const struct history_item *item,
    struct history_estimate *ret)
{
	struct history_estimate e = { .usual_us = 0 };
	struct strvec keys = STRVEC_INIT;
	struct record rec;
	size_t i;
	int r = 0;

	history_keys(item, &keys);
	for (i = 0; i < keys.n && e.passes == 0; i++) {
		if ((r = record_get(reg, keys.v[i], &rec)) < 0)
			break;
		if (r == 1)
			estimate_from(&rec, &e);
	}
	strvec_done(&keys);
	if (r < 0)
		return r;
	if (e.outcomes == 0 && e.passes == 0)
		return ERR_NOT_FOUND;
	*ret = e;
	return 0;
}

/* No test has a name with a control character in it. */
static char *
start_key(const char *suite)
{
	return str_fmt(HISTORY_START "%s", suite);
}

int
history_start_add(struct registry *reg, const char *suite, int64_t start_us)
{
	char *key = start_key(suite);
	int r;

	if ((r = registry_begin(reg)) == 0)
		r = registry_end(reg, record_add(reg, key, OUTCOME_PASSED,
		    start_us));
	free(key);
	return r;
}

int
history_start(struct registry *reg, const char *suite, int64_t *ret_start_us)
{
	char *key = start_key(suite);
	struct record rec;
	int r;

	r = record_get(reg, key, &rec);
	free(key);
	if (r == 0 || (r == 1 && rec.n_durations == 0))
		return ERR_NOT_FOUND;
	if (r < 0)
		return r;
	*ret_start_us = median(&rec);
	return 0;
}

int
history_export(struct registry *reg, struct jw *w)
{
	struct record rec;
	sqlite3_stmt *st;
	int r;

	if ((st = db_use(&reg->db, REG_HISTORY_ALL, &r, "")) == NULL)
		return r;
	jw_object(w);
	while ((r = db_step(st)) == 1) {
		rec.n_durations = read_blob(st, 1, rec.durations,
		    sizeof(rec.durations[0]));
		if (rec.n_durations > 0)
			jw_kv_seconds(w, db_col_text(st, 0), median(&rec));
	}
	jw_object_end(w);
	db_reset(st);
	return r;
}

int
history_export_fails(struct registry *reg, struct jw *w)
{
	struct record rec;
	sqlite3_stmt *st;
	int r;

	if ((st = db_use(&reg->db, REG_HISTORY_ALL, &r, "")) == NULL)
		return r;
	jw_object(w);
	while ((r = db_step(st)) == 1) {
		rec.n_outcomes = read_blob(st, 2, rec.outcomes,
		    sizeof(rec.outcomes[0]));
		if (rec.n_outcomes > 0)
			jw_kv_int(w, db_col_text(st, 0), history_likelihood(
			    rec.n_outcomes, failures_of(&rec)));
	}
	jw_object_end(w);
	db_reset(st);
	return r;
}

static int
import_one(struct registry *reg, const char *key, const struct jval *v)
{
	double s;

	if (jval_type(v) != JVAL_INT && jval_type(v) != JVAL_REAL)
		return ERR_SYNTAX;
	s = jval_real(v, -1);
	if (!(s >= 0 && s <= SECONDS_MAX))
		return ERR_RANGE;
	return record_add(reg, key, OUTCOME_PASSED,
	    (int64_t)(s * (double)US_PER_S + 0.5));
}

int
history_import(struct registry *reg, const struct jval *v, size_t *ret_n)
{
	size_t i, n = jval_count(v);
	int r;

	if (jval_type(v) != JVAL_OBJECT)
		return ERR_SYNTAX;
	if ((r = registry_begin(reg)) < 0)
		return r;
	for (i = 0; i < n && r == 0; i++)
		r = import_one(reg, jval_key_at(v, i), jval_value_at(v, i));
	if ((r = registry_end(reg, r)) == 0)
		*ret_n = n;
	return r;
}
