/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Worked examples of distribution, each derived by hand from the rules: the
 * plan is read and expanded as any, the real scheduler decides, and made-up
 * agents do what it says in made-up time. Who starts what when, on which
 * worker, has to be exactly as written down.
 */
#include "config.h"

#include "player.h"

/* ---- what was played, and what was foreseen --------------------------------- */

/* A line a start: "30 B/2 t1[1]@chrome t2@chrome (2)" and so on. */
static void
line(struct buf *out, int64_t start_s, const char *agent, int64_t worker)
{
	buf_putf(out, "%d %s/%d", (int)start_s, agent, (int)worker);
}

static void
line_end(struct buf *out, int64_t run, int64_t attempt)
{
	if (run > 1)
		buf_putf(out, " of run %d", (int)run);
	if (attempt > 1)
		buf_putf(out, " (%d)", (int)attempt);
	buf_putc(out, '\n');
}

static void
foreseen_row(const struct jval *row, struct buf *out)
{
	const struct jval *steps = jval_get(row, "steps"), *step;
	const char *target = jval_get_str(row, "target", NULL);
	size_t i;

	line(out, jval_get_int(row, "start_s", -1), jval_get_str(row,
	    "agent", "agent-1"), jval_get_int(row, "worker", 0));
	for (i = 0; i < jval_count(steps); i++) {
		step = jval_at(steps, i);
		buf_putf(out, " %s", jval_get_str(step, "test", ""));
		if (jval_get_int(step, "row", 0) > 0)
			buf_putf(out, "[%d]", (int)jval_get_int(step, "row",
			    0));
		target = jval_get_str(step, "target", target);
		if (target != NULL)
			buf_putf(out, "@%s", target);
	}
	line_end(out, jval_get_int(row, "run", 1), jval_get_int(row,
	    "attempt", 1));
}

static void
played_row(const struct play *p, const struct try *t, struct buf *out)
{
	uint32_t i;

	line(out, t->start_us / US_PER_S, p->hosts[t->agent].facts.name,
	    t->worker);
	for (i = 0; i < t->n_steps; i++) {
		buf_putc(out, ' ');
		step_name(p->plans[t->id.run], step_at(p, t, i), true, true,
		    out);
	}
	line_end(out, t->id.run + 1, t->id.attempt);
}

static int
by_start(const void *pa, const void *pb)
{
	const struct try *a = pa, *b = pb;

	if (a->start_us != b->start_us)
		return a->start_us < b->start_us ? -1 : 1;
	if (a->agent != b->agent)
		return a->agent < b->agent ? -1 : 1;
	return (int)a->worker - (int)b->worker;
}

static void
check_rows(struct play *p)
{
	const struct jval *want = jval_get(p->c, "expected");
	struct buf is = BUF_INIT, ought = BUF_INIT;
	int64_t last_us = 0;
	size_t i;

	qsort(p->tries, p->n_tries, sizeof(p->tries[0]), by_start);
	for (i = 0; i < p->n_tries; i++) {
		if (p->tries[i].worker == 0)
			continue;	/* it never started */
		played_row(p, &p->tries[i], &is);
		if (p->tries[i].end_us > last_us)
			last_us = p->tries[i].end_us;
	}
	for (i = 0; i < jval_count(want); i++)
		foreseen_row(jval_at(want, i), &ought);
	if (strcmp(buf_str(&is), buf_str(&ought)) != 0)
		fail_msg("%s: it was\n%sand ought to be\n%s", jval_get_str(
		    p->c, "id", ""), buf_str(&is), buf_str(&ought));
	assert_int_equal(last_us, jval_get_int(p->c, "makespan_s", -1) *
	    US_PER_S);
	buf_done(&is);
	buf_done(&ought);
}

/* How many ended how; all have passed where nothing is said. */
static void
check_counts(const struct play *p)
{
	const struct jval *want = jval_get(p->c, "states");
	struct counts sum = { { 0 } }, one;
	uint32_t i, k;

	for (i = 0; i < p->n_runs; i++) {
		one = sched_counts(p->s, p->handles[i]);
		for (k = 0; k < EXEC_STATES; k++)
			sum.n[k] += one.n[k];
	}
	assert_int_equal(counts_total(&sum), jval_get_int(p->c,
	    "executions_total", -1));
	for (k = 0; k < EXEC_STATES; k++)
		assert_int_equal(sum.n[k], jval_get_int(want,
		    exec_state_name(k), want == NULL && k == EXEC_PASSED ?
		    counts_total(&sum) : 0));
}

/* ---- making it ------------------------------------------------------------------- */

static void
hosts_make(struct play *p)
{
	const struct agent_spec *a;
	struct host *h;
	size_t i, k;

	assert_true(p->fleet->n_agents <= MAX_HOSTS);
	for (i = 0; i < p->fleet->n_agents; i++) {
		a = &p->fleet->agents[i];
		h = &p->hosts[i];
		for (k = 0; k < a->n_instances; k++)
			h->pools[k] = (struct sched_pool){
				a->instances[k].target,
				&a->instances[k].names };
		h->facts = (struct sched_agent){ .name = a->name,
			.labels = &a->labels, .targets = &a->targets,
			.pools = h->pools, .up = true,
			.n_pools = (uint32_t)a->n_instances,
			.max_workers = a->max_workers,
			.threshold = threshold_effective(&a->threshold,
			    a->max_workers) };
		sched_agent_set(p->s, (uint32_t)i, &h->facts, p->now_us);
	}
}

static int
add(void *arg, const struct sched_run *spec)
{
	struct play *p = arg;

	return sched_run_add(p->s, spec, p->now_us, &p->handles[p->n_runs]);
}

static void
run_make(struct play *p, const struct jval *text)
{
	struct buf b = BUF_INIT;
	struct plan *plan;
	struct feed_state st = { .execs = NULL };
	int64_t *estimates;
	uint32_t i, k;

	jval_print(text, &b);
	plan = p->plans[p->n_runs] = expand_good(buf_str(&b), NULL);
	buf_done(&b);
	estimates = mem_calloc(plan->n_execs, sizeof(*estimates));
	for (i = 0; i < plan->n_execs; i++)
		for (k = 0; k < plan->execs[i].n_steps; k++) {
			int64_t us = plan->tests[plan->steps[plan->execs[i].
			    first_step + k].test].props->estimate_us;

			estimates[i] = us <= 0 || estimates[i] < 0 ? -1 :
			    estimates[i] + us;
		}
	st.estimates_us = estimates;
	st.deadline_us = plan->deadline_us > 0 ? p->now_us +
	    plan->deadline_us : 0;
	assert_int_equal(feed_plan(plan, "r0000000001", &st, add, p), 0);
	free(estimates);
	p->ran[p->n_runs] = mem_calloc(plan->n_steps, sizeof(uint32_t));
	p->runs[p->n_runs].plan = plan;
	p->runs[p->n_runs++].passed = mem_calloc(plan->n_steps, 1);
}

static void
play_make(struct play *p, const struct jval *c)
{
	const struct jval *plans = jval_get(c, "plans");
	struct diags ds = DIAGS_INIT;
	struct buf b = BUF_INIT;
	size_t i;

	memset(p, 0, sizeof(*p));
	p->c = c;
	p->s = sched_new();
	jval_print(jval_get(c, "fleet"), &b);
	if (fleet_load_text("fleet.json", buf_str(&b), buf_len(&b), &ds,
	    &p->fleet) != 0)
		fail_msg("%s", say_all(&ds));
	buf_done(&b);
	diags_done(&ds);
	hosts_make(p);
	if (plans == NULL)
		run_make(p, jval_get(c, "plan"));
	for (i = 0; i < jval_count(plans); i++)
		run_make(p, jval_at(plans, i));
}

static void
play_done(struct play *p)
{
	uint32_t i;

	for (i = 0; i < p->n_tries; i++)
		free(p->tries[i].steps);
	for (i = 0; i < p->n_runs; i++) {
		plan_free(p->plans[i]);
		free(p->ran[i]);
		free(p->runs[i].passed);
	}
	sched_decisions_done(&p->out);
	sched_free(p->s);
	fleet_spec_free(p->fleet);
}

/* ---- tests --------------------------------------------------------------------------- */

static void
play_file(const char *name, size_t least)
{
	static struct play p;
	const char *dir = getenv("YM_SRCDIR");
	char *path = str_fmt("%s/tests/data/conformance/%s", dir != NULL ?
	    dir : ".", name);
	const struct jval *cases;
	struct jdoc doc;
	size_t i;

	assert_int_equal(jdoc_load(&doc, path, 0, NULL), 0);
	cases = jval_get(doc.root, "cases");
	assert_true(jval_count(cases) >= least);
	for (i = 0; i < jval_count(cases); i++) {
		print_message("# %s\n", jval_get_str(jval_at(cases, i), "id",
		    ""));
		play_make(&p, jval_at(cases, i));
		play(&p);
		check_rows(&p);
		check_counts(&p);
		play_done(&p);
	}
	jdoc_done(&doc);
	free(path);
}

static void
test_parallel_execution(void **state)
{
	play_file("parallel-execution.json", 8);
}

static void
test_distribution(void **state)
{
	play_file("distribution.json", 29);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parallel_execution),
		cmocka_unit_test(test_distribution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
