/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each file of the scheduler does for the others. */
#ifndef SCHED_PARTS_H
#define SCHED_PARTS_H

/* heap.c */
void heap_push(struct heap *h, struct heap_key k);
void heap_pop(struct heap *h);
void heap_done(struct heap *h);
/* a < b */
bool heap_less(const struct heap_key *a, const struct heap_key *b);
void ids_push(struct ids *l, uint32_t id);
void ids_done(struct ids *l);
void timer_add(struct sched *s, int64_t at_us, struct timer_arg arg);

/* agent.c */
void agents_grow(struct sched *s, uint32_t n);
void agent_free(struct agent *a);
/* Works out busy, queued and the bits of it anew; room gained is noted. */
void agent_update(struct sched *s, uint32_t idx);
/* It gained something that no count shows (a target, a step). */
/* Words of gained from and up to, not including, to may be set. */
void gain_widen(struct sched *s, uint32_t from, uint32_t to);
/* Its free workers are to be had, or not. */
void agent_open(struct sched *s, uint32_t idx, bool open);
void agent_gained(struct sched *s, uint32_t idx);
bool agent_usable(const struct agent *a);
/* Benched, and not for a probe. */
bool agent_benched(const struct agent *a);
/* How many of its queue of ours are not yet asked back. */
int64_t agent_spare(const struct agent *a);
/* Workers an attempt of that class may still take: 0 or less, none. */
int64_t agent_room(const struct agent *a, bool pinned);

/* req.c */
uint32_t req_intern(struct sched *s, const struct sched_run *spec,
    const struct sched_terms *t);
uint32_t req_pin(struct sched *s, uint32_t agent, bool secrets);
void req_eval_agent(struct sched *s, uint32_t agent);
/* All of them anew. */
void reqs_eval(struct sched *s);
/* Whether the agent offers the target, and an instance where it needs one. */
bool req_offers(const struct sched *s, uint32_t target, uint32_t agent);
bool req_admits(const struct sched *s, const struct req *r, uint32_t idx);
/* Whether it may go to that agent; where it was moved to, only there. */
bool exec_admits(const struct sched *s, const struct run *r,
    const struct exec *x, uint32_t idx);
void req_free(struct req *r);
void reqs_widen(struct sched *s, uint32_t words);

/* limits.c */
/* The limit of that name, made when new. run: of this run only (its id), or
 * NULL. */
uint32_t limit_intern(struct sched *s, enum limit_kind kind, const char *a,
    const char *b, const char *run);
/* The one of all runs, or NULL. */
struct limit *limit_find(const struct sched *s, enum limit_kind kind,
    const char *a, const char *b);
/* How many units there are, here and by what others declare; 0 any. */
uint32_t limit_capacity(const struct limit *l);
void limit_free(struct limit *l);
/* True when it limits anything now. */
bool limit_live(const struct limit *l);
uint32_t lset_intern(struct sched *s, const struct use *v, uint32_t n);
void lset_free(struct lset *l);
bool lset_has(const struct lset *ls, uint32_t limit);
/* The first limit without room for it, or NONE; class: who asks, its own
 * reservations do not count (NONE: nobody). */
uint32_t lset_blocked(const struct sched *s, uint32_t lset, uint32_t class);
bool limit_room(const struct sched *s, const struct use *u, uint32_t class);
/* Room on that agent for what is counted by agent; what the parcel has (NONE:
 * no parcel) does not count. */
uint32_t lset_blocked_on(const struct sched *s, uint32_t lset,
    uint32_t agent, uint32_t parcel);
/* Takes and gives back all of them for a parcel. instance: this one of the
 * leased ones, or NULL. */
void lset_take(struct sched *s, uint32_t parcel, const char *instance);
void lset_drop(struct sched *s, uint32_t parcel);
/* Lost: the counts of targets are given back, the rest stays. */
void lset_drop_targets(struct sched *s, uint32_t parcel);
/* Those of a set that limit anything now. */
uint32_t lset_live(struct sched *s, uint32_t lset);
/* A target limits now what limited nothing before, or no more: what is out
 * counts from now on. */
void lset_change(struct sched *s, uint32_t parcel);
void lset_retake_targets(struct sched *s, uint32_t parcel);
/* What runs declare, counted anew (the smallest). */
void limits_recount(struct sched *s);
/* Classes that wait for it are looked at again. */
void limit_wake(struct sched *s, uint32_t limit);

/* One use of a lock or pair, more (1) or less (-1). */
void limit_count(struct sched *s, const struct use *u, int by);
/* How many more of a target may run: over the fleet, on an agent. */
uint32_t limit_left(const struct sched *s, uint32_t limit);
uint32_t limit_left_on(const struct sched *s, uint32_t limit, uint32_t agent);
/* How many at most, when none runs. */
uint32_t limit_most_on(const struct sched *s, uint32_t limit, uint32_t agent);

/* elsewhere.c */
/* What others have of that target there; NULL: nothing is known. */
const struct ration *ration_of(const struct limit *l, const struct agent *a);
/* How many may run there (0: any), are taken, by whomever, and are left. */
uint32_t ration_most(const struct limit *l, const struct agent *a);
uint32_t ration_taken(const struct limit *l, const struct agent *a);
uint32_t ration_left(const struct limit *l, const struct agent *a);
/* Takes them over. True when something changed. */
bool rations_set(struct sched *s, struct agent *a,
    const struct sched_agent *f);
void rations_free(struct ration *v, uint32_t n);

/* lease.c */
/* How many of n are free. */
uint32_t lease_count(const uint32_t *holder, size_t n);
/* target NULL: of any. The name leased, borrowed, or NULL. */
const char *lease_find(const struct sched *s, uint32_t parcel,
    const char *target);
bool lease_free(const uint32_t *holder, size_t n, uint32_t parcel);
bool lease_room_on(const struct limit *l, const struct agent *a,
    uint32_t parcel);
/* The instances that the agent has itself, or NULL. */
struct pool *lease_pool(const struct agent *a, const struct limit *l);
bool lease_possible_on(const struct limit *l, const struct agent *a);
/* An instance of each of its targets. want: that one, of the target that has
 * it ("": none at all); NULL: any. */
void lease_take(struct sched *s, uint32_t parcel, const char *want);
void lease_drop(struct sched *s, struct limit *l, uint32_t parcel);
void lease_names(struct strvec *to, uint32_t **holder, struct kept *kept,
    struct strvec *names);
void kept_done(struct kept *k);

/* elsewhere.c */
/* Whether others have to know what is taken of it. */
bool limit_shared(const struct limit *l);

/* beside.c */
bool beside_on(const struct sched *s, const struct run *r,
    const struct exec *x, uint32_t agent);
/* The parcel there that has a step of x, or NONE. */
uint32_t beside_holder(const struct sched *s, const struct run *r,
    const struct exec *x, uint32_t agent);
void beside_change(struct sched *s, const struct run *r,
    const struct exec *x, uint32_t agent, int by);

/* group.c */
/* The group of x, or NULL; part number part of it, from 0. */
struct group *group_of(const struct sched *s, const struct exec *x);
/* It was let past what is reserved, with all its parts. */
bool group_is_over(const struct sched *s, const struct group *g);
struct exec *group_part(const struct sched *s, const struct group *g,
    uint32_t part);
/* All parts are ripe. */
bool group_complete(const struct group *g);
void groups_make(struct sched *s, struct run *r,
    const struct sched_run *spec);
/* Its set of limits, worked out anew. */
void groups_lsets(struct sched *s, struct run *r);
void groups_free(struct sched *s, const struct run *r);
void groups_restore(struct sched *s, struct run *r,
    const struct sched_run *spec);
/* x is ripe; is no longer. */
void group_ready(struct sched *s, struct exec *x);
void group_unready(struct sched *s, struct exec *x);
/* A parcel of it came (1), is over (-1); group may be NONE. */
void group_parcel(struct sched *s, uint32_t group, int by);
void group_take(struct sched *s, struct group *g);
void group_take_more(struct sched *s, struct group *g);
/* Asks for all parts back, unless they were told to start. */
void group_give_back(struct sched *s, struct group *g);
/* What an agent said of a part. */
void group_prepared(struct sched *s, uint32_t parcel);
void group_started(struct sched *s, uint32_t parcel);
/* Some part is out from now on: the others have a while to be prepared. */
void group_out(struct sched *s, struct group *g);
/* A lost part is there after all. */
void group_found(struct sched *s, uint32_t group, bool runs);
void group_timer(struct sched *s, uint32_t group);
/* x has no parcel any more, or became final without one. */
void group_part_over(struct sched *s, struct exec *x);
/* x is no longer final: nor are the others. */
void group_revived(struct sched *s, struct run *r, const struct exec *x);

/* group_place.c */
/* Its place in the order of lanes. */
struct heap_key group_key(const struct sched *s, uint32_t group);
/* Sends all parts, or notes what keeps them. */
void group_try(struct sched *s, uint32_t group);
bool group_gated(const struct sched *s, const struct group *g);
/* The target whose limit over the fleet all parts together exceed, or NONE. */
uint32_t group_target(const struct sched *s, const struct group *g);
void group_unreserve(struct sched *s, struct group *g);
/* It has limits or agents reserved. */
bool group_keeps(const struct group *g);
/* Nobody keeps what he may not use: true when that ended something. */
bool groups_check(struct sched *s);

/* group_queue.c */
/* All its parts are ripe: it waits with those of its kind. */
void group_enqueue(struct sched *s, struct group *g);
/* The best that has not been tried since something changed, or NONE. */
uint32_t group_best(struct sched *s);
/* It was tried in vain; alone: another one of its kind may yet go. */
void group_failed(struct sched *s, const struct group *g, bool alone);
/* Parts that found no worker at the last try of it or of its kind. */
uint32_t group_missing(const struct sched *s, const struct group *g);
/* Kinds of a run that goes. */
void kinds_free(struct sched *s, uint32_t run);

/* run.c */
/* Two uses of one limit become one; how many are left. */
uint32_t uses_merge(const struct sched *s, struct use *v, uint32_t n);
/* Appends the locks and pairs of t to the n in v; how many there are. */
uint32_t uses_shared(const struct sched *s, const struct terms *t,
    struct use *v, uint32_t n);
struct run *run_get(const struct sched *s, uint32_t handle);
void run_free(struct sched *s, struct run *r);
/* Sets of limits of all terms, worked out anew; classes follow. */
void run_terms_lsets(struct sched *s);
/* What a spec says of limits and of terms, for a run that has none yet. */
bool run_spec_ok(const struct sched_run *spec);
void run_caps_make(struct sched *s, struct run *r,
    const struct sched_run *spec);
void run_terms_make(struct sched *s, struct run *r,
    const struct sched_run *spec);
void run_caps_free(struct run *r);
void run_terms_free(struct run *r);
/* Drops what is collected of a run. */
void decisions_forget_run(struct sched *s, uint32_t run);

/* order.c */
void order_ranks(struct run *r, const struct sched_run *spec);

/* queue.c */
/* Puts a ripe waiting one in the queue of its class; takes it out. */
void queue_add(struct sched *s, struct run *r, struct exec *x);
void queue_remove(struct sched *s, struct run *r, struct exec *x);
/* The first of a class, or NULL. */
struct exec *class_head(struct sched *s, struct class *c);
/* Nobody is left: its reservations end (reserve.c). */
void class_emptied(struct sched *s, struct class *c);
void class_aside(struct sched *s, struct class *c, struct exec *x);
/* No agent has room for anything of its lane. */
void class_blocked(struct sched *s, struct class *c);
void class_set(struct sched *s, uint32_t class, enum class_state state,
    uint32_t block);
int64_t clamp_priority(int64_t p);
uint64_t priority_key(int64_t p);
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
/* It is on an agent that it may not be on any more (amend.c). */
bool parcel_is_astray(const struct sched *s, const struct parcel *p);
void parcel_ask_back(struct sched *s, uint32_t parcel, uint32_t to);
void parcel_ask_cancel(struct sched *s, uint32_t parcel);
struct sched_member *parcel_members(struct parcel *p, uint32_t *ret_n);
bool parcel_unknown(const struct sched *s, const struct parcel *p);

/* ahead.c */
/* A limited lane finds no free worker; it finds one, or is no longer asked
 * for; and what was not sent ahead for its sake may be. */
void lane_starve(struct sched *s, struct lane *l);
void lane_unstarve(struct sched *s, struct lane *l);
void lane_fed(struct sched *s, struct lane *l);
/* Nothing may be queued there until something changes: who holds what others
 * wait for is to free its worker. */
bool ahead_withheld(struct sched *s, const struct run *r, uint32_t agent);
/* The agents that may queue one more of that lane; until the next call. */
const uint64_t *ahead_set(struct sched *s, struct lane *l);

/* place.c */
void place_all(struct sched *s);
/* Sends the execution now; it is in no queue. */
void place_send(struct sched *s, struct run *r, struct exec *x,
    struct placement at);
/* Room for what the class of x needs beyond a place in a queue. */
bool agent_fits(const struct sched *s, const struct class *c,
    const struct exec *x, uint32_t agent);
/* The agent of the last failure is avoided only while there is another that
 * could take it when empty. */
bool avoid_holds(const struct sched *s, uint32_t avoid, uint32_t req,
    bool pinned, uint32_t workers);
/* The same of what is in a class. */
bool class_avoids(const struct sched *s, const struct class *c);

/* The same for one part of a group. */
void place_part(struct sched *s, struct run *r, struct exec *x,
    struct placement at);

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
/* Too much has failed, or what must not. */
bool run_should_halt(const struct run *r);
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
/* A revived one waits for what it needs, unless that has ended. */
void needs_again(struct sched *s, struct run *r, struct exec *x);

/* restore.c */
void restore_run(struct sched *s, struct run *r,
    const struct sched_run *spec);

/* events.c */
/* Reports come before an agent counts as up: asks what could not be asked of
 * those heard of since. */
void events_agent_up(struct sched *s, uint32_t idx);

/* late.c */
/* Sees to it that it is looked at when it is late by how things are. */
void late_watch(struct sched *s, uint32_t parcel);
void late_watch_all(struct sched *s, uint32_t agent);
/* The same, counted from now. */
void late_clock(struct sched *s, uint32_t parcel);
/* Takes back what is late there. */
void late_timer(struct sched *s, uint32_t agent);

/* lost.c */
/* Gives it up; gone: it holds nothing any more. */
void parcel_lose(struct sched *s, uint32_t parcel, bool gone);
void lost_agent_down(struct sched *s, uint32_t idx);
void lost_timer(struct sched *s, uint32_t idx);
/* A lost one is there after all; false when it is superseded. */
bool lost_found(struct sched *s, uint32_t parcel, enum parcel_state state);

/* deadline.c */
/* How many workers are enough now, where that is due; after every event. */
void deadline_look(struct sched *s, struct run *r);
void deadline_timer(struct sched *s, uint32_t handle);
/* So much work was predicted, and so much it was. */
void deadline_learn(struct run *r, int64_t foreseen_us, double seen_us);
/* Enough are at work: nothing more starts. */
bool deadline_gates(const struct run *r);

/* reserve.c */
/* Whether a class that waits has waited long enough, and what it keeps. */
void reserve_look(struct sched *s, struct class *c);
/* A wide one is looked at again after so many sends, as an agent whose queue
 * is kept filled never has room for it by itself. */
void reserve_due(struct sched *s, struct class *c);
/* Looks at the one that is due first; true when it keeps something from now
 * on. */
bool reserve_passed(struct sched *s);
void reserve_drop(struct sched *s, struct class *c);
void reserve_open(struct sched *s, const struct class *c, bool open);
/* The same of all that are reserved, for one that is let past all. */
void reserve_open_all(struct sched *s, bool open);
/* What is reserved for one class or group (NONE: for nobody) is open to who
 * (NONE: anybody). */
bool reserve_lets(const struct sched *s, uint32_t reserved, uint32_t who);
/* Nobody keeps what he may not use: true when that ended something. */
bool reserve_check(struct sched *s);

/* copy.c */
/* A new scheduler that knows what s knows, with the same handles. What is
 * lost is not copied. The caller frees. */
struct sched *sched_copy(const struct sched *s, int64_t now_us);

/* left.c */
/* How long an execution takes, where nothing is known as long as others. */
int64_t run_typical_us(const struct sched *s, const struct run *r);
int64_t length_us(const struct sched *s, const struct run *r,
    const struct exec *x);
/* What agents that are usable give to a requirement. */
const struct force *force_of(const struct sched *s, uint32_t req,
    bool pinned);
/* Counts a parcel among what is out of its run, and among what runs. */
void left_out(const struct sched *s, struct parcel *p, bool on);
void left_running(const struct sched *s, struct parcel *p, bool on);
/* Time until the agents of a lane have done all that the run has for them,
 * if they share it evenly. */
double lane_left(const struct sched *s, const struct lane *l);

/* pace.c */
/* How far its speed may be off, in parts of it: 0 to 1. */
double pace_doubt(const struct sched *s, const struct agent *a);
/* Something that was predicted passed there. */
void pace_learn(struct sched *s, uint32_t agent, int64_t estimate_us,
    int64_t elapsed_us);

/* fit.c */
/* The first of a class, at *pos of its base or after, that is no longer than
 * that, or NULL; *pos is where. Order must be longest first. */
struct exec *fit_next(const struct sched *s, const struct class *c,
    size_t *pos, int64_t most_us);
/* The one of a class that an agent with room should take: mostly its head. */
struct exec *fit_pick(const struct sched *s, const struct class *c,
    struct exec *head, uint32_t agent);

/* batch.c */
/* The members of a batch led by x, itself first; NULL when it goes alone. */
struct sched_member *batch_gather(struct sched *s, struct run *r,
    struct exec *x, uint32_t agent, uint32_t *ret_n);

#endif
