/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Executions of runs that this process does not drive, as their run files
 * have them: read when somebody looks at one, and again while he does.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

#define RUNS_MAX 16		/* kept: more than can be open in a console */
#define EXECS_MAX 100000	/* of a run that is read */
#define EVERY_US (2 * US_PER_S)
#define SHARE 20		/* at most a part so small of the time */

/* The strings of an execution. */
struct names {
	char *suite, *test, *row, *target, *text;
};

struct recorded {
	struct run live;
	struct names *names;
	int64_t read_us, cost_us;
	TAILQ_ENTRY(recorded) entry;
};

static void
recorded_free(struct recorded *r)
{
	struct names *n;
	uint32_t i;

	for (i = 0; i < r->live.n; i++) {
		n = &r->names[i];
		free(n->suite);
		free(n->test);
		free(n->row);
		free(n->target);
		free(n->text);
	}
	free(r->names);
	free(r->live.executions);
	free(r->live.plan);
	free(r->live.owner);
	free(r);
}

void
recorded_done(struct engine *e)
{
	struct recorded *r;

	while ((r = TAILQ_FIRST(&e->recorded)) != NULL) {
		TAILQ_REMOVE(&e->recorded, r, entry);
		recorded_free(r);
	}
}

/* Rows point at executions: they stay where they are. */
static struct recorded *
recorded_new(struct engine *e, const struct run *run)
{
	struct recorded *r = mem_zalloc(sizeof *r), *old;
	size_t n = 0;

	r->live.n = run->n;
	r->live.executions = mem_calloc(run->n, sizeof *r->live.executions);
	r->names = mem_calloc(run->n, sizeof *r->names);
	memcpy(r->live.id, run->id, sizeof r->live.id);
	TAILQ_FOREACH(old, &e->recorded, entry)
		n++;
	if (n >= RUNS_MAX) {
		old = TAILQ_FIRST(&e->recorded);
		TAILQ_REMOVE(&e->recorded, old, entry);
		recorded_free(old);
	}
	TAILQ_INSERT_TAIL(&e->recorded, r, entry);
	return r;
}

/* ---- reading ---- */

struct reading {
	const struct engine *e;
	struct recorded *r;
	int64_t wall_us;	/* less this is monotonic */
};

static void
set_text(char **to, const char *text)
{
	if (*to != NULL && text != NULL && strcmp(*to, text) == 0)
		return;
	free(*to);
	*to = str_dup(text);
}

/* Names are as they were written at the launch, but for targets. */
static int
read_exec(void *arg, const struct run_exec *from)
{
	struct reading *g = arg;
	struct execution *x;
	struct names *n;

	if (from->no == 0 || from->no > g->r->live.n)
		return ERR_STORE;
	x = &g->r->live.executions[from->no - 1];
	n = &g->r->names[from->no - 1];
	set_text(&n->suite, from->suite);
	set_text(&n->test, from->test);
	set_text(&n->row, from->row);
	set_text(&n->target, from->target);
	set_text(&n->text, from->text);
	*x = (struct execution){
		.run = &g->r->live, .no = from->no,
		.suite = n->suite, .test = n->test, .row = n->row,
		.target = n->target, .text = n->text,
		.n_steps = from->n_steps, .state = from->state,
		.attempt = from->attempt, .tier = from->tier,
		.agent = from->agent != NULL ?
		    fleet_index(g->e->fleet, from->agent) : -1,
		.since_us = from->since_wall_us > 0 ?
		    from->since_wall_us - g->wall_us : 0,
		.estimate_us = from->estimate_us,
	};
	return 0;
}

static int
read_attempt(void *arg, const struct run_attempt *a)
{
	struct reading *g = arg;
	struct execution *x;

	if (a->exec == 0 || a->exec > g->r->live.n)
		return ERR_STORE;
	x = &g->r->live.executions[a->exec - 1];
	x->tries += a->state == ATTEMPT_ENDED && !a->late;
	if (a->attempt == x->attempt) {
		x->worker = a->worker;
		x->elapsed_us = a->elapsed_us;
	}
	return 0;
}

static int
read_all(const struct engine *e, struct recorded *r)
{
	struct reading g = { .e = e, .r = r,
		.wall_us = clock_wall_us() - clock_mono_us() };
	struct run_file *f = NULL;
	int rc;

	if ((rc = run_file_open(e->state_dir, r->live.id, &f)) < 0)
		return rc;
	if ((rc = run_file_begin_read(f)) == 0) {
		if ((rc = run_file_each_exec(f, read_exec, &g)) == 0)
			rc = run_file_each_attempt(f, 0, read_attempt, &g);
		run_file_end_read(f);
	}
	run_file_close(f);
	return rc;
}

/* What the list says of it now. */
static void
take_head(struct recorded *r, const struct run *run)
{
	struct run was = r->live;

	r->live = *run;
	r->live.n = was.n;
	r->live.executions = was.executions;
	r->live.plan = was.plan;
	r->live.owner = was.owner;
	set_text(&r->live.plan, run->plan);
	set_text(&r->live.owner, run->owner);
}

const struct run *
engine_run_recorded(struct engine *e, const char *id)
{
	const struct run *run = engine_run_find(e, id);
	int64_t now = clock_mono_us();
	struct recorded *r;
	int rc;

	if (run == NULL || run->executions != NULL || run->n == 0 ||
	    run->n > EXECS_MAX)
		return run;
	TAILQ_FOREACH(r, &e->recorded, entry)
		if (strcmp(r->live.id, id) == 0)
			break;
	if (r == NULL)
		r = recorded_new(e, run);
	take_head(r, run);
	if (r->read_us > 0 && (now < r->read_us + EVERY_US ||
	    now < r->read_us + SHARE * r->cost_us))
		return &r->live;
	rc = read_all(e, r);
	r->read_us = clock_mono_us();
	r->cost_us = r->read_us - now;
	return rc < 0 ? run : &r->live;
}
