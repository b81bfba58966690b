/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The engine of one console process: it owns the fleet's links, the runs it
 * drives, their scheduler and store, and the owner sockets. Views (panes,
 * lists) read the live model through it; everything an operator does is one
 * struct op. One per process. Nothing here blocks but engine_new().
 */
#ifndef YARDMASTER_ENGINE_ENGINE_H
#define YARDMASTER_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/model/live.h"
#include "yardmaster/plan/fleet_file.h"
#include "yardmaster/plan/plan.h"
#include "yardmaster/sys/loop.h"

struct engine;

struct engine_opts {
	const char *state_dir;	/* NULL: paths_state() */
	/* Borrowed for the engine's life. When its file is edited meanwhile,
	 * its agents are renewed: indices stay, new ones come last. */
	struct fleet_spec *fleet;
	const char *who;	/* login@host, copied */
	bool read_only;
};

/* 0, or a negative code with a diagnostic. Links start with the loop. */
int engine_new(struct loop *loop, const struct engine_opts *opts,
    struct diags *ds, struct engine **ret);
/* Leaves: links end, run files close, what was sent goes on on the agents. */
void engine_free(struct engine *e);

/* Called at most once per loop turn in which something changed. */
void engine_on_change(struct engine *e, void (*fn)(void *arg), void *arg);
/* Increases whenever anything that views show may have changed. */
uint64_t engine_generation(const struct engine *e);

/* ---- what views read; pointers live until the next turn -------------------- */
bool engine_read_only(const struct engine *e);
const char *engine_fleet_name(const struct engine *e);
size_t engine_agent_count(const struct engine *e);
const struct agent *engine_agent(const struct engine *e, size_t i);
/* Index of the agent of that name, or -1. */
int engine_agent_find(const struct engine *e, const char *name);
/* Runs driven by this process, then others of the state folder, newest first. */
size_t engine_run_count(const struct engine *e);
const struct run *engine_run(const struct engine *e, size_t i);
const struct run *engine_run_find(const struct engine *e, const char *id);
/* The same with its executions, of one that this process does not drive as its
 * run file has them: states, agents and results, no reasons. They are read
 * again when that was a while ago, and stay where they are. executions is
 * still NULL where they cannot be read, or are more than 100,000. */
const struct run *engine_run_recorded(struct engine *e, const char *id);
const struct execution *engine_execution_find(const struct engine *e,
    const struct ident *id);
/* Every blocker of an execution; why_done() is the caller's. */
void engine_why(const struct engine *e, const struct ident *id,
    struct why *ret);
/* The newest EVENTS_KEPT events; i = 0 is the oldest kept. */
size_t engine_event_count(const struct engine *e);
const struct event *engine_event(const struct engine *e, size_t i);

/* ---- launching --------------------------------------------------------------- */
struct launch {
	struct plan *plan;	/* expanded; owned by the engine on success */
	const char *name;	/* NULL: the plan's */
	bool now;		/* nothing waits for its schedule */
	/* Of a launch by a schedule; 0 and NULL: by a person, now. */
	const char *id;		/* the run's, from ident_new_run() */
	int64_t at_wall_us;	/* the instant that it was due: counts as that
				 * of the launch */
	const char *when;	/* as the schedule is written */
	const char *schedule;	/* its name */
};
/* Creates the run, commits it and starts scheduling. 0 or a code with text in
 * ds. ret_id has RUN_ID_SIZE bytes. */
int engine_launch(struct engine *e, struct launch *l, struct diags *ds,
    char *ret_id);
/* How far the packing of its workspaces is, for people ("packing the
 * workspace: 120 of 900 MB"), while nothing of the run can start; else NULL.
 * Borrowed. */
const char *engine_packing(const struct engine *e, const char *run);
/* Calls fn for each artifact that came to RUN.artifacts: file is its path
 * there. NULL: nobody. */
void engine_on_artifact(struct engine *e,
    void (*fn)(void *arg, const char *run, const char *file), void *arg);
/* True while some of the run are on their way here. */
bool engine_artifacts_pending(const struct engine *e, const char *run);
/* Takes over a run whose owner is dead. 0; ERR_LOCKED when it lives;
 * ERR_NOT_FOUND; ERR_STATE when it has ended (report it instead). */
int engine_adopt(struct engine *e, const char *run_id, struct diags *ds);

/* ---- scheduled launches ---------------------------------------------------- */
/*
 * From now on, until it is freed, the engine launches what is scheduled for
 * its fleet (schedules.h), beside other processes that do; adopts: and takes
 * over runs of such launches whose owner died. A read-only one only shows what
 * there is. 0, or a code when it cannot be said that it is there: then it
 * launches nothing.
 */
int engine_serve(struct engine *e, bool adopts);
/* All schedules, of other fleets, too; none before engine_serve(). */
size_t engine_schedule_count(const struct engine *e);
const struct scheduled *engine_schedule(const struct engine *e, size_t i);
/* How schedules name a fleet: the path of its file, "" the embedded one. The
 * caller frees. */
char *engine_fleet_path(const struct fleet_spec *f);

/* Who is asked for a secret that is not in the environment when a run is
 * taken over; at first nobody, and the adoption is refused. ask blocks. */
void engine_ask_secrets(struct engine *e, const struct plan_ask *ask);
/* Puts what launches took out of the environment back there, for the process
 * that the runs are handed to. Due right before that. */
void engine_export_secrets(struct engine *e);

/* ---- what an operator does ----------------------------------------------------- */
enum op_kind {
	OP_SET,			/* agents: max_workers, threshold, guards */
	OP_ADD,			/* an agent that the fleet has not */
	OP_DRAIN, OP_UNDRAIN,	/* agents */
	OP_HOLD, OP_RELEASE,	/* agents, runs, executions */
	OP_CANCEL,		/* runs, executions */
	OP_REQUEUE,		/* executions: end the attempt, try elsewhere */
	OP_MOVE,		/* one execution to one agent (pinned) */
	OP_PRIORITY,		/* a run */
	OP_RECONNECT,		/* agents: try now */
	OP_GIVE_UP,		/* a run: end as error what cannot start */
	OP_SKIP, OP_UNSKIP,	/* an execution that waits; was skipped so */
	OP_RUN_ANYWAY,		/* an execution: without what it needs */
	OP_START_NOW,		/* an execution: its delay is over */
	OP_OVERRIDE,		/* an execution: past what others reserved */
	OP_PAUSE, OP_GO_ON,	/* dispatch of the whole process */
	OP_AMEND,		/* a run: one value of its plan */
	OP_UNDO,		/* a run: one amendment */
	OP_CLEAR,		/* agents: no longer benched */
	OP_PROBE,		/* agents: a benched one gets one execution */
	OP_DECLARE_DEAD,	/* agents: gone for good, with all it holds */
	OP_TAKE, OP_GIVE_BACK,	/* agents: workers for a person; a taken one */
	OP_DECLARE_LOST,	/* executions: its unknown attempt is lost now */
	OP_KINDS
};
const char *op_name(enum op_kind k);
int op_parse(const char *name);

struct op {
	enum op_kind kind;
	struct ident id;	/* run or execution, when it concerns one */
	char agent[AGENT_NAME_SIZE];	/* "" when it concerns none */
	const char *who;	/* NULL: the engine's own */
	const char *note;	/* of a drain or hold; may be NULL */
	int64_t expires_wall_us;	/* of a drain, hold or taking; 0 never */
	int64_t since_wall_us;	/* of a hold of a run that was taken over; else
				 * 0: now */
	enum worker_kind taking;	/* OP_TAKE: what for */
	uint16_t worker;	/* OP_TAKE: how many; OP_GIVE_BACK: which */
	bool set_max, set_threshold;	/* which values OP_SET changes */
	uint32_t max_workers, expect_max;
	struct threshold threshold, expect_threshold;
	unsigned set_guards;	/* bits; what is not given in guards: default */
	struct guards guards, expect_guards;
	int32_t priority;
	const char *key, *value;	/* OP_AMEND, as plan_amend() has them;
				 * OP_ADD, OP_SET: key has values of the fleet
				 * file ("labels+=gpu port=22") */
	uint64_t number;	/* OP_UNDO: of the amendment */
};

/*
 * Carries out an op. fn (may be NULL) is called once, perhaps before this
 * returns: code 0, or negative with a text for people ("agent lab-1: now 4,
 * not 2"); the text lives during the call. What changes a run is recorded as a
 * numbered amendment of it, with the value it replaced.
 */
void engine_op(struct engine *e, const struct op *op,
    void (*fn)(void *arg, int code, const char *text), void *arg);

/* What ops would come to, by prediction. */
struct op_effect {
	bool known;		/* else only text is: why it is not predicted */
	uint32_t starts;	/* executions that begin at once only then */
	struct ident first[3];	/* the first of those */
	uint32_t never, never_without;	/* that never end */
	int64_t end_us, end_without_us;	/* from now: of run, or of all */
	int sign;		/* 1: better, 0: equal, -1: worse */
	bool sure;		/* else lengths decide which */
	char text[160];		/* for people */
};
/* Predicts what n ops together would do to a run (NULL: to all that this
 * process drives); nothing is changed. Bounded: large runs are not predicted.
 */
void engine_effect(struct engine *e, const struct op *ops, size_t n,
    const char *run, struct op_effect *ret);

/* One cure of what blocks an execution, ready to be done. */
struct cure_offer {
	enum cure cure;
	enum reason reason;	/* of the blocker that it cures */
	struct op op;		/* its strings are the offer's */
	char *key, *value;	/* of an amendment; NULL */
	char *command;		/* the same as a command line; NULL: not ours */
	struct op_effect effect;
};
/* All cures of the blockers of an execution that can be done by an op, in the
 * order of the blockers; predict: with effects. The caller frees with
 * cure_offers_free(). */
void engine_cures(struct engine *e, const struct ident *id, bool predict,
    struct cure_offer **ret, size_t *ret_n);
void cure_offers_free(struct cure_offer *v, size_t n);

/* Says whether a person is there to answer questions of links (off at first:
 * an unknown host key is then an error that names the cure). */
void engine_interactive(struct engine *e, bool on);
/* Answers the question of an agent's link (host key, passphrase). The answer
 * is wiped after it was sent. */
void engine_answer(struct engine *e, const char *agent, const char *answer);

/* Why nothing new starts (a run file cannot be written, or somebody paused
 * dispatch), or NULL. Borrowed. */
const char *engine_paused(const struct engine *e);

/* ---- output ----------------------------------------------------------------- */
struct tail;
struct tail_ops {
	/* Bytes of output at offset; offset beyond the last end is a gap. */
	void (*data)(void *arg, uint64_t offset, const uint8_t *p, size_t n);
	/* The attempt ended and all was given (0), or it cannot be had (code,
	 * text for people). */
	void (*end)(void *arg, int code, const char *text);
};
/* Follows the output of an attempt (attempt 0: the current or last one) from
 * offset; negative: from that many bytes before the end. 0 or a code. */
int engine_tail(struct engine *e, const struct ident *id, int64_t offset,
    bool follow, const struct tail_ops *ops, void *arg, struct tail **ret);
/* The same for the output of the teardown of what that attempt had prepared on
 * its agent. ERR_NOT_FOUND: it had nothing prepared. */
int engine_tail_teardown(struct engine *e, const struct ident *id,
    const struct tail_ops *ops, void *arg, struct tail **ret);
/* The index of the agent that has it. */
size_t engine_tail_agent(const struct tail *t);
void engine_untail(struct tail *t);	/* NULL is fine */

#endif
