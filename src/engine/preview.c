/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a launch would come to: facts of live agents in, a forecast out. */
#include "config.h"

#include <stdlib.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/engine/lengths.h"
#include "yardmaster/engine/preview.h"

#include "engine/batch.h"

struct preview_known {
	struct jdoc history, fails;
	bool has_history, has_fails;
};

struct preview {
	const struct plan *p;
	const struct fleet_spec *fleet;
	const struct engine *e;
	struct simulate_agent *agents;	/* those that take part */
	size_t *index;		/* of each, in the fleet */
	uint32_t n;
	struct simulation *sim;
	struct preview_sum sum;
};

/* True when some execution of the plan may run on the agent. */
static bool
is_wanted(const struct plan *p, const struct agent_spec *a)
{
	const struct plan_terms *t;
	uint32_t i, k;

	for (i = 0; i < p->n_terms; i++) {
		t = &p->terms[i];
		for (k = 0; k < t->n_agents && selector_match(
		    p->agents[t->agents[k]].selector, a->name, &a->labels);)
			k++;
		if (k < t->n_agents)
			continue;
		for (k = 0; k < t->n_targets && agent_spec_offers(a,
		    p->targets[t->targets[k]].name);)
			k++;
		if (k == t->n_targets)
			return true;
	}
	return false;
}

static const char *
is_unwanted(const struct preview *v, size_t i, struct buf *text)
{
	if (is_wanted(v->p, &v->fleet->agents[i]))
		return NULL;
	buf_puts(text, "no execution of the plan may run there");
	return "requirement";
}

static const char *
is_offline(const struct preview *v, size_t i, struct buf *text)
{
	const struct agent *a = engine_agent(v->e, i);

	if (a->link >= LINK_UP && a->known)
		return NULL;
	buf_puts(text, a->error != NULL ? a->error : a->question != NULL ?
	    a->question : "it did not answer in time");
	return reason_name(REASON_AGENTS_OFFLINE);
}

static const char *
is_stopped(const struct stop_note *s, enum reason why, struct buf *text)
{
	if (!s->on)
		return NULL;
	buf_putf(text, "by %s%s%s", s->who != NULL ? s->who : "somebody",
	    s->note != NULL ? ": " : "", s->note != NULL ? s->note : "");
	return reason_name(why);
}

static const char *
is_draining(const struct preview *v, size_t i, struct buf *text)
{
	return is_stopped(&engine_agent(v->e, i)->facts.draining,
	    REASON_AGENTS_DRAINING, text);
}

static const char *
is_held(const struct preview *v, size_t i, struct buf *text)
{
	return is_stopped(&engine_agent(v->e, i)->facts.held,
	    REASON_AGENTS_HELD, text);
}

static const char *
is_benched(const struct preview *v, size_t i, struct buf *text)
{
	if (engine_agent(v->e, i)->state != AGENT_BENCHED)
		return NULL;
	buf_puts(text, "errors piled up on it");
	return reason_name(REASON_AGENTS_BENCHED);
}

static const char *
is_guarded(const struct preview *v, size_t i, struct buf *text)
{
	const char *guard = engine_agent(v->e, i)->facts.guard;

	if (guard == NULL)
		return NULL;
	buf_puts(text, guard);
	return reason_name(REASON_GUARD);
}

static const char *
is_closed(const struct preview *v, size_t i, struct buf *text)
{
	if (engine_agent(v->e, i)->facts.max_workers > 0)
		return NULL;
	buf_puts(text, "its max workers are 0");
	return reason_name(REASON_WORKERS_BUSY);
}

/* Why an agent takes no part: the name of the reason with facts in text, or
 * NULL when it does. */
static const char *
excluded(const struct preview *v, size_t i, struct buf *text)
{
	static const char *(*const checks[])(const struct preview *v,
	    size_t i, struct buf *text) = {
		is_unwanted, is_offline, is_draining, is_held, is_benched,
		is_guarded, is_closed,
	};
	const char *why = NULL;
	size_t k;

	for (k = 0; k < sizeof checks / sizeof *checks && why == NULL; k++)
		why = checks[k](v, i, text);
	return why;
}

static void
gather(struct preview *v)
{
	size_t n = engine_agent_count(v->e), i;
	struct buf text = BUF_INIT;
	const struct agent *a;

	v->agents = mem_calloc(n, sizeof *v->agents);
	v->index = mem_calloc(n, sizeof *v->index);
	for (i = 0; i < n; i++) {
		if (excluded(v, i, &text) != NULL)
			continue;
		a = engine_agent(v->e, i);
		v->agents[v->n] = (struct simulate_agent){
			.spec = &v->fleet->agents[i],
			.max_workers = a->facts.max_workers,
			.threshold = a->facts.effective,
			.rtt_us = a->rtt_us,
		};
		v->index[v->n++] = i;
	}
	buf_done(&text);
}

static void
write_excluded(const struct preview *v, struct jw *w)
{
	struct buf text = BUF_INIT;
	const char *why;
	size_t i;

	jw_key(w, "excluded");
	jw_array(w);
	for (i = 0; i < engine_agent_count(v->e); i++) {
		buf_clear(&text);
		if ((why = excluded(v, i, &text)) == NULL)
			continue;
		jw_object(w);
		jw_kv_str(w, "name", v->fleet->agents[i].name);
		jw_kv_str(w, "reason", why);
		jw_kv_str(w, "text", buf_str(&text));
		jw_object_end(w);
	}
	jw_array_end(w);
	buf_done(&text);
}

/* An agent is paid for from the launch to the end of its last attempt. */
static double
cost_of(const struct agent_spec *a, const struct simulated_agent *did)
{
	return a->cost_per_hour * (double)did->end_us / (3600.0 * US_PER_S);
}

static void
write_agent(const struct preview *v, uint32_t i, struct jw *w)
{
	const struct facts *f = &engine_agent(v->e, v->index[i])->facts;
	const struct agent_spec *a = v->agents[i].spec;
	struct simulated_agent did;

	simulation_agent(v->sim, i, &did);
	jw_object(w);
	jw_kv_str(w, "name", a->name);
	jw_kv_int(w, "max_workers", f->max_workers);
	jw_kv_int(w, "threshold", f->effective);
	jw_kv_int(w, "busy", f->busy);
	jw_kv_int(w, "executions", did.attempts);
	jw_kv_seconds(w, "busy_s", did.busy_us);
	jw_kv_seconds(w, "end_s", did.end_us);
	jw_key(w, "cost");
	if (a->cost_per_hour > 0)
		jw_real(w, cost_of(a, &did));
	else
		jw_null(w);
	jw_object_end(w);
}

static void
write_totals(const struct preview_sum *sum, struct jw *w)
{
	jw_kv_int(w, "workers", sum->workers);
	jw_kv_real(w, "worker_minutes", sum->worker_minutes);
	jw_key(w, "cost");
	if (sum->priced)
		jw_real(w, sum->cost);
	else
		jw_null(w);
}

static void
write_preview(const struct preview *v, struct buf *out)
{
	struct jw w;
	uint32_t i;

	jw_init(&w, out);
	jw_object(&w);
	jw_kv_str(&w, "plan", v->p->name);
	jw_kv_int(&w, "executions", v->p->n_execs);
	jw_kv_int(&w, "steps", v->p->n_steps);
	jw_kv_str(&w, "order", order_name(v->sum.sim.order));
	jw_kv_int(&w, "never", v->sum.sim.never);
	jw_kv_int(&w, "unknown", v->sum.sim.unknown);
	jw_kv_seconds(&w, "makespan_s", v->sum.sim.makespan_us);
	jw_kv_seconds(&w, "lower_bound_s", v->sum.sim.bound_us);
	jw_kv_time(&w, "end", v->sum.sim.attempts == 0 ? 0 : clock_wall_us() +
	    v->sum.sim.makespan_us);
	write_totals(&v->sum, &w);
	jw_key(&w, "agents");
	jw_array(&w);
	for (i = 0; i < v->n; i++)
		write_agent(v, i, &w);
	jw_array_end(&w);
	write_excluded(v, &w);
	simulate_write_facts(v->sim, &w);
	simulate_write_rows(v->sim, "timeline", &w);
	jw_object_end(&w);
}

/* ---- the whole ---- */

struct preview_known *
preview_known_new(void)
{
	struct preview_known *k = mem_zalloc(sizeof *k);

	k->has_history = lengths_recorded(&k->history) == 0;
	k->has_fails = lengths_recorded_fails(&k->fails) == 0;
	return k;
}

void
preview_known_free(struct preview_known *k)
{
	if (k == NULL)
		return;
	if (k->has_history)
		jdoc_done(&k->history);
	if (k->has_fails)
		jdoc_done(&k->fails);
	free(k);
}

static void
add_up(struct preview *v)
{
	struct preview_sum *sum = &v->sum;
	struct simulated_agent did;
	uint32_t i;

	simulation_sum(v->sim, &sum->sim);
	sum->agents = v->n;
	for (i = 0; i < v->n; i++) {
		simulation_agent(v->sim, i, &did);
		sum->workers += v->agents[i].max_workers;
		sum->worker_minutes += (double)did.busy_us /
		    (60.0 * US_PER_S);
		sum->priced |= v->agents[i].spec->cost_per_hour > 0;
		sum->cost += cost_of(v->agents[i].spec, &did);
	}
}

static int
play(struct preview *v, const struct preview_known *k)
{
	struct simulate_opts opts = {
		.history = k->has_history ? k->history.root : NULL,
		.fails = k->has_fails ? k->fails.root : NULL,
		.seed = 1, .startup_us = batch_start_us(v->e, v->p, NULL),
		.at_wall_us = clock_wall_us(),
	};
	int r;

	v->fleet = v->e->spec;
	gather(v);
	if ((r = simulate(v->p, v->agents, v->n, &opts, &v->sim)) == 0)
		add_up(v);
	return r;
}

static void
preview_done(struct preview *v)
{
	simulation_free(v->sim);
	free(v->agents);
	free(v->index);
}

int
preview(const struct engine *e, const struct plan *p,
    struct preview_out *out)
{
	struct preview_known *k = preview_known_new();
	struct preview v = { .p = p, .e = e };
	int r;

	if ((r = play(&v, k)) == 0 && (r = simulation_explain(v.sim)) == 0) {
		write_preview(&v, &out->json);
		simulate_chart(v.sim, &out->look, &out->text);
		simulate_reasons(v.sim, &out->text);
		out->runs = v.sum.sim.attempts > 0;
	}
	preview_done(&v);
	preview_known_free(k);
	return r;
}

int
preview_sum(const struct engine *e, const struct preview_known *k,
    const struct plan *p, struct preview_sum *ret)
{
	struct preview v = { .p = p, .e = e };
	int r = play(&v, k);

	*ret = v.sum;
	preview_done(&v);
	return r;
}

size_t
preview_excluded(const struct engine *e, const struct plan *p, size_t from,
    struct buf *text)
{
	struct preview v = { .p = p, .e = e, .fleet = e->spec };
	struct buf facts = BUF_INIT;
	const char *why = NULL;

	for (; from < engine_agent_count(e) && why == NULL; from++)
		why = excluded(&v, from, &facts);
	if (why != NULL)
		buf_putf(text, "%s: %s, %s", e->spec->agents[from - 1].name,
		    why, buf_str(&facts));
	buf_done(&facts);
	return why != NULL ? from : 0;
}
