/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The prediction in the launch dialog. */
#include "config.h"

#include <stdio.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "tui/prediction.h"

#define EXECS_MAX 10000		/* of a plan that is predicted here */
#define SHARE 20		/* at most a part so small of the time */
#define EXCLUDED_SHOWN 4

/* FNV-1a */
static void
mix(uint64_t *h, uint64_t v)
{
	*h = (*h ^ v) * UINT64_C(0x100000001b3);
}

/* All of the agents that a preview goes by. */
static uint64_t
look(const struct engine *e)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	const struct agent *a;
	size_t i;

	for (i = 0; i < engine_agent_count(e); i++) {
		a = engine_agent(e, i);
		mix(&h, a->link >= LINK_UP && a->known);
		mix(&h, a->state);
		mix(&h, a->facts.max_workers);
		mix(&h, a->facts.effective);
		mix(&h, a->facts.draining.on);
		mix(&h, a->facts.held.on);
		mix(&h, a->facts.guard != NULL);
	}
	return h;
}

void
prediction_drop(struct prediction *p)
{
	p->made = false;
}

void
prediction_follow(struct prediction *p, const struct engine *e,
    struct plan *plan)
{
	uint64_t seen = look(e);
	int64_t now = clock_mono_us();
	struct diags ds = DIAGS_INIT;

	if ((p->made && p->seen == seen) || plan->n_execs == 0 ||
	    plan->n_execs > EXECS_MAX || now < p->at_us + SHARE * p->cost_us)
		return;
	if (p->known == NULL)
		p->known = preview_known_new();
	plan_fix_schedules(plan, clock_wall_us(), NULL, &ds);
	diags_done(&ds);
	p->made = preview_sum(e, p->known, plan, &p->sum) == 0;
	p->seen = seen;
	p->at_us = clock_mono_us();
	p->cost_us = p->at_us - now;
}

static void
add_sum(const struct preview_sum *sum, struct lines *out)
{
	const struct simulated *sim = &sum->sim;
	char takes[DURATION_TEXT], bound[DURATION_TEXT], cost[48] = "";

	if (sim->attempts == 0) {
		lines_fact(out, "predicted", ROLE_BAD, "nothing could start "
		    "on this fleet as it is now");
		return;
	}
	if (sum->priced)
		snprintf(cost, sizeof(cost), "; cost %.2f", sum->cost);
	lines_fact(out, "predicted", ROLE_STRONG, "takes %s, no less than %s",
	    duration_format(sim->makespan_us, takes),
	    duration_format(sim->bound_us, bound));
	lines_fact(out, "", ROLE_DIALOG, "%.1f worker-minutes on %u agent%s "
	    "with %u worker%s%s", sum->worker_minutes, sum->agents,
	    plural(sum->agents), sum->workers, plural(sum->workers), cost);
	if (sim->unknown > 0)
		lines_fact(out, "", ROLE_DIM, "%u of no known length: 60s a "
		    "step assumed", sim->unknown);
	if (sim->never > 0)
		lines_fact(out, "", ROLE_BAD, "%u could not start on these "
		    "agents", sim->never);
}

static void
add_excluded(const struct engine *e, const struct plan *plan,
    struct lines *out)
{
	struct buf text = BUF_INIT;
	size_t from = 0, n = 0;

	while ((from = preview_excluded(e, plan, from, &text)) > 0) {
		if (n++ < EXCLUDED_SHOWN)
			lines_fact(out, n == 1 ? "excluded" : "", ROLE_WARN,
			    "%s", buf_str(&text));
		buf_clear(&text);
	}
	if (n > EXCLUDED_SHOWN)
		lines_fact(out, "", ROLE_WARN, "and %zu more",
		    n - EXCLUDED_SHOWN);
	buf_done(&text);
}

void
prediction_lines(const struct prediction *p, const struct engine *e,
    const struct plan *plan, struct lines *out)
{
	if (plan->n_execs == 0)
		return;
	if (plan->n_execs > EXECS_MAX)
		lines_fact(out, "predicted", ROLE_DIM, "by \"run --dry-run\", "
		    "for a plan of this size");
	else if (!p->made)
		lines_fact(out, "predicted", ROLE_DIM, "soon");
	else
		add_sum(&p->sum, out);
	add_excluded(e, plan, out);
}

void
prediction_done(struct prediction *p)
{
	preview_known_free(p->known);
}
