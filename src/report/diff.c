/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changed from one run to another. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/diff.h"

static const char *const change_names[CHANGES] = {
	[CHANGE_BROKEN] = "broken",
	[CHANGE_FIXED] = "fixed",
	[CHANGE_STATE] = "changed",
	[CHANGE_ADDED] = "added",
	[CHANGE_REMOVED] = "removed",
	[CHANGE_SLOWER] = "slower",
	[CHANGE_FASTER] = "faster",
};

/* A step of the first run, found by its label. */
struct entry {
	const struct report_step *step;
	bool met;		/* the second run has it, too */
	UT_hash_handle hh;
};

const char *
change_name(enum change c)
{
	return change_names[c];
}

static bool
is_good(const struct report_step *s)
{
	return s->state == EXEC_PASSED || s->state == EXEC_HEALED;
}

static bool
is_bad(const struct report_step *s)
{
	return s->state == EXEC_FAILED || s->state == EXEC_TIMEOUT ||
	    s->state == EXEC_ERROR;
}

static int64_t
elapsed(const struct report_step *s)
{
	return s->last != NULL ? s->last->elapsed_us : 0;
}

static bool
much_longer(int64_t us, int64_t than_us)
{
	return us >= than_us + US_PER_S && us >= than_us + than_us / 2;
}

/* CHANGES: nothing changed. */
static enum change
compare(const struct report_step *a, const struct report_step *b)
{
	if (is_good(a) && is_bad(b))
		return CHANGE_BROKEN;
	if (is_bad(a) && is_good(b))
		return CHANGE_FIXED;
	if (a->state != b->state)
		return CHANGE_STATE;
	if (!is_good(a))
		return CHANGES;
	if (much_longer(elapsed(b), elapsed(a)))
		return CHANGE_SLOWER;
	if (much_longer(elapsed(a), elapsed(b)))
		return CHANGE_FASTER;
	return CHANGES;
}

static void
add(struct report_diff *d, enum change change, const struct report_step *a,
    const struct report_step *b)
{
	if (change == CHANGES) {
		d->same++;
		return;
	}
	d->by_change[change]++;
	d->steps[d->n++] = (struct diff_step){ change, a, b };
}

/* By change; what is equal stays as it was put. */
static void
sort_by_change(struct report_diff *d)
{
	struct diff_step *v = mem_calloc(d->n, sizeof *v);
	uint32_t at[CHANGES] = { 0 }, i;

	for (i = 1; i < CHANGES; i++)
		at[i] = at[i - 1] + d->by_change[i - 1];
	for (i = 0; i < d->n; i++)
		v[at[d->steps[i].change]++] = d->steps[i];
	free(d->steps);
	d->steps = v;
}

void
report_diff(const struct report_run *a, const struct report_run *b,
    struct report_diff *ret)
{
	struct report_diff d = { .n = 0 };
	struct entry *entries, *by_label = NULL, *e;
	uint32_t i;

	d.steps = mem_calloc((size_t)a->n_steps + b->n_steps,
	    sizeof *d.steps);
	entries = mem_calloc(a->n_steps, sizeof *entries);
	for (i = 0; i < a->n_steps; i++) {
		entries[i].step = &a->steps[i];
		HASH_ADD_KEYPTR(hh, by_label, a->steps[i].label,
		    strlen(a->steps[i].label), &entries[i]);
	}
	for (i = 0; i < b->n_steps; i++) {
		HASH_FIND_STR(by_label, b->steps[i].label, e);
		if (e == NULL) {
			add(&d, CHANGE_ADDED, NULL, &b->steps[i]);
			continue;
		}
		e->met = true;
		add(&d, compare(e->step, &b->steps[i]), e->step,
		    &b->steps[i]);
	}
	for (i = 0; i < a->n_steps; i++)
		if (!entries[i].met)
			add(&d, CHANGE_REMOVED, &a->steps[i], NULL);
	HASH_CLEAR(hh, by_label);
	free(entries);
	sort_by_change(&d);
	*ret = d;
}

void
report_diff_done(struct report_diff *d)
{
	free(d->steps);
	*d = (struct report_diff){ .n = 0 };
}

/* "state" and "elapsed_s" of one side; null where it has no such step. */
static void
write_side(struct jw *w, const char *key, const struct report_step *s)
{
	jw_key(w, key);
	if (s == NULL) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_str(w, "state", exec_state_name(s->state));
	jw_kv_seconds(w, "elapsed_s", elapsed(s));
	jw_kv_str(w, "agent", s->last != NULL ? s->last->agent : NULL);
	jw_kv_str(w, "text", s->text);
	jw_object_end(w);
}

static void
write_step(struct jw *w, const struct diff_step *d)
{
	const struct report_step *s = d->b != NULL ? d->b : d->a;

	jw_object(w);
	jw_kv_str(w, "change", change_names[d->change]);
	jw_kv_str(w, "step", s->label);
	jw_kv_str(w, "suite", s->suite);
	jw_kv_str(w, "test", s->test);
	jw_kv_str(w, "row", s->row);
	jw_kv_str(w, "target", s->target);
	write_side(w, "a", d->a);
	write_side(w, "b", d->b);
	jw_object_end(w);
}

void
report_diff_json(const struct report_diff *d, const struct report_run *a,
    const struct report_run *b, struct buf *out)
{
	struct jw w;
	uint32_t i;

	jw_init(&w, out);
	jw_object(&w);
	jw_kv_str(&w, "a", a->id);
	jw_kv_str(&w, "b", b->id);
	jw_key(&w, "counts");
	jw_object(&w);
	for (i = 0; i < CHANGES; i++)
		jw_kv_int(&w, change_names[i], d->by_change[i]);
	jw_kv_int(&w, "same", d->same);
	jw_object_end(&w);
	jw_key(&w, "steps");
	jw_array(&w);
	for (i = 0; i < d->n; i++)
		write_step(&w, &d->steps[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}
