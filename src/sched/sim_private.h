/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A simulation while it runs. */
#ifndef SCHED_SIM_PRIVATE_H
#define SCHED_SIM_PRIVATE_H

#include "sched/sched_private.h"
#include "yardmaster/sched/sim.h"

enum what {
	AT_AGENT,		/* the send arrives */
	BACK_AT_AGENT,		/* the take-back arrives */
	CANCEL_AT_AGENT,	/* the order to end it arrives */
	GO_AT_AGENT,		/* the go arrives */
	ENDS,			/* on the agent */
	SAYS_QUEUED, SAYS_PREPARED, SAYS_STARTED, SAYS_RETURNED, SAYS_KEPT, SAYS_ENDED,
};

struct happening {
	enum what what;
	uint32_t try;
	uint32_t agent, worker, exec;	/* the order within an instant */
	uint32_t seq;
};

enum try_state { TRY_SENT, TRY_QUEUED, TRY_PREPARED, TRY_RUNNING, TRY_OVER };

/* One attempt, or those of a batch. */
struct try {
	struct sched_id id;
	uint32_t agent, workers;
	bool pinned;
	bool together;		/* starts with the go */
	enum tier tier;
	enum try_state state;
	uint16_t worker;
	struct sched_member *members;
	uint32_t n_members;
	enum outcome *outcomes;
	int64_t *took_us;	/* by member */
	int64_t start_us, end_us;
};

struct sim_host {
	const struct sim_agent *spec;
	uint32_t speed;
	uint32_t *slots;	/* try + 1, 0: free */
	uint32_t busy, autos;
	struct ids queue;
};

struct sim {
	struct sched *s;
	const struct sim_run *runs;
	uint32_t n_runs, n_hosts;
	struct sim_host *hosts;
	const struct sim_opts *opts;
	struct heap times;	/* a: when; id: index in happenings */
	struct happening *happenings;
	size_t n_happenings, cap_happenings;
	struct ids free;
	struct try *tries;
	size_t n_tries, cap_tries;
	struct sim_result *res;
	size_t cap_rows, cap_steps;
	uint32_t seq;
	int64_t now_us;
};

/* Something will happen about a try at its agent, or be heard from there. */
void sim_happen(struct sim *m, int64_t at_us, enum what what, uint32_t try);
int64_t sim_half_trip(const struct sim *m, uint32_t agent);

/* The agent's side of a send, a take-back and an end. */
void host_arrive(struct sim *m, uint32_t try);
void host_give_back(struct sim *m, uint32_t try);
void host_go(struct sim *m, uint32_t try);
void host_end(struct sim *m, uint32_t try);
/* Ends it as cancelled, when it has not ended. */
void host_cancel(struct sim *m, uint32_t try);
/* It runs there already, on as many slots as are free. */
void host_has(struct sim_host *h, uint32_t try, const struct try *t);
/* What waits there starts, where there is room. */
void queue_run(struct sim *m, struct sim_host *h);

/* sim.c: plays on from m->now_us (false: it was stopped), and frees all but the
 * result. */
bool sim_play(struct sim *m);
void sim_done(struct sim *m);

#endif
