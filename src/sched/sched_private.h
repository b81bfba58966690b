/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the scheduler share. Objects are found by 32-bit indices;
 * every list of them that is kept lazily says so. See sched.c for the
 * invariants.
 */
#ifndef SCHED_PRIVATE_H
#define SCHED_PRIVATE_H

#include <uthash.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/filter/selector.h"
#include "yardmaster/sched/sched.h"

#define NONE SCHED_NONE
#define ACK_US (10 * US_PER_S)		/* unacknowledged: taken back */
#define LOST_AFTER_US (120 * US_PER_S)
#define REFUSED_US US_PER_S		/* before the next try after a refusal */
#define TYPICAL_US (60 * US_PER_S)	/* when nothing is known */
#define MAX_PREFETCH 16
#define RESERVE_PASSES 64	/* sends beside a blocked item before it reserves */

/* ---- a heap of keys, lazily kept (heap.c) ---------------------------------- */

struct heap_key {
	uint64_t a;
	uint32_t b;
	uint32_t id;
};

/* The smallest (a, b, id) first. Users check whether what comes up still
 * holds; nothing is ever removed from the middle. */
struct heap {
	struct heap_key *v;
	size_t n, cap;
};

void heap_push(struct heap *h, struct heap_key k);
void heap_pop(struct heap *h);
void heap_done(struct heap *h);
/* a < b */
bool heap_less(const struct heap_key *a, const struct heap_key *b);

struct ids {
	uint32_t *v;
	size_t n, cap;
};
void ids_push(struct ids *l, uint32_t id);
void ids_done(struct ids *l);

/* ---- bits over agents ---------------------------------------------------------- */

static inline bool
bit_get(const uint64_t *bits, uint32_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static inline void
bit_set(uint64_t *bits, uint32_t i, bool on)
{
	uint64_t mask = UINT64_C(1) << (i % 64);

	bits[i / 64] = on ? bits[i / 64] | mask : bits[i / 64] & ~mask;
}

/* ---- requirements (req.c) -------------------------------------------------------- */

/* Which agents may take something at all. Shared over runs, never freed. */
struct req {
	char *key;
	struct selector **sel;	/* each must admit; n_sel */
	uint32_t n_sel;
	struct strvec targets;
	bool broken;		/* a selector is no selector: admits none */
	uint32_t pin;		/* this agent only, or NONE */
	uint32_t index;
	uint64_t *elig;		/* bits over agents */
	uint32_t n_elig;
	UT_hash_handle hh;
};

/* ---- limits (limits.c) -------------------------------------------------------------- */

enum limit_kind { LIMIT_LOCK, LIMIT_PAIR, LIMIT_TARGET };

struct limit {
	enum limit_kind kind;
	uint32_t index;
	char *key;
	char *name, *other;	/* lock, target, or the two sides of a pair */
	bool self;		/* pair of one name with itself */
	bool parallel;		/* lock that is a suite's max_parallel */
	uint32_t capacity;	/* lock: units; target: over the fleet, 0 any */
	uint32_t per_agent;	/* target: 0 any */
	uint32_t slot;		/* target: index in counts of agents */
	uint32_t used[2];	/* lock: units and readers; pair: by side;
				 * target: taken in [0] */
	uint32_t ext[2];	/* the same, held by owners elsewhere */
	char *ext_text;
	uint32_t reserved;	/* class that has it reserved, or NONE */
	int64_t since_us;	/* when it was last taken */
	struct strvec names;	/* target: fleet-wide instances */
	uint32_t *holder;	/* of each: parcel or NONE */
	struct ids waiters;	/* classes parked here */
	bool pools;		/* target: some agent has instances of it */
	UT_hash_handle hh;
};

/* One limit an execution takes a part of. */
struct use {
	uint32_t limit;
	uint32_t n;		/* lock: units; pair: bits of sides */
	bool shared;
	uint8_t pad[3];
};

struct lset {
	struct use *v;
	uint32_t n, index;
	bool per_agent;		/* some part is counted by agent */
	UT_hash_handle hh;	/* key: v */
};

/* ---- agents (agent.c) ------------------------------------------------------------------ */

struct pool {
	uint32_t limit;		/* the target */
	struct strvec names;
	uint32_t *holder;
};

struct agent {
	bool known;		/* was ever set */
	char *name;
	struct strvec labels, targets;
	bool up, draining, held, benched;
	char *guard;		/* NULL: none */
	char *offline_text, *draining_text, *held_text, *benched_text;
	int64_t since_us;
	int64_t down_us;	/* since when it is not up */
	uint32_t max, threshold, other_busy, other_queued;
	int64_t rtt_us;
	uint32_t speed;
	struct pool *pools;
	uint32_t n_pools;

	uint32_t auto_load, pin_load;	/* workers of live attempts */
	uint32_t auto_run, pin_run;	/* of those reported running */
	uint32_t n_unstarted;	/* live attempts not reported running */
	int64_t unstarted_us;	/* their predicted lengths */
	uint32_t n_back;	/* of those, asked back */
	uint32_t incoming;	/* workers that moves to it will take */
	uint32_t busy, queued;	/* predicted; from the above */
	uint32_t depth;		/* prefetch */
	int64_t typical_us;	/* of what ended here; 0 unknown */
	uint32_t reserved;	/* class that reserves its workers, or NONE */
	uint32_t first, last;	/* parcels, oldest first */
	bool ack_timer;		/* one is set */
	uint32_t *held_targets;	/* by slot: taken here */
	uint32_t n_slots;
};

/* ---- runs -------------------------------------------------------------------------------- */

enum exec_flag {
	X_QUEUED = 1,		/* a member of its class's queue */
	X_ASIDE = 2,		/* of its class's aside list */
	X_DELAYED = 4,		/* waits for ready_us */
	X_NEEDS = 8,		/* its needs have not ended */
	X_HELD = 16,
	X_WAIVED = 32,		/* runs without its needs */
	X_CANCEL = 64,		/* to end as cancelled */
	X_REQUEUE = 128,	/* the cancelled attempt shall be tried again */
	X_PINNED = 256,		/* moved to agent pin */
	X_RETRY = 512,		/* the delay is one after a failure */
	X_AVOID = 1024,		/* not where it was last, where possible */
	X_LOST = 2048,		/* an error was counted for the last attempt,
				 * as it is lost */
};

struct exec {
	int64_t since_us;
	int64_t estimate_us;	/* -1 unknown */
	int64_t ready_us;
	uint32_t rank;		/* in the order of its run */
	uint32_t class;
	uint32_t parcel;	/* current one, or NONE */
	uint32_t terms, member;
	uint32_t first_key, n_keys;
	uint32_t attempt, agent;	/* the last one */
	uint32_t ended;		/* the last one whose end is known */
	uint32_t pin;
	int32_t priority;	/* beyond the run's */
	uint16_t flags, worker;
	uint16_t failures, errors;
	uint8_t state, cause, tier;
};

struct terms {
	uint32_t req, lset;
	uint32_t needset;	/* or NONE */
	bool pinned, repeatable, beside, stop;
	uint32_t retries, error_retries, workers, batch;
	int32_t priority;
	int64_t retry_delay_us, lost_after_us;
	struct use *wants;	/* all limits it names, also those that limit
				 * nothing yet */
	uint32_t n_wants;
};

struct node {
	uint32_t pending, bad;	/* members not final; ended badly */
	uint32_t n;
	struct ids sets;	/* needsets that name it */
};

struct needset {
	uint32_t *nodes;
	uint32_t n, pending;
	bool any;		/* failed ones will do */
	bool gone;		/* was let go: needs ended or failed */
	uint32_t *execs;	/* by rank */
	uint32_t n_execs;
};

struct hold_note {
	uint32_t exec;
	char *text;
	int64_t since_us;
	UT_hash_handle hh;
};

struct run {
	uint32_t handle;
	char *id;
	int32_t priority;
	uint32_t max_parallel, max_failures, ahead;
	int64_t deadline_us, start_cost_us;
	struct counts counts;
	uint32_t inflight;	/* assigned or running */
	uint32_t workers;	/* of its live attempts */
	uint32_t n_bad;		/* final failed, timeout, error */
	bool halted, stopped, cancelled, ended;
	char *held;		/* text, or NULL */
	int64_t held_us, halted_us, full_us;
	uint32_t halted_by;	/* execution that did it, 0 none */
	struct exec *x;		/* number N is x[N - 1] */
	uint32_t n;
	uint32_t *order;	/* rank -> index in x */
	uint64_t *keys;
	struct terms *terms;
	uint32_t n_terms;
	uint32_t *list_nodes, *list_first;
	uint32_t n_lists;
	struct node *nodes;
	uint32_t n_nodes;
	struct needset *needsets;
	uint32_t n_needsets;
	struct ids due;		/* sets to be looked at */
	uint32_t n_open;	/* not final */
	struct run_cap *caps;	/* what it declares of limits */
	uint32_t n_caps;
	struct ids lanes, classes;
	struct hold_note *notes;
	int64_t known_us;	/* sum and number of known estimates */
	uint32_t n_known;
	size_t n_keys;
};

struct run_cap {
	uint32_t limit;
	uint32_t capacity, per_agent;
	bool parallel;
	struct strvec names;
};

/* ---- queues (queue.c) ---------------------------------------------------------------------- */

enum class_state {
	CLASS_EMPTY,		/* nobody in it */
	CLASS_READY,		/* in the heap of its lane */
	CLASS_LIMIT,		/* waits for a limit: in its waiters */
	CLASS_AGENT,		/* no agent fits it: in parked of its lane */
};

struct class_key {
	uint32_t run, lane, lset;
	int32_t priority;
	uint32_t avoid;		/* agent not to use when another can, or NONE */
	uint32_t workers, batch;
	uint32_t pad;
};

/* Executions that differ in nothing that placement looks at, in order. */
struct class {
	struct class_key key;
	uint32_t index;
	enum class_state state;
	uint32_t *base;		/* ranks, ascending; from cursor on */
	size_t cursor, n_base, cap_base;
	struct heap back;	/* ranks that came later */
	struct ids aside;	/* head items that no free agent may take, as
				 * they run there already */
	uint32_t n;		/* members, aside ones too */
	int64_t work_us;	/* predicted, of the members */
	uint32_t block;		/* limit it waits for, or NONE */
	int64_t block_us;	/* since when it is parked */
	bool waits;		/* was parked since it last sent */
	uint64_t block_sent;	/* sends decided when that began */
	uint32_t agent;		/* it has reserved, or NONE */
	bool reserves;		/* its limits */
	struct heap_key top;	/* as last pushed on ready of its lane */
	bool listed;		/* top is in that heap */
	UT_hash_handle hh;
};

struct lane_key {
	uint32_t run, req;
	uint8_t pinned, limited;
	uint8_t pad[2];
};

/* Classes of one run that the same agents may take in the same tiers. */
struct lane {
	struct lane_key key;
	uint32_t index;
	bool touching;		/* guards against itself */
	struct heap ready;	/* classes, lazily */
	struct ids parked;	/* classes in CLASS_AGENT or with aside ones */
	bool blocked;		/* no agent has room; until one gains */
	struct heap_key top;	/* as last pushed on the heap of lanes */
	bool listed;		/* top is in that heap */
	UT_hash_handle hh;
};

/* ---- parcels (parcel.c) ------------------------------------------------------------------------ */

enum parcel_state { P_FREE, P_SENT, P_QUEUED, P_RUNNING, P_LOST };

/* What one send put on one agent: an attempt, or those of a batch. */
struct parcel {
	enum parcel_state state;
	uint8_t class, tier;
	bool unheard;		/* not reported since the link came up */
	bool stale;		/* superseded: its outcome counts no more */
	bool back;		/* asked to be given back */
	bool cancel;		/* asked to be ended */
	bool loaded;		/* counted in the load of its agent */
	bool holds;		/* has limits taken */
	bool holds_targets;	/* counts of targets among them */
	uint16_t worker;
	uint32_t run, exec, attempt, agent;
	uint32_t workers, lset;
	uint32_t to;		/* agent it is moved to, or NONE */
	uint32_t prev, next;	/* on its agent */
	int64_t sent_us, started_us, estimate_us;
	struct sched_member one;	/* itself; attempt 0 in either: ended */
	struct sched_member *members;	/* of a batch, else NULL */
	uint32_t n_members, n_open;
};

struct beside {		/* a step on an agent; open addressing */
	uint64_t key;
	uint32_t agent, n;	/* n 0: free */
};

enum timer_kind { TIMER_READY, TIMER_ACK, TIMER_LOST };

struct move {
	uint32_t run, exec, agent;
};

struct sched {
	struct agent *agents;
	uint32_t n_agents;
	size_t cap_agents;
	uint32_t n_words;	/* of bits over agents */
	uint64_t *usable, *idle, *below, *free_max, *room, *gained, *cand, *ahead;
	bool any_gain;
	struct req **reqs;
	size_t n_reqs, cap_reqs;
	struct req *req_hash;
	struct limit **limits;
	size_t n_limits, cap_limits;
	struct limit *limit_hash;
	uint32_t n_slots;
	struct lset **lsets;
	size_t n_lsets, cap_lsets;
	struct lset *lset_hash;
	struct run **runs;
	size_t n_runs, cap_runs;
	struct class **classes;	/* freed ones are NULL */
	size_t n_classes, cap_classes;
	struct class *class_hash;
	struct ids free_classes, free_lanes;
	struct lane **lanes;
	size_t n_lanes, cap_lanes;
	struct lane *lane_hash;
	struct heap top;	/* lanes, lazily */
	struct heap timers;	/* a: at; b: kind; id: index in timer_args */
	struct timer_arg *timer_args;
	size_t n_timer_args, cap_timer_args;
	struct ids free_timers;
	struct parcel *parcels;
	size_t n_parcels, cap_parcels;
	struct ids free_parcels;
	struct ids ghosts;	/* parcels lost or superseded */
	struct ids reserving;	/* classes that have something reserved */
	uint32_t n_ahead;	/* runs that say how much ahead */
	struct beside *beside;
	size_t n_beside, cap_beside;
	struct move *moves;
	size_t n_moves, cap_moves;
	struct sched_decisions out;	/* collected since the last decide */
	char *paused;
	int64_t paused_us;
	uint64_t n_sent;
	int64_t typical_us;	/* of what ended anywhere; 0 unknown */
	bool reassign;		/* something changed that may allow one */
	int64_t now_us;
};

struct timer_arg {
	enum timer_kind kind;
	uint32_t a, b;		/* run and execution, or agent */
};

/* heap.c */
void timer_add(struct sched *s, int64_t at_us, struct timer_arg arg);

/* agent.c */
void agents_grow(struct sched *s, uint32_t n);
void agent_free(struct agent *a);
/* Works out busy, queued and the bits of it anew; room gained is noted. */
void agent_update(struct sched *s, uint32_t idx);
/* It gained something that no count shows (a target, a step). */
void agent_gained(struct sched *s, uint32_t idx);
bool agent_usable(const struct agent *a);
/* Workers an attempt of that class may still take: 0 or less, none. */
int64_t agent_room(const struct agent *a, bool pinned);

/* req.c */
uint32_t req_intern(struct sched *s, const struct sched_run *spec,
    const struct sched_terms *t);
uint32_t req_pin(struct sched *s, uint32_t agent);
void req_eval_agent(struct sched *s, uint32_t agent);
bool req_admits(const struct sched *s, const struct req *r, uint32_t idx);
void req_free(struct req *r);
void reqs_widen(struct sched *s, uint32_t words);

/* limits.c */
uint32_t limit_intern(struct sched *s, enum limit_kind kind, const char *a,
    const char *b);
void limit_free(struct limit *l);
/* True when it limits anything now. */
bool limit_live(const struct limit *l);
uint32_t lset_intern(struct sched *s, const struct use *v, uint32_t n);
void lset_free(struct lset *l);
/* The first limit without room for it, or NONE; class: who asks, its own
 * reservations do not count (NONE: nobody). */
uint32_t lset_blocked(const struct sched *s, uint32_t lset, uint32_t class);
bool limit_room(const struct sched *s, const struct use *u, uint32_t class);
/* Room on that agent for what is counted by agent. */
uint32_t lset_blocked_on(const struct sched *s, uint32_t lset,
    uint32_t agent);
/* Takes and gives back all of them for a parcel. instance: this one of the
 * leased ones, or NULL. */
void lset_take(struct sched *s, uint32_t parcel, const char *instance);
void lset_drop(struct sched *s, uint32_t parcel);
/* Lost: the counts of targets are given back, the rest stays. */
void lset_drop_targets(struct sched *s, uint32_t parcel);
void lset_retake_targets(struct sched *s, uint32_t parcel);
/* What runs declare, counted anew (the smallest). */
void limits_recount(struct sched *s);
/* Classes that wait for it are looked at again. */
void limit_wake(struct sched *s, uint32_t limit);

/* lease.c */
/* target NULL: of any. The name leased, borrowed, or NULL. */
const char *lease_find(const struct sched *s, uint32_t parcel,
    const char *target);
bool lease_free(const uint32_t *holder, size_t n);
bool lease_room_on(const struct limit *l, const struct agent *a);
void lease_take(struct sched *s, struct limit *l, uint32_t parcel,
    const char *want);
void lease_drop(struct sched *s, struct limit *l, uint32_t parcel);
void lease_names(struct strvec *to, uint32_t **holder, struct strvec *names);

/* beside.c */
bool beside_on(const struct sched *s, const struct run *r,
    const struct exec *x, uint32_t agent);
void beside_change(struct sched *s, const struct run *r,
    const struct exec *x, uint32_t agent, int by);

/* run.c */
struct run *run_get(const struct sched *s, uint32_t handle);
struct exec *exec_get(const struct run *r, uint32_t no);
void run_free(struct sched *s, struct run *r);
/* Sets of limits of all terms, worked out anew; classes follow. */
void run_terms_lsets(struct sched *s);
/* Drops what is collected of a run. */
void decisions_forget_run(struct sched *s, uint32_t run);

/* order.c */
void order_ranks(struct run *r, const struct sched_run *spec);

/* queue.c */
uint32_t exec_no(const struct run *r, const struct exec *x);
/* Puts a ripe waiting one in the queue of its class; takes it out. */
void queue_add(struct sched *s, struct run *r, struct exec *x);
void queue_remove(struct sched *s, struct run *r, struct exec *x);
/* The first of a class, or NULL. */
struct exec *class_head(struct sched *s, struct class *c);
/* Nobody is left: its reservations end (reserve.c). */
void class_emptied(struct sched *s, struct class *c);
void class_aside(struct sched *s, struct class *c, struct exec *x);
void class_set(struct sched *s, uint32_t class, enum class_state state,
    uint32_t block);
/* The best lane that may have something to send, or NONE; its best class. */
uint32_t lane_best(struct sched *s);
uint32_t lane_class(struct sched *s, struct lane *l);
void lane_touch(struct sched *s, uint32_t lane);
void lanes_wake(struct sched *s);
bool run_gated(const struct sched *s, const struct run *r);
void run_wake(struct sched *s, struct run *r);
void class_free(struct sched *s, uint32_t class);
void lane_free(struct sched *s, uint32_t lane);

/* parcel.c */
uint32_t parcel_new(struct sched *s, const struct parcel *p,
    const char *instance);
/* Counts it in the load of its agent, or no longer. */
void parcel_load(struct sched *s, uint32_t parcel, bool on);
/* The same load in another state. */
void parcel_state(struct sched *s, uint32_t parcel, enum parcel_state state);
/* Gives back all it holds and frees it. */
void parcel_end(struct sched *s, uint32_t parcel);
/* Its executions no longer have it as theirs: it becomes a ghost. */
void parcel_ghost(struct sched *s, uint32_t parcel);
/* The other way round. */
void parcel_unghost(struct sched *s, uint32_t parcel);
/* One member has ended; the last one ends the parcel. */
void parcel_member_end(struct sched *s, uint32_t parcel, uint32_t no);
/* The parcel of an attempt (current or ghost), or NONE. */
uint32_t parcel_find(const struct sched *s, const struct run *r, uint32_t no,
    uint32_t attempt);
/* The question whether it is given back is answered or void. */
void parcel_back_over(struct sched *s, struct parcel *p);
void parcel_ask_back(struct sched *s, uint32_t parcel, uint32_t to);
void parcel_ask_cancel(struct sched *s, uint32_t parcel);
struct sched_member *parcel_members(struct parcel *p, uint32_t *ret_n);
bool parcel_unknown(const struct sched *s, const struct parcel *p);

/* place.c */
void place_all(struct sched *s);
struct placement {
	uint32_t agent;
	enum tier tier;
};
/* Sends the execution now; it is in no queue. */
void place_send(struct sched *s, struct run *r, struct exec *x,
    struct placement at);
/* Room for what the class of x needs beyond a place in a queue. */
bool agent_fits(const struct sched *s, const struct class *c,
    const struct exec *x, uint32_t agent);
bool avoid_holds(const struct sched *s, const struct class *c);

/* reassign.c */
void moves_do(struct sched *s);
void reassign_all(struct sched *s);
void move_add(struct sched *s, const struct move *m);

/* sched.c */
void decision_add(struct sched *s, const struct sched_decision *d);

/* retry.c */
void exec_state_set(struct sched *s, struct run *r, struct exec *x,
    enum exec_state state);
/* A waiting one without parcel: into the queue, or where it waits. */
void exec_ripen(struct sched *s, struct run *r, struct exec *x);
void exec_wait(struct sched *s, struct run *r, struct exec *x,
    int64_t delay_us);
void exec_final(struct sched *s, struct run *r, struct exec *x,
    enum exec_state state, enum reason cause);
void exec_outcome(struct sched *s, struct run *r, struct exec *x,
    enum outcome outcome);
void exec_revive(struct sched *s, struct run *r, struct exec *x);
void run_halt(struct sched *s, struct run *r, const struct exec *by);

/* needs.c */
void needs_make(struct run *r, const struct sched_run *spec);
void needs_free(struct run *r);
/* An execution ended (badly), or is no longer final. */
void needs_ended(struct run *r, const struct exec *x, bool bad);
void needs_revived(struct run *r, const struct exec *x, bool bad);
/* Lets go or skips those whose needs are decided. */
void needs_look(struct sched *s, struct run *r);
bool exec_bad(const struct exec *x);

/* restore.c */
void restore_run(struct sched *s, struct run *r,
    const struct sched_run *spec);

/* lost.c */
/* Gives it up; gone: it holds nothing any more. */
void parcel_lose(struct sched *s, uint32_t parcel, bool gone);
void lost_agent_down(struct sched *s, uint32_t idx);
void lost_agent_up(struct sched *s, uint32_t idx);
void lost_timer(struct sched *s, uint32_t idx);
/* A lost one is there after all; false when it is superseded. */
bool lost_found(struct sched *s, uint32_t parcel, enum parcel_state state);

/* reserve.c */
/* Whether a class that waits has waited long enough, and what it keeps. */
void reserve_look(struct sched *s, struct class *c);
void reserve_drop(struct sched *s, struct class *c);
void reserve_open(struct sched *s, const struct class *c, bool open);
void reserve_check(struct sched *s);

/* batch.c */
/* The members of a batch led by x, itself first; NULL when it goes alone. */
struct sched_member *batch_gather(struct sched *s, struct run *r,
    struct exec *x, uint32_t agent, uint32_t *ret_n);

#endif
