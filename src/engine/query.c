/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lists show, as JSON: one writer for the command line and RUN.sock. */
#include "config.h"

#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/engine/owner.h"

#include "engine/engine_private.h"

struct query {
	const char *name;
	int (*write)(struct engine *e, const struct jval *args, struct jw *w);
};

/* Seconds since a monotonic instant; null when there is none. */
static void
kv_age(struct jw *w, const char *key, int64_t since_us)
{
	if (since_us == 0)
		jw_kv_str(w, key, NULL);
	else
		jw_kv_seconds(w, key, clock_mono_us() - since_us);
}

static void
kv_size(struct jw *w, const char *key, uint64_t bytes)
{
	jw_kv_int(w, key, bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes);
}

static void
write_values(struct jw *w, const struct facts *f)
{
	char text[16];

	jw_kv_int(w, "max_workers", f->max_workers);
	jw_kv_str(w, "max_workers_source", value_source_name(f->max_source));
	jw_kv_int(w, "advised", f->advised);
	jw_kv_str(w, "threshold", threshold_format(&f->threshold, text));
	jw_kv_int(w, "effective_threshold", f->effective);
	jw_kv_int(w, "busy", f->busy);
	jw_kv_int(w, "queued", f->queued);
	jw_kv_real(w, "load", f->load1);
	kv_size(w, "memory_bytes", f->memory_bytes);
	kv_size(w, "memory_free_bytes", f->memory_free_bytes);
	kv_size(w, "disk_free_bytes", f->disk_free_bytes);
	jw_kv_str(w, "version", f->version);
	jw_kv_bool(w, "root", f->root);
	jw_kv_str(w, "guard", f->guard);
	jw_key(w, "guards");
	guards_write(w, &f->guards, f->guards.given);
	jw_kv_str(w, "warning", f->warning);
	jw_key(w, "draining");
	stop_note_write(w, &f->draining);
	jw_key(w, "held");
	stop_note_write(w, &f->held);
}

static int
write_agents(struct engine *e, const struct jval *args, struct jw *w)
{
	const struct agent *a;
	size_t i;

	jw_key(w, "agents");
	jw_array(w);
	for (i = 0; i < engine_agent_count(e); i++) {
		a = engine_agent(e, i);
		jw_object(w);
		jw_kv_str(w, "name", a->name);
		jw_kv_str(w, "host", a->host);
		jw_kv_str(w, "state", agent_state_name(a->state));
		jw_kv_str(w, "link", link_state_name(a->link));
		kv_age(w, "heard_age_s", a->heard_us);
		jw_kv_seconds(w, "rtt_s", a->rtt_us);
		jw_kv_str(w, "error", a->error);
		jw_kv_str(w, "question", a->question);
		jw_kv_bool(w, "benched", a->benched);
		jw_kv_str(w, "errors", a->errors);
		if (a->speed != 0)
			jw_kv_real(w, "speed", a->speed / 1000.0);
		if (a->known)
			write_values(w, &a->facts);
		jw_object_end(w);
	}
	jw_array_end(w);
	return 0;
}

static void
write_worker(struct jw *w, const struct agent *a, const struct worker *wk)
{
	char id[IDENT_TEXT];

	jw_object(w);
	jw_kv_str(w, "agent", a->name);
	jw_kv_int(w, "worker", wk->no);
	jw_kv_str(w, "state", wk->busy ? "busy" : "idle");
	if (wk->busy) {
		jw_kv_str(w, "kind", worker_kind_name(wk->kind));
		jw_kv_str(w, "attempt", wk->attempt.run[0] != '\0' ?
		    ident_format(&wk->attempt, id) : NULL);
		jw_kv_str(w, "what", wk->label);
		jw_kv_seconds(w, "elapsed_s", wk->elapsed_us);
		jw_kv_str(w, "progress", wk->progress);
		jw_kv_seconds(w, "usual_s", wk->usual_us);
		jw_kv_str(w, "owner", wk->owner);
		if (wk->output_age_us >= 0)
			jw_kv_seconds(w, "output_age_s", wk->output_age_us);
		if (wk->memory_bytes > 0) {
			jw_kv_real(w, "cpu", wk->cpu);
			jw_kv_int(w, "memory_bytes",
			    (int64_t)wk->memory_bytes);
		}
		if (wk->taken.on) {
			jw_key(w, "taken");
			stop_note_write(w, &wk->taken);
		}
	}
	jw_object_end(w);
}

static int
write_workers(struct engine *e, const struct jval *args, struct jw *w)
{
	const struct agent *a;
	size_t i;
	uint32_t k;

	jw_key(w, "workers");
	jw_array(w);
	for (i = 0; i < engine_agent_count(e); i++) {
		a = engine_agent(e, i);
		for (k = 0; a->known && k < a->facts.n_workers; k++)
			write_worker(w, a, &a->facts.workers[k]);
	}
	jw_array_end(w);
	return 0;
}

static void
write_execution(struct engine *e, struct jw *w, const struct execution *x)
{
	struct ident id = { .execution = x->no };
	char text[IDENT_TEXT];

	memcpy(id.run, x->run->id, sizeof id.run);
	jw_object(w);
	jw_kv_str(w, "id", ident_format(&id, text));
	jw_kv_str(w, "suite", x->suite);
	jw_kv_str(w, "test", x->test);
	jw_kv_str(w, "row", x->row);
	jw_kv_str(w, "target", x->target);
	jw_kv_str(w, "state", exec_state_name(x->state));
	jw_kv_str(w, "reason", x->reason != REASON_NONE ?
	    reason_name(x->reason) : NULL);
	jw_kv_str(w, "reason_text", x->reason_text);
	jw_kv_time(w, "due", due_at(e, x));
	jw_kv_str(w, "batch", x->state == EXEC_ASSIGNED ||
	    x->state == EXEC_RUNNING ? x->batch : NULL);
	jw_kv_int(w, "attempt", x->attempt);
	jw_kv_str(w, "agent", x->agent >= 0 ?
	    engine_agent(e, (size_t)x->agent)->name : NULL);
	kv_age(w, "since_s", x->since_us);
	jw_kv_seconds(w, "estimate_s", x->estimate_us);
	jw_object_end(w);
}

static int
write_queue(struct engine *e, const struct jval *args, struct jw *w)
{
	const struct run *run;
	size_t i;
	uint32_t k;

	jw_key(w, "queue");
	jw_array(w);
	for (i = 0; i < engine_run_count(e); i++) {
		run = engine_run(e, i);
		for (k = 0; run->executions != NULL && k < run->n; k++)
			if (run->executions[k].state <= EXEC_ASSIGNED)
				write_execution(e, w, &run->executions[k]);
	}
	jw_array_end(w);
	return 0;
}

static void
write_counts(struct jw *w, const struct counts *c)
{
	int s;

	jw_key(w, "counts");
	jw_object(w);
	for (s = 0; s < EXEC_STATES; s++)
		jw_kv_int(w, exec_state_name((enum exec_state)s), c->n[s]);
	jw_object_end(w);
}

static int
write_runs(struct engine *e, const struct jval *args, struct jw *w)
{
	const struct run *run;
	size_t i;

	jw_key(w, "runs");
	jw_array(w);
	for (i = 0; i < engine_run_count(e); i++) {
		run = engine_run(e, i);
		jw_object(w);
		jw_kv_str(w, "id", run->id);
		jw_kv_str(w, "plan", run->plan);
		jw_kv_str(w, "state", run_state_name(run->state));
		jw_kv_str(w, "owner", run->owner);
		jw_kv_time(w, "started", run->started_wall_us);
		jw_kv_time(w, "ended", run->ended_wall_us);
		write_counts(w, &run->counts);
		jw_object_end(w);
	}
	jw_array_end(w);
	return 0;
}

static int
write_events(struct engine *e, const struct jval *args, struct jw *w)
{
	static const char *const kinds[] = {
		[EVENT_INFO] = "info", [EVENT_EDIT] = "edit",
		[EVENT_RESULT] = "result", [EVENT_LINK] = "link",
		[EVENT_WARNING] = "warning", [EVENT_ERROR] = "error",
	};
	int64_t since = jval_get_int(args, "since", 0);
	const struct event *ev;
	size_t i;

	jw_key(w, "events");
	jw_array(w);
	for (i = 0; i < engine_event_count(e); i++) {
		ev = engine_event(e, i);
		if ((int64_t)ev->seq <= since)
			continue;
		jw_object(w);
		jw_kv_int(w, "seq", (int64_t)ev->seq);
		jw_kv_time(w, "time", ev->wall_us);
		jw_kv_str(w, "kind", kinds[ev->kind]);
		jw_kv_str(w, "who", ev->who);
		jw_kv_str(w, "object", ev->object);
		jw_kv_str(w, "text", ev->text);
		jw_object_end(w);
	}
	jw_array_end(w);
	return 0;
}

/* The cures of a code, by name. */
static void
write_cures(struct jw *w, uint32_t cures)
{
	uint32_t bit;

	jw_key(w, "cures");
	jw_array(w);
	for (bit = 1; bit != 0; bit <<= 1)
		if (cures & bit)
			jw_str(w, cure_name((enum cure)bit));
	jw_array_end(w);
}

/* What can be done about it, each with what it would come to. */
static void
write_offers(struct engine *e, const struct ident *id, struct jw *w)
{
	struct cure_offer *v;
	char text[IDENT_TEXT];
	size_t i, n;
	uint32_t k;

	engine_cures(e, id, true, &v, &n);
	jw_key(w, "effects");
	jw_array(w);
	for (i = 0; i < n; i++) {
		jw_object(w);
		jw_kv_str(w, "cure", cure_name(v[i].cure));
		jw_kv_str(w, "of", reason_name(v[i].reason));
		jw_kv_str(w, "command", v[i].command);
		jw_kv_str(w, "effect", v[i].effect.text);
		jw_kv_bool(w, "predicted", v[i].effect.known);
		if (v[i].effect.known) {
			jw_kv_int(w, "starts", v[i].effect.starts);
			jw_key(w, "first");
			jw_array(w);
			for (k = 0; k < 3 && k < v[i].effect.starts; k++)
				jw_str(w, ident_format(&v[i].effect.first[k],
				    text));
			jw_array_end(w);
			jw_kv_seconds(w, "end_s", v[i].effect.end_us);
			jw_kv_seconds(w, "end_without_s",
			    v[i].effect.end_without_us);
			jw_kv_int(w, "never", v[i].effect.never);
			jw_kv_int(w, "never_without",
			    v[i].effect.never_without);
			jw_kv_int(w, "sign", v[i].effect.sign);
			jw_kv_bool(w, "sure", v[i].effect.sure);
		}
		jw_object_end(w);
	}
	jw_array_end(w);
	cure_offers_free(v, n);
}

static int
write_why(struct engine *e, const struct jval *args, struct jw *w)
{
	const struct execution *x;
	const struct reason_info *info;
	struct why why = { NULL, 0 };
	struct ident id;
	size_t i;

	if (ident_parse(jval_get_str(args, "id", ""), &id) < 0)
		return ERR_SYNTAX;
	if ((x = engine_execution_find(e, &id)) == NULL)
		return ERR_NOT_FOUND;
	engine_why(e, &id, &why);
	jw_key(w, "execution");
	write_execution(e, w, x);
	jw_key(w, "blockers");
	jw_array(w);
	for (i = 0; i < why.n; i++) {
		info = reason_info(why.v[i].code);
		jw_object(w);
		jw_kv_str(w, "code", info->name);
		jw_kv_str(w, "text", why.v[i].text);
		if (why.v[i].code == REASON_SCHEDULE)
			jw_kv_time(w, "due", due_at(e, x));
		kv_age(w, "since_s", why.v[i].since_us);
		jw_kv_str(w, "clears", info->clears == CLEARS_ITSELF ?
		    "itself" : info->clears == CLEARS_OPERATOR ? "operator" :
		    "either");
		/* What is packed here is no matter of an agent. */
		write_cures(w, why.v[i].code == REASON_SETUP &&
		    engine_packing(e, id.run) != NULL ? 0 : info->cures);
		jw_object_end(w);
	}
	jw_array_end(w);
	why_done(&why);
	write_offers(e, &id, w);
	return 0;
}

static int
write_link_log(struct engine *e, const struct jval *args, struct jw *w)
{
	int i = engine_agent_find(e, jval_get_str(args, "agent", ""));
	const struct agent *a;
	unsigned k;

	if (i < 0)
		return ERR_NOT_FOUND;
	a = engine_agent(e, (size_t)i);
	jw_kv_str(w, "agent", a->name);
	jw_kv_str(w, "link", link_state_name(a->link));
	jw_key(w, "log");
	jw_array(w);
	for (k = 0; k < a->log.n; k++) {
		jw_object(w);
		jw_kv_time(w, "time", a->log.v[k].wall_us);
		jw_kv_str(w, "text", a->log.v[k].text);
		jw_object_end(w);
	}
	jw_array_end(w);
	return 0;
}

static const struct query queries[] = {
	{ "agents", write_agents },
	{ "workers", write_workers },
	{ "queue", write_queue },
	{ "runs", write_runs },
	{ "events", write_events },
	{ "why", write_why },
	{ "link-log", write_link_log },
};

int
engine_query(struct engine *e, const char *query, const struct jval *args,
    struct buf *out)
{
	struct jw w;
	size_t i;
	int r = ERR_NOT_FOUND;

	jw_init(&w, out);
	jw_object(&w);
	for (i = 0; i < sizeof queries / sizeof *queries; i++)
		if (strcmp(queries[i].name, query) == 0) {
			r = queries[i].write(e, args, &w);
			break;
		}
	jw_object_end(&w);
	return r;
}
