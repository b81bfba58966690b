/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Facts of an agent: memory and JSON form. Members that are zero or unknown
 * are left out; the reader takes absent for that. */
#include "config.h"

#include <stdlib.h>

#include "model/read.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/facts.h"

#define WORKERS_MAX 65535

bool
worker_overdue(const struct worker *w, int64_t elapsed_us)
{
	return w->usual_us > 0 && elapsed_us > WORKER_OVERDUE_US &&
	    elapsed_us > WORKER_OVERDUE_FACTOR * w->usual_us;
}

bool
worker_silent(const struct worker *w, int64_t age_us)
{
	return (w->output_age_us >= 0 ? w->output_age_us : w->elapsed_us) +
	    age_us >= WORKER_SILENT_US;
}

void
stop_note_done(struct stop_note *s)
{
	free(s->who);
	free(s->note);
	*s = (struct stop_note){ .on = false };
}

void
stop_note_set(struct stop_note *s, const char *who, const char *note,
    int64_t since_wall_us, int64_t expires_wall_us)
{
	struct stop_note old = *s;

	*s = (struct stop_note){ .on = false };
	if (who != NULL)
		*s = (struct stop_note){
			.on = true, .who = str_dup(who),
			.note = str_dup(note),
			.since_wall_us = since_wall_us,
			.expires_wall_us = expires_wall_us
		};
	stop_note_done(&old);	/* last: who may be a part of it */
}

void
stop_note_copy(struct stop_note *to, const struct stop_note *from)
{
	*to = *from;
	to->who = str_dup(from->who);
	to->note = str_dup(from->note);
}

void
stop_note_write(struct jw *w, const struct stop_note *s)
{
	if (!s->on) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_str(w, "who", s->who);
	jw_kv_str(w, "note", s->note);
	jw_kv_time(w, "since", s->since_wall_us);
	jw_kv_time(w, "expires", s->expires_wall_us);
	jw_object_end(w);
}

int
stop_note_read(const struct jval *v, struct stop_note *ret)
{
	struct stop_note s = { .on = true };
	struct reader r;

	if (jval_type(v) == JVAL_NULL) {
		*ret = (struct stop_note){ .on = false };
		return 0;
	}
	read_init(&r, v);
	s.who = read_note(&r, "who");
	s.note = read_note(&r, "note");
	s.since_wall_us = read_time(&r, "since");
	s.expires_wall_us = read_time(&r, "expires");
	if (r.err < 0)
		stop_note_done(&s);
	else
		*ret = s;
	return r.err;
}

static void
worker_done(struct worker *w)
{
	free(w->label);
	free(w->owner);
	free(w->progress);
	stop_note_done(&w->taken);
}

static void
holder_done(struct holder *h)
{
	free(h->owner);
	holds_free(h->holds, h->n_holds);
}

static void
limited_done(struct limited *t)
{
	uint32_t i;

	for (i = 0; i < t->n_takers; i++)
		free(t->takers[i].owner);
	free(t->takers);
	free(t->name);
}

void
facts_done(struct facts *f)
{
	uint32_t i;

	for (i = 0; i < f->n_workers; i++)
		worker_done(&f->workers[i]);
	free(f->workers);
	free(f->host);
	free(f->version);
	free(f->instance);
	free(f->boot);
	free(f->guard);
	for (i = 0; i < f->n_holders; i++)
		holder_done(&f->holders[i]);
	free(f->holders);
	for (i = 0; i < f->n_targets; i++)
		limited_done(&f->targets[i]);
	free(f->targets);
	strvec_done(&f->runs);
	free(f->warning);
	stop_note_done(&f->draining);
	stop_note_done(&f->held);
	*f = (struct facts){ .host = NULL };
}

static int64_t
wire_u64(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (int64_t)n;
}

static void
worker_write(struct jw *w, const struct worker *worker)
{
	char id[IDENT_TEXT];

	jw_object(w);
	jw_kv_int(w, "no", worker->no);
	if (worker->pid > 0)
		jw_kv_int(w, "pid", worker->pid);
	if (worker->busy) {
		jw_kv_bool(w, "busy", true);
		jw_kv_str(w, "kind", worker_kind_name(worker->kind));
		if (worker->attempt.run[0] != '\0')
			jw_kv_str(w, "attempt",
			    ident_format(&worker->attempt, id));
		jw_kv_str(w, "label", worker->label);
		jw_kv_str(w, "owner", worker->owner);
		if (worker->progress != NULL)
			jw_kv_str(w, "progress", worker->progress);
		jw_kv_seconds(w, "elapsed_s", worker->elapsed_us);
		if (worker->usual_us > 0)
			jw_kv_seconds(w, "usual_s", worker->usual_us);
		if (worker->output_age_us >= 0)
			jw_kv_seconds(w, "output_age_s",
			    worker->output_age_us);
		if (worker->memory_bytes > 0) {
			jw_kv_real(w, "cpu", worker->cpu);
			jw_kv_int(w, "memory_bytes",
			    wire_u64(worker->memory_bytes));
		}
		if (worker->taken.on) {
			jw_kv_int(w, "take", worker->take);
			jw_key(w, "taken");
			stop_note_write(w, &worker->taken);
		}
	}
	jw_object_end(w);
}

static void
values_write(struct jw *w, const struct facts *f)
{
	int g;

	jw_kv_int(w, "max_workers", f->max_workers);
	jw_kv_str(w, "max_source", value_source_name(f->max_source));
	jw_kv_int(w, "advised", f->advised);
	jw_key(w, "threshold");
	threshold_write(w, &f->threshold);
	jw_kv_int(w, "effective", f->effective);
	jw_key(w, "draining");
	stop_note_write(w, &f->draining);
	jw_key(w, "held");
	stop_note_write(w, &f->held);
	jw_kv_int(w, "busy", f->busy);
	jw_kv_int(w, "auto_running", f->auto_running);
	jw_kv_int(w, "queued", f->queued);
	jw_kv_bool(w, "root", f->root);
	jw_kv_bool(w, "virtual", f->virtual);
	jw_kv_str(w, "guard", f->guard);
	jw_key(w, "guards");
	guards_write(w, &f->guards, f->guards.given);
	jw_key(w, "guards_local");
	jw_array(w);
	for (g = 0; g < GUARDS; g++)
		if ((f->guards_local & GUARD_BIT(g)) != 0)
			jw_str(w, guard_name(g));
	jw_array_end(w);
	jw_kv_str(w, "warning", f->warning);
}

static void
holders_write(struct jw *w, const struct facts *f)
{
	char id[IDENT_TEXT];
	uint32_t i;
	size_t k;

	jw_kv_bool(w, "all_holders", f->all_holders &&
	    f->n_holders <= FACTS_HOLDERS_MAX);
	jw_key(w, "holders");
	jw_array(w);
	for (i = 0; i < f->n_holders && i < FACTS_HOLDERS_MAX; i++) {
		jw_object(w);
		jw_kv_str(w, "attempt", ident_format(&f->holders[i].id, id));
		jw_kv_str(w, "owner", f->holders[i].owner);
		holds_write(w, f->holders[i].holds, f->holders[i].n_holds);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_key(w, "runs");
	jw_array(w);
	for (k = 0; k < f->runs.n && k < FACTS_RUNS_MAX; k++)
		jw_str(w, f->runs.v[k]);
	jw_array_end(w);
}

static void
targets_write(struct jw *w, const struct facts *f)
{
	const struct limited *t;
	char id[IDENT_TEXT];
	uint32_t i, k, left = FACTS_HOLDERS_MAX;

	if (f->n_targets == 0)
		return;
	jw_key(w, "targets");
	jw_array(w);
	for (i = 0; i < f->n_targets && i < FACTS_TARGETS_MAX; i++) {
		t = &f->targets[i];
		jw_object(w);
		jw_kv_str(w, "name", t->name);
		if (t->max > 0)
			jw_kv_int(w, "max", t->max);
		jw_key(w, "taken");
		jw_array(w);
		for (k = 0; k < t->n_takers && left > 0; k++, left--) {
			jw_object(w);
			jw_kv_str(w, "attempt",
			    ident_format(&t->takers[k].id, id));
			jw_kv_str(w, "owner", t->takers[k].owner);
			if (t->takers[k].max > 0)
				jw_kv_int(w, "max", t->takers[k].max);
			jw_object_end(w);
		}
		jw_array_end(w);
		jw_object_end(w);
	}
	jw_array_end(w);
}

void
facts_write(struct jw *w, const struct facts *f)
{
	uint32_t i;

	jw_object(w);
	jw_kv_str(w, "host", f->host);
	jw_kv_str(w, "version", f->version);
	jw_kv_str(w, "instance", f->instance);
	jw_kv_str(w, "boot", f->boot);
	values_write(w, f);
	jw_kv_int(w, "cpus", f->cpus);
	jw_kv_real(w, "load1", f->load1);
	jw_kv_int(w, "memory_bytes", wire_u64(f->memory_bytes));
	jw_kv_int(w, "memory_free_bytes", wire_u64(f->memory_free_bytes));
	jw_kv_int(w, "disk_free_bytes", wire_u64(f->disk_free_bytes));
	jw_kv_seconds(w, "uptime_s", f->uptime_us);
	jw_key(w, "workers");
	jw_array(w);
	for (i = 0; i < f->n_workers; i++)
		worker_write(w, &f->workers[i]);
	jw_array_end(w);
	holders_write(w, f);
	targets_write(w, f);
	jw_object_end(w);
}

static int
worker_read(const struct jval *v, struct worker *ret)
{
	struct reader r;
	struct worker w = { .busy = false };
	int err;

	read_init(&r, v);
	w.no = (uint16_t)read_int(&r, "no", 1, WORKERS_MAX, 0);
	w.pid = (pid_t)read_int(&r, "pid", 0, INT32_MAX, 0);
	w.busy = read_bool(&r, "busy");
	w.kind = (enum worker_kind)read_name(&r, "kind", worker_kind_parse,
	    WORKER_EXECUTION);
	if (read_get(&r, "attempt", JVAL_STRING) != NULL)
		read_ident(&r, "attempt", 3, &w.attempt);
	w.label = read_note(&r, "label");
	w.owner = read_note(&r, "owner");
	w.progress = read_note(&r, "progress");
	w.elapsed_us = read_seconds(&r, "elapsed_s", 0);
	w.usual_us = read_seconds(&r, "usual_s", 0);
	w.output_age_us = read_seconds(&r, "output_age_s", -1);
	w.cpu = read_real(&r, "cpu");
	w.memory_bytes = (uint64_t)read_int(&r, "memory_bytes", 0, INT64_MAX,
	    0);
	w.take = (uint32_t)read_int(&r, "take", 0, UINT32_MAX, 0);
	if ((err = stop_note_read(jval_get(v, "taken"), &w.taken)) < 0)
		read_fail(&r, err);
	if (w.no == 0)
		read_fail(&r, ERR_SYNTAX);
	if (r.err < 0)
		worker_done(&w);
	else
		*ret = w;
	return r.err;
}

static void
workers_read(struct reader *r, struct facts *f)
{
	const struct jval *v = read_get(r, "workers", JVAL_ARRAY);
	size_t i, n = jval_count(v);
	int err;

	if (n > WORKERS_MAX) {
		read_fail(r, ERR_TOO_LARGE);
		return;
	}
	f->workers = n > 0 ? mem_calloc(n, sizeof(*f->workers)) : NULL;
	for (i = 0; i < n; i++, f->n_workers++) {
		err = worker_read(jval_at(v, i), &f->workers[i]);
		if (err < 0) {
			read_fail(r, err);
			return;
		}
	}
}

static int
holder_read(const struct jval *v, struct holder *h)
{
	struct reader r;

	read_init(&r, v);
	read_ident(&r, "attempt", 3, &h->id);
	h->owner = read_note(&r, "owner");
	return r.err < 0 ? r.err : holds_read(v, &h->holds, &h->n_holds);
}

static void
holders_read(struct reader *r, struct facts *f)
{
	const struct jval *v = read_get(r, "holders", JVAL_ARRAY);
	size_t i, n = jval_count(v);

	f->all_holders = read_bool(r, "all_holders");
	if (n > FACTS_HOLDERS_MAX)
		read_fail(r, ERR_TOO_LARGE);
	if (r->err < 0 || n == 0)
		return;
	f->holders = mem_calloc(n, sizeof(*f->holders));
	f->n_holders = (uint32_t)n;
	for (i = 0; i < n && r->err == 0; i++)
		r->err = holder_read(jval_at(v, i), &f->holders[i]);
}

static int
taker_read(const struct jval *v, struct taker *t)
{
	struct reader r;

	read_init(&r, v);
	read_ident(&r, "attempt", 3, &t->id);
	t->owner = read_note(&r, "owner");
	t->max = (uint32_t)read_int(&r, "max", 0, UINT32_MAX, 0);
	return r.err;
}

/* left: of all takers that there may be. */
static int
limited_read(const struct jval *v, struct limited *t, size_t *left)
{
	const struct jval *list;
	struct reader r;
	size_t i, n;

	read_init(&r, v);
	t->name = read_text(&r, "name", READ_TEXT_MAX);
	t->max = (uint32_t)read_int(&r, "max", 0, UINT32_MAX, 0);
	list = read_get(&r, "taken", JVAL_ARRAY);
	n = jval_count(list);
	if (t->name == NULL || n > *left)
		read_fail(&r, t->name == NULL ? ERR_SYNTAX : ERR_TOO_LARGE);
	if (r.err < 0 || n == 0)
		return r.err;
	*left -= n;
	t->takers = mem_calloc(n, sizeof(*t->takers));
	t->n_takers = (uint32_t)n;
	for (i = 0; i < n && r.err == 0; i++)
		r.err = taker_read(jval_at(list, i), &t->takers[i]);
	return r.err;
}

static void
targets_read(struct reader *r, struct facts *f)
{
	const struct jval *v = read_get(r, "targets", JVAL_ARRAY);
	size_t i, n = jval_count(v), left = FACTS_HOLDERS_MAX;

	if (n > FACTS_TARGETS_MAX)
		read_fail(r, ERR_TOO_LARGE);
	if (r->err < 0 || n == 0)
		return;
	f->targets = mem_calloc(n, sizeof(*f->targets));
	f->n_targets = (uint32_t)n;
	for (i = 0; i < n && r->err == 0; i++)
		r->err = limited_read(jval_at(v, i), &f->targets[i], &left);
}

static void
runs_read(struct reader *r, struct facts *f)
{
	struct ident id;
	size_t i;

	read_strings(r, "runs", &f->runs);
	if (f->runs.n > FACTS_RUNS_MAX)
		read_fail(r, ERR_TOO_LARGE);
	for (i = 0; i < f->runs.n; i++)
		if (ident_parse(f->runs.v[i], &id) < 0 || id.execution != 0)
			read_fail(r, ERR_SYNTAX);
}

static void
guards_facts_read(struct reader *r, struct facts *f)
{
	const struct jval *local = read_get(r, "guards_local", JVAL_ARRAY);
	size_t i;
	int g;

	if ((g = guards_read(jval_get(r->v, "guards"), &f->guards,
	    NULL)) < 0)
		read_fail(r, g);
	for (i = 0; i < jval_count(local); i++)
		if ((g = guard_parse(jval_str(jval_at(local, i), ""))) >= 0)
			f->guards_local |= GUARD_BIT(g);
}

static void
values_read(struct reader *r, struct facts *f)
{
	int err;

	f->max_workers = (uint32_t)read_int(r, "max_workers", 0, WORKERS_MAX,
	    0);
	f->max_source = (enum value_source)read_name(r, "max_source",
	    value_source_parse, SOURCE_ADVISED);
	f->advised = (uint32_t)read_int(r, "advised", 0, UINT32_MAX, 0);
	if ((err = threshold_read(jval_get(r->v, "threshold"),
	    &f->threshold)) < 0)
		read_fail(r, err);
	f->effective = (uint32_t)read_int(r, "effective", 0, UINT32_MAX, 0);
	if ((err = stop_note_read(jval_get(r->v, "draining"),
	    &f->draining)) < 0)
		read_fail(r, err);
	if ((err = stop_note_read(jval_get(r->v, "held"), &f->held)) < 0)
		read_fail(r, err);
	f->busy = (uint32_t)read_int(r, "busy", 0, UINT32_MAX, 0);
	f->auto_running = (uint32_t)read_int(r, "auto_running", 0, UINT32_MAX,
	    0);
	f->queued = (uint32_t)read_int(r, "queued", 0, UINT32_MAX, 0);
	f->root = read_bool(r, "root");
	f->virtual = read_bool(r, "virtual");
	f->guard = read_note(r, "guard");
	guards_facts_read(r, f);
	f->warning = read_note(r, "warning");
}

int
facts_read(const struct jval *v, struct facts *ret)
{
	struct reader r;
	struct facts f = { .host = NULL };

	read_init(&r, v);
	f.host = read_note(&r, "host");
	f.version = read_note(&r, "version");
	f.instance = read_note(&r, "instance");
	f.boot = read_note(&r, "boot");
	values_read(&r, &f);
	f.cpus = (uint32_t)read_int(&r, "cpus", 0, UINT32_MAX, 0);
	f.load1 = read_real(&r, "load1");
	f.memory_bytes = (uint64_t)read_int(&r, "memory_bytes", 0, INT64_MAX,
	    0);
	f.memory_free_bytes = (uint64_t)read_int(&r, "memory_free_bytes", 0,
	    INT64_MAX, 0);
	f.disk_free_bytes = (uint64_t)read_int(&r, "disk_free_bytes", 0,
	    INT64_MAX, 0);
	f.uptime_us = read_seconds(&r, "uptime_s", 0);
	workers_read(&r, &f);
	holders_read(&r, &f);
	targets_read(&r, &f);
	runs_read(&r, &f);
	if (r.err < 0)
		facts_done(&f);
	else
		*ret = f;
	return r.err;
}
