/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A made-up world for the scheduler: agents that come, leave, forget, lie and
 * say things twice; the truth about every attempt; and what a console that
 * heard the same letters must believe (belief.c), from which judge.c works
 * out anew what the scheduler ought to have done.
 */
#ifndef TESTS_SCHED_WORLD_H
#define TESTS_SCHED_WORLD_H

#include "kit.h"

#define MAX_AGENTS 6
#define MAX_RUNS 3
#define MAX_ATTEMPTS 20000
#define MAX_LETTERS 4096
#define MAX_MEMBERS 8
#define MAX_TEAMS 12
#define MAX_PARTS 3
#define N_LOCKS 3
#define N_TARGETS 3
#define N_PAIRS 2

enum truth {
	FLYING,			/* sent, not arrived */
	WAITS,			/* in the agent's queue */
	READY,			/* has its worker, waits for the go */
	RUNS,
	OVER,			/* ended; its report is kept until heard */
	LOST,			/* the agent lost it; reported until heard */
	GONE,			/* the agent has nothing of it any more */
};

enum belief {
	SENT_OUT,
	QUEUED_THERE,
	RUNS_THERE,
	GHOST,			/* lost: keeps all but targets' counts */
	FOUND,			/* a ghost that was superseded and runs */
	NOWHERE,		/* holds nothing */
};

/* What something takes of the limits. */
struct takes {
	uint32_t count[N_LOCKS];	/* 0: nothing */
	bool shared[N_LOCKS];
	uint8_t sides[N_PAIRS];		/* bits: a 1, b 2 */
	uint8_t targets;		/* bits */
};

/* Executions that run together. */
struct team {
	uint32_t run, first, n;
	bool same_agent;
	bool gone;		/* this round was told to start, */
	bool back;		/* or will not be: one was found again */
	uint32_t parcels;	/* attempts of it that hold something */
	struct takes held, took;	/* by all of them, once */
	uint32_t sent;		/* parts, in this turn */
	int64_t sent_us;
};

struct attempt {
	struct sched_id id;
	uint32_t agent, workers, terms;
	uint32_t team;		/* SCHED_NONE: alone */
	struct takes takes;	/* of a part: targets only */
	bool go;		/* its agent was told to start it */
	bool prepared;		/* it is said to wait for the go, */
	uint32_t due;		/* so often, which has to be decided */
	bool kept;		/* it was not given back when asked */
	bool pinned;
	enum truth truth;
	enum belief belief;
	bool unheard;		/* not reported since the link came up */
	bool back, cancel;	/* asked for */
	uint32_t to;		/* asked back for that agent, or SCHED_NONE */
	bool moved;		/* and given back for it */
	int64_t clock_us;	/* from when it may be late */
	bool to_free;		/* sent to free workers, for all we know */
	bool written_off;	/* the console was told what is not so */
	bool ran;		/* it was said to run */
	bool returned;		/* it is recorded as given back */
	struct takes took;	/* as it was sent: of a part too */
	uint8_t instance;	/* of t1: 1 or 2; 0 none */
	bool pool;		/* has the agent's own instance of t2 */
	uint16_t worker;
	int64_t ends_us;
	struct sched_member members[MAX_MEMBERS];
	enum outcome outcomes[MAX_MEMBERS];
	bool open[MAX_MEMBERS];	/* it is not believed to have ended */
	uint32_t n_members;
};

enum letter_kind { SEND, TAKE_BACK, CANCEL, GO, STARTED, QUEUED, PREPARED,
	ENDED, ENDED_ONE, RETURNED, KEPT, WAS_LOST, SYNCED, LETTERS };

struct letter {
	enum letter_kind kind;
	uint32_t attempt, agent, run;
	uint32_t link;		/* dropped when the link was cut since */
	int64_t at_us;
	uint64_t seq;
};

struct host {
	struct sched_agent facts;
	struct strvec labels, targets, own;
	struct sched_pool pool;
	char name[24];
	uint32_t link;		/* how often it was cut */
	bool liar;
	int64_t delay_us;
	int64_t open_us;	/* since when it is usable */
};

/* What is believed of an execution. */
struct item {
	uint32_t last;		/* attempts sent so far */
	uint32_t last_in;	/* the newest of them, in attempts */
	bool cancelled, preferred;	/* by an operator */
	uint32_t requeued;	/* the attempt that one asked to end, or 0 */
	int32_t priority;
	uint32_t current;	/* the attempt it is out with, or SCHED_NONE */
	bool over;		/* was said to be final, as state */
	enum exec_state state;
	bool passed;		/* some attempt that counted did */
	uint32_t failures, errors;	/* outcomes that counted */
	bool held, waived;
	uint32_t pin;		/* agent, or SCHED_NONE */
	uint32_t avoided;	/* bits of agents it may avoid, */
	bool avoids;		/* and that it does: where it failed last */
	int64_t ready_us;
};

struct world {
	uint64_t seed, first_seed;
	bool trace;
	struct kit k;
	struct host hosts[MAX_AGENTS];
	uint32_t n_hosts;
	struct spec specs[MAX_RUNS];
	uint32_t runs[MAX_RUNS], n_runs;	/* added so far */
	uint32_t n_specs;
	bool removed[MAX_RUNS], held[MAX_RUNS], ended[MAX_RUNS];
	bool cut[MAX_RUNS];	/* may end what has tries left */
	bool revived[MAX_RUNS];	/* something final waited again */
	uint32_t max_parallel[MAX_RUNS], max_failures[MAX_RUNS];
	struct team teams[MAX_TEAMS];
	uint32_t n_teams;
	uint32_t team_of[MAX_RUNS][KIT_MAX + 1];
	struct strvec selectors[4], instances;
	const struct strvec *lists[4];
	struct sched_hold holds[MAX_RUNS][KIT_MAX][2];
	struct sched_side sides[MAX_RUNS][KIT_MAX];
	uint32_t targets[MAX_RUNS][KIT_MAX][2], needs[MAX_RUNS][KIT_MAX][2];
	uint32_t nodes[MAX_RUNS][KIT_MAX];
	struct attempt *attempts;
	uint32_t n_attempts;
	uint32_t *live, n_live;	/* attempts that are of any interest */
	struct letter *letters;
	uint32_t n_letters;
	uint64_t seq;
	struct item items[MAX_RUNS][KIT_MAX + 1];
	uint32_t ext[N_LOCKS];	/* units that others hold */
	bool ext_shared[N_LOCKS];
	bool cancelled[MAX_RUNS], preferred[MAX_RUNS];
	int32_t priority[MAX_RUNS];
	bool paused, calm, amended, resumed;
};

/* A number from 0 to n - 1. */
uint32_t pick(struct world *w, uint32_t n);
bool chance(struct world *w, uint32_t percent);

/* One line of the trace, when there is one. */
void trace(const struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Something that must hold does not: says so and ends the process. */
void broken(const struct world *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), noreturn));
/* "ra/3/1" in one of a few buffers that are used in turn. */
const char *id_text(const struct world *w, struct sched_id id);

/* world_plan.c: agents and plans by the seed; run_add() adds the next. */
void world_make(struct world *w, uint64_t seed, bool trace);
void world_free(struct world *w);
void run_add(struct world *w);
/* Changes something of a run that goes on. */
void run_amend(struct world *w, uint32_t run);
/* Says what others have of the locks. */
void say_ext(struct world *w);

/* world.c: the agents' side. */
void host_work(struct world *w, uint32_t agent);
void host_link(struct world *w, uint32_t agent, bool up);
/* Tells its facts. */
void host_say(struct world *w, uint32_t agent);
/* Its link is gone, and nobody was there to see it. */
void host_cut(struct world *w, uint32_t agent);
/* Nobody says go any more. */
void host_forget(struct world *w, uint32_t run);
void host_crash(struct world *w, uint32_t agent);
void host_lie(struct world *w, uint32_t agent);
void letter_post(struct world *w, enum letter_kind kind, uint32_t attempt);
void letters_deliver(struct world *w);
/* The next instant at which something happens by itself. */
int64_t world_next_us(const struct world *w);

/* belief.c: what follows from what was said. */
const struct sched_terms *terms_of(const struct world *w,
    const struct attempt *a);
void believe_queued(struct world *w, struct attempt *a);
void believe_prepared(struct world *w, struct attempt *a);
void believe_started(struct world *w, struct attempt *a);
/* True when the outcome of that member counts. */
bool believe_ended(struct world *w, struct attempt *a, uint32_t member,
    enum outcome outcome);
void believe_returned(struct world *w, struct attempt *a, bool refused);
void believe_kept(const struct world *w, struct attempt *a);
/* No attempt is current any more. */
void believe_waits(struct world *w, uint32_t run, uint32_t exec);
void believe_lost(struct world *w, struct attempt *a);
void believe_synced(struct world *w, uint32_t agent, uint32_t run);
void believe_down(struct world *w, uint32_t agent);
/* It was sent with these instances. */
void instances_note(const struct world *w, struct attempt *a);
void believe_dead(struct world *w, uint32_t agent);
void believe_removed(struct world *w, uint32_t run);
/* Takes over the decisions of a turn and posts what they ask for. Ends at
 * those that contradict what is believed. */
void believe_decisions(struct world *w);

/* facts.c: what ought to be so, from plans and beliefs alone. */
bool fact_usable(const struct world *w, uint32_t agent);
bool fact_pinned(const struct world *w, uint32_t run, uint32_t exec);
bool fact_eligible(const struct world *w, uint32_t run, uint32_t exec,
    uint32_t agent);
/* Workers of what is out there, ghosts apart, with what is not ours. */
uint32_t fact_load(const struct world *w, uint32_t agent);
/* The same of auto-distributed ones alone. */
uint32_t fact_autos(const struct world *w, uint32_t agent);
/* Attempts of a run that max_parallel counts. */
uint32_t fact_out(const struct world *w, uint32_t run);
/* Its needs have not ended, and it waits for them. */
bool fact_needs(const struct world *w, uint32_t run, uint32_t exec);
/* Some lock has no room for the terms; the suites' max_parallel, or others. */
bool fact_lock_full(const struct world *w, const struct takes *t,
    bool parallel);
bool fact_pair_full(const struct world *w, const struct takes *t);
/* Some run declares instances of t1. */
bool fact_named(const struct world *w);
/* Over the fleet, for n more; on one agent, beside n that are about to go
 * there. */
bool fact_target_full(const struct world *w, const struct takes *t,
    uint32_t n);
uint32_t fact_per_agent(const struct world *w);
bool fact_target_full_on(const struct world *w, const struct takes *t,
    uint32_t agent, const uint32_t n[N_TARGETS]);
/* Its step is on that agent. */
bool fact_beside(const struct world *w, uint32_t run, uint32_t exec,
    uint32_t agent);
/* It may avoid that one, for it failed there, and there is another. */
bool fact_avoided(const struct world *w, uint32_t run, uint32_t exec,
    uint32_t agent);

/* team.c: what runs together. */
/* By the plan as it is now; of a part: all but what the team takes once. */
struct takes takes_of(const struct world *w, uint32_t run, uint32_t exec);
struct takes team_takes(const struct world *w, const struct team *t);
/* How many parts ask for that target. */
uint32_t team_wants(const struct world *w, const struct team *t,
    uint32_t target);
/* Every part has an agent with room where it did not fail; empty: if nothing else were there and
 * all were open. */
bool team_fits(const struct world *w, const struct team *t, bool empty);
/* No limit of a target is less than what all parts ask for together. */
bool team_targets_fit(const struct world *w, const struct team *t);
bool team_is_whole(const struct world *w, const struct team *t);
bool team_is_out(const struct world *w, const struct team *t);
void team_sent(struct world *w, struct attempt *a);
/* From now on those of its parts that are prepared are told to go. */
void team_gone(struct world *w, struct team *t);
void team_prepared(struct world *w, struct attempt *a);
void team_go(struct world *w, uint32_t attempt);
void teams_decided(struct world *w);
void judge_teams(const struct world *w);

/* acts.c: an operator does something to a run, or to one of its executions. */
void world_act(struct world *w);

/* resume.c: the console dies, and another one takes over what was recorded. */
void world_resume(struct world *w);

/* judge.c: all that must hold after a turn; also asks for all reasons. */
void judge(struct world *w, bool reasons);
/* judge_why.c: one execution that waits. */
void judge_waiting(struct world *w, uint32_t run, uint32_t exec, bool reasons);

#endif
