/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of the engine. One turn: what agents said and operators did is
 * told to the scheduler (at once, by callbacks); at the end of the turn the
 * scheduler decides, the run files commit, and only then agents are told.
 */
#ifndef YARDMASTER_ENGINE_PRIVATE_H
#define YARDMASTER_ENGINE_PRIVATE_H

#include <sys/queue.h>

#include "yardmaster/engine/engine.h"
#include "yardmaster/fleet/fleet.h"
#include "yardmaster/model/work.h"
#include "yardmaster/sched/bench.h"
#include "yardmaster/sched/sched.h"
#include "yardmaster/store/registry.h"
#include "yardmaster/store/run_file.h"

#include "engine/feed.h"

#define EVENTS_KEPT 2000
#define VIEW_EVERY_US (200 * US_PER_MS)
#define FOREIGN_EVERY_US (2 * US_PER_S)

struct owner;
struct packing;
struct schedules;
struct share;

/* Texts of one execution that its view borrows. */
struct exec_texts {
	char *row, *why, *reason;
	char *setup;		/* what its agent prepares for it, or NULL */
	int64_t setup_us;	/* since when */
	uint32_t lost;		/* the attempt its agent called lost, or 0 */
};

/* What its tries came to, as last recorded. */
struct tries {
	uint32_t failures, errors;
	uint32_t avoid;		/* 1 + agent, 0: none */
	int64_t due_wall_us;	/* 0: it does not wait for a time */
};

/* What somebody changed of a run. */
struct amendment {
	uint64_t number;	/* from 1 */
	int64_t wall_us;
	enum op_kind kind;
	struct ident id;	/* run or execution; a requeue that ends one
				 * that is out: its attempt */
	char *who;
	char *key;		/* OP_AMEND, else NULL */
	char *now, *was;	/* values; NULL where there are none */
	int64_t expires_wall_us;	/* of a hold; 0 never */
	uint64_t undoes;	/* which one it takes back, or 0 */
	bool undone;		/* one took it back */
};

/* A run that this process drives (or drove: file is NULL then). */
struct erun {
	TAILQ_ENTRY(erun) entry;
	struct run live;	/* what views see */
	struct plan *plan;
	struct run_file *file;
	struct owner *owner;
	struct packing *packing;	/* its workspaces; NULL: they are */
	uint32_t epoch;
	uint32_t handle;	/* of the scheduler */
	uint8_t *passed;	/* by step of the plan: it passed */
	struct exec_texts *texts;	/* by number - 1 */
	struct tries *tries;	/* by number - 1 */
	struct share *shares;	/* what its groups share (share.c) */
	uint32_t *asked_back;	/* by number - 1: attempt asked to be returned */
	int32_t *fails;		/* by number - 1: likelihood in thousandths */
	int64_t *held_until;	/* by number, 0: the run; wall time, 0 none;
				 * NULL: no hold ends by itself (holds.c) */
	struct batch *batches;	/* hash by the one that leads (batch.h) */
	struct batch_start *starts;	/* by suite; NULL: none measured */
	bool *awaits;		/* by agent: its sync holds dispatch there */
	bool *repeats;		/* by agent: asked again after a failed commit */
	struct amendment *amendments;	/* number N is [N - 1] */
	size_t n_amendments, cap_amendments;
	bool failed;		/* its file could not be written */
	bool ended;		/* the scheduler said so; not finished yet */
	bool recorded;		/* that it ended was put */
	int64_t moved_us;	/* when it ended, or an artifact last moved */
};
TAILQ_HEAD(eruns, erun);

/* What an agent shall be told once the turn is committed. */
enum out_kind { OUT_START, OUT_TAKE_BACK, OUT_CANCEL, OUT_ACK, OUT_ACK_FILES,
	OUT_GO, OUT_TOLD };

struct out {
	enum out_kind kind;
	size_t agent;
	struct ident id;
	uint32_t epoch;
	enum attempt_class class;	/* OUT_START */
	char *instance;		/* OUT_START; owned */
	bool leased;		/* OUT_START: it has leases */
	char *told;		/* OUT_TOLD: the answer, as JSON; owned */
};

struct bringing;
TAILQ_HEAD(bringings, bringing);

struct engine {
	struct loop *loop;
	struct fleet *fleet;
	struct fleet_spec *spec;
	char *fleet_option;	/* " --fleet FILE" for commands; "" where they
				 * find the fleet without */
	struct filewatch *edits;	/* the folder of the fleet file */
	int64_t edits_ns;	/* of the edits in force: when written; 0 none */
	uint64_t edits_ino;	/* which file it was */
	size_t n_edits;		/* of which the events were told */
	struct sched *sched;
	struct bench *bench;
	struct sched_decisions decisions;
	struct registry *registry;
	struct leases *leases;
	struct lates *lates;
	struct schedules *schedules;	/* NULL: nothing is launched by itself */
	int64_t *facts_us;	/* by agent: when the facts looked at came */
	char *state_dir, *who, *owner_text;
	struct secrets known;	/* that were in the environment */
	struct plan_ask ask;
	bool read_only;

	struct eruns runs;	/* newest first */
	struct run *foreign;	/* others of the state folder */
	size_t n_foreign;
	int64_t foreign_us;	/* when they were read */
	TAILQ_HEAD(, recorded) recorded;	/* oldest first (recorded.c) */

	size_t *syncing;	/* by agent: runs not synced since it came up */
	struct out *out;
	size_t n_out, cap_out;
	bool unleased;		/* leases of this turn could not be kept */
	char *paused;		/* what cannot be written, or NULL */
	char *stopped;		/* who paused dispatch and why, or NULL */
	struct stop_note stop;	/* the same, in parts */

	struct event *events;	/* ring of EVENTS_KEPT */
	uint64_t n_events;	/* ever */

	struct timer *turn;	/* when the next turn may decide */
	int64_t turned_us;	/* when the last one did */
	struct timer *wake;	/* when the scheduler wants to be asked */
	struct timer *view;	/* when reasons are looked at again */
	struct timer *probe;	/* when a benched agent is probed by itself */
	struct bringings artifacts;	/* on their way here */
	struct timer *artifacts_timer;
	void (*on_artifact)(void *arg, const char *run, const char *file);
	void *on_artifact_arg;
	struct timer *recover;	/* when a failed file is tried again */
	int64_t wall_ahead_us;	/* the wall clock, as runs that wait know it */
	uint64_t generation;
	uint64_t notified;	/* generation of the last on_change */
	bool changed;		/* the scheduler has something to decide */
	void (*on_change)(void *arg);
	void *on_change_arg;
};

/* ---- engine.c */
/* Something that views show changed. */
void engine_touch(struct engine *e);
/* The scheduler has news: decide at the end of this turn. */
void engine_wake(struct engine *e);
/* The same at once: what somebody asked for is committed in this turn, before
 * the answer leaves. */
void engine_hurry(struct engine *e);

/* ---- events.c */
/* Records what happened; who and object may be NULL (scheduler, none). What
 * concerns a run that is driven here is committed with it. */
void engine_say(struct engine *e, enum event_kind kind, const char *who,
    const char *object, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void engine_events_done(struct engine *e);
/* A run was taken over: what happened in it is known again. 0 or a code. */
int events_restore(struct engine *e, struct erun *r);

/* ---- feed_agent.c */
/* When it is to have ended, on our clock. */
int64_t feed_deadline_us(const struct erun *r);
/* Tells the scheduler of a run. Fills handle. 0 or a code. */
int feed_run(struct engine *e, struct erun *r, const struct feed_state *st);
/* Tells the scheduler all facts of an agent. */
void feed_agent(struct engine *e, size_t agent);
/* The same to another scheduler, as they would be after op (may be NULL). */
void feed_agent_into(struct engine *e, size_t agent, struct sched *to,
    const struct op *op);

/* ---- fleet_live.c: the fleet file and its edits, while it is used */
/* Looks from now on whether somebody edits the fleet. */
void fleet_live_open(struct engine *e);
/* Ends the links of removed agents that have nothing of ours. */
void fleet_live_retire(struct engine *e);
/* OP_SET with a key ("labels+=gpu", several with blanks): edits the fleet file's
 * overlay. 0 or a code; *ret_text (heap, perhaps NULL) says more. */
int fleet_live_set(struct engine *e, const struct op *op, const char *who,
    char **ret_text);

/* ---- reports.c: what agents said */
extern const struct fleet_ops engine_fleet_ops;

/* ---- bench.c */
/* What was benched before this process began is. 0 or a code of the store. */
int engine_bench_open(struct engine *e);
/* The name by which an attempt's test is blamed: of its first step that ended
 * as the whole did. To be asked before the steps are taken as passed; the
 * caller frees. */
char *engine_bench_test(const struct erun *r, const struct report *rep);
/* An attempt ended and counts; its text is in its execution. */
void engine_bench_ended(struct engine *e, size_t agent, struct erun *r,
    const struct report *rep, const char *test);
/* Takes what the bench says: after every call of it. */
void engine_bench_look(struct engine *e);

/* ---- pace.c */
/* Works out the speed factors of all agents. */
void engine_learn_speeds(struct engine *e);
/* What takes usual_us by history, on an agent of speed 1, takes there. */
int64_t engine_usual_on(const struct engine *e, size_t agent,
    int64_t usual_us);

/* ---- turn.c: decisions, commit, and what agents are told */
void engine_turn(void *arg);
void engine_out(struct engine *e, enum out_kind kind, size_t agent,
    const struct ident *id, uint32_t epoch);

/* told is owned from then on. */
void engine_out_told(struct engine *e, size_t agent, const struct ident *id,
    uint32_t epoch, char *told);

/* ---- runs.c */
struct erun *erun_find(const struct engine *e, const char *id);
struct erun *erun_by_handle(const struct engine *e, uint32_t handle);
/* Takes the code of a put: a fault of the disk or store fails the run's file;
 * what the store would not have (a stranger's number) harms nothing. */
void erun_put(struct erun *r, int code);
/* Says why execution no is as it is; text (owned; NULL: it is well) is shown
 * and recorded with its state. */
void erun_why(struct erun *r, uint32_t no, char *text);
/* Which steps of execution no the next attempt runs: indices within it, in
 * *ret (heap; NULL when it is all of them). Returns how many. */
uint32_t erun_steps_left(const struct erun *r, uint32_t no, uint32_t **ret);
/* Makes what views see of a run; the plan is its own. */
struct erun *erun_new(struct engine *e, struct plan *plan, const char *id);
/* Predicted lengths of its executions, -1 unknown; the caller frees. How
 * likely they fail is left in the run. */
int64_t *erun_estimates(struct engine *e, struct erun *r);
/* Feeds it to the scheduler, opens its socket, syncs agents, lists it. */
int erun_start(struct engine *e, struct erun *r, const struct feed_state *st);
/* Records that it ended. */
void erun_put_ended(struct erun *r);
/* The run ended and that was committed: history, close. */
void erun_finish(struct engine *e, struct erun *r);
void erun_free(struct engine *e, struct erun *r);
void foreign_refresh(struct engine *e);
void foreign_done(struct engine *e);
void recorded_done(struct engine *e);

/* Records state, last attempt and tries of an execution as the scheduler has
 * them. */
void erun_put_exec(struct engine *e, struct erun *r, uint32_t no);

/* ---- engine.c */
/* Tells the scheduler whether dispatch is paused. */
void engine_gate(struct engine *e);

/* ---- leases.c: limits over processes */
struct leases *leases_new(struct engine *e);
void leases_free(struct leases *l);	/* NULL is fine */
/* The fleet has n agents now, n_old of them as before. */
void leases_grow(struct leases *l, size_t n_old, size_t n);
/*
 * Before decisions: learns what others hold, and keeps them from taking more
 * until leases_end(). 0, at once where no run here shares a limit; ERR_TIMEOUT
 * when another process has them just now, or a code of the store: nothing may
 * be decided then.
 */
int leases_begin(struct engine *e);
/* An attempt was decided to be sent: takes its leases. True when it has some. */
bool leases_take(struct engine *e, struct erun *r, struct sched_id id);
/* What an attempt held is free. */
void leases_drop(struct engine *e, struct erun *r, struct sched_id id);
/* Keeps what was taken and dropped. 0, or a code: what was taken now is not
 * to be sent. */
int leases_end(struct engine *e);
/* After a failure: whether they can be written again. */
int leases_recover(struct engine *e);
/* What is held elsewhere, or who holds it, may be other than it was. */
void leases_look_again(struct engine *e);
/* Facts of an agent came. */
void leases_facts(struct engine *e, size_t agent);
/* Its leases are no longer those of a live scheduler. */
void leases_orphan(struct engine *e, const struct erun *r);
/* Nothing is left on an agent: what attempts without owner held there is
 * free. */
void leases_agent_dead(struct engine *e, size_t agent);

/* ---- late.c: what agents still have of runs that have ended */
struct lates *lates_new(void);
void lates_free(struct lates *l);	/* NULL is fine */
/* As leases_grow(). */
void lates_grow(struct lates *l, size_t n_old, size_t n);
/* Facts of an agent came; its link is gone; it reported of a run that is not
 * driven here. */
void late_facts(struct engine *e, size_t agent);
void late_down(struct engine *e, size_t agent);
void late_report(struct engine *e, size_t agent, const struct report *rep);
/* It gave an attempt of such a run back. */
void late_returned(struct engine *e, size_t agent, const struct ident *id,
    const char *why);
/* The file of such a run that is open here, or NULL; and its attempt may be
 * acknowledged once that is committed. */
struct run_file *late_file(struct engine *e, const char *run);
void late_ack(struct engine *e, size_t agent, const struct ident *id);
/* The end of a turn: commits what came, then acknowledges it. */
void late_turn(struct engine *e);

/* ---- elsewhere.c: who holds what outside of this process */
/* Tells the scheduler anew. 0 or a code of the store. */
int elsewhere_look(struct engine *e);
void elsewhere_done(struct leases *l);

/* ---- launch.c */
/* The plan of a run file, expanded as it was. 0 or a code. */
int run_plan_load(struct run_file *f, struct plan **ret);

/* ---- due.c: executions that wait for their schedule */
/* Again and again: moves what waits when the wall clock was set. */
void due_look(struct engine *e);
/* The wall time that an execution waits for; 0: none, or no longer. */
int64_t due_at(const struct engine *e, const struct execution *x);
/* Puts it before what the scheduler says of that. */
void due_why(const struct erun *r, uint32_t no, struct why *why);
/* ", 3 of them wait for their schedule, ..."; "" when none does. The caller
 * frees. */
char *due_text(const struct plan *p, int64_t now_us);

/* ---- holds.c: holds that end by themselves */
/* The hold of an execution (0: of the run) ends then; 0: it is none, or does
 * not end by itself. */
void holds_set(struct erun *r, uint32_t no, int64_t until_wall_us);
/* When the hold was to end that a release took back; 0: not by itself, or that
 * is over. */
int64_t holds_before(const struct erun *r, const struct amendment *am);
/* Again and again: ends those whose time has come. */
void holds_look(struct engine *e);
/* Puts until when behind what the scheduler says of holds. */
void holds_why(const struct erun *r, uint32_t no, struct why *why);

/* ---- schedule.c */
void schedules_free(struct schedules *s);	/* NULL is fine */

/* ---- ops.c */
/* Carries out what concerns a run, without recording it. 0 or a code; *ret_text
 * (heap, may stay NULL) says more. */
int op_run(struct engine *e, struct erun *r, const struct op *op,
    char **ret_text);
/* True when it is recorded as an amendment. */
bool op_amends(enum op_kind kind);

/* ---- amend.c */
/* Records that op was done; was (owned) is the value before it. Returns the
 * amendment, borrowed. */
const struct amendment *amend_record(struct erun *r, const struct op *op,
    const char *who, char *was);
/* The value that op will replace, for people and for taking it back; NULL
 * where there is none. The caller frees. */
char *amend_value(struct engine *e, const struct erun *r,
    const struct op *op);
/* Records with every run driven here (but that one; NULL: with each) that its
 * console was paused, or goes on: whoever takes it over is to know it. */
void amend_console(struct engine *e, const struct op *op,
    const struct erun *but);
/* Records with every run that has something on an agent that it was declared
 * dead. */
void amend_dead(struct engine *e, size_t agent, const char *who);
/* A run that begins while it is paused, as amend_console(). */
void amend_begun_paused(struct engine *e, struct erun *r);
/* OP_AMEND: plan and scheduler. */
int amend_plan(struct engine *e, struct erun *r, const struct op *op,
    char **ret_text);
/* True for what amend_targets() does. */
bool amend_is_wide(const struct op *op);
/* OP_AMEND of "target:SUITE,OLD" or "target:SUITE/TEST,OLD": what has not been
 * sent of it is for another target; recorded. 0 or a code, with a text. */
int amend_targets(struct engine *e, struct erun *r, const struct op *op,
    const char *who, char **ret_text);
/* The amendments among n ops in another scheduler only; plans stay. */
void amend_try(struct engine *e, const struct op *ops, size_t n,
    struct sched *to);
/* Fills op (strings borrowed from the amendment) with what takes number back.
 * 0, or a code with a text when it cannot be or no longer has our value. */
int amend_undo(struct engine *e, const struct erun *r, uint64_t number,
    struct op *ret, char **ret_text);
/* A run that is taken over: reads what was amended and puts its plan as it
 * was, before it is started; then makes the rest hold again. 0 or a code. */
int amend_restore_plan(struct erun *r);
/* The op that an amendment was, with that value; texts are borrowed. */
void amend_op(const struct amendment *am, const char *value, struct op *ret);

/* ---- replay.c */
void amend_replay(struct engine *e, struct erun *r);
/* True when the agent of an attempt was declared dead after that was sent. */
bool amend_gave_up(const struct erun *r, const struct run_attempt *a);
void amendments_free(struct erun *r);

/* ---- artifacts.c */
/* Records the files that an attempt left and brings those that are not here,
 * then acknowledges it; false when there are none, and the caller does. file:
 * of a live run, or of one that has ended. */
bool artifacts_take(struct engine *e, struct run_file *file,
    const struct report *rep);
/* A run was taken over: goes on with what it awaits. 0 or a code. */
int artifacts_restore(struct engine *e, struct run_file *file);
/* Goes on with them; of the timer. */
void artifacts_turn(void *arg);
void artifacts_free(struct engine *e);

/* ---- workspace.c */
/* What an earlier launch packed is used again where it is still there; the
 * other workspaces of the plan get no hash. */
void workspaces_look(struct engine *e, struct plan *plan);
/* Has the agent get what execution no needs. */
void workspace_offer(struct engine *e, struct erun *r, size_t agent,
    uint32_t no);
/* The agent says what it prepares for it (NULL: nothing). */
void workspace_waits(struct erun *r, uint32_t no, const char *text);
/* True when execution no waits for that: the reason is setup. */
bool workspace_is_awaited(const struct erun *r, uint32_t no);
/* Puts that reason before what the scheduler knows. */
void workspace_why(const struct erun *r, uint32_t no, struct why *why);
/* The run is over: what was prepared for it may go. */
void workspaces_over(struct engine *e, const struct erun *r);

/* ---- packing.c */
/* A run was started: packs its workspaces that have no hash; nothing of it is
 * sent before that. It ends with errors when that cannot be. */
void packing_begin(struct engine *e, struct erun *r);
void packing_free(struct packing *p);	/* NULL is fine; it is stopped */

/* ---- view.c */
/* Every blocker of an execution of a live run; who shares its process stands
 * behind the headline. The caller frees with why_done(). */
void view_why(const struct engine *e, const struct erun *r, uint32_t no,
    int64_t now_us, struct why *ret);
/* Adds to the blockers that name full agents what keeps their workers busy. */
void view_holders(const struct engine *e, int64_t now_us, struct why *why);
/* Copies what the scheduler says of one execution. */
void view_execution(struct engine *e, struct erun *r, uint32_t no);
/* Counts, reasons and predictions of all live runs. */
void view_refresh(struct engine *e);

#endif
