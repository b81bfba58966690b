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

#include "sched/sets.h"

#define NONE SCHED_NONE
#define ELSEWHERE (NONE - 1)	/* who holds an instance: not we */
#define START_TIMEOUT_US (60 * US_PER_S)
#define PREPARE_US (10 * US_PER_S)	/* parts not prepared: given back */
#define LOST_AFTER_US (120 * US_PER_S)
#define REFUSED_US US_PER_S		/* before the next try after a refusal */
#define TYPICAL_US (60 * US_PER_S)	/* when nothing is known */
#define MAX_PREFETCH 16
#define RESERVE_PASSES 64	/* sends beside a blocked item before it reserves */

/* ---- requirements (req.c) -------------------------------------------------------- */

/* What agents can do together, as worked out at a time. */
struct force {
	uint64_t gen;		/* of s->fleet_gen */
	uint32_t workers;
	uint32_t fastest;	/* speed; 0: no agent */
	uint32_t slower;	/* the next one below; 0: all are equal */
	double power;		/* workers of speed 1000 that do as much */
};

/* Which agents may take something at all. Shared over runs, never freed. */
struct req {
	char *key;
	struct selector **sel;	/* each must admit; n_sel */
	uint32_t n_sel;
	struct strvec *lists;	/* as they were given; n_lists */
	uint32_t n_lists;
	uint32_t *targets;	/* limits of that kind; n_targets */
	uint32_t n_targets;
	bool broken;		/* a selector is no selector: admits none */
	uint32_t pin;		/* this agent only, or NONE */
	bool secrets;		/* it must take secrets */
	uint32_t index;
	uint64_t *elig;		/* bits over agents */
	uint32_t n_elig;
	struct force force[2];	/* of those; [1] for pinned ones */
	UT_hash_handle hh;
};

/* ---- limits (limits.c) -------------------------------------------------------------- */

/* Instances that nobody names any more, until their holders let go. */
struct kept {
	struct strvec names;
	uint32_t *holder;
};

enum limit_kind { LIMIT_LOCK, LIMIT_PAIR, LIMIT_TARGET };

struct limit {
	enum limit_kind kind;
	uint32_t index;
	char *key;
	char *name, *other;	/* lock, target, or the two sides of a pair */
	bool self;		/* pair of one name with itself */
	bool parallel;		/* lock that is a suite's max_parallel */
	char *run;		/* the only one it counts in, or NULL */
	uint32_t base;		/* target: that of all runs; has the pools */
	uint32_t capacity;	/* lock: units; target: over the fleet, 0 any */
	uint32_t per_agent;	/* target: 0 any */
	uint32_t slot;		/* target: index in counts of agents */
	uint32_t used[2];	/* lock: units and readers; pair: by side;
				 * target: taken in [0] */
	uint32_t ext[2];	/* the same, held by owners elsewhere */
	uint32_t ext_cap;	/* the least they declare; 0 nothing */
	uint32_t n_ext;
	int64_t ext_us;		/* since when there are some */
	char *ext_text;		/* the first of them */
	uint32_t reserved;	/* class that has it reserved, or NONE */
	int64_t since_us;	/* when it was last taken */
	struct strvec names;	/* target: fleet-wide instances */
	uint32_t *holder;	/* of each: parcel or NONE */
	struct kept kept;
	struct ids waiters;	/* classes parked here */
	bool pools;		/* target: some agent has instances of it */
	bool rationed;		/* target: some agent said who has it there */
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
	struct kept kept;
};

/* Logarithms of predicted by actual lengths, weighted. */
struct pace {
	double weight, sum;
};

/* What others have of a target there. */
struct ration {
	char *name, *holder;	/* holder may be NULL */
	uint32_t max, taken;
	int64_t since_us;
};

struct agent {
	bool known;		/* was ever set */
	bool gone;		/* left the fleet */
	char *name;
	struct strvec labels, targets;
	bool up, draining, held, benched, probe, no_secrets;
	char *guard;		/* NULL: none */
	char *offline_text, *draining_text, *held_text, *benched_text;
	int64_t since_us;
	int64_t down_us;	/* since when it is not up */
	uint32_t max, threshold, other_busy, other_queued;
	int64_t rtt_us;
	uint32_t speed;		/* told, else learned */
	bool told;
	struct pace pace;
	struct pool *pools;
	uint32_t n_pools;
	struct ration *rations;	/* n_rations */
	uint32_t n_rations;

	uint32_t auto_load, pin_load;	/* workers of live attempts */
	uint32_t auto_run, pin_run;	/* of those reported running */
	uint32_t n_unstarted;	/* live attempts not reported running */
	int64_t unstarted_us;	/* their predicted lengths */
	uint32_t n_back;	/* of those, asked back */
	uint32_t incoming;	/* workers that moves to it will take */
	uint32_t n_limited;	/* parcels there that hold limits */
	uint32_t busy, queued;	/* predicted; from the above */
	uint32_t depth;		/* prefetch */
	int64_t room_auto, room_max, room_queue;	/* at the last update */
	int64_t typical_us;	/* of what ended here; 0 unknown */
	uint32_t reserved;	/* class that reserves its workers, or NONE */
	uint32_t first, last;	/* parcels, oldest first */
	int64_t late_us;	/* of the next look, or CLOCK_NEVER */
	int64_t open_us;	/* since when it is usable */
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
	X_LOST = 1024,		/* an error was counted for the last attempt,
				 * as it is lost */
	X_READY = 2048,		/* ripe, waits in its group */
	X_OVER = 4096,		/* may use what is reserved for others */
};

struct exec {
	int64_t since_us;
	int64_t estimate_us;	/* -1 unknown */
	int64_t ready_us;
	uint32_t class;
	uint32_t parcel;	/* current one, or NONE */
	uint32_t terms, member;
	uint32_t first_key, n_keys;
	uint32_t attempt, agent;	/* the last one */
	uint32_t avoid;		/* where it failed last, or NONE */
	uint32_t ended;		/* the last one whose end is known */
	uint32_t pin;
	uint32_t size;		/* in the arguments of a batch */
	uint32_t group;		/* it runs together with, or NONE */
	int32_t priority;	/* beyond the run's */
	uint16_t flags, worker;
	uint16_t failures, errors;
	uint8_t state, cause, tier;
	uint8_t last;		/* what the last attempt would have made it */
};

/* The headline that agents give, kept while no agent has changed. */
struct verdict {
	uint64_t gen;		/* of s->gen; 0: none yet */
	enum reason code;	/* NONE: some agent is free */
	int64_t since_us;
};

struct terms {
	struct verdict verdict;	/* of those not in a queue */
	uint32_t req, lset;	/* lset: of those that limit anything, of */
	uint32_t own;		/* what it takes, its group apart */
	uint32_t needset;	/* or NONE */
	bool pinned, repeatable, beside, stop;
	bool together, same_agent;
	uint32_t retries, error_retries, workers, batch, room;
	int32_t priority;
	int64_t retry_delay_us, lost_after_us, start_timeout_us;
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
	int64_t longest_us;	/* predicted, of all */
	uint32_t enough;	/* workers that meet the deadline; 0: any */
	int64_t look_us;	/* when that is worked out anew, or when */
	uint64_t look_gen;	/* fleet_gen is no longer this */
	double foreseen_us, seen_us;	/* work predicted of those that
					 * passed, and done for them */
	double unknown_us;	/* work of those that passed and were not */
	uint32_t n_unknown;	/* predicted, and their number */
	struct counts counts;
	uint32_t inflight;	/* current parcels, */
	uint32_t inflight_workers;	/* and the workers they take */
	uint32_t workers;	/* of its live attempts */
	uint32_t n_bad;		/* final failed, timeout, error */
	bool halted, stopped, cancelled, ended;
	bool private;		/* its limits count in no other run */
	char *held;		/* text, or NULL */
	char *setup;		/* what is made ready for it, or NULL */
	int64_t setup_us;	/* since when */
	int64_t held_us, halted_us, full_us;
	uint32_t halted_by;	/* execution that did it, 0 none */
	struct exec *x;		/* by rank, so that neighbours are used one
				 * after the other */
	uint32_t n;
	uint32_t *no;		/* rank -> number */
	uint32_t *rank;		/* number - 1 -> rank */
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
	int64_t done_us;	/* taken by those that passed, and their */
	uint32_t n_done;	/* number */
	double known_sq;	/* sum of their squares */
	bool by_length;		/* longer ones come before shorter ones */
	int64_t queued_us;	/* predicted, of all queues */
	uint32_t queued_unknown;
	double out_us;		/* work predicted of what is out, and */
	double out_speed, out_from;	/* of what runs: sums of speeds, and
				 * of speeds times the instant of the start */
	struct force force;	/* of the agents of its lanes, */
	size_t force_lanes;	/* which were so many */
	size_t n_keys;
};

/* By its number; NULL when there is none of that. */
static inline struct exec *
exec_get(const struct run *r, uint32_t no)
{
	return no >= 1 && no <= r->n ? &r->x[r->rank[no - 1]] : NULL;
}

static inline uint32_t
exec_no(const struct run *r, const struct exec *x)
{
	return r->no[x - r->x];
}

/* In the order of its run, from 0. */
static inline uint32_t
exec_rank(const struct run *r, const struct exec *x)
{
	return (uint32_t)(x - r->x);
}

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
	uint32_t n_unknown;	/* of them, not predicted */
	uint32_t block;		/* limit it waits for, or NONE */
	int64_t block_us;	/* since when it is parked */
	bool waits;		/* was parked since it last sent, or wide and
				 * its lane blocked */
	uint64_t block_sent;	/* sends decided when that began */
	uint64_t due_sent;	/* and when passed says to look again */
	uint32_t agent;		/* it has reserved, or NONE */
	bool reserves;		/* its limits */
	struct verdict verdict;
	struct heap_key top;	/* as last pushed on ready of its lane */
	bool listed;		/* top is in that heap */
	UT_hash_handle hh;
};

struct lane_key {
	uint32_t run, req;
	uint8_t pinned;
	uint8_t free_only;	/* goes to free workers only: limited, wide,
				 * let past what is reserved, or a batch,
				 * which hides no round trip */
	uint8_t over;		/* X_OVER: one of its own */
	uint8_t pad;
};

/* Classes of one run that the same agents may take in the same tiers. */
struct lane {
	struct lane_key key;
	uint32_t index;
	bool touching;		/* guards against itself */
	struct heap ready;	/* classes, lazily */
	int64_t work_us;	/* of its classes */
	uint32_t n_unknown;
	struct ids parked;	/* classes in CLASS_AGENT or with aside ones */
	bool blocked;		/* no agent has room; until one gains */
	bool starves;		/* free_only and blocked: listed as such */
	bool shunned;		/* blocked for the sake of one that starves */
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
	bool late;		/* as it did not start in time */
	bool to_free;		/* sent to free workers */
	bool preparing;		/* what it needs is made ready there */
	bool cancel;		/* asked to be ended */
	bool loaded;		/* counted in the load of its agent */
	bool counted;		/* in the inflight of its run */
	bool holds;		/* has limits taken */
	bool limited;		/* and they were some */
	bool holds_targets;	/* counts of targets among them */
	bool prepared;		/* of a group: waits for the go */
	uint16_t worker;
	uint32_t run, exec, attempt, agent;
	uint32_t group;		/* or NONE */
	uint32_t workers, lset;
	uint32_t own;		/* of its terms when it was sent */
	uint32_t to;		/* agent it is moved to, or NONE */
	uint32_t prev, next;	/* on its agent */
	int64_t sent_us, started_us, estimate_us;
	int64_t clock_us;	/* from when it may be late */
	double out_us, out_speed, out_from;	/* as counted in its run */
	struct sched_member one;	/* itself; attempt 0 in either: ended */
	struct sched_member *members;	/* of a batch, else NULL */
	uint32_t n_members, n_open;
};

/* ---- groups (group.c, group_place.c) --------------------------------------------- */

struct group {
	uint32_t run, index;
	uint32_t kind;		/* of those that wait, or NONE */
	uint32_t first, n;	/* its executions, by number */
	uint32_t lset;		/* locks and exclusions of all parts */
	uint32_t held;		/* as taken, or NONE */
	uint32_t n_parcels;	/* of it, lost ones too */
	uint32_t n_ready;	/* parts that are ripe */
	bool same_agent;	/* parts may share an agent */
	bool out;		/* parts were sent and not all are over */
	bool gone;		/* and told to start */
	bool back;		/* or are being given back */
	bool settling;		/* its parts are being settled as one */
	bool keeps;		/* limits of the set kept are reserved */
	uint32_t kept;
	uint32_t *reserved;	/* agents, n_reserved (all or none) */
	uint32_t n_reserved;
	uint32_t missing;	/* parts without a worker at the last try */
	uint32_t block;		/* limit it waits for, or NONE */
	uint64_t tried;		/* group_gen of the last try */
	uint64_t block_sent;	/* sends decided at its first try */
	int64_t block_us, sent_us;
};

/* Groups that ask for the same (group_queue.c). */
struct group_kind {
	uint32_t *key;		/* run, limits, whose own, terms of parts */
	uint32_t index;
	struct heap waiting;	/* groups, lazily */
	struct ids aside;	/* whose steps run, as of aside_gen */
	uint64_t aside_gen, tried;	/* group_gen when the best had no room */
	uint32_t missing;	/* then: parts without a worker */
	UT_hash_handle hh;
};

#define GROUP_TAG UINT32_C(0x80000000)

/* As it stands where classes reserve. */
static inline uint32_t
group_tag(const struct group *g)
{
	return GROUP_TAG | g->index;
}

struct beside {		/* a step on an agent; open addressing */
	uint64_t key;
	uint32_t agent, n;	/* n 0: free */
};

struct placement {
	uint32_t agent;
	enum tier tier;
};

enum timer_kind { TIMER_READY, TIMER_LATE, TIMER_LOST, TIMER_DEADLINE,
	TIMER_GROUP };

struct move {
	uint32_t run, exec, agent;
};

struct sched {
	struct agent *agents;
	uint32_t n_agents;
	size_t cap_agents;
	uint32_t n_words;	/* of bits over agents */
	uint64_t *usable, *idle, *below, *free_max, *room, *gained, *cand, *ahead;
	uint64_t *hungry;	/* free workers and nothing queued */
	uint64_t *donors;	/* something queued that may be taken */
	uint64_t *kept;		/* reserved: open to one only */
	uint32_t n_idle, n_below, n_free_max, n_room;	/* bits that are set */
	bool any_gain;
	uint32_t gain_from, gain_to;	/* words of gained that may be set */
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
	struct heap passed;	/* wide classes that wait; a: their due_sent */
	struct ids starving;	/* lanes */
	struct group **groups;	/* freed ones are NULL */
	size_t n_groups, cap_groups;
	struct group_kind **kinds;
	size_t n_kinds, cap_kinds;
	struct group_kind *kind_hash;
	struct ids keepers;	/* groups with something reserved, lazily */
	uint64_t group_gen;	/* changes when a group may find room */
	uint32_t n_ahead;	/* runs that say how much ahead */
	struct beside *beside;
	size_t n_beside, cap_beside;
	struct move *moves;
	size_t n_moves, cap_moves;
	struct sched_decisions out;	/* collected since the last decide */
	bool awaits;		/* what is held elsewhere is not known yet */
	char *paused;
	int64_t paused_us;
	uint64_t n_sent;
	int64_t typical_us;	/* of what ended anywhere; 0 unknown */
	uint64_t gen;		/* changes with every agent, never 0 */
	struct pace pace;	/* of all agents */
	uint64_t fleet_gen;	/* changes with what agents can do, never 0 */
	bool reassign;		/* something changed that may allow one */
	int64_t now_us;
};

struct timer_arg {
	enum timer_kind kind;
	uint32_t a, b;		/* run and execution, or agent */
};

#include "sched/sched_parts.h"

#endif
