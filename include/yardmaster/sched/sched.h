/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler: what runs next, where, and why the rest does not. It is
 * pure: events and the time come in, decisions go out, nothing else is read
 * or written, and the same calls give the same decisions. One scheduler
 * serves all runs of a process, so that limits hold over all of them.
 *
 * Use: tell it agents and runs, then in each turn all events of that turn,
 * then sched_decide() once. Times are monotonic microseconds and must not go
 * backwards. Executions are numbered from 1 in their run; attempts of an
 * execution from 1. Every text that is given is copied.
 *
 * What a caller may rely on: after sched_decide() nothing that may run waits
 * while an agent has room for it, no limit is passed by what was sent, and
 * whatever waits has a reason that is true. An attempt is sent once; an
 * outcome counts once, however often and in whatever order it is reported.
 * The numbered invariants, each with the function that keeps it, head
 * src/sched/sched.c; tests/sched/judge.c holds them to it.
 */
#ifndef YARDMASTER_SCHED_SCHED_H
#define YARDMASTER_SCHED_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/strvec.h"
#include "yardmaster/model/hold.h"
#include "yardmaster/model/reason.h"
#include "yardmaster/model/state.h"

#define SCHED_NONE UINT32_MAX	/* no agent, no list, no run */
#define SCHED_AHEAD_AUTO UINT32_MAX
#define SCHED_AHEAD_ALL (UINT32_MAX - 1)

struct sched;

/* One that knows nothing yet; frees it and all it holds (NULL is fine). */
struct sched *sched_new(void);
void sched_free(struct sched *s);

/* ---- agents ---------------------------------------------------------------- */

/* Names of one target's instances. */
struct sched_pool {
	const char *target;
	const struct strvec *names;
};

/* All that placement knows of an agent. Texts are for people and may be
 * NULL: they stand in blockers. */
struct sched_agent {
	const char *name;
	const struct strvec *labels;	/* may be NULL */
	const struct strvec *targets;	/* NULL or empty: offers all */
	const struct sched_pool *pools;	/* instances it has itself */
	uint32_t n_pools;
	bool gone;		/* out of the fleet: nothing more starts there */
	bool up;		/* the link is there */
	bool no_secrets;	/* its version cannot be sent such work */
	bool draining, held, benched;
	bool probe;		/* benched: it may take one attempt while it has
				 * none */
	const char *offline_text;	/* "connection refused, next try 12s" */
	const char *draining_text, *held_text, *benched_text;	/* by whom */
	const char *guard;	/* the guard it is past; NULL: none */
	int64_t since_us;	/* when the above took its value; 0 unknown */
	const struct sched_ration *rations;	/* what others have there of */
	uint32_t n_rations;	/* targets with a limit */
	uint32_t max_workers;
	uint32_t threshold;	/* effective: at most max_workers */
	uint32_t other_busy;	/* workers busy with what is not ours */
	uint32_t other_queued;	/* attempts of others in its queue */
	int64_t rtt_us;		/* 0: unknown or none */
	uint32_t speed;		/* in thousandths; 0: to be learned */
};

/* What attempts on an agent that no run here counts take of a target. */
struct sched_ration {
	const char *target;
	uint32_t max;		/* the least that they name; 0: none does */
	uint32_t taken;
	const char *holder;	/* for people, of one of them; NULL: none */
};

/*
 * Sets agent idx of the fleet (fleet order; agents before it that were never
 * set are unknown and take nothing). To be called whenever a fact changed.
 * up from true to false: what it holds is unknown from now on. draining,
 * benched, or other labels and targets: what it has not started (and no longer
 * may) is taken back.
 */
void sched_agent_set(struct sched *s, uint32_t idx,
    const struct sched_agent *a, int64_t now_us);

/* The agent said all it has of that run since its link came up: what was
 * sent before and not reported since is not there (never started: waits
 * again; else lost). Leftovers of lost attempts are freed. */
void sched_agent_synced(struct sched *s, uint32_t idx, uint32_t run,
    int64_t now_us);

/* The host is gone for good: its attempts are lost now, and the locks,
 * exclusions and instances that lost ones kept are freed. */
void sched_agent_dead(struct sched *s, uint32_t idx, int64_t now_us);
/* True while an attempt of that run is there, or was lost there and still
 * keeps what it took. */
bool sched_agent_has(const struct sched *s, uint32_t idx, uint32_t run);

/* ---- runs ------------------------------------------------------------------ */

/* A lock; capacity is the smallest that any live run declares (0: 1). */
struct sched_lock {
	const char *name;	/* one name, one lock, over all runs */
	uint32_t capacity;
	bool parallel;		/* a suite's max_parallel: reason plan-limit */
};

struct sched_target {
	const char *name;
	uint32_t max_per_agent;	/* 0: no limit */
	uint32_t max;		/* over the fleet; 0: no limit */
	const struct strvec *instances;	/* fleet-wide; NULL or empty: none */
};

/* What is named a and what is named b never run at the same time. Equal
 * names: executions of it keep apart. Symmetric, over all runs. */
struct sched_pair {
	const char *a, *b;
};

/* What of a lock an execution takes. */
struct sched_hold {
	uint32_t lock;		/* index in locks */
	uint32_t count;		/* 0 stands for 1; capped to the capacity */
	bool shared;
};

/* That an execution belongs to a side (or both) of a pair. */
struct sched_side {
	uint32_t pair;
	bool a, b;
};

/* What executions have in common: the union over their steps. */
struct sched_terms {
	const struct strvec *const *agents;	/* lists of selectors: each must
						 * admit the agent */
	uint32_t n_agents;
	const uint32_t *targets;	/* the agent must offer each */
	uint32_t n_targets;
	const struct sched_hold *holds;
	uint32_t n_holds;
	const struct sched_side *sides;
	uint32_t n_sides;
	const uint32_t *needs;	/* nodes that must have ended before */
	uint32_t n_needs;
	bool needs_any_result;	/* also when they failed */
	bool pinned;		/* class pinned: may use all max_workers */
	bool repeatable;
	bool beside_itself;
	bool secrets;		/* its agent must take secrets, moved there or
				 * not */
	bool stop;		/* its failure ends the run */
	uint32_t retries, error_retries;
	uint32_t workers;	/* at once on one agent; 0 stands for 1 */
	int32_t priority;	/* beyond the run's */
	int64_t retry_delay_us;
	int64_t lost_after_us;	/* 0: 2 min */
	int64_t start_timeout_us;	/* to be acknowledged, and to start
				 * where a worker was free; then it is taken
				 * back and tried elsewhere; 0: 1 min */
	bool together;		/* of executions of a group */
	bool same_agent;	/* its parts may share an agent */
	uint32_t batch;		/* same number, terms and 1 or more: may share
				 * one process; 0: never */
	uint32_t room;		/* of a batch: what the sizes of its members
				 * may sum up to; 0: anything */
};

/* A set of executions that others wait for; which execution is in which
 * nodes is said by lists. */
struct sched_list {
	const uint32_t *nodes;
	uint32_t n;
};

struct sched_exec {
	uint32_t terms;
	uint32_t member;	/* list of the nodes it is part of; SCHED_NONE */
	int64_t estimate_us;	/* -1 (or 0): unknown */
	uint32_t size;		/* of what names it to a batch, in bytes */
	int32_t fails;		/* likelihood in thousandths (order failed) */
	uint32_t first_key, n_keys;	/* identity of its steps, in keys */
	int64_t not_before_us;	/* 0: at once (reason schedule; after an
				 * attempt, retry-delay) */
	uint32_t group;		/* same number, neighbours: all run together,
				 * their locks and sides are taken once for
				 * all (terms: together); 0: alone */

	/* What was before, for resume. All zero (and agent is ignored while
	 * attempt is 0): a fresh one. */
	enum exec_state state;	/* EXEC_WAITING, ASSIGNED, RUNNING or final */
	enum reason cause;	/* of a skipped one: NEEDS_FAILED, HALTED; NONE */
	uint32_t attempt;	/* number of the last one, 0: none yet */
	uint32_t agent;		/* of the last one; SCHED_NONE: not known */
	uint16_t worker;	/* of a running one; 0 unknown */
	const char *instance;	/* it has leased; "": none; NULL: not known */
	uint32_t lead;		/* the one that leads its batch; 0: itself */
	uint32_t failures, errors;	/* counted so far */
	uint32_t avoid;		/* 1 + the agent not to use when another can */
	bool pinned;		/* the last one was sent as pinned */
	bool returned;		/* the last one was given back unstarted */
	bool unstarted;		/* the last one never started, as far as known */
};

/* An attempt that was lost, and may be there after all: it keeps its locks,
 * exclusions and instance until its agent answers. */
struct sched_lost {
	uint32_t exec, attempt, agent;
	const char *instance;	/* as above */
	uint32_t lead;		/* index of the first of its batch; of itself */
};

struct sched_run {
	const char *id;		/* for people */
	int32_t priority;	/* higher first; equal: in order of adding */
	enum order order;	/* ORDER_AUTO counts as ORDER_PLAN */
	uint32_t max_parallel;	/* attempts out, a batch is one; 0: any */
	uint32_t max_failures;	/* ends the run when reached; 0: never */
	uint32_t ahead;		/* SCHED_AHEAD_* or a number */
	int64_t deadline_us;	/* 0: none; an instant */
	int64_t start_cost_us;	/* of a process, for batches; 0 unknown */
	const struct sched_lock *locks;
	uint32_t n_locks;
	const struct sched_target *targets;
	uint32_t n_targets;
	const struct sched_pair *pairs;
	uint32_t n_pairs;
	bool private;		/* locks, targets and pairs count in this run
				 * only, and are never held elsewhere */
	const struct sched_terms *terms;
	uint32_t n_terms;
	const struct sched_list *lists;
	uint32_t n_lists;
	uint32_t n_nodes;
	const uint64_t *keys;	/* hashes of "suite/test[row]@target" */
	const struct sched_exec *execs;	/* number N is execs[N - 1] */
	uint32_t n_execs;
	const struct sched_lost *lost;	/* for resume: batches in a row */
	uint32_t n_lost;
};

/*
 * Adds a run; everything given is borrowed for the call only. Restored
 * attempts are unknown until reported or until sched_agent_synced().
 * 0 and a handle, never used again for another run; or ERR_RANGE when an
 * index is out of its array.
 */
int sched_run_add(struct sched *s, const struct sched_run *spec,
    int64_t now_us, uint32_t *ret_run);

/* What a process of its batches was measured to take to start. */
void sched_run_start_cost(struct sched *s, uint32_t run, int64_t start_us);

/* Forgets a run and all it holds. What still runs of it is no longer known. */
void sched_run_remove(struct sched *s, uint32_t run);

/* ORDER_LONGEST when at least half of n executions have an estimate, else
 * ORDER_PLAN; any other order is returned as it is. */
enum order sched_pick_order(enum order order, uint32_t n, uint32_t n_known);

/* ---- what agents said -------------------------------------------------------- */

struct sched_id {
	uint32_t run, exec, attempt;
};

enum sched_taken {
	SCHED_TAKEN,		/* it counts */
	SCHED_SAID,		/* was known before; nothing changed */
	SCHED_LATE,		/* keep and show it, it does not count */
	SCHED_STRANGE,		/* no such run, execution or attempt */
};

/* Whether an execution may run on the agent at all, by what it requires and
 * by who pinned it: whatever its state. */
bool sched_exec_admits(const struct sched *s, uint32_t run, uint32_t exec,
    uint32_t agent);
/* The agent that an attempt is out on, or SCHED_NONE: nobody has it. */
uint32_t sched_holder(const struct sched *s, struct sched_id id);
/* The agent has it in its queue. Of a batch: the id of one that is still out.
 */
enum sched_taken sched_accepted(struct sched *s, struct sched_id id,
    int64_t now_us);
/* The same; on: its workspace is made ready there, for as long as that takes.
 */
enum sched_taken sched_preparing(struct sched *s, struct sched_id id, bool on,
    int64_t now_us);
/* Of a group: the agent keeps a worker for it and waits for the go. */
enum sched_taken sched_prepared(struct sched *s, struct sched_id id,
    int64_t now_us);
/* It runs on that worker (from 1). Of a batch: as above. */
enum sched_taken sched_started(struct sched *s, struct sched_id id,
    uint16_t worker, int64_t now_us);
/* It has been running for that long, 0 or more; what does not run is left
 * alone. Said where its start was not heard when it came: of a batch, as
 * above. */
void sched_ran(struct sched *s, struct sched_id id, int64_t ran_us,
    int64_t now_us);
/* It ended. Of a batch: each member's. SCHED_TAKEN: its outcome counts. */
enum sched_taken sched_ended(struct sched *s, struct sched_id id,
    enum outcome outcome, int64_t elapsed_us, int64_t now_us);
/* The agent lost it (host reboot): outcome unknown, and it holds nothing. */
enum sched_taken sched_lost(struct sched *s, struct sched_id id,
    int64_t now_us);
/* Given back without having been started. refused: the agent would not have
 * it (then it is tried later, elsewhere where possible). */
enum sched_taken sched_returned(struct sched *s, struct sched_id id,
    bool refused, int64_t now_us);
/* Given back as its agent runs as many of a target as may be: it goes there
 * once the rations of the agent say that there is room. */
enum sched_taken sched_full(struct sched *s, struct sched_id id,
    int64_t now_us);
/* Whether it counts against no target any more, as it is lost, and may run
 * on its agent all the same. */
bool sched_uncounted(const struct sched *s, struct sched_id id);
/* Answer to a take-back: too late, it has started. */
enum sched_taken sched_kept(struct sched *s, struct sched_id id,
    int64_t now_us);

/* What the run needs is made ready here, text says how far that is: nothing of
 * it is sent, for the reason setup. NULL: it is ready. 0 or ERR_NOT_FOUND. */
int sched_run_setup(struct sched *s, uint32_t run, const char *text,
    int64_t now_us);

/* ---- what operators did -------------------------------------------------------- */
/* All return 0, or ERR_NOT_FOUND (no such thing), ERR_STATE (not in this
 * state), ERR_RANGE. text: who and note, for people; NULL releases. */

/* The same for all of a run: hold it, cancel it, change its priority (higher
 * first). */
int sched_run_hold(struct sched *s, uint32_t run, const char *text,
    int64_t now_us);
int sched_run_cancel(struct sched *s, uint32_t run, int64_t now_us);
int sched_run_priority(struct sched *s, uint32_t run, int32_t priority);
/* When it is to have ended (monotonic; 0: any time): the workers that are
 * enough for that are looked for anew. */
int sched_run_deadline(struct sched *s, uint32_t run, int64_t deadline_us,
    int64_t now_us);
/* Raising max_failures brings back what was skipped by it; lowering it to what
 * has failed skips the rest. */
int sched_run_limits(struct sched *s, uint32_t run, uint32_t max_parallel,
    uint32_t max_failures, int64_t now_us);

/*
 * Gives a run other terms: agents, targets, locks, exclusions and their
 * limits are those of spec from now on, which must have as many executions,
 * lists and nodes as before (else ERR_RANGE); what else it says is ignored.
 * What is out keeps what it took to its end; what was sent and not started is
 * taken back when its agent no longer meets the requirement.
 */
int sched_run_amend(struct sched *s, uint32_t run,
    const struct sched_run *spec, int64_t now_us);

/* Holds one execution. */
int sched_exec_hold(struct sched *s, uint32_t run, uint32_t exec,
    const char *text, int64_t now_us);
/* Since when one stands that was done again; exec 0: of the run. */
void sched_held_since(struct sched *s, uint32_t run, uint32_t exec,
    int64_t since_us);
/* Ends as cancelled: at once when nothing was sent, else when the agent says
 * so (decisions cancel it there). Of a batch: those beside it, which end as
 * cancelled too, wait again. */
int sched_exec_cancel(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* Cure of one that can never run: skipped. Only a waiting one. */
int sched_exec_skip(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* The other way round: it waits again, also for its needs. ERR_STATE unless it
 * was skipped by an operator. */
int sched_exec_unskip(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* Ends as error: nothing can run it. Only a waiting one. */
int sched_exec_give_up(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* An assigned or running one is ended there and tried elsewhere, no budget
 * used; a final one that did not pass is tried afresh. */
int sched_exec_requeue(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* Pins it to an agent (SCHED_NONE: no longer); what was sent elsewhere and not
 * started is taken back; ERR_STATE when it runs elsewhere or has ended. */
int sched_exec_move(struct sched *s, uint32_t run, uint32_t exec,
    uint32_t agent, int64_t now_us);
int sched_exec_priority(struct sched *s, uint32_t run, uint32_t exec,
    int32_t priority);
/* A waiting one no longer waits for its needs; one that was skipped by the
 * scheduler waits again, without them. */
int sched_exec_run_anyway(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* A waiting one, with all that it runs together with, may use workers and
 * limits that are reserved for others, until it ends; those keep the rest. */
int sched_exec_override(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* Retry delay and schedule are over. */
int sched_exec_start_now(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);
/* The schedule that it waits for is at at_us now: the clocks that people read
 * were set. ERR_STATE when it waits for none. */
int sched_exec_not_before(struct sched *s, uint32_t run, uint32_t exec,
    int64_t at_us, int64_t now_us);
/* Its unknown attempt counts as lost now. */
int sched_exec_declare_lost(struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);

/* Dispatch is paused everywhere; NULL goes on. */
void sched_pause(struct sched *s, const char *text, int64_t now_us);

/* ---- limits over processes ------------------------------------------------------- */

/* What is held of a limit outside of this scheduler. */
struct sched_elsewhere {
	const struct hold *hold;
	uint32_t agent;		/* on which, for instances that it has itself;
				 * SCHED_NONE: none of ours */
	const char *holder;	/* who, for people */
};
/* All of it; replaces what was said before. What no run here names is left
 * out: to be said again when a run was added. */
void sched_held_elsewhere(struct sched *s, const struct sched_elsewhere *v,
    size_t n, int64_t now_us);
/* Until this is false (it is at first), nothing that others may hold is
 * taken: it is not known yet what they do. */
void sched_await_elsewhere(struct sched *s, bool on, int64_t now_us);
/* Whether the run may hold anything that others have to know of. */
bool sched_run_shares(const struct sched *s, uint32_t run);
/* What an attempt holds that others have to know of: how many, of which the
 * first cap are in v; 0: nothing, or it is not known. Texts are borrowed
 * until it ends. Of a batch: the leading one's id. */
uint32_t sched_holds(const struct sched *s, struct sched_id id,
    struct hold *v, uint32_t cap);

/* ---- decisions ------------------------------------------------------------------ */

enum sched_kind {
	SCHED_SEND,		/* send it to agent */
	SCHED_TAKE_BACK,	/* ask the agent to give it back */
	SCHED_CANCEL,		/* ask the agent to end it */
	SCHED_LOST,		/* the attempt is lost; its execution is not */
	SCHED_FREED,		/* what it held of limits is free */
	SCHED_GO,		/* tell the agent to start a prepared one */
	SCHED_WAIT,		/* the execution waits again, until at_us */
	SCHED_FINAL,		/* the execution ended with state */
	SCHED_RUN_ENDED,	/* all executions of the run are final */
	SCHED_KINDS
};
/* The name in logs and tests. */
const char *sched_kind_name(enum sched_kind k);

struct sched_member {
	uint32_t exec, attempt;
};

struct sched_decision {
	enum sched_kind kind;
	struct sched_id id;	/* attempt 0 where none is concerned */
	uint32_t agent;		/* SEND, TAKE_BACK, CANCEL, GO, LOST */
	uint32_t other;		/* TAKE_BACK: for which agent, or SCHED_NONE */
	enum attempt_class class;	/* SEND */
	enum tier tier;		/* SEND */
	const char *instance;	/* SEND: leased, of the first target that has
				 * some; NULL. Borrowed until it ends */
	uint32_t first_member;	/* SEND: in members: the executions that */
	uint32_t n_members;	/* share the process, itself first; from 1 */
	enum exec_state state;	/* FINAL */
	enum reason cause;	/* FINAL, skipped by us: why; WAIT: RETRY_DELAY
				 * after a failure, else NONE */
	int64_t at_us;		/* WAIT: not before; 0 at once */
};

/* Zeroed before first use; kept and reused between calls. */
struct sched_decisions {
	struct sched_decision *v;
	size_t n;
	struct sched_member *members;
	size_t n_members;
	size_t cap, cap_members;	/* private */
};
void sched_decisions_done(struct sched_decisions *d);

/* Replaces what out holds by all that follows from the events so far and the
 * time. A second call at the same time decides nothing. */
void sched_decide(struct sched *s, int64_t now_us,
    struct sched_decisions *out);

/* When sched_decide() has something to do without any event; CLOCK_NEVER. */
int64_t sched_next_us(struct sched *s);

/* ---- questions ------------------------------------------------------------------- */

/* Of one execution, now. */
struct sched_view {
	enum exec_state state;
	bool unknown;		/* its agent is silent: shown with "?" */
	uint32_t attempt;	/* current or last, 0 none */
	uint32_t agent;		/* of it, SCHED_NONE */
	uint16_t worker;	/* 0 none */
	enum tier tier;
	int64_t since_us;	/* when state took its value */
	uint32_t failures, errors;	/* counted so far */
	uint32_t avoid;		/* agent not to use when another can, or
				 * SCHED_NONE */
	int64_t ready_us;	/* it waits for that instant; 0: for none */
	enum reason cause;	/* why skipped by us, else REASON_NONE */
	uint32_t pin;		/* agent it was moved to, SCHED_NONE */
	int32_t priority;	/* beyond the run's */
	const char *held;	/* by whom and why, borrowed; NULL: not */
};
/* 0 or ERR_NOT_FOUND. Cheap. */
int sched_exec_view(const struct sched *s, uint32_t run, uint32_t exec,
    struct sched_view *ret);
/* What operators may have changed of a run. */
struct sched_run_view {
	int32_t priority;
	uint32_t max_parallel, max_failures;	/* 0: none */
	const char *held;	/* borrowed; NULL: not */
};
/* 0 or ERR_NOT_FOUND. Cheap. */
int sched_run_view(const struct sched *s, uint32_t run,
    struct sched_run_view *ret);
/* EXEC_WAITING for an unknown one. */
enum exec_state sched_exec_state(const struct sched *s, uint32_t run,
    uint32_t exec);

/* All zero for an unknown run. Their sum is what was planned, always. */
struct counts sched_counts(const struct sched *s, uint32_t run);
/* Workers that the run's attempts keep busy now, as far as known. */
uint32_t sched_run_workers(const struct sched *s, uint32_t run);
bool sched_run_ended(const struct sched *s, uint32_t run);
/* How many workers are predicted to meet its deadline; 0: it has none, or all
 * are used, as it cannot be met or no length is known. */
uint32_t sched_run_enough(const struct sched *s, uint32_t run);

/* The instance leased for a target by the current attempt, or NULL. */
const char *sched_instance(const struct sched *s, uint32_t run,
    uint32_t exec, const char *target);

/*
 * Every blocker with facts, the headline first; never empty for a waiting,
 * assigned, or skipped-by-us execution, empty for the others (but lost-grace
 * for an unknown one). The caller frees with why_done(). Cost: agents.
 */
void sched_why(const struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us, struct why *ret);

/* The headline's code alone, cheap enough for a table; ret_since_us may be
 * NULL. REASON_NONE where sched_why() is empty. */
enum reason sched_headline(const struct sched *s, uint32_t run,
    uint32_t exec, int64_t *ret_since_us);

/* When it may start by what is known: a fixed time, or a prediction; 0 when
 * unknown or not applicable. */
int64_t sched_next_start(const struct sched *s, uint32_t run, uint32_t exec,
    int64_t now_us);

/* When the run ends by prediction; 0 unknown. A prediction may rise. */
int64_t sched_predicted_end(const struct sched *s, uint32_t run,
    int64_t now_us);

/* How many attempts the agent holds of ours: busy workers (predicted), and
 * attempts queued beyond them. */
void sched_agent_load(const struct sched *s, uint32_t idx,
    uint32_t *ret_busy, uint32_t *ret_queued);

/* For tests: checks every invariant; NULL, or a heap text naming the first
 * that is broken. Cost: everything. */
char *sched_check(const struct sched *s);

/* Bytes of memory held for runs and agents (figures of the bench). */
uint64_t sched_bytes(const struct sched *s);

#endif
