/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON: the run, its executions, their steps with every try; and durations
 * in the form that splitters read. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "report/markup.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"

static void
write_counts(struct jw *w, const char *key, const struct counts *c)
{
	int i;

	jw_key(w, key);
	jw_object(w);
	for (i = 0; i < EXEC_STATES; i++)
		jw_kv_int(w, exec_state_name((enum exec_state)i), c->n[i]);
	jw_object_end(w);
}

static void
write_try(struct jw *w, const struct report_try *t)
{
	jw_object(w);
	jw_kv_int(w, "attempt", t->attempt);
	jw_kv_str(w, "agent", t->agent);
	jw_kv_str(w, "outcome", outcome_name(t->outcome));
	if (t->late)
		jw_kv_bool(w, "late", true);
	if (t->exit_code >= 0)
		jw_kv_int(w, "exit_code", t->exit_code);
	if (t->signo > 0)
		jw_kv_int(w, "signal", t->signo);
	jw_kv_time(w, "started", t->started_wall_us);
	jw_kv_seconds(w, "elapsed_s", t->elapsed_us);
	jw_kv_str(w, "text", t->text);
	jw_object_end(w);
}

static void
write_step(struct jw *w, const struct report_step *s)
{
	uint32_t i;

	jw_object(w);
	jw_kv_str(w, "test", s->test);
	jw_kv_str(w, "row", s->row);
	jw_kv_str(w, "target", s->target);
	jw_kv_str(w, "state", exec_state_name(s->state));
	jw_kv_seconds(w, "elapsed_s", row_elapsed(s));
	jw_kv_str(w, "text", s->text);
	jw_key(w, "tries");
	jw_array(w);
	for (i = 0; i < s->n_tries; i++)
		write_try(w, &s->tries[i]);
	jw_array_end(w);
	jw_object_end(w);
}

/* Names of those that are here, and what did not come. */
static void
write_artifacts(struct jw *w, const struct report_exec *e)
{
	const struct report_artifact *a;
	uint32_t i;

	if (e->n_artifacts > 0) {
		jw_key(w, "artifacts");
		jw_array(w);
		for (i = 0; i < e->n_artifacts; i++)
			if (e->artifacts[i].state == ARTIFACT_HERE)
				jw_str(w, e->artifacts[i].name);
		jw_array_end(w);
		jw_key(w, "artifacts_missing");
		jw_array(w);
		for (i = 0; i < e->n_artifacts; i++) {
			a = &e->artifacts[i];
			if (a->state == ARTIFACT_HERE)
				continue;
			jw_object(w);
			jw_kv_str(w, "name", a->name);
			jw_kv_str(w, "text", a->text);
			jw_object_end(w);
		}
		jw_array_end(w);
	}
	if (e->left_out > 0)
		jw_kv_int(w, "artifacts_left_out", e->left_out);
}

static void
write_exec(struct jw *w, const struct report_run *r,
    const struct report_exec *e)
{
	struct ident id = { .execution = e->no };
	char text[IDENT_TEXT];
	uint32_t i;

	memcpy(id.run, r->id, sizeof(id.run));
	jw_object(w);
	jw_kv_str(w, "id", ident_format(&id, text));
	if (e->n_steps > 0)
		jw_kv_str(w, "suite", r->steps[e->first_step].suite);
	jw_kv_str(w, "state", exec_state_name(e->state));
	jw_kv_int(w, "attempt", e->attempt);
	jw_kv_str(w, "agent", e->agent);
	jw_kv_str(w, "tier", tier_name(e->tier));
	jw_kv_str(w, "text", e->text);
	if (e->tail != NULL) {
		jw_key(w, "tail");
		jw_strn(w, e->tail, e->tail_len);
	}
	write_artifacts(w, e);
	jw_key(w, "steps");
	jw_array(w);
	for (i = 0; i < e->n_steps; i++)
		write_step(w, &r->steps[e->first_step + i]);
	jw_array_end(w);
	jw_object_end(w);
}

void
report_json(const struct report_run *r, struct buf *out)
{
	struct jw w;
	uint32_t i;

	jw_init(&w, out);
	jw_object(&w);
	jw_kv_str(&w, "id", r->id);
	jw_kv_str(&w, "plan", r->plan);
	jw_kv_str(&w, "state", run_state_name(r->state));
	jw_kv_str(&w, "who", r->who);
	jw_kv_str(&w, "owner", r->state == RUN_ENDED ? NULL : r->owner);
	jw_kv_time(&w, "started", r->started_wall_us);
	jw_kv_time(&w, "ended", r->ended_wall_us);
	if (r->exit_code >= 0)
		jw_kv_int(&w, "exit_code", r->exit_code);
	write_counts(&w, "counts", &r->counts);
	write_counts(&w, "steps", &r->steps_by_state);
	jw_key(&w, "executions");
	jw_array(&w);
	for (i = 0; i < r->n_execs; i++)
		write_exec(&w, r, &r->execs[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_putc(out, '\n');
}

/* What a test took, over its targets. */
struct taken {
	char *key;
	int64_t sum_us;
	uint32_t n;
	UT_hash_handle hh;
};

static void
take(struct taken **all, const struct report_step *s)
{
	/* The label without its target. */
	size_t n = strlen(s->label) -
	    (s->target != NULL ? strlen(s->target) + 1 : 0);
	struct taken *t;

	HASH_FIND(hh, *all, s->label, n, t);
	if (t == NULL) {
		t = mem_zalloc(sizeof(*t));
		t->key = str_ndup(s->label, n);
		HASH_ADD_KEYPTR(hh, *all, t->key, n, t);
	}
	t->sum_us += row_elapsed(s);
	t->n++;
}

void
report_durations(const struct report_run *r, struct buf *out)
{
	struct taken *all = NULL, *t, *next;
	struct jw w;
	uint32_t i;

	for (i = 0; i < r->n_steps; i++)
		if (r->steps[i].last != NULL &&
		    r->steps[i].last->outcome == OUTCOME_PASSED)
			take(&all, &r->steps[i]);
	jw_init(&w, out);
	jw_object(&w);
	HASH_ITER(hh, all, t, next) {
		jw_kv_seconds(&w, t->key, t->sum_us / t->n);
		HASH_DEL(all, t);
		free(t->key);
		free(t);
	}
	jw_object_end(&w);
	buf_putc(out, '\n');
}
