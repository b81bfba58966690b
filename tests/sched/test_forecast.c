/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forecasts: a copy decides as the original would, a change in the copy
 * changes nothing else, and over random small worlds the sign of what is
 * predicted of a cure is that of what comes.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>

#include "small.h"
#include "../lib/check.h"
#include "yardmaster/base/err.h"
#include "yardmaster/sched/forecast.h"

#define WORLDS 150
#define SIGN_WORLDS 60
#define SIGNS_RIGHT 94		/* per cent, as the forecast counts equal */
#define SIGNS_RIGHT_USUAL 95	/* the same within one usual length */
#define SURE_RIGHT 98		/* of what is said without a doubt, which is */
#define SURE_MOST 70		/* at least so much of all */

/* ---- cures ----------------------------------------------------------------------- */

enum { RAISE_MAX, LOWER_MAX, UNDRAIN, DRAIN, PARALLEL, MORE_LOCKS, NO_TARGETS,
	ANY_AGENT, RUN_ANYWAY, SKIP, HOLD, CURES };

struct trial {
	struct small *w;
	int what;
	uint32_t agent, exec;
};

static void
amend(struct sched *s, const struct trial *c)
{
	struct spec *p = &c->w->p;
	uint32_t max = p->targets[0].max;

	p->locks[0].capacity = c->what == MORE_LOCKS ? 3 : 1;
	p->targets[0].max = c->what == NO_TARGETS ? 0 : max;
	p->terms[3].n_agents = c->what == ANY_AGENT ? 0 : 1;
	assert_int_equal(sched_run_amend(s, c->w->run, &p->run,
	    c->w->k.now_us), 0);
	p->locks[0].capacity = 1;
	p->targets[0].max = max;
	p->terms[3].n_agents = 1;
}

static void
change(void *arg, struct sched *s)
{
	const struct trial *c = arg;
	const struct small *w = c->w;
	int64_t now = w->k.now_us;

	switch (c->what) {
	case RAISE_MAX:
	case LOWER_MAX:
		agent_tell(s, w, c->agent, c->what == RAISE_MAX ?
		    w->max[c->agent] * 2 : w->max[c->agent] / 2,
		    w->drained[c->agent]);
		break;
	case UNDRAIN:
	case DRAIN:
		agent_tell(s, w, c->agent, w->max[c->agent],
		    c->what == DRAIN);
		break;
	case PARALLEL:
		sched_run_limits(s, w->run, 0, 0, now);
		break;
	case RUN_ANYWAY:
		(void)sched_exec_run_anyway(s, w->run, c->exec, now);
		break;
	case SKIP:
		(void)sched_exec_skip(s, w->run, c->exec, now);
		break;
	case HOLD:
		(void)sched_exec_hold(s, w->run, c->exec, "me", now);
		break;
	default:
		amend(s, c);
		break;
	}
	free(sched_check(s));
}

static int64_t
truth(void *arg, uint32_t run, uint32_t exec)
{
	const struct small *w = arg;

	return w->truth_us[exec - 1];
}

static void
both(struct trial *c, bool real, struct forecast *without,
    struct forecast *with)
{
	struct forecast_opts o = { .now_us = c->w->k.now_us,
		.length_us = real ? truth : NULL, .length_arg = c->w };

	assert_int_equal(sched_forecast(c->w->k.s, &o, without), 0);
	o.change = change;
	o.change_arg = c;
	assert_int_equal(sched_forecast(c->w->k.s, &o, with), 0);
}

static int64_t
typical(const struct small *w)
{
	int64_t sum = 0;
	uint32_t i;

	for (i = 0; i < w->p.run.n_execs; i++)
		sum += w->p.execs[i].estimate_us;
	return sum / w->p.run.n_execs;
}

/* The sign of one play, by another measure than that of the forecast. */
static int
sign_by(const struct trial *c, const struct forecast_play *without,
    const struct forecast_play *with, int part)
{
	const struct forecast_run *a = &without->runs[c->w->run];
	const struct forecast_run *b = &with->runs[c->w->run];
	int64_t by = a->end_us - b->end_us;
	int64_t little = part > 0 ? (a->end_us - c->w->k.now_us) / part :
	    typical(c->w);

	if (a->never != b->never)
		return a->never > b->never ? 1 : -1;
	return by > little ? 1 : by < -little ? -1 : 0;
}

static int
most_by(const struct trial *c, const struct forecast *without,
    const struct forecast *with, int part)
{
	uint32_t votes[3] = { 0 }, i;
	int best = 0;

	for (i = 0; i < with->n_plays; i++)
		votes[1 + sign_by(c, &without->plays[i], &with->plays[i],
		    part)]++;
	for (i = 0; i < 3; i++)
		if (votes[i] > votes[1 + best])
			best = (int)i - 1;
	return best;
}

/* An end counts as equal within these parts of what is left, or within one
 * usual length. */
#define MEASURES 4
static const int parts[MEASURES] = { 50, 100, 10, 0 };

struct tally {
	uint32_t all, right[MEASURES], naive[MEASURES];
	uint32_t sure, sure_right;	/* equal within 1/50 */
};

static void
try_cure(struct trial *c, struct tally *t)
{
	struct forecast said[2], came[2];
	struct effect e;
	uint32_t i;
	int real;

	both(c, false, &said[0], &said[1]);
	both(c, true, &came[0], &came[1]);
	forecast_effect(&said[0], &said[1], c->w->run, c->w->k.now_us, &e);
	for (i = 0; i < MEASURES; i++) {
		real = most_by(c, &came[0], &came[1], parts[i]);
		t->right[i] += most_by(c, &said[0], &said[1], parts[i]) ==
		    real;
		t->naive[i] += real == 0;
		if (i > 0)
			continue;
		assert_int_equal(e.sign, most_by(c, &said[0], &said[1], 50));
		t->sure += e.sure;
		t->sure_right += e.sure && e.sign == real;
	}
	t->all++;
	for (i = 0; i < 2; i++) {
		forecast_done(&said[i]);
		forecast_done(&came[i]);
	}
}

static void
the_sign_of_an_effect_is_right(void **state)
{
	struct tally t = { 0 };
	struct small w;
	struct trial c;
	uint32_t seed, i, worlds = under_valgrind() ? 2 : SIGN_WORLDS;

	for (seed = 0; seed < worlds; seed++) {
		small_make(&w, seed);
		go_on(&w, pick(&w, w.p.run.n_execs / 2 + 1));
		for (c = (struct trial){ .w = &w }; c.what < CURES; c.what++) {
			c.agent = pick(&w, w.n_agents);
			c.exec = 1 + pick(&w, w.p.run.n_execs);
			try_cure(&c, &t);
		}
		small_free(&w);
	}
	for (i = 0; i < MEASURES; i++)
		print_message("# equal within %s%d: sign right in %.1f%% of "
		    "%u; always saying equal: %.1f%%\n", parts[i] > 0 ?
		    "1/" : "a usual length, ", parts[i], 100.0 *
		    t.right[i] / t.all, t.all, 100.0 * t.naive[i] / t.all);
	print_message("# of those said without a doubt, %u of %u: %.1f%%\n",
	    t.sure, t.all, 100.0 * t.sure_right / t.sure);
	if (worlds < SIGN_WORLDS)	/* too few for a share */
		return;
	assert_true(t.right[0] * 100 >= t.all * SIGNS_RIGHT);
	assert_true(t.sure_right * 100 >= t.sure * SURE_RIGHT);
	assert_true(t.sure * 100 >= t.all * SURE_MOST);
	assert_true(t.right[3] * 100 >= t.all * SIGNS_RIGHT_USUAL);
}

/* In every world, at any time, the copy is sound and says the same. */
static void
a_copy_is_as_the_original(void **state)
{
	struct forecast_opts o = { .max = 0 };
	struct forecast f;
	struct small w;
	uint32_t seed, open;

	for (seed = 0; seed < WORLDS; seed++) {
		small_make(&w, seed);
		go_on(&w, pick(&w, w.p.run.n_execs));
		o.now_us = w.k.now_us;
		o.length_us = truth;
		o.length_arg = &w;
		assert_int_equal(sched_forecast(w.k.s, &o, &f), 0);
		kit_check(&w.k);
		go_on(&w, UINT32_MAX);
		open = w.p.run.n_execs - counts_final(
		    &(struct counts[]){ sched_counts(w.k.s, w.run) }[0]);
		assert_int_equal(f.plays[0].runs[w.run].never, open);
		assert_true(llabs(f.plays[0].runs[w.run].end_us -
		    w.k.now_us) <= US_PER_S * 60);
		forecast_done(&f);
		small_free(&w);
	}
}

/* What is amended holds for what waits, and nothing is lost by it. */
static void
an_amended_run_goes_on_by_other_terms(void **state)
{
	struct trial c = { .what = ANY_AGENT };
	struct small w;
	uint32_t seed, i;

	for (seed = 0; seed < WORLDS; seed++) {
		small_make(&w, seed);
		c.w = &w;
		for (c.what = MORE_LOCKS; c.what <= ANY_AGENT; c.what++) {
			go_on(&w, pick(&w, 8));
			amend(w.k.s, &c);
			kit_decide(&w.k);
			obey(&w);
			kit_check(&w.k);
		}
		for (i = 0; i < w.n_agents; i++) {
			w.drained[i] = false;
			agent_tell(w.k.s, &w, i, w.max[i], false);
		}
		go_on(&w, UINT32_MAX);
		assert_true(sched_run_ended(w.k.s, w.run));
		small_free(&w);
	}
}

static void
only_what_fits_is_amended(void **state)
{
	struct small w;
	struct sched_run other;

	small_make(&w, 3);
	other = w.p.run;
	other.n_execs--;
	assert_int_equal(sched_run_amend(w.k.s, w.run, &other, w.k.now_us),
	    ERR_RANGE);
	assert_int_equal(sched_run_amend(w.k.s, w.run + 1, &w.p.run,
	    w.k.now_us), ERR_NOT_FOUND);
	go_on(&w, UINT32_MAX);
	if (sched_run_ended(w.k.s, w.run))
		assert_int_equal(sched_run_amend(w.k.s, w.run, &w.p.run,
		    w.k.now_us), ERR_STATE);
	small_free(&w);
}

/* Amending what nobody meets is a reason at once; amending back cures it. */
static void
what_became_impossible_says_so(void **state)
{
	struct strvec none = STRVEC_INIT;
	const struct strvec *nobody[1] = { &none };
	struct small w;
	struct kit *k = &w.k;
	uint32_t no;

	small_make(&w, 7);
	no = w.p.run.n_execs;
	strvec_push(&none, "nobody");
	w.p.terms[4].agents = nobody;
	w.p.terms[4].n_agents = 1;
	while (w.p.execs[no - 1].terms != 4)
		no--;
	assert_int_equal(sched_run_amend(k->s, w.run, &w.p.run, k->now_us),
	    0);
	kit_decide(k);
	assert_string_equal(kit_why(k, w.run, no), "no-agent");
	w.p.terms[4].n_agents = 0;
	assert_int_equal(sched_run_amend(k->s, w.run, &w.p.run, k->now_us),
	    0);
	assert_string_equal(kit_why(k, w.run, no), "needs");
	strvec_done(&none);
	small_free(&w);
}

/* Skipped and taken back: it waits for its needs again. */
static void
a_skip_is_taken_back(void **state)
{
	struct small w;
	struct kit *k = &w.k;
	uint32_t no;

	small_make(&w, 7);
	for (no = 1; w.p.execs[no - 1].terms != 4; no++)
		;
	kit_decide(k);
	obey(&w);
	assert_int_equal(sched_exec_unskip(k->s, w.run, no, k->now_us),
	    ERR_STATE);
	assert_int_equal(sched_exec_skip(k->s, w.run, no, k->now_us), 0);
	kit_check(k);
	assert_int_equal(kit_state(k, w.run, no), EXEC_SKIPPED);
	assert_int_equal(sched_exec_unskip(k->s, w.run, no, k->now_us), 0);
	kit_decide(k);
	assert_string_equal(kit_why(k, w.run, no), "needs");
	small_free(&w);
}

static bool
after(void *arg, uint32_t plays)
{
	return plays >= *(uint32_t *)arg;
}

static void
a_forecast_ends_when_told(void **state)
{
	uint32_t most = 2;
	struct forecast_opts o = { .enough = after, .enough_arg = &most };
	struct forecast f;
	struct small w;

	small_make(&w, 1);
	o.now_us = w.k.now_us;
	assert_int_equal(sched_forecast(w.k.s, &o, &f), 0);
	assert_int_equal(f.n_plays, 2);
	forecast_done(&f);
	most = 0;
	assert_int_equal(sched_forecast(w.k.s, &o, &f), ERR_TIMEOUT);
	small_free(&w);
}

static void
too_many_are_not_forecast(void **state)
{
	struct forecast_opts o = { .max = 3 };
	struct forecast f;
	struct small w;

	small_make(&w, 1);
	o.now_us = w.k.now_us;
	assert_int_equal(sched_forecast(w.k.s, &o, &f), ERR_TOO_LARGE);
	small_free(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_as_the_original),
		cmocka_unit_test(an_amended_run_goes_on_by_other_terms),
		cmocka_unit_test(only_what_fits_is_amended),
		cmocka_unit_test(what_became_impossible_says_so),
		cmocka_unit_test(a_skip_is_taken_back),
		cmocka_unit_test(a_forecast_ends_when_told),
		cmocka_unit_test(too_many_are_not_forecast),
		cmocka_unit_test(the_sign_of_an_effect_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
