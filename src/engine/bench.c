/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Benched agents: what ended is told to the bench, and what it says of agents
 * and tests is shown, recorded, and told to the scheduler.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

char *
engine_bench_test(const struct erun *r, const struct report *rep)
{
	const struct plan_exec *x = &r->plan->execs[rep->id.execution - 1];
	const struct plan_test *t;
	uint32_t *left, n, i, at = 0;

	n = erun_steps_left(r, rep->id.execution, &left);
	for (i = 0; i < rep->n_steps && i < n; i++)
		if (rep->steps[i].outcome == rep->outcome) {
			at = left != NULL ? left[i] : i;
			break;
		}
	free(left);
	t = &r->plan->tests[r->plan->steps[x->first_step + at].test];
	return str_fmt("%s/%s/%s", r->plan->name,
	    r->plan->suites[t->suite].path, t->name);
}

/* What is shown of an execution whose test is to blame. */
static void
say_blamed(struct engine *e, struct erun *r, uint32_t no, const char *test)
{
	const char *text = r->live.executions[no - 1].text;
	uint32_t a[2];

	if (!bench_blamed(e->bench, test, a))
		return;
	erun_why(r, no, str_fmt("%s%sit erred on %s and on %s: the test is to "
	    "blame, not the agents", text != NULL ? text : "",
	    text != NULL ? "; " : "", fleet_agent(e->fleet, a[0])->name,
	    fleet_agent(e->fleet, a[1])->name));
}

void
engine_bench_ended(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep, const char *test)
{
	bench_ended(e->bench, &(struct bench_end){
		.agent = (uint32_t)agent,
		.id = rep->id,
		.test = test,
		.outcome = rep->outcome,
		.text = r->live.executions[rep->id.execution - 1].text,
		.wall_us = clock_wall_us(),
	}, clock_mono_us());
	if (rep->outcome == OUTCOME_ERROR)
		say_blamed(e, r, rep->id.execution, test);
	engine_bench_look(e);
}

static bool
is_on(enum bench_state s)
{
	return s == BENCH_ON || s == BENCH_PROBED;
}

static void
record(struct engine *e, const struct bench_news *n)
{
	const struct registry_benched b = {
		.fleet = e->spec->name,
		.agent = fleet_agent(e->fleet, n->agent)->name,
		.text = is_on(n->state) ? bench_text(e->bench, n->agent) : NULL,
		.wall_us = clock_wall_us(),
	};
	int r;

	if (is_on(n->state) == is_on(n->was) || e->read_only)
		return;
	if ((r = registry_bench(e->registry, &b)) < 0)
		engine_say(e, EVENT_WARNING, NULL, b.agent, "that %s is %s "
		    "benched was not recorded: %s", b.agent,
		    is_on(n->state) ? "" : "no longer ", err_text(r));
}

static void
say_agent(struct engine *e, const struct bench_news *n)
{
	static const struct {
		enum event_kind kind;
		const char *text;
	} said[BENCH_STATES] = {
		[BENCH_WELL] = { EVENT_INFO, "is no longer benched" },
		[BENCH_BRAKED] = { EVENT_WARNING, "errs" },
		[BENCH_ON] = { EVENT_WARNING, "is benched" },
		[BENCH_PROBED] = { EVENT_INFO,
		    "is probed by the next execution" },
	};
	const char *name = fleet_agent(e->fleet, n->agent)->name;
	const char *text = n->state == BENCH_PROBED ? NULL :
	    bench_text(e->bench, n->agent);

	if (n->was == BENCH_BRAKED && n->state == BENCH_WELL)
		return;
	engine_say(e, said[n->state].kind, NULL, name, "%s %s%s%s", name,
	    n->was == BENCH_PROBED && n->state == BENCH_ON ?
	    "stays benched, the probe erred" : said[n->state].text,
	    text != NULL ? ": " : "", text != NULL ? text : "");
}

static void
take_news(struct engine *e, const struct bench_news *n)
{
	uint32_t a[2];

	if (n->test != NULL) {
		if (bench_blamed(e->bench, n->test, a))
			engine_say(e, EVENT_WARNING, NULL, NULL, "%s erred on "
			    "%s and on %s: the test is to blame, not the "
			    "agents", n->test,
			    fleet_agent(e->fleet, a[0])->name,
			    fleet_agent(e->fleet, a[1])->name);
		return;
	}
	fleet_bench(e->fleet, n->agent, is_on(n->state),
	    bench_text(e->bench, n->agent));
	record(e, n);
	say_agent(e, n);
	feed_agent(e, n->agent);
}

static void
probe_due(void *arg)
{
	engine_bench_look(arg);
}

void
engine_bench_look(struct engine *e)
{
	int64_t now_us = clock_mono_us();
	int64_t next_us = bench_due(e->bench, now_us);
	struct bench_news n;

	while (bench_next(e->bench, &n))
		take_news(e, &n);
	if (next_us == CLOCK_NEVER)
		timer_stop(e->probe);
	else
		timer_start(e->probe, next_us - now_us);
}

static int
restore_one(void *arg, const struct registry_benched *b)
{
	struct engine *e = arg;
	int agent = fleet_index(e->fleet, b->agent);

	if (agent >= 0)
		bench_restore(e->bench, (uint32_t)agent, b->text,
		    clock_mono_us());
	return 0;
}

int
engine_bench_open(struct engine *e)
{
	struct bench_news n;
	int r;

	e->probe = timer_new(e->loop, probe_due, e);
	r = registry_each_benched(e->registry, e->spec->name, restore_one, e);
	/* It is no news. */
	while (bench_next(e->bench, &n)) {
		fleet_bench(e->fleet, n.agent, is_on(n.state),
		    bench_text(e->bench, n.agent));
		feed_agent(e, n.agent);
	}
	engine_bench_look(e);
	return r;
}
