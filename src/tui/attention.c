/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of the Attention pane. One function for each kind of trouble looks
 * through the model and adds rows; nothing else decides what wants a person.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/mem.h"
#include "tui/attention.h"
#include "tui/cells.h"
#include "tui/opform.h"

#define STUCK_AFTER_US (5 * 60 * US_PER_S)
#define KIND_SHIFT 56

struct ack {
	uint64_t key;
	uint32_t count;		/* it returns above this */
	char *text;
	UT_hash_handle hh;
};

struct attention_list {
	struct attention *v;
	size_t n, cap;
	struct cause causes[REASONS];
	struct ack *acks;
};

struct attention_list *
attention_new(void)
{
	return mem_zalloc(sizeof(struct attention_list));
}

static void
clear(struct attention_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->v[i].what);
		free(l->v[i].detail);
	}
	l->n = 0;
	memset(l->causes, 0, sizeof(l->causes));
}

static void
drop_ack(struct attention_list *l, struct ack *a)
{
	HASH_DEL(l->acks, a);
	free(a->text);
	free(a);
}

void
attention_free(struct attention_list *l)
{
	struct ack *a, *next;

	if (l == NULL)
		return;
	clear(l);
	HASH_ITER (hh, l->acks, a, next)
		drop_ack(l, a);
	free(l->v);
	free(l);
}

static uint64_t
key_of(enum attention_kind kind, const char *cause)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; cause != NULL && *cause != '\0'; cause++)
		h = (h ^ (unsigned char)*cause) * UINT64_C(1099511628211);
	return (uint64_t)kind << KIND_SHIFT | h >> (64 - KIND_SHIFT);
}

/* The row of that kind and cause, made when there is none. */
static struct attention *
row(struct tui *t, enum attention_kind kind, const char *cause,
    enum severity severity)
{
	struct attention_list *l = t->attention;
	uint64_t key = key_of(kind, cause);
	struct attention *a;
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].key == key)
			return &l->v[i];
	l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
	a = &l->v[l->n++];
	memset(a, 0, sizeof(*a));
	a->key = key;
	a->kind = kind;
	a->severity = severity;
	return a;
}

static void
set_what(struct attention *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
set_what(struct attention *a, const char *fmt, ...)
{
	va_list ap;

	free(a->what);
	va_start(ap, fmt);
	a->what = str_vfmt(fmt, ap);
	va_end(ap);
}

/* Adds a name to the detail, and an instant to since. The first one is what
 * the row opens. */
static void
add_name(struct attention *a, const char *name, struct rowid object,
    int64_t since_us)
{
	char *detail;

	if (a->count++ == 0)
		a->object = object;
	if (a->since_us == 0 || (since_us > 0 && since_us < a->since_us))
		a->since_us = since_us;
	if (a->count > 8)
		return;
	detail = a->detail == NULL ? str_dup(name) :
	    str_fmt("%s, %s", a->detail, a->count == 8 ? "..." : name);
	free(a->detail);
	a->detail = detail;
}

static void
look_at_links(struct tui *t, const struct agent *ag, size_t no)
{
	struct attention *a;

	if (ag->question != NULL) {
		a = row(t, ATTENTION_ASK, NULL, SEVERITY_BAD);
		add_name(a, ag->name, rowid_agent(no), ag->link_since_us);
		set_what(a, "%u host%s ask%s", a->count, plural(a->count),
		    a->count == 1 ? "s" : "");
	} else if (ag->state == AGENT_LOST || ag->state == AGENT_OFFLINE) {
		a = row(t, ATTENTION_LINKS,
		    ag->error != NULL ? ag->error : "no answer",
		    ag->state == AGENT_LOST ? SEVERITY_BAD : SEVERITY_WARN);
		add_name(a, ag->name, rowid_agent(no), ag->link_since_us);
		set_what(a, "%u link%s lost: %s", a->count,
		    plural(a->count),
		    ag->error != NULL ? ag->error : "no answer");
	}
}

static void
look_at_guards(struct tui *t, const struct agent *ag, size_t no)
{
	const struct facts *f = &ag->facts;
	struct attention *a;

	if (f->guard != NULL) {
		a = row(t, ATTENTION_GUARD, ag->name, SEVERITY_WARN);
		set_what(a, "%s past a guard: %s", ag->name, f->guard);
		add_name(a, "nothing new starts there", rowid_agent(no), 0);
	}
	if (f->warning != NULL) {
		a = row(t, ATTENTION_SETTINGS, ag->name, SEVERITY_WARN);
		set_what(a, "%s: %s", ag->name, f->warning);
		add_name(a, "its owner should mend it", rowid_agent(no), 0);
	}
	if (f->auto_running > f->effective) {
		a = row(t, ATTENTION_THRESHOLD, ag->name, SEVERITY_INFO);
		set_what(a, "%s runs %u distributed, threshold %u", ag->name,
		    f->auto_running, f->effective);
		add_name(a, "goes down as they end", rowid_agent(no), 0);
	}
}

static void
look_at_bench(struct tui *t, const struct agent *ag, size_t no)
{
	struct attention *a;

	if (ag->errors == NULL)
		return;
	a = row(t, ATTENTION_BENCH, ag->name, SEVERITY_WARN);
	add_name(a, ag->errors, rowid_agent(no), 0);
	set_what(a, ag->benched ? "%s is benched" : "%s errs, is not benched",
	    ag->name);
}

/* Silent: no output for long. Overdue: far over the usual length. */
static void
look_at_worker(struct tui *t, const struct agent *ag, size_t no,
    const struct worker *w)
{
	const struct object o = { .agent = ag, .worker = w };
	char age[DURATION_TEXT], usual[DURATION_TEXT];
	char cause[AGENT_NAME_SIZE + 16];
	int64_t elapsed = worker_elapsed_us(t, &o);
	int64_t silent = worker_silent_us(t, &o);
	struct attention *a;
	bool overdue;

	if (silent < 0)
		silent = elapsed;
	overdue = worker_overdue(w, elapsed);
	if (!w->busy || w->kind > WORKER_JOB ||
	    (!overdue && silent < WORKER_SILENT_US))
		return;
	snprintf(cause, sizeof(cause), "%s/%u", ag->name, w->no);
	a = row(t, ATTENTION_WORKER, cause, SEVERITY_WARN);
	a->count = 1;
	a->object = rowid_worker(no, w->no);
	a->since_us = t->now_us - (overdue ? elapsed : silent);
	if (overdue)
		set_what(a, "%s overdue: %s, usual %s", cause,
		    duration_coarse(elapsed, age),
		    duration_coarse(w->usual_us, usual));
	else
		set_what(a, "%s silent for %s", cause,
		    duration_coarse(silent, age));
	free(a->detail);
	a->detail = str_dup(w->label != NULL ? w->label : "");
}

static void
look_at_agents(struct tui *t)
{
	const struct agent *ag;
	size_t i, n = engine_agent_count(t->engine);
	uint32_t w;

	for (i = 0; i < n; i++) {
		ag = engine_agent(t->engine, i);
		if (ag->removed)
			continue;
		look_at_links(t, ag, i);
		look_at_bench(t, ag, i);
		if (!ag->known || ag->link != LINK_UP)
			continue;
		look_at_guards(t, ag, i);
		for (w = 0; w < ag->facts.n_workers; w++)
			look_at_worker(t, ag, i, &ag->facts.workers[w]);
	}
}

/* True when x waits longer than it should for its reason. */
static bool
is_stuck(const struct tui *t, const struct execution *x)
{
	int64_t limit = STUCK_AFTER_US, predicted;

	if (reason_info(x->reason)->clears == CLEARS_OPERATOR)
		return true;
	if (x->reason_since_us == 0 || x->reason == REASON_SCHEDULE)
		return false;
	predicted = x->next_us > 0 ? x->next_us - x->reason_since_us : 0;
	/* With no prediction, a queue behind work that goes on is none. */
	if (predicted <= 0 && x->reason != REASON_AGENTS_OFFLINE &&
	    x->run->workers > 0)
		return false;
	if (3 * predicted > limit)
		limit = 3 * predicted;
	return t->now_us - x->reason_since_us > limit;
}

static void
count_waiting(struct tui *t, const struct execution *x)
{
	struct cause *c = &t->attention->causes[x->reason];

	c->reason = x->reason;
	c->n++;
	c->stuck += is_stuck(t, x);
	if (c->n > 1 && (x->reason_since_us == 0 ||
	    (c->oldest_us > 0 && x->reason_since_us >= c->oldest_us)))
		return;
	c->oldest_us = x->reason_since_us;
	c->first = rowid_exec(x->run->id, x->no);
	snprintf(c->text, sizeof(c->text), "%s",
	    x->reason_text != NULL ? x->reason_text : "");
}

static void
look_at_run(struct tui *t, const struct run *run)
{
	const uint32_t *n = run->counts.n;
	uint32_t bad = n[EXEC_FAILED] + n[EXEC_TIMEOUT] + n[EXEC_ERROR];
	struct attention *a;

	if (run->state == RUN_ORPHANED) {
		a = row(t, ATTENTION_ORPHAN, run->id, SEVERITY_BAD);
		set_what(a, "run %s (%s) has no owner", run->id, run->plan);
		add_name(a, "take it over: a, v", rowid_run(run->id), 0);
	} else if (run->state != RUN_ENDED && bad > 0) {
		a = row(t, ATTENTION_RUN, run->id, SEVERITY_WARN);
		set_what(a, "run %s (%s): %u failed", run->id, run->plan,
		    bad);
		free(a->detail);
		a->detail = str_fmt("%u failed, %u timeout, %u error of %u",
		    n[EXEC_FAILED], n[EXEC_TIMEOUT], n[EXEC_ERROR],
		    counts_total(&run->counts));
		a->count = bad;
		a->object = rowid_run(run->id);
	}
}

static void
look_at_runs(struct tui *t)
{
	size_t i, n = engine_run_count(t->engine);
	const struct execution *x;
	const struct run *run;
	uint32_t k;

	for (i = 0; i < n; i++) {
		run = engine_run(t->engine, i);
		look_at_run(t, run);
		for (k = 0; k < run->n && run->executions != NULL &&
		    run->state != RUN_ENDED; k++) {
			x = &run->executions[k];
			if (x->state <= EXEC_ASSIGNED &&
			    x->reason != REASON_NONE)
				count_waiting(t, x);
		}
	}
}

/* By its instant: what was seen of one occurrence says nothing of the next. */
static void
look_at_schedules(struct tui *t)
{
	const struct scheduled *s;
	struct attention *a;
	char *cause;
	size_t i;

	for (i = 0; i < engine_schedule_count(t->engine); i++) {
		s = engine_schedule(t->engine, i);
		if (!s->ours || s->trouble == NULL)
			continue;
		cause = str_fmt("%lld %s", (long long)s->trouble_wall_us,
		    s->name);
		a = row(t, ATTENTION_SCHEDULE, cause, SEVERITY_WARN);
		free(cause);
		a->count = 1;
		set_what(a, "schedule %s: no run", s->name);
		free(a->detail);
		a->detail = str_dup(s->trouble);
	}
}

static void
look_at_causes(struct tui *t)
{
	const struct cause *c;
	struct attention *a;
	int r;

	for (r = 1; r < REASONS; r++) {
		c = &t->attention->causes[r];
		if (c->stuck == 0)
			continue;
		a = row(t, ATTENTION_STUCK, reason_name(c->reason),
		    SEVERITY_BAD);
		a->reason = c->reason;
		a->count = c->stuck;
		a->since_us = c->oldest_us;
		set_what(a, "queue stuck: %u %s", c->stuck,
		    reason_name(c->reason));
		a->detail = str_dup(c->text);
	}
}

static void
look_at_ourselves(struct tui *t)
{
	uint32_t failed = batch_failures(t);
	struct attention *a;

	if (failed > 0) {
		a = row(t, ATTENTION_EDIT, NULL, SEVERITY_WARN);
		a->count = failed;
		set_what(a, "%u change%s failed", failed, plural(failed));
		a->detail = str_dup("Enter shows which and why");
	}
	if (t->diags.n > 0) {
		a = row(t, ATTENTION_FILES, NULL, SEVERITY_WARN);
		a->count = (uint32_t)t->diags.n;
		set_what(a, "%zu fault%s in files of the screen",
		    t->diags.n, plural(t->diags.n));
		a->detail = str_dup(t->diags.v[0].text);
	}
}

/* Marks what was acknowledged; forgets what is over or has worsened. */
static void
apply_acks(struct attention_list *l)
{
	struct ack *k, *next;
	size_t i;

	HASH_ITER (hh, l->acks, k, next) {
		for (i = 0; i < l->n; i++)
			if (l->v[i].key == k->key)
				break;
		if (i == l->n || l->v[i].count > k->count) {
			drop_ack(l, k);
			continue;
		}
		l->v[i].acked = true;
		l->v[i].ack_who = k->text;
	}
}

static int
compare(const void *pa, const void *pb)
{
	const struct attention *a = pa, *b = pb;

	if (a->acked != b->acked)
		return a->acked ? 1 : -1;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return (b->count > a->count) - (b->count < a->count);
}

void
attention_update(struct tui *t)
{
	struct attention_list *l = t->attention;

	clear(l);
	look_at_agents(t);
	look_at_runs(t);
	look_at_schedules(t);
	look_at_causes(t);
	look_at_ourselves(t);
	apply_acks(l);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

size_t
attention_total(const struct tui *t)
{
	return t->attention->n;
}

const struct attention *
attention_at(const struct tui *t, size_t i)
{
	return &t->attention->v[i];
}

const struct attention *
attention_find(const struct tui *t, uint64_t key)
{
	size_t i;

	for (i = 0; i < t->attention->n; i++)
		if (t->attention->v[i].key == key)
			return &t->attention->v[i];
	return NULL;
}

size_t
attention_open(const struct tui *t, enum severity *ret_worst)
{
	enum severity worst = SEVERITY_INFO;
	const struct attention *a;
	size_t i, n = 0;

	for (i = 0; i < t->attention->n; i++) {
		a = &t->attention->v[i];
		if (a->acked)
			continue;
		n++;
		if (a->severity > worst)
			worst = a->severity;
	}
	*ret_worst = worst;
	return n;
}

const struct cause *
attention_cause(const struct tui *t, enum reason r)
{
	const struct cause *c;

	if (r <= REASON_NONE || r >= REASONS)
		return NULL;
	c = &t->attention->causes[r];
	return c->n > 0 ? c : NULL;
}

void
attention_ack(struct tui *t, const struct attention *a, const char *note)
{
	struct attention_list *l = t->attention;
	struct ack *k = NULL;

	HASH_FIND(hh, l->acks, &a->key, sizeof(a->key), k);
	if (k != NULL) {
		drop_ack(l, k);
	} else {
		k = mem_zalloc(sizeof(*k));
		k->key = a->key;
		k->count = a->count;
		k->text = str_dup(note != NULL ? note : "acknowledged");
		HASH_ADD(hh, l->acks, key, sizeof(k->key), k);
	}
	attention_update(t);
}
