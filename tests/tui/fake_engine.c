/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See fake_engine.h. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/engine/preview.h"
#include "fake_engine.h"

#define MAX_AGENTS 64
#define MAX_RUNS 8
#define MAX_EVENTS 64
#define MAX_SCHEDULES 4
#define MAX_OPS 256

struct engine {
	struct agent agents[MAX_AGENTS];
	size_t n_agents;
	struct run *runs[MAX_RUNS];
	size_t n_runs;
	struct event events[MAX_EVENTS];
	size_t n_events;
	struct scheduled schedules[MAX_SCHEDULES];
	size_t n_schedules;
	struct op ops[MAX_OPS];
	size_t n_ops;
	uint64_t generation;
	bool read_only;
	char refused[AGENT_NAME_SIZE], *refusal;
	char *output;
	size_t n_output;
	char answer[200];
	void (*changed)(void *arg);
	void *changed_arg;
};

struct engine *
fake_new(void)
{
	struct engine *e = mem_zalloc(sizeof(*e));

	e->generation = 1;
	return e;
}

static void
agent_done(struct agent *a)
{
	free(a->host);
	free(a->error);
	free(a->question);
	strvec_done(&a->labels);
	strvec_done(&a->targets);
	facts_done(&a->facts);
}

static void
run_free(struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->n; i++) {
		free((char *)(uintptr_t)r->executions[i].test);
		free((char *)(uintptr_t)r->executions[i].reason_text);
	}
	free(r->executions);
	free(r->plan);
	free(r->owner);
	stop_note_done(&r->held);
	free(r);
}

void
engine_free(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_agents; i++)
		agent_done(&e->agents[i]);
	for (i = 0; i < e->n_runs; i++)
		run_free(e->runs[i]);
	for (i = 0; i < e->n_events; i++) {
		free(e->events[i].who);
		free(e->events[i].text);
		free(e->events[i].object);
	}
	free(e->refusal);
	free(e->output);
	free(e);
}

static void
add_workers(struct facts *f, uint32_t busy)
{
	uint32_t i;

	f->n_workers = f->max_workers;
	f->workers = mem_calloc(f->n_workers, sizeof(*f->workers));
	for (i = 0; i < f->n_workers; i++) {
		f->workers[i].no = (uint16_t)(i + 1);
		f->workers[i].output_age_us = -1;
		if (i >= busy)
			continue;
		f->workers[i].busy = true;
		f->workers[i].label = str_fmt("api/users[%u]@chrome", i + 1);
		f->workers[i].owner = str_dup("ann@desk");
		f->workers[i].elapsed_us = (i + 1) * 40 * US_PER_S;
		f->workers[i].usual_us = 60 * US_PER_S;
		f->workers[i].output_age_us = 2 * US_PER_S;
	}
}

size_t
fake_agent(struct engine *e, const char *name, uint32_t max,
    uint32_t threshold, uint32_t busy)
{
	struct agent *a = &e->agents[e->n_agents];
	struct facts *f = &a->facts;

	snprintf(a->name, sizeof(a->name), "%s", name);
	a->host = str_fmt("ci@%s.example:22", name);
	a->state = busy >= max ? AGENT_FULL : busy > 0 ? AGENT_BUSY
	    : AGENT_IDLE;
	a->link = LINK_UP;
	a->link_since_us = clock_mono_us();
	a->heard_us = clock_mono_us();
	a->rtt_us = 12000;
	a->known = true;
	f->host = str_dup(name);
	f->version = str_dup("0.1.0");
	f->max_workers = max;
	f->max_source = SOURCE_CONSOLE;
	f->advised = 4;
	if (threshold != max) {
		f->threshold.kind = THRESHOLD_NUMBER;
		f->threshold.n = threshold;
	}
	f->effective = threshold;
	f->busy = f->auto_running = busy;
	f->cpus = 8;
	f->load1 = 1.5;
	f->memory_bytes = UINT64_C(16) << 30;
	f->memory_free_bytes = UINT64_C(6) << 30;
	f->disk_free_bytes = UINT64_C(40) << 30;
	f->uptime_us = 3 * 3600 * US_PER_S;
	add_workers(f, busy);
	return e->n_agents++;
}

struct agent *
fake_agent_at(struct engine *e, size_t i)
{
	return &e->agents[i];
}

struct run *
fake_run(struct engine *e, const char *id, const char *plan, uint32_t n)
{
	struct run *r = mem_zalloc(sizeof(*r));
	struct execution *x;
	uint32_t i;

	snprintf(r->id, sizeof(r->id), "%s", id);
	r->plan = str_dup(plan);
	r->state = RUN_RUNNING;
	r->owner = str_dup("ann@desk pid 12");
	r->ours = true;
	r->started_wall_us = clock_wall_us() - 90 * US_PER_S;
	r->started_us = clock_mono_us() - 90 * US_PER_S;
	r->n = n;
	r->executions = mem_calloc(n, sizeof(*r->executions));
	for (i = 0; i < n; i++) {
		x = &r->executions[i];
		x->run = r;
		x->no = i + 1;
		x->suite = "suite";
		x->test = str_fmt("test%u", i + 1);
		x->n_steps = 1;
		x->agent = -1;
		x->since_us = clock_mono_us() - 65 * US_PER_S;
		x->reason = REASON_WORKERS_BUSY;
		x->reason_since_us = x->since_us;
		x->estimate_us = 30 * US_PER_S;
	}
	r->counts.n[EXEC_WAITING] = n;
	e->runs[e->n_runs++] = r;
	e->generation++;
	return r;
}

void
fake_state(struct run *r, uint32_t no, enum exec_state s)
{
	struct execution *x = &r->executions[no - 1];

	r->counts.n[x->state]--;
	r->counts.n[s]++;
	x->state = s;
	if (s > EXEC_ASSIGNED)
		x->reason = REASON_NONE;
}

void
fake_reason(struct run *r, uint32_t no, enum reason reason,
    const char *text, int64_t since_us)
{
	struct execution *x = &r->executions[no - 1];

	x->reason = reason;
	free((char *)(uintptr_t)x->reason_text);
	x->reason_text = str_dup(text);
	x->reason_since_us = since_us;
}

void
fake_event(struct engine *e, enum event_kind kind, const char *who,
    const char *object, const char *text)
{
	struct event *ev = &e->events[e->n_events];

	ev->seq = ++e->n_events;
	ev->wall_us = clock_wall_us();
	ev->kind = kind;
	ev->who = str_dup(who);
	ev->object = str_dup(object);
	ev->text = str_dup(text);
}

void
fake_changed(struct engine *e)
{
	e->generation++;
	if (e->changed != NULL)
		e->changed(e->changed_arg);
}

void
fake_read_only(struct engine *e, bool on)
{
	e->read_only = on;
}

void
fake_refuse(struct engine *e, const char *agent, const char *text)
{
	free(e->refusal);
	e->refusal = str_dup(text);
	snprintf(e->refused, sizeof(e->refused), "%s",
	    agent != NULL ? agent : "");
}

void
fake_output(struct engine *e, const char *bytes, size_t n)
{
	free(e->output);
	e->output = mem_dup(bytes, n);
	e->n_output = n;
}

size_t
fake_ops(const struct engine *e)
{
	return e->n_ops;
}

const struct op *
fake_op(const struct engine *e, size_t i)
{
	return &e->ops[i];
}

const char *
fake_answer(const struct engine *e)
{
	return e->answer;
}

void
engine_on_change(struct engine *e, void (*fn)(void *arg), void *arg)
{
	e->changed = fn;
	e->changed_arg = arg;
}

uint64_t
engine_generation(const struct engine *e)
{
	return e->generation;
}

bool
engine_read_only(const struct engine *e)
{
	return e->read_only;
}

const char *
engine_fleet_name(const struct engine *e)
{
	return "lab";
}

size_t
engine_agent_count(const struct engine *e)
{
	return e->n_agents;
}

const struct agent *
engine_agent(const struct engine *e, size_t i)
{
	return &e->agents[i];
}

int
engine_agent_find(const struct engine *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->n_agents; i++)
		if (strcmp(e->agents[i].name, name) == 0)
			return (int)i;
	return -1;
}

size_t
engine_run_count(const struct engine *e)
{
	return e->n_runs;
}

const struct run *
engine_run(const struct engine *e, size_t i)
{
	return e->runs[e->n_runs - 1 - i];
}

const struct run *
engine_run_find(const struct engine *e, const char *id)
{
	size_t i;

	for (i = 0; i < e->n_runs; i++)
		if (strcmp(e->runs[i]->id, id) == 0)
			return e->runs[i];
	return NULL;
}

const struct run *
engine_run_recorded(struct engine *e, const char *id)
{
	return engine_run_find(e, id);
}

const struct execution *
engine_execution_find(const struct engine *e, const struct ident *id)
{
	const struct run *r = engine_run_find(e, id->run);

	return r != NULL && id->execution > 0 && id->execution <= r->n
	    ? &r->executions[id->execution - 1] : NULL;
}

void
engine_why(const struct engine *e, const struct ident *id, struct why *ret)
{
	const struct execution *x = engine_execution_find(e, id);

	memset(ret, 0, sizeof(*ret));
	if (x == NULL || x->reason == REASON_NONE)
		return;
	why_add(ret, x->reason, x->reason_since_us, "%s",
	    x->reason_text != NULL ? x->reason_text : "");
	why_add(ret, REASON_THRESHOLD, 0, "lab-1 keeps 1 worker free");
}

void
fake_schedule(struct engine *e, const struct scheduled *s)
{
	e->schedules[e->n_schedules++] = *s;
}

size_t
engine_schedule_count(const struct engine *e)
{
	return e->n_schedules;
}

const struct scheduled *
engine_schedule(const struct engine *e, size_t i)
{
	return &e->schedules[i];
}

size_t
engine_event_count(const struct engine *e)
{
	return e->n_events;
}

const struct event *
engine_event(const struct engine *e, size_t i)
{
	return &e->events[i];
}

int
engine_launch(struct engine *e, struct launch *l, struct diags *ds,
    char *ret_id)
{
	struct run *r;

	if (l->plan->n_execs == 0)
		return ERR_INVALID;
	r = fake_run(e, "r0000000099", l->plan->name, l->plan->n_execs);
	memcpy(ret_id, r->id, RUN_ID_SIZE);
	plan_free(l->plan);
	return 0;
}

int
engine_adopt(struct engine *e, const char *run_id, struct diags *ds)
{
	size_t i;

	for (i = 0; i < e->n_runs; i++)
		if (strcmp(e->runs[i]->id, run_id) == 0)
			e->runs[i]->state = RUN_RUNNING;
	return 0;
}

static void
set_stop(struct stop_note *s, bool on)
{
	stop_note_set(s, on ? "me" : NULL, NULL, clock_wall_us(), 0);
}

/* Does what the op says, as far as the screen can see it. */
static void
carry_out(struct engine *e, const struct op *op)
{
	int i = op->agent[0] != '\0' ? engine_agent_find(e, op->agent) : -1;
	struct facts *f = i >= 0 ? &e->agents[i].facts : NULL;

	if (f == NULL)
		return;
	if (op->kind == OP_SET && op->set_max)
		f->max_workers = op->max_workers;
	if (op->kind == OP_SET && op->set_threshold)
		f->threshold = op->threshold;
	if (op->kind == OP_SET)
		f->effective = threshold_effective(&f->threshold,
		    f->max_workers);
	if (op->kind == OP_DRAIN || op->kind == OP_UNDRAIN)
		set_stop(&f->draining, op->kind == OP_DRAIN);
	if (op->kind == OP_HOLD || op->kind == OP_RELEASE)
		set_stop(&f->held, op->kind == OP_HOLD);
}

void
engine_op(struct engine *e, const struct op *op,
    void (*fn)(void *arg, int code, const char *text), void *arg)
{
	bool refused = e->refusal != NULL &&
	    strcmp(e->refused, op->agent) == 0;

	if (e->n_ops < MAX_OPS)
		e->ops[e->n_ops++] = *op;
	if (!refused)
		carry_out(e, op);
	fake_changed(e);
	if (fn != NULL)
		fn(arg, refused ? ERR_STALE : 0, refused ? e->refusal : "");
}

const char *
engine_paused(const struct engine *e)
{
	return NULL;
}

void
engine_effect(struct engine *e, const struct op *ops, size_t n,
    const char *run, struct op_effect *ret)
{
	ret->known = false;
}

void
engine_cures(struct engine *e, const struct ident *id, bool predict,
    struct cure_offer **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
}

void
cure_offers_free(struct cure_offer *v, size_t n)
{
}

void
engine_interactive(struct engine *e, bool on)
{
}

void
engine_answer(struct engine *e, const char *agent, const char *answer)
{
	int i = engine_agent_find(e, agent);

	snprintf(e->answer, sizeof(e->answer), "%s=%s", agent, answer);
	free(e->agents[i].question);
	e->agents[i].question = NULL;
	e->agents[i].link = LINK_UP;
	fake_changed(e);
}

int
engine_tail(struct engine *e, const struct ident *id, int64_t offset,
    bool follow, const struct tail_ops *ops, void *arg, struct tail **ret)
{
	*ret = NULL;
	if (e->output != NULL)
		ops->data(arg, 0, (const uint8_t *)e->output, e->n_output);
	ops->end(arg, 0, "");
	return 0;
}

void
engine_untail(struct tail *t)
{
}

/* ---- previews: a minute for each execution, without a break ---- */

struct preview_known {
	int none;
};

struct preview_known *
preview_known_new(void)
{
	return mem_zalloc(sizeof(struct preview_known));
}

void
preview_known_free(struct preview_known *k)
{
	free(k);
}

int
preview_sum(const struct engine *e, const struct preview_known *k,
    const struct plan *p, struct preview_sum *ret)
{
	size_t i;

	*ret = (struct preview_sum){ .worker_minutes = p->n_execs };
	for (i = 0; i < e->n_agents; i++) {
		if (e->agents[i].link < LINK_UP)
			continue;
		ret->agents++;
		ret->workers += e->agents[i].facts.effective;
	}
	if (ret->workers == 0)
		return 0;
	ret->sim.attempts = p->n_execs;
	ret->sim.unknown = p->n_execs;
	ret->sim.makespan_us = ret->sim.bound_us = 60 * US_PER_S *
	    (int64_t)((p->n_execs + ret->workers - 1) / ret->workers);
	return 0;
}

size_t
preview_excluded(const struct engine *e, const struct plan *p, size_t from,
    struct buf *text)
{
	for (; from < e->n_agents; from++) {
		if (e->agents[from].link >= LINK_UP)
			continue;
		buf_putf(text, "%s: agents-offline, no route",
		    e->agents[from].name);
		return from + 1;
	}
	return 0;
}

const char *
op_name(enum op_kind k)
{
	return "op";
}
