/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler in a made-up world, many seeds: nothing is lost or counted
 * twice, no limit is passed, everything that waits has a reason, nothing waits
 * while it could go, and when things calm down every run ends.
 *
 *	test_random [FIRST [COUNT]]
 */
#include "config.h"

#include <stdio.h>

#include "world.h"

#define SEEDS 500
#define CHAOS_TURNS 100
#define WHY_EVERY 4		/* turns; it is the dearest of the checks */

static uint64_t first_seed = 1, n_seeds = SEEDS;

/* ---- what must hold -------------------------------------------------------------- */

/* Attempts that may really hold something: all that are not gone, and those
 * on silent agents. */
static bool
holds(const struct world *w, const struct attempt *a)
{
	return a->truth == WAITS || a->truth == RUNS ||
	    (a->truth == FLYING && w->hosts[a->agent].facts.up);
}

static void
check_locks(struct world *w)
{
	uint32_t units[N_LOCKS] = { 0 }, readers[N_LOCKS] = { 0 };
	uint32_t cap = UINT32_MAX, i, j;
	const struct sched_terms *t;

	for (i = 0; i < w->n_runs; i++)
		if (w->specs[i].locks[0].capacity < cap)
			cap = w->specs[i].locks[0].capacity;
	for (i = 0; i < w->n_attempts; i++) {
		if (!holds(w, &w->attempts[i]))
			continue;
		t = &w->specs[w->attempts[i].id.run].terms[
		    w->attempts[i].terms];
		for (j = 0; j < t->n_holds; j++) {
			if (t->holds[j].shared)
				readers[t->holds[j].lock]++;
			else
				units[t->holds[j].lock] += t->holds[j].count;
		}
	}
	for (i = 0; i < N_LOCKS; i++) {
		if (units[i] > (i == 0 ? cap : 1))
			fail_msg("lock %u: %u units", i, units[i]);
		if (units[i] > 0 && readers[i] > 0)
			fail_msg("lock %u: readers beside others", i);
	}
}

static void
check_pairs(struct world *w)
{
	uint32_t a[2] = { 0 }, b[2] = { 0 }, all[2] = { 0 }, i;
	const struct sched_terms *t;

	for (i = 0; i < w->n_attempts; i++) {
		if (!holds(w, &w->attempts[i]))
			continue;
		t = &w->specs[w->attempts[i].id.run].terms[
		    w->attempts[i].terms];
		if (t->n_sides == 0 || (!t->sides[0].a && !t->sides[0].b))
			continue;
		a[t->sides[0].pair] += t->sides[0].a;
		b[t->sides[0].pair] += t->sides[0].b;
		all[t->sides[0].pair]++;
	}
	if (a[0] > 0 && b[0] > 0 && all[0] > 1)
		fail_msg("a pair runs together");
	if (all[1] > 1)
		fail_msg("a pair of one with itself runs together");
}

/* The last attempt of each is the last one sent. */
static void
check_current(struct world *w)
{
	struct sched_view v;
	uint32_t i, j;

	for (i = 0; i < w->n_runs; i++)
		for (j = 1; j <= w->specs[i].run.n_execs; j++) {
			sched_exec_view(w->k.s, w->runs[i], j, &v);
			if (v.attempt != w->last[i][j])
				fail_msg("run %u, %u: attempt %u, sent %u", i, j,
				    v.attempt, w->last[i][j]);
		}
}

static void
check_reasons(struct world *w)
{
	struct why why;
	uint32_t i, j;

	for (i = 0; i < w->n_runs; i++)
		for (j = 1; j <= w->specs[i].run.n_execs; j++) {
			if (sched_exec_state(w->k.s, w->runs[i], j) !=
			    EXEC_WAITING)
				continue;
			sched_why(w->k.s, w->runs[i], j, w->k.now_us, &why);
			if (why.n == 0 || why.v[0].code == REASON_NONE)
				fail_msg("run %u, %u waits for nothing", i,
				    j);
			if (why.v[0].code != sched_headline(w->k.s,
			    w->runs[i], j, NULL))
				fail_msg("run %u, %u: two headlines, %s", i,
				    j, reason_name(why.v[0].code));
			if (strstr(why.v[0].text, "it goes next") != NULL)
				fail_msg("run %u, %u waits though it may go",
				    i, j);
			why_done(&why);
		}
}

/* ---- a turn ---------------------------------------------------------------------------- */

static uint32_t
attempt_find(const struct world *w, struct sched_id id)
{
	uint32_t i;

	for (i = w->n_attempts; i-- > 0;)
		if (w->attempts[i].id.run == id.run &&
		    w->attempts[i].id.exec == id.exec &&
		    w->attempts[i].id.attempt == id.attempt)
			return i;
	fail_msg("about an attempt never sent");
	return 0;
}

static void
member_sent(struct world *w, uint32_t run, const struct sched_member *m)
{
	uint32_t *last = &w->last[run][m->exec];

	if (m->attempt != *last + 1)
		fail_msg("attempt %u after %u", m->attempt, *last);
	*last = m->attempt;
}

static void
sent(struct world *w, const struct sched_decision *d)
{
	const struct spec *p = &w->specs[d->id.run];
	const struct host *h = &w->hosts[d->agent];
	const struct sched_terms *t;
	struct attempt *a;
	uint32_t i;

	if (!h->facts.up || h->facts.held || h->facts.draining ||
	    h->facts.guard != NULL)
		fail_msg("sent to an agent that may not take it");
	if (w->n_attempts == MAX_ATTEMPTS)
		fail_msg("too many attempts");
	t = &p->terms[p->execs[d->id.exec - 1].terms];
	if (d->class == CLASS_AUTO && t->n_holds > 0 &&
	    d->tier == TIER_FEWEST_QUEUED)
		fail_msg("what needs a lock was sent to a queue");
	a = &w->attempts[w->n_attempts++];
	*a = (struct attempt){ .id = d->id, .agent = d->agent,
		.workers = t->workers, .pinned = d->class == CLASS_PINNED,
		.terms = p->execs[d->id.exec - 1].terms, .truth = FLYING,
		.n_members = d->n_members };
	for (i = 0; i < d->n_members; i++) {
		a->members[i] = w->k.out.members[d->first_member + i];
		member_sent(w, d->id.run, &a->members[i]);
	}
	letter_post(w, SEND, w->n_attempts - 1);
}

static void
obey(struct world *w)
{
	const struct sched_decision *d;
	size_t i;

	for (i = 0; i < w->k.out.n; i++) {
		d = &w->k.out.v[i];
		switch (d->kind) {
		case SCHED_SEND:
			sent(w, d);
			break;
		case SCHED_TAKE_BACK:
			letter_post(w, TAKE_BACK, attempt_find(w, d->id));
			break;
		case SCHED_CANCEL:
			letter_post(w, CANCEL, attempt_find(w, d->id));
			break;
		case SCHED_RUN_ENDED:
			if (w->ended[d->id.run])
				fail_msg("a run ended twice");
			w->ended[d->id.run] = true;
			break;
		default:
			break;
		}
	}
}

static void
turn(struct world *w, uint32_t no)
{
	uint32_t i;

	letters_deliver(w);
	for (i = 0; i < w->n_hosts; i++)
		host_work(w, i);
	sched_decide(w->k.s, w->k.now_us, &w->k.out);
	obey(w);
	kit_check(&w->k);
	check_locks(w);
	check_pairs(w);
	check_current(w);
	if (no % WHY_EVERY == 0)
		check_reasons(w);
	sched_decide(w->k.s, w->k.now_us, &w->k.out);
	if (w->k.out.n > 0)
		fail_msg("a second call decided %s",
		    sched_kind_name(w->k.out.v[0].kind));
}

/* ---- what disturbs -------------------------------------------------------------------------- */

static void
disturb_agent(struct world *w)
{
	uint32_t i = pick(w, w->n_hosts);
	struct host *h = &w->hosts[i];

	switch (pick(w, 9)) {
	case 0:
	case 1:
		host_link(w, i, !h->facts.up);
		return;
	case 2:
		host_crash(w, i);
		return;
	case 3:
		h->facts.draining = !h->facts.draining;
		break;
	case 4:
		h->facts.held = !h->facts.held;
		break;
	case 5:
		h->facts.guard = h->facts.guard != NULL ? NULL : "load";
		break;
	case 6:
		h->facts.max_workers = pick(w, 5);
		break;
	case 7:
		h->facts.threshold = pick(w, 5);
		break;
	default:
		h->facts.other_busy = pick(w, 2);
		break;
	}
	if (h->facts.threshold > h->facts.max_workers)
		h->facts.threshold = h->facts.max_workers;
	sched_agent_set(w->k.s, i, &h->facts, w->k.now_us);
}

static void
disturb_run(struct world *w)
{
	uint32_t r = pick(w, w->n_runs), run = w->runs[r];
	uint32_t x = 1 + pick(w, w->specs[r].run.n_execs);
	struct sched *s = w->k.s;
	int64_t now_us = w->k.now_us;

	switch (pick(w, 13)) {
	case 0:
		sched_run_hold(s, run, chance(w, 50) ? "x" : NULL, now_us);
		break;
	case 1:
		sched_exec_hold(s, run, x, chance(w, 50) ? "x" : NULL,
		    now_us);
		break;
	case 2:
		sched_exec_cancel(s, run, x, now_us);
		break;
	case 3:
		sched_exec_requeue(s, run, x, now_us);
		break;
	case 4:
		sched_exec_move(s, run, x, pick(w, w->n_hosts), now_us);
		break;
	case 5:
		sched_exec_move(s, run, x, SCHED_NONE, now_us);
		break;
	case 6:
		sched_run_priority(s, run, (int32_t)pick(w, 5));
		break;
	case 7:
		sched_exec_priority(s, run, x, (int32_t)pick(w, 5));
		break;
	case 8:
		sched_exec_run_anyway(s, run, x, now_us);
		break;
	case 9:
		sched_exec_start_now(s, run, x, now_us);
		break;
	case 10:
		sched_run_limits(s, run, pick(w, 5), pick(w, 9), now_us);
		break;
	case 11:
		sched_exec_declare_lost(s, run, x, now_us);
		break;
	default:
		sched_pause(s, chance(w, 30) ? "x" : NULL, now_us);
		break;
	}
}

static void
calm_down(struct world *w)
{
	uint32_t i, x;

	w->calm = true;
	sched_pause(w->k.s, NULL, w->k.now_us);
	for (i = 0; i < w->n_hosts; i++) {
		w->hosts[i].facts.draining = w->hosts[i].facts.held = false;
		w->hosts[i].facts.guard = NULL;
		w->hosts[i].facts.other_busy = 0;
		w->hosts[i].facts.max_workers = 3;
		w->hosts[i].facts.threshold = 3;
		host_link(w, i, true);
		sched_agent_set(w->k.s, i, &w->hosts[i].facts,
		    w->k.now_us);
	}
	for (i = 0; i < w->n_runs; i++) {
		sched_run_hold(w->k.s, w->runs[i], NULL, w->k.now_us);
		for (x = 1; x <= w->specs[i].run.n_execs; x++)
			sched_exec_hold(w->k.s, w->runs[i], x, NULL,
			    w->k.now_us);
	}
}

static void
step_time(struct world *w)
{
	int64_t next_us = world_next_us(w);

	if (!w->calm && chance(w, 50))
		w->k.now_us += pick(w, 3) * US_PER_S;
	else if (next_us != CLOCK_NEVER && next_us > w->k.now_us)
		w->k.now_us = next_us;
}

static bool
all_ended(const struct world *w)
{
	uint32_t i;

	for (i = 0; i < w->n_runs; i++)
		if (w->specs[i].run.n_execs > 0 && !w->ended[i])
			return false;
	return true;
}

static void
show_open(struct world *w)
{
	struct why why;
	uint32_t i, j;

	for (i = 0; i < w->n_runs; i++)
		for (j = 1; j <= w->specs[i].run.n_execs; j++) {
			sched_why(w->k.s, w->runs[i], j, w->k.now_us, &why);
			if (why.n > 0)
				print_message("# %u/%u %s %s: %s\n", i, j,
				    exec_state_name(sched_exec_state(w->k.s,
				    w->runs[i], j)),
				    reason_name(why.v[0].code),
				    why.v[0].text);
			why_done(&why);
		}
}

static void
live(uint64_t seed)
{
	static struct world w;
	uint32_t i;

	world_make(&w, seed);
	for (i = 0; i < CHAOS_TURNS; i++) {
		turn(&w, i);
		if (chance(&w, 30))
			disturb_agent(&w);
		if (chance(&w, 30))
			disturb_run(&w);
		step_time(&w);
	}
	calm_down(&w);
	for (i = 0; i < 5000 && !all_ended(&w); i++) {
		turn(&w, i);
		step_time(&w);
	}
	if (!all_ended(&w)) {
		show_open(&w);
		fail_msg("not all ended");
	}
	world_free(&w);
}

static void
test_seeds(void **state)
{
	uint64_t seed;

	for (seed = first_seed; seed < first_seed + n_seeds; seed++) {
		if (getenv("SEEDS_SHOWN") != NULL)
			print_message("# seed %llu\n",
			    (unsigned long long)seed);
		live(seed);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seeds),
	};

	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 10);
	if (argc > 2)
		n_seeds = strtoull(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
