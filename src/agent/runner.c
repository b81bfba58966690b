/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of one attempt inside its worker.
 *
 *	runner_start() -> prepare() -> next_step() -> start_step()
 *	                     ^  |             | could not start
 *	                     |  v             v
 *	     step_end() <---- RUN -------> [result: error]
 *	         ^             |  timeout, runner_cancel()
 *	         |             v
 *	         +----------- STOP: INT, TERM, KILL to all below us
 *	         |             |
 *	         +----------- SWEEP: the root has ended, others live: TERM, KILL
 *
 * A step has ended when its process has been waited for and this process has
 * no child left: as a subreaper it inherits whatever lost its parent. So
 * nothing of a step runs beside the next one.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/bounds.h"
#include "agent/capture.h"
#include "agent/folder.h"
#include "agent/gather.h"
#include "agent/kept.h"
#include "agent/output.h"
#include "agent/quiet.h"
#include "agent/runner.h"
#include "agent/setup.h"
#include "agent/step_env.h"
#include "agent/tree.h"
#include "agent/veil.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/proc.h"

#define SWEEP_GRACE_US US_PER_S
#define KILL_AGAIN_US US_PER_S
#define DISK_IS_FULL 65536	/* bytes free, or fewer */
#define SETUP_AGAIN_US (200 * US_PER_MS)

enum phase { PHASE_IDLE, PHASE_RUN, PHASE_STOP, PHASE_SWEEP };

struct runner {
	const struct runner_place *place;
	struct work work;
	struct step_result *results;
	uint32_t at;		/* the step that runs */
	enum phase phase;
	unsigned stage;		/* how many signals were sent */
	int64_t grace_us;
	bool cancelled, timed_out, silent, root_ended;
	bool in_setup;		/* what runs is the setup command */
	int setup_lock;		/* held meanwhile, or -1 */
	struct work_step setup;	/* borrows from work */
	struct step_result setup_result;
	pid_t pid;
	int status;
	struct mask *mask;	/* hides its secrets; NULL: it has none */
	struct capture *out;	/* NULL when it could not be opened */
	char *cwd;		/* where steps run */
	bool own_cwd;		/* made here */
	int64_t queued_wall_us, started_wall_us, started_us, step_us;
	struct timer *timer;	/* timeout, then the next signal */
	struct quiet *quiet;	/* the silence of the step, or NULL */
	char *home;		/* of its own, in the spool; or NULL */
	struct timer *end;	/* gives the report from the loop */
	struct timer *wait;	/* somebody else prepares what it needs */
	char *error;		/* why the attempt cannot go on, or NULL */
	void (*done)(void *arg, const struct report *r);
	void *arg;
};

static void next_step(struct runner *r);

static uint64_t
out_size(const struct runner *r)
{
	return r->out != NULL ? capture_bytes(r->out) : 0;
}

static void
give_report(void *arg)
{
	struct runner *r = arg;
	struct work *w = &r->work;
	struct report report = {
		.id = w->id, .epoch = w->epoch, .state = ATTEMPT_ENDED,
		.outcome = steps_outcome(r->results, w->n_steps),
		.worker = r->place->worker,
		.queued_wall_us = r->queued_wall_us,
		.started_wall_us = r->started_wall_us,
		.ended_wall_us = clock_wall_us(),
		.elapsed_us = clock_mono_us() - r->started_us,
		.out_bytes = out_size(r), .text = r->error,
		.owner = w->owner, .label = w->label,
		.steps = r->results, .n_steps = w->n_steps,
	};

	if (r->out != NULL)
		report.out_dropped = capture_finish(r->out);
	if (report.out_bytes > 0)
		(void)output_claim(&w->id, r->place->worker);
	if (r->error != NULL)
		report.outcome = OUTCOME_ERROR;
	else if (r->cancelled && report.outcome < OUTCOME_CANCELLED)
		report.outcome = OUTCOME_CANCELLED;
	if (w->artifacts.n > 0 && r->at > 0)
		gather(w, r->cwd, !r->own_cwd, &report);
	if (r->own_cwd && !bounds_keep(w, report.outcome))
		folder_drop(r->place->folders, r->cwd);
	if (r->home != NULL && !bounds_keep(w, report.outcome))
		(void)fs_remove_tree(r->home);
	r->done(r->arg, &report);
	artifacts_done(&report.artifacts);
}

static void
attempt_end(struct runner *r)
{
	r->phase = PHASE_IDLE;
	timer_stop(r->timer);
	veil_texts(r->mask, r->results, r->work.n_steps, &r->error);
	timer_start(r->end, 0);
}

/* Ends what runs. With each call the next signal; from KILL on again and
 * again, because what is being killed may fork. */
static void
stop_more(void *arg)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGKILL };
	struct runner *r = arg;
	unsigned i = r->stage < 2 ? r->stage : 2;

	if (r->phase == PHASE_RUN) {
		r->timed_out = true;
		r->phase = PHASE_STOP;
		r->grace_us = r->place->grace_us;
	}
	r->stage++;
	(void)tree_signal(signals[i]);
	timer_start(r->timer, i < 2 ? r->grace_us : KILL_AGAIN_US);
}

/* The step's process has ended but not all that it started. */
static void
sweep(struct runner *r)
{
	if (r->phase == PHASE_SWEEP)
		return;
	r->phase = PHASE_SWEEP;
	r->grace_us = SWEEP_GRACE_US;
	r->stage = r->stage < 1 ? 1 : r->stage;
	stop_more(r);
}

static void
on_silence(void *arg)
{
	struct runner *r = arg;

	if (r->phase != PHASE_RUN)
		return;
	r->silent = true;
	stop_more(r);
}

static const struct work_step *
step_now(const struct runner *r)
{
	return r->in_setup ? &r->setup : &r->work.steps[r->at];
}

static struct step_result *
result_now(struct runner *r)
{
	return r->in_setup ? &r->setup_result : &r->results[r->at];
}

/* A disk without room makes commands fail that are not at fault. */
static bool
disk_full(void)
{
	uint64_t bytes, inodes;

	return fs_free(".", &bytes, &inodes) == 0 && bytes < DISK_IS_FULL;
}

static void
judge(struct runner *r, struct step_result *res)
{
	const struct work_step *step = step_now(r);

	res->exit_code = WIFEXITED(r->status) ?
	    (int16_t)WEXITSTATUS(r->status) : -1;
	res->signo = WIFSIGNALED(r->status) ?
	    (int16_t)WTERMSIG(r->status) : 0;
	if (r->cancelled) {
		res->outcome = OUTCOME_CANCELLED;
	} else if (r->timed_out) {
		res->outcome = OUTCOME_TIMEOUT;
		res->text = str_fmt(r->silent ? "wrote nothing for %g s" :
		    "still ran after %g s", (double)(r->silent ?
		    step->manner.silence_us : step->timeout_us) /
		    (double)US_PER_S);
	} else {
		res->outcome = step_outcome(step, res->exit_code, res->signo);
	}
	if (res->outcome == OUTCOME_FAILED && disk_full()) {
		res->outcome = OUTCOME_ERROR;
		res->text = str_dup("the disk of the spool is full");
	}
}

/* Frees the lock, and says to those who wait how it went. */
static void
leave_setup(struct runner *r, const char *why)
{
	int code;

	r->in_setup = false;
	code = setup_end(&r->work, r->setup_lock, why);
	r->setup_lock = -1;
	if (code < 0 && r->error == NULL)
		r->error = str_fmt("cannot note the setup: %s",
		    err_text(code));
	else if (code == 0 && why == NULL && r->place->prepared != NULL)
		r->place->prepared(r->place->prepared_arg);
}

/* The setup command has ended; only a pass lets the steps begin. */
static void
setup_ended(struct runner *r)
{
	struct step_result *res = &r->setup_result;

	/* Cancelled: no fault of the setup, the next one begins anew. */
	if (r->cancelled) {
		close(r->setup_lock);
		r->setup_lock = -1;
		r->in_setup = false;
		return;
	}
	if (res->outcome != OUTCOME_PASSED && r->error == NULL)
		r->error = setup_fault(res);
	leave_setup(r, r->error);
}

/* The result file of the step: masked, and on the disk. */
static void
keep_results(struct runner *r)
{
	int code = 0;

	if (step_now(r)->n_results == 0)
		return;
	if (r->mask != NULL)
		code = veil_file(r->mask, &r->work.id, KEPT_RESULTS);
	if (code < 0 && r->error == NULL)
		r->error = str_fmt("cannot keep its results: %s",
		    err_text(code));
	kept_flush(&r->work.id, KEPT_RESULTS);
}

static void
step_end(struct runner *r)
{
	struct step_result *res = result_now(r);

	timer_stop(r->timer);
	quiet_free(r->quiet);
	r->quiet = NULL;
	res->elapsed_us = clock_mono_us() - r->step_us;
	capture_drain(r->out);
	res->out_to = out_size(r);
	keep_results(r);
	judge(r, res);
	if (capture_error(r->out) < 0 && r->error == NULL)
		r->error = str_fmt("cannot write its output: %s",
		    err_text(capture_error(r->out)));
	r->phase = PHASE_IDLE;
	if (r->in_setup)
		setup_ended(r);
	else
		r->at++;
	next_step(r);
}

void
runner_reap(struct runner *r)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == r->pid) {
			r->pid = 0;
			r->root_ended = true;
			r->status = status;
		}
	if (r->phase == PHASE_IDLE || !r->root_ended)
		return;
	if (pid == -1 && errno == ECHILD)
		step_end(r);
	else
		sweep(r);
}

static int
make_cwd(struct runner *r)
{
	char name[OUTPUT_NAME_SIZE], tree[WS_NAME_SIZE];

	if (r->work.cwd == NULL && r->work.prepare.tree[0] != '\0')
		r->work.cwd = str_fmt("%s/%s", r->place->spool,
		    setup_name(r->work.id.run, r->work.prepare.no, "tree",
		    tree));
	if (r->work.cwd != NULL) {
		r->cwd = str_dup(r->work.cwd);
		return 0;
	}
	r->cwd = str_fmt("%s/%s", r->place->spool,
	    output_work_name(&r->work.id, name));
	r->own_cwd = true;
	return folder_make(r->place->folders, r->cwd);
}

static int
open_output(struct runner *r)
{
	char name[OUTPUT_NAME_SIZE];

	return capture_open(r->place->loop,
	    output_worker_name(r->place->worker, name), r->place->out_cap,
	    r->mask, &r->out);
}

static int
start_step(struct runner *r)
{
	static const char *const shell[] = { "/bin/sh", "-c", NULL, NULL };
	const struct work_step *step = step_now(r);
	char *args[4];
	struct proc_limit limits[LIMITS];
	struct strvec env = STRVEC_INIT, argv = STRVEC_INIT;
	struct proc_spawn spec = {
		.argv = strvec_argv(&step->argv), .cwd = r->cwd,
		.in = r->place->null_fd, .out = capture_fd(r->out),
		.err = capture_fd(r->out),
		.session = true, .nice = (int)step->manner.nice,
		.limits = limits,
		.n_limits = bounds_limits(&step->manner, limits),
	};
	bool own_home = step->manner.home == HOME_OWN;
	int code;

	if (step->n_results > 0) {
		if ((code = kept_make(&r->work.id)) < 0)
			return code;
		step_args_make(&argv, r->place, &r->work.id, step);
		spec.argv = strvec_argv(&argv);
	}
	if (step->shell != NULL) {
		memcpy(args, shell, sizeof args);
		args[2] = step->shell;
		spec.argv = args;
	}
	if (own_home && r->home == NULL &&
	    (code = bounds_make_home(&r->work.id, &r->home)) < 0)
		goto out;
	step_env_make(&env, r->place, &r->work, step, r->cwd,
	    own_home ? r->home : NULL);
	if (!r->in_setup)
		veil_env(&r->work.secrets, r->at, &env);
	spec.envp = strvec_argv(&env);
	code = proc_spawn(&spec, &r->pid);
out:
	veil_env_done(&env);
	strvec_done(&argv);
	return code;
}

static void
skip_rest(struct runner *r)
{
	for (; r->at < r->work.n_steps; r->at++)
		r->results[r->at].outcome = OUTCOME_SKIPPED;
}

/* True when another step is to be run. */
static bool
goes_on(struct runner *r)
{
	if (r->cancelled || r->error != NULL || r->at == r->work.n_steps)
		return false;
	if (r->at > 0 && r->work.stop_at_failure &&
	    r->results[r->at - 1].outcome >= OUTCOME_FAILED) {
		skip_rest(r);
		return false;
	}
	return true;
}

static void
watch_step(struct runner *r, const struct work_step *step)
{
	r->phase = PHASE_RUN;
	if (step->timeout_us > 0)
		timer_start(r->timer, step->timeout_us);
	if (step->manner.silence_us > 0)
		r->quiet = quiet_new(r->place->loop, r->out,
		    step->manner.silence_us, on_silence, r);
}

/* Starts the step at hand. True when it runs; else its result says why not. */
static bool
begin_step(struct runner *r)
{
	const struct work_step *step = step_now(r);
	struct step_result *res = result_now(r);
	int code;

	res->exit_code = -1;
	res->started_wall_us = clock_wall_us();
	res->out_from = res->out_to = r->at > 0 ?
	    r->results[r->at - 1].out_to : r->setup_result.out_to;
	r->step_us = clock_mono_us();
	r->timed_out = r->silent = r->root_ended = false;
	r->stage = 0;
	code = start_step(r);
	if (code == 0) {
		watch_step(r, step);
		return true;
	}
	res->outcome = OUTCOME_ERROR;
	res->text = step_fault(r->cwd, step->shell != NULL ? "/bin/sh" :
	    step->argv.v[0], code);
	return false;
}

static void
next_step(struct runner *r)
{
	for (; goes_on(r); r->at++)
		if (begin_step(r))
			return;
	attempt_end(r);
}

/* The folder was filled: the command of the plan, in it. */
static void
begin_setup(struct runner *r)
{
	char name[WS_NAME_SIZE], *cwd = r->cwd;

	if (r->work.prepare.setup.n == 0) {
		leave_setup(r, NULL);
		next_step(r);
		return;
	}
	r->in_setup = true;
	r->setup = (struct work_step){ .argv = r->work.prepare.setup,
	    .timeout_us = r->work.prepare.setup_us };
	r->cwd = str_fmt("%s/%s", r->place->spool, setup_name(r->work.id.run,
	    r->work.prepare.no, "tree", name));
	if (!begin_step(r)) {
		setup_ended(r);
		next_step(r);
	}
	free(r->cwd);
	r->cwd = cwd;
}

/* What the steps need comes first; they begin when it is ready. */
static void
prepare(void *arg)
{
	struct runner *r = arg;
	struct buf why = BUF_INIT;
	int code = 1;

	if (r->error == NULL && !r->cancelled && r->work.prepare.no > 0)
		code = setup_begin(&r->work, r->place->keep_free,
		    &r->setup_lock, &why);
	if (code == 0) {
		begin_setup(r);
	} else if (code == ERR_LOCKED) {
		timer_start(r->wait, SETUP_AGAIN_US);
	} else {
		if (code < 0)
			r->error = buf_steal(&why);
		next_step(r);
	}
	buf_done(&why);
}

void
runner_start(const struct runner_place *place, struct work *work,
    int64_t queued_wall_us, void (*done)(void *arg, const struct report *r),
    void *arg, struct runner **ret)
{
	struct runner *r = mem_zalloc(sizeof *r);
	int code;

	*ret = r;
	r->place = place;
	r->work = *work;
	r->results = mem_calloc(work->n_steps, sizeof *r->results);
	r->queued_wall_us = queued_wall_us;
	r->started_wall_us = clock_wall_us();
	r->started_us = clock_mono_us();
	r->done = done;
	r->arg = arg;
	r->timer = timer_new(place->loop, stop_more, r);
	r->end = timer_new(place->loop, give_report, r);
	r->wait = timer_new(place->loop, prepare, r);
	r->setup_lock = -1;
	r->mask = veil_new(&r->work.secrets);
	if (r->mask != NULL)
		proc_dumpable(false);
	if (work->secret && r->mask == NULL)
		r->error = str_dup("its secrets are gone");
	else if ((code = open_output(r)) < 0)
		r->error = str_fmt("cannot write its output: %s",
		    err_text(code));
	else if ((code = make_cwd(r)) < 0)
		r->error = str_fmt("cannot make %s: %s", r->cwd,
		    err_text(code));
	prepare(r);
}

void
runner_cancel(struct runner *r, int64_t grace_us)
{
	if (r->cancelled)
		return;
	r->cancelled = true;
	r->grace_us = grace_us;
	if (r->phase != PHASE_RUN)
		return;
	r->phase = PHASE_STOP;
	stop_more(r);
}

const struct ident *
runner_id(const struct runner *r)
{
	return &r->work.id;
}

bool
runner_ending(const struct runner *r)
{
	return r->cancelled || r->phase == PHASE_STOP;
}

void
runner_free(struct runner *r)
{
	uint32_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->work.n_steps; i++)
		free(r->results[i].text);
	free(r->results);
	work_done(&r->work);
	timer_free(r->timer);
	quiet_free(r->quiet);
	free(r->home);
	timer_free(r->end);
	timer_free(r->wait);
	if (r->setup_lock >= 0)
		close(r->setup_lock);
	free(r->setup_result.text);
	capture_free(r->out);
	if (r->mask != NULL)
		proc_dumpable(true);
	mask_free(r->mask);
	free(r->cwd);
	free(r->error);
	free(r);
}
