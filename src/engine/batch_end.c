/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a batch. Nothing is acknowledged before each member's result is
 * committed, in one transaction; until then the agent keeps report and file,
 * so whoever drives the run next begins here again.
 *
 *	batch_ended() -> FETCH -> got_data()* -> got_end() -> give_results()
 *	      |                                                   |
 *	      +---- it never ran: there is no file --------------->+-> ACK
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/junit_match.h"
#include "yardmaster/report/junit_read.h"

#include "engine/batch.h"

#define RESULTS "results"	/* as agents name the file */

/* What all members share of the end. */
struct ending {
	struct batch *b;
	const struct step_result *process;	/* NULL: it never ran */
	bool file;		/* there is one that can be read */
	const char *why;	/* there is none: why */
	char *how;		/* how the process ended */
};

static enum outcome
process_outcome(const struct ending *end)
{
	return end->process != NULL ? end->process->outcome :
	    end->b->report.outcome;
}

static char *
how_it_ended(const struct step_result *s)
{
	if (s == NULL)
		return str_dup("it never ran");
	if (s->signo != 0)
		return str_fmt("the process ended by signal %d", s->signo);
	if (s->exit_code >= 0)
		return str_fmt("the process ended with code %d", s->exit_code);
	return str_dup("the process did not exit");
}

/* What a member comes to of which the file says nothing. */
static enum outcome
unnamed_outcome(const struct ending *end)
{
	enum outcome o = process_outcome(end);

	if (o == OUTCOME_TIMEOUT || o == OUTCOME_CANCELLED)
		return o;
	return o == OUTCOME_SKIPPED && !end->file ? o : OUTCOME_ERROR;
}

static char *
unnamed_text(const struct ending *end, const char *name)
{
	const char *said = end->process != NULL ? end->process->text :
	    end->b->report.text;

	if (process_outcome(end) == OUTCOME_ERROR && said != NULL)
		return str_dup(said);
	if (process_outcome(end) == OUTCOME_TIMEOUT)
		return str_fmt("the batch %s", said != NULL ? said :
		    "took too long");
	if (end->file)
		return str_fmt("%s is not in the result file (%s)", name,
		    end->how);
	return str_fmt("%s (%s)", end->why, end->how);
}

static enum outcome
inverted(const struct ending *end, uint32_t no, enum outcome o)
{
	if (!plan_batch_inverted(end->b->run->plan, no))
		return o;
	return o == OUTCOME_PASSED ? OUTCOME_FAILED :
	    o == OUTCOME_FAILED ? OUTCOME_PASSED : o;
}

/* One member's report, made of the one that came. */
static bool
give_one(const struct ending *end, const struct sched_member *m,
    const char *name, const struct junit_match *match)
{
	struct batch *b = end->b;
	const struct report *whole = &b->report;
	struct step_result step = {
		.outcome = match->outcome,
		.exit_code = -1,
		.started_wall_us = whole->started_wall_us,
		.elapsed_us = match->elapsed_us,
		.out_to = whole->out_bytes,
	};
	struct report one = *whole;
	bool good;

	if (match->outcome == OUTCOME_NONE) {
		step.outcome = unnamed_outcome(end);
		step.text = unnamed_text(end, name);
	} else {
		step.outcome = inverted(end, m->exec, match->outcome);
		if (step.outcome != OUTCOME_PASSED)
			step.text = str_dup(match->text);
	}
	one.id.execution = m->exec;
	one.id.attempt = m->attempt;
	one.outcome = step.outcome;
	one.elapsed_us = step.elapsed_us;
	one.text = NULL;
	one.steps = &step;
	one.n_steps = 1;
	good = report_record(b->e, b->agent, b->run, &one, b->n > 1);
	view_execution(b->e, b->run, m->exec);
	free(step.text);
	return good;
}

/* ---- what a process takes to start ---------------------------------------- */

/* What of the process's time is no test's, when all tests told theirs. */
static void
measure(const struct ending *end, const struct junit_match *v)
{
	struct batch *b = end->b;
	struct erun *r = b->run;
	struct batch_start *s;
	int64_t rest;
	uint32_t i;

	if (end->process == NULL || (end->process->outcome != OUTCOME_PASSED &&
	    end->process->outcome != OUTCOME_FAILED))
		return;
	rest = end->process->elapsed_us;
	for (i = 0; i < b->n; i++) {
		if (v[i].outcome == OUTCOME_NONE)
			return;
		rest -= v[i].elapsed_us;
	}
	if (rest <= 0)
		return;		/* they ran beside each other */
	if (r->starts == NULL)
		r->starts = mem_calloc(r->plan->n_suites, sizeof *r->starts);
	s = &r->starts[r->plan->execs[b->lead.exec - 1].suite];
	s->sum_us += rest;
	s->n++;
	sched_run_start_cost(b->e->sched, r->handle,
	    batch_start_us(b->e, r->plan, r->starts));
}

/* Of this run, else of earlier ones; 0 unknown. */
static int64_t
start_of_suite(const struct engine *e, const struct plan *p,
    const struct batch_start *start, uint32_t suite)
{
	int64_t us = 0;

	if (start != NULL && start[suite].n > 0)
		return start[suite].sum_us / start[suite].n;
	if (e->registry != NULL && p->suites[suite].props->batch)
		(void)history_start(e->registry, p->suites[suite].path, &us);
	return us;
}

int64_t
batch_start_us(const struct engine *e, const struct plan *p,
    const struct batch_start *starts)
{
	int64_t us, most = 0;
	uint32_t i;

	for (i = 0; i < p->n_suites; i++) {
		us = start_of_suite(e, p, starts, i);
		if (us > most)
			most = us;
	}
	return most;
}

void
batch_keep_history(struct engine *e, struct erun *r)
{
	uint32_t i;

	for (i = 0; r->starts != NULL && i < r->plan->n_suites; i++)
		if (r->starts[i].n > 0)
			(void)history_start_add(e->registry,
			    r->plan->suites[i].path,
			    r->starts[i].sum_us / r->starts[i].n);
}

/* ---- results ---------------------------------------------------------------- */

static const char *
pattern_of(const struct batch *b)
{
	const struct plan *p = b->run->plan;
	const struct plan_exec *x = &p->execs[b->lead.exec - 1];

	return p->tests[p->steps[x->first_step].test].props->results_name;
}

static void
name_all(const struct batch *b, struct strvec *out)
{
	struct buf name = BUF_INIT;
	uint32_t i;

	for (i = 0; i < b->n; i++) {
		plan_batch_name(b->run->plan, b->members[i].exec, &name);
		strvec_push_owned(out, buf_steal(&name));
	}
}

static void
fetch_over(struct batch *b)
{
	fleet_untail(b->fetch);
	b->fetch = NULL;
	report_done(&b->report);
	buf_done(&b->file);
	b->too_large = false;
}

/* results NULL: there are none, which why says. */
static void
give_results(struct batch *b, const struct junit_results *results,
    const char *why)
{
	struct ending end = { .b = b, .file = results != NULL, .why = why };
	struct junit_match *v = mem_calloc(b->n, sizeof *v);
	struct strvec names = STRVEC_INIT;
	bool good = true;
	uint32_t i;

	if (b->report.n_steps > 0 && b->report.steps[0].outcome != OUTCOME_NONE)
		end.process = &b->report.steps[0];
	end.how = how_it_ended(end.process);
	name_all(b, &names);
	if (results != NULL)
		junit_match(results, pattern_of(b),
		    (const char *const *)names.v, b->n, v);
	for (i = 0; i < b->n; i++)
		good &= give_one(&end, &b->members[i], names.v[i], &v[i]);
	measure(&end, v);
	if (good && !artifacts_take(b->e, b->run->file, &b->report))
		engine_out(b->e, OUT_ACK, b->agent, &b->report.id,
		    b->run->epoch);
	engine_wake(b->e);
	strvec_done(&names);
	free(end.how);
	free(v);
}

static void
got_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct batch *b = arg;

	if (b->too_large || buf_len(&b->file) + n > JUNIT_MAX_BYTES) {
		b->too_large = true;
		buf_done(&b->file);
		return;
	}
	buf_put(&b->file, p, n);
}

/* The fault in words; the caller frees. */
static char *
fault_text(const struct batch *b, int code, const struct diags *ds)
{
	if (code == ERR_NOT_FOUND)
		return str_dup("there is no result file");
	if (b->too_large)
		return str_fmt("the result file is longer than %u MB",
		    JUNIT_MAX_BYTES >> 20);
	return str_fmt("the result file cannot be read: %s",
	    ds->n > 0 ? ds->v[0].text : err_text(code));
}

static void
got_end(void *arg, int code, const char *text)
{
	struct batch *b = arg;
	struct junit_results results = { .n = 0 };
	struct diags ds = DIAGS_INIT;
	char *why = NULL;

	if (code == 0 && b->too_large)
		code = ERR_TOO_LARGE;
	if (code == 0)
		code = junit_read(RESULTS, buf_data(&b->file),
		    buf_len(&b->file), &results, &ds);
	if (code < 0)
		why = fault_text(b, code, &ds);
	/* Its run may have ended without it. */
	if (b->run->file != NULL)
		give_results(b, code < 0 ? NULL : &results, why);
	if (code == 0)
		junit_results_done(&results);
	diags_done(&ds);
	free(why);
	fetch_over(b);
}

static const struct fleet_tail_ops fetch_ops = {
	.data = got_data,
	.end = got_end,
};

void
batch_ended(struct batch *b, size_t agent, const struct report *rep)
{
	if (b->fetch != NULL)
		return;
	b->agent = agent;
	report_copy(&b->report, rep);
	if (rep->n_steps > 0) {
		(void)fleet_fetch(b->e->fleet, agent, &rep->id, RESULTS,
		    JUNIT_MAX_BYTES + 1, &fetch_ops, b, &b->fetch);
		return;
	}
	give_results(b, NULL, "there is no result file");
	fetch_over(b);
}
