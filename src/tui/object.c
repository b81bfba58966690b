/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ids of rows, and what they stand for in the live model. */
#include "config.h"

#include <string.h>

#include "tui/attention.h"
#include "tui/console.h"
#include "tui/object.h"

#define KIND_SHIFT 56
#define RUN_DIGITS (RUN_ID_SIZE - 2)

static const char base32[] = "0123456789abcdefghijklmnopqrstuv";

/* The ten digits of a run id are 50 bits. */
static uint64_t
pack_run(const char *run)
{
	const char *digit;
	uint64_t v = 0;
	int i;

	for (i = 1; i <= RUN_DIGITS && run[i] != '\0'; i++) {
		digit = strchr(base32, run[i]);
		v = v << 5 | (digit != NULL ? (uint64_t)(digit - base32) : 0);
	}
	return v;
}

static void
unpack_run(uint64_t v, char *out)
{
	int i;

	out[0] = 'r';
	for (i = RUN_DIGITS; i > 0; i--, v >>= 5)
		out[i] = base32[v & 31];
	out[RUN_DIGITS + 1] = '\0';
}

static struct rowid
make(enum object_kind kind, uint64_t a, uint64_t b)
{
	struct rowid id = { (uint64_t)kind << KIND_SHIFT | a, b };

	return id;
}

struct rowid
rowid_agent(size_t agent)
{
	return make(OBJ_AGENT, 0, agent);
}

struct rowid
rowid_worker(size_t agent, unsigned no)
{
	return make(OBJ_WORKER, agent, no);
}

struct rowid
rowid_run(const char *run)
{
	return make(OBJ_RUN, pack_run(run), 0);
}

struct rowid
rowid_exec(const char *run, uint32_t no)
{
	return make(OBJ_EXEC, pack_run(run), no);
}

struct rowid
rowid_plain(enum object_kind kind, uint64_t key)
{
	return make(kind, 0, key);
}

bool
rowid_equal(struct rowid a, struct rowid b)
{
	return a.a == b.a && a.b == b.b;
}

enum object_kind
rowid_kind(struct rowid id)
{
	return (enum object_kind)(id.a >> KIND_SHIFT);
}

void
object_agent(const struct tui *t, size_t agent, struct object *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->kind = OBJ_AGENT;
	ret->id = rowid_agent(agent);
	ret->agent_no = agent;
	ret->agent = engine_agent(t->engine, agent);
}

void
object_run(const struct run *run, struct object *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->kind = OBJ_RUN;
	ret->id = rowid_run(run->id);
	ret->run = run;
}

void
object_exec(const struct tui *t, const struct execution *x,
    struct object *ret)
{
	object_run(x->run, ret);
	object_set_exec(t, x, ret);
}

void
object_set_exec(const struct tui *t, const struct execution *x,
    struct object *ret)
{
	const uint64_t run = ret->id.a & ((UINT64_C(1) << KIND_SHIFT) - 1);

	ret->kind = OBJ_EXEC;
	ret->id = make(OBJ_EXEC, run, x->no);
	ret->exec = x;
	ret->agent = NULL;
	if (x->agent >= 0 && (size_t)x->agent < engine_agent_count(t->engine)) {
		ret->agent_no = (size_t)x->agent;
		ret->agent = engine_agent(t->engine, ret->agent_no);
	}
}

/* One finder for each kind; false when it is gone. */
static bool
find_agent(const struct tui *t, struct rowid id, struct object *ret)
{
	if (id.b >= engine_agent_count(t->engine))
		return false;
	object_agent(t, id.b, ret);
	return true;
}

static bool
find_worker(const struct tui *t, struct rowid id, struct object *ret)
{
	uint64_t agent = id.a & ((UINT64_C(1) << KIND_SHIFT) - 1);
	const struct facts *f;
	uint32_t i;

	if (agent >= engine_agent_count(t->engine))
		return false;
	object_agent(t, agent, ret);
	f = &ret->agent->facts;
	for (i = 0; i < f->n_workers; i++)
		if (f->workers[i].no == id.b)
			break;
	if (i == f->n_workers)
		return false;
	ret->kind = OBJ_WORKER;
	ret->id = id;
	ret->worker = &f->workers[i];
	return true;
}

static void
run_id_of(struct rowid id, char *out)
{
	unpack_run(id.a & ((UINT64_C(1) << KIND_SHIFT) - 1), out);
}

static bool
find_run(const struct tui *t, struct rowid id, struct object *ret)
{
	char name[RUN_ID_SIZE];
	const struct run *run;

	run_id_of(id, name);
	if ((run = engine_run_find(t->engine, name)) == NULL)
		return false;
	object_run(run, ret);
	return true;
}

const struct execution *
tui_execution(const struct tui *t, const char *run, uint64_t no)
{
	const struct run *r = engine_run_recorded(t->engine, run);

	return r != NULL && r->executions != NULL && no > 0 && no <= r->n ?
	    &r->executions[no - 1] : NULL;
}

static bool
find_exec(const struct tui *t, struct rowid id, struct object *ret)
{
	const struct execution *x;
	char run[RUN_ID_SIZE];

	run_id_of(id, run);
	if ((x = tui_execution(t, run, id.b)) == NULL)
		return false;
	object_exec(t, x, ret);
	return true;
}

static bool
find_event(const struct tui *t, struct rowid id, struct object *ret)
{
	size_t n = engine_event_count(t->engine);
	uint64_t first;

	first = n > 0 ? engine_event(t->engine, 0)->seq : 0;
	if (n == 0 || id.b < first || id.b - first >= n)
		return false;
	ret->event = engine_event(t->engine, (size_t)(id.b - first));
	return true;
}

static bool
find_plan(const struct tui *t, struct rowid id, struct object *ret)
{
	ret->plan = (size_t)id.b;
	return id.b < tui_plan_count(t);
}

static bool
find_cause(const struct tui *t, struct rowid id, struct object *ret)
{
	ret->cause = attention_cause(t, (enum reason)id.b);
	return ret->cause != NULL;
}

static bool
find_attention(const struct tui *t, struct rowid id, struct object *ret)
{
	ret->attention = attention_find(t, id.b);
	return ret->attention != NULL;
}

bool
object_find(const struct tui *t, struct rowid id, struct object *ret)
{
	static bool (*const finders[])(const struct tui *t, struct rowid id,
	    struct object *ret) = {
		[OBJ_AGENT] = find_agent, [OBJ_WORKER] = find_worker,
		[OBJ_EXEC] = find_exec, [OBJ_RUN] = find_run,
		[OBJ_EVENT] = find_event, [OBJ_PLAN] = find_plan,
		[OBJ_CAUSE] = find_cause, [OBJ_ATTENTION] = find_attention,
	};
	enum object_kind kind = rowid_kind(id);

	memset(ret, 0, sizeof(*ret));
	if (kind == OBJ_NONE || !finders[kind](t, id, ret)) {
		memset(ret, 0, sizeof(*ret));
		return false;
	}
	ret->kind = kind;
	ret->id = id;
	return true;
}

bool
object_ident(const struct object *o, struct ident *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (o->kind == OBJ_EXEC) {
		memcpy(ret->run, o->run->id, sizeof(ret->run));
		ret->execution = o->exec->no;
		return true;
	}
	if (o->kind != OBJ_WORKER || o->worker->attempt.run[0] == '\0')
		return false;
	*ret = o->worker->attempt;
	return true;
}
