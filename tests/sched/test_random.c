/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler in a made-up world, many seeds: agents come, leave and lie,
 * links delay, repeat and break, operators edit and amend, executions fail,
 * some of them run together, runs come and go, and now and then the console
 * dies and another takes over; judge.c looks at everything after every turn,
 * and when things calm down every run has to end. A seed always does the
 * same.
 *
 *	test_random [--seed N] [--seeds COUNT] [--jobs N] [--trace]
 *
 * A seed that fails is played once more with its trace.
 */
#include "config.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define SEEDS 10000
#define SEEDS_CHECKED 200	/* with sanitizers, or under Valgrind */
#define CHAOS_TURNS 100
#define WHY_EVERY 4		/* turns; it is the dearest of the checks */

/* ---- a turn ---------------------------------------------------------------------------- */

static bool
interesting(const struct attempt *a)
{
	return a->truth != GONE || a->belief != NOWHERE;
}

static void
forget(struct world *w)
{
	uint32_t i, n = 0;

	for (i = 0; i < w->n_live; i++)
		if (interesting(&w->attempts[w->live[i]]))
			w->live[n++] = w->live[i];
	w->n_live = n;
}

static void
decide(struct world *w)
{
	sched_decide(w->k.s, w->k.now_us, &w->k.out);
	believe_decisions(w);
}

static void
turn(struct world *w, uint32_t no)
{
	uint32_t i;

	letters_deliver(w);
	for (i = 0; i < w->n_hosts; i++)
		host_work(w, i);
	for (i = 0; !w->calm && i < w->n_hosts; i++)
		if (w->hosts[i].liar && chance(w, 15))
			host_lie(w, i);
	decide(w);
	judge(w, no % WHY_EVERY == 0);
	sched_decide(w->k.s, w->k.now_us, &w->k.out);
	if (w->k.out.n > 0)
		broken(w, "a second call decided %s",
		    sched_kind_name(w->k.out.v[0].kind));
	forget(w);
}

/* ---- what disturbs -------------------------------------------------------------------------- */

static void
edit_agent(struct world *w, struct host *h)
{
	struct sched_agent *f = &h->facts;

	switch (pick(w, 7)) {
	case 0:
		f->draining = !f->draining;
		break;
	case 1:
		f->held = !f->held;
		break;
	case 2:
		f->guard = f->guard != NULL ? NULL : "load";
		break;
	case 3:
		f->benched = !f->benched;
		break;
	case 4:
		f->max_workers = pick(w, 5);
		break;
	case 5:
		f->threshold = pick(w, 5);
		break;
	default:
		f->other_busy = pick(w, 2);
		break;
	}
	if (f->threshold > f->max_workers)
		f->threshold = f->max_workers;
	trace(w, "%s: %s%s%s%smax %u, threshold %u, %u busy with others",
	    h->name, f->draining ? "draining, " : "", f->held ? "held, " : "",
	    f->benched ? "benched, " : "", f->guard != NULL ? "guard, " : "",
	    f->max_workers, f->threshold, f->other_busy);
}

static void
disturb_agent(struct world *w)
{
	uint32_t i = pick(w, w->n_hosts);
	struct host *h = &w->hosts[i];

	switch (pick(w, 12)) {
	case 0:
	case 1:
		host_link(w, i, !h->facts.up);
		return;
	case 2:
		host_crash(w, i);
		return;
	case 3:
		if (h->facts.up || chance(w, 50))
			return;
		trace(w, "%s is declared dead", h->name);
		believe_dead(w, i);
		sched_agent_dead(w->k.s, i, w->k.now_us);
		return;
	default:
		edit_agent(w, h);
		host_say(w, i);
		return;
	}
}

static void
disturb_all(struct world *w)
{
	static const char *const locks[] = { "l0", "l1", "l2" };
	uint32_t i = pick(w, N_LOCKS);

	switch (pick(w, 6)) {
	case 0:
		w->paused = chance(w, 30);
		sched_pause(w->k.s, w->paused ? "x" : NULL, w->k.now_us);
		return;
	case 1:
		if (w->n_runs < w->n_specs)
			run_add(w);
		return;
	case 2:
		if (chance(w, 40)) {
			world_resume(w);
			return;
		}
		i = pick(w, w->n_runs);
		if (!chance(w, 20) || w->removed[i])
			return;
		trace(w, "run %s is forgotten", w->specs[i].run.id);
		believe_removed(w, i);
		host_forget(w, i);
		sched_run_remove(w->k.s, w->runs[i]);
		return;
	default:
		w->ext[i] = chance(w, 40) ? 1 + pick(w, 2) : 0;
		w->ext_shared[i] = chance(w, 50);
		trace(w, "others have %u of %s%s", w->ext[i], locks[i],
		    w->ext_shared[i] ? " (shared)" : "");
		say_ext(w);
		return;
	}
}

static void
calm_agent(struct world *w, uint32_t i)
{
	struct host *h = &w->hosts[i];

	if (h->liar)	/* what it kept to itself is asked for */
		host_link(w, i, false);
	h->facts.draining = h->facts.held = h->facts.benched = false;
	h->facts.guard = NULL;
	h->facts.other_busy = 0;
	h->facts.max_workers = h->facts.threshold = 3;
	host_link(w, i, true);
	host_say(w, i);
}

/* One that no agents give all its workers to will never go: it is ended, as
 * an operator would. */
static void
calm_team(struct world *w, const struct team *t)
{
	if (w->removed[t->run] || w->ended[t->run])
		return;
	if (w->max_parallel[t->run] > 0 && w->max_parallel[t->run] < t->n &&
	    sched_run_limits(w->k.s, w->runs[t->run], 0,
	    w->max_failures[t->run], w->k.now_us) == 0)
		w->max_parallel[t->run] = 0;
	if (team_fits(w, t, true) && team_targets_fit(w, t))
		return;
	trace(w, "%s/%u never fits", w->specs[t->run].run.id, t->first);
	w->cut[t->run] = true;
	sched_exec_cancel(w->k.s, w->runs[t->run], t->first, w->k.now_us);
}

static void
calm_down(struct world *w)
{
	uint32_t i, x;

	trace(w, "from here on nothing disturbs");
	w->calm = true;
	w->paused = false;
	sched_pause(w->k.s, NULL, w->k.now_us);
	while (w->n_runs < w->n_specs)
		run_add(w);
	for (i = 0; i < w->n_hosts; i++)
		calm_agent(w, i);
	for (i = 0; i < N_LOCKS; i++)
		w->ext[i] = 0;
	say_ext(w);
	for (i = 0; i < w->n_runs; i++) {
		w->held[i] = false;
		sched_run_hold(w->k.s, w->runs[i], NULL, w->k.now_us);
		for (x = 1; x <= w->specs[i].run.n_execs; x++) {
			w->items[i][x].held = false;
			sched_exec_hold(w->k.s, w->runs[i], x, NULL,
			    w->k.now_us);
		}
	}
	for (i = 0; i < w->n_teams; i++)
		calm_team(w, &w->teams[i]);
}

/* ---- a life ----------------------------------------------------------------------------------- */

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
show_open(const struct world *w)
{
	struct why why;
	uint32_t i, j;

	for (i = 0; i < w->n_runs; i++)
		for (j = 1; j <= w->specs[i].run.n_execs; j++) {
			sched_why(w->k.s, w->runs[i], j, w->k.now_us, &why);
			if (why.n > 0)
				printf("# %u/%u %s %s: %s\n", i, j,
				    exec_state_name(sched_exec_state(w->k.s,
				    w->runs[i], j)),
				    reason_name(why.v[0].code),
				    why.v[0].text);
			why_done(&why);
		}
}

static void
live(uint64_t seed, bool traced)
{
	static struct world w;
	uint32_t i;

	world_make(&w, seed, traced);
	for (i = 0; i < CHAOS_TURNS; i++) {
		turn(&w, i);
		if (chance(&w, 30))
			disturb_agent(&w);
		decide(&w);
		if (chance(&w, 30))
			world_act(&w);
		decide(&w);
		if (chance(&w, 10))
			disturb_all(&w);
		decide(&w);
		step_time(&w);
	}
	calm_down(&w);
	decide(&w);
	for (i = 0; i < 5000 && !all_ended(&w); i++) {
		turn(&w, i);
		step_time(&w);
	}
	if (!all_ended(&w)) {
		show_open(&w);
		broken(&w, "not all have ended");
	}
	world_free(&w);
}

/* ---- many ------------------------------------------------------------------------------------- */

struct opts {
	uint64_t first, count;
	uint32_t jobs;
	bool trace;
};

/* Every jobs-th seed from the job's on. What it is at is left in *at. */
static pid_t
job_start(const struct opts *o, uint32_t job, volatile uint64_t *at)
{
	pid_t pid;
	uint64_t i;

	fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	for (i = job; i < o->count; i += o->jobs) {
		*at = o->first + i;
		live(o->first + i, o->trace);
	}
	fflush(stdout);
	_exit(0);
}

static bool
job_ended(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid &&
	    WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whether all of them hold; one that does not is played again, traced. */
static bool
play(const struct opts *o, volatile uint64_t *at)
{
	struct opts again = { .count = 1, .jobs = 1, .trace = true };
	pid_t pids[64];
	uint32_t i;
	bool ok = true;

	for (i = 0; i < o->jobs; i++)
		pids[i] = job_start(o, i, &at[i]);
	for (i = 0; i < o->jobs; i++) {
		if (job_ended(pids[i]))
			continue;
		ok = false;
		again.first = at[i];
		job_ended(job_start(&again, 0, &at[i]));
		printf("# again: tests/sched/test_random --seed %llu "
		    "--trace\n", (unsigned long long)again.first);
	}
	return ok;
}

static bool
opts_read(int argc, char **argv, struct opts *o)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--trace") == 0) {
			o->trace = true;
		} else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
			o->first = strtoull(argv[++i], NULL, 10);
			o->count = 1;
		} else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0) {
			o->count = strtoull(argv[++i], NULL, 10);
		} else if (i + 1 < argc && strcmp(argv[i], "--jobs") == 0) {
			o->jobs = (uint32_t)strtoul(argv[++i], NULL, 10);
		} else {
			return false;
		}
	}
	return o->jobs >= 1 && o->jobs <= 64;
}

int
main(int argc, char **argv)
{
	const char *preload = getenv("LD_PRELOAD");
	struct opts o = { .first = 1, .count = SEEDS, .jobs = 2 };
	uint64_t *at;
	bool ok;

#ifdef SEEDS_FEW
	o.count = SEEDS_CHECKED;
#endif
	if (preload != NULL && strstr(preload, "vgpreload") != NULL)
		o.count = SEEDS_CHECKED / 10;
	if (!opts_read(argc, argv, &o)) {
		fprintf(stderr, "test_random [--seed N] [--seeds COUNT] "
		    "[--jobs N] [--trace]\n");
		return 2;
	}
	if (o.trace) {	/* in this process, for a debugger */
		live(o.first, true);
		return 0;
	}
	at = mmap(NULL, 64 * sizeof(*at), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return 1;
	printf("1..1\n");
	ok = play(&o, at);
	printf("%sok 1 - %llu seeds from %llu\n", ok ? "" : "not ",
	    (unsigned long long)o.count, (unsigned long long)o.first);
	return ok ? 0 : 1;
}
