/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The start and the end of the daemon, and what it looks at now and then. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ask.h"
#include "agent/guard.h"
#include "agent/output.h"
#include "agent/prepare.h"
#include "agent/reserve.h"
#include "agent/setup.h"
#include "agent/start.h"
#include "agent/step_env.h"
#include "agent/takes.h"
#include "agent/trees.h"
#include "agent/wire.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/host.h"
#include "yardmaster/sys/proc.h"
#include "yardmaster/sys/service.h"

#define TICK_US (5 * US_PER_S)
#define SWEEP_US (600 * US_PER_S)
#define FORGET_RUNS_US (7 * 24 * 3600 * US_PER_S)
#define LOCK_TRIES 250
#define LOCK_WAIT_MS 20

void
daemon_stop(struct daemon *d, bool keep, const char *why)
{
	log_info("ends: %s", why);
	d->keep = keep;
	loop_stop(d->loop);
}

static void
on_signal(void *arg, int signo)
{
	daemon_stop(arg, signo == SIGHUP, signo == SIGHUP ? "restart" :
	    "told to quit");
}

/* Ends what nobody can reach any more, or needs. */
static void
check_life(struct daemon *d)
{
	struct stat st;

	if (stat(d->spool, &st) == -1 || st.st_dev != d->spool_dev ||
	    st.st_ino != d->spool_ino)
		daemon_stop(d, false, "its spool is gone");
	else if (d->opt->idle_us > 0 && !d->was_busy &&
	    loop_now_us(d->loop) - d->busy_us >= d->opt->idle_us)
		daemon_stop(d, false, "nothing to do");
}

static int64_t
tick_length(const struct daemon *d)
{
	int64_t idle = d->opt->idle_us;

	return idle > 0 && idle < 2 * TICK_US ? idle / 2 + US_PER_MS : TICK_US;
}

static void
on_facts(void *arg)
{
	turn_facts(arg, true);
}

static void
on_turn_due(void *arg)
{
	/* The turn that this makes is what is wanted. */
}

static void
on_expire(void *arg)
{
	struct daemon *d = arg;
	int64_t now = clock_wall_us(), next;

	if (values_expire(&d->values, now, &next))
		turn_facts(d, true);
	(void)takes_expire(d, now, &next);
	if (next != CLOCK_NEVER)
		timer_start(d->expire_timer, next - now + US_PER_MS);
}

static void
on_tick(void *arg)
{
	struct daemon *d = arg;

	timer_start(d->tick, tick_length(d));
	on_expire(d);	/* the wall clock may have jumped past a time */
	guard_check(d);
	if (!guard_disk_low(d))
		reserve_make();
	consoles_tick(d);
	preps_tick(d);
	slots_tick(d);
	turn_facts(d, true);
	check_life(d);
}

static int
is_held(void *arg, const struct ident *id)
{
	struct daemon *d = arg;

	return queue_find(&d->queue, id) != NULL;
}

static void
on_sweep(void *arg)
{
	struct daemon *d = arg;

	trees_sweep(d, d->file.keep_ws_bytes);
	output_sweep(d->file.keep_bytes, d->file.keep_us, is_held, d);
	timer_start(d->sweep_timer, SWEEP_US);
}

static void
on_console(void *arg, int fd)
{
	console_accept(arg, fd, false);
}

static void
on_look(void *arg, int fd)
{
	console_accept(arg, fd, true);
}

/* Takes agent.lock. One that is just ending is waited for. */
static int
take_lock(struct daemon *d, struct buf *why)
{
	struct lock_note note;
	int r, fd, tries = LOCK_TRIES;

	while ((r = file_lock(LOCK_NAME, &d->lock_fd)) == ERR_LOCKED &&
	    tries-- > 0) {
		if (usock_connect(SOCKET_NAME, &fd) == 0) {
			close(fd);
			break;
		}
		poll(NULL, 0, LOCK_WAIT_MS);
	}
	if (r == ERR_LOCKED && lock_note_read(&note) == 0)
		buf_putf(why, "another agent of this instance runs, pid %d",
		    (int)note.id.pid);
	else if (r < 0)
		buf_putf(why, LOCK_NAME ": %s", err_text(r));
	else
		r = lock_note_write(d->lock_fd, d->opt->local,
		    d->opt->idle_us);
	return r;
}

static int
make_folder(const char *name, struct buf *why)
{
	if (mkdir(name, 0700) == 0 || errno == EEXIST)
		return 0;
	buf_putf(why, "%s: %s", name, err_text(-errno));
	return -errno;
}

static int
open_spool(struct daemon *d, struct buf *why)
{
	struct stat st;
	int r;

	if ((r = spool_enter(d->opt->instance, &d->spool, why)) < 0 ||
	    (r = take_lock(d, why)) < 0 ||
	    (r = make_folder(OUTPUT_DIR, why)) < 0 ||
	    (r = make_folder(WORK_DIR, why)) < 0 ||
	    (r = make_folder(HOME_DIR, why)) < 0 ||
	    (r = make_folder(KEPT_DIR, why)) < 0 ||
	    (r = make_folder(WS_DIR, why)) < 0)
		return r;
	if (stat(".", &st) == -1)
		return -errno;
	d->spool_dev = st.st_dev;
	d->spool_ino = st.st_ino;
	d->program = realpath("/proc/self/exe", NULL);
	if (d->program == NULL)
		return -errno;
	return journal_open("journal.db", &d->journal, why);
}

static void
diags_text(struct diags *ds, struct buf *out)
{
	size_t i;

	for (i = 0; i < ds->n; i++) {
		if (i > 0)
			buf_putc(out, '\n');
		diag_format(&ds->v[i], out);
	}
}

/* Reads the settings file as it is now. */
static int
read_new_file(struct daemon *d, struct buf *text, struct buf *why)
{
	struct diags ds = DIAGS_INIT;
	char *path = NULL;
	int r;

	r = agent_file_find(d->opt->instance, &path, text);
	if (r < 0 && r != ERR_NOT_FOUND) {
		buf_putf(why, "agent.json: %s", err_text(r));
		return r;
	}
	r = agent_file_read(&d->file, path, buf_str(text), buf_len(text), &ds);
	diags_text(&ds, why);
	diags_done(&ds);
	free(path);
	return r;
}

/* Reads the settings file: as it is at a full start, else as it was then.
 * One that is wrong does not count over one that was not. */
static int
read_file(struct daemon *d, bool full, struct buf *text, struct buf *why)
{
	struct diags ds = DIAGS_INIT;
	char *kept = journal_value(d->journal, "agent.json");
	int r = 0;

	if (full)
		r = read_new_file(d, text, why);
	if ((full && r == 0) || (r < 0 && kept == NULL)) {
		free(kept);
		return r;
	}
	if (r < 0) {
		buf_puts(why, "; the last good settings count");
		log_error("%s", buf_str(why));
		d->warning = buf_steal(why);
	}
	buf_clear(text);
	if (kept != NULL)
		buf_puts(text, kept);
	free(kept);
	r = agent_file_read(&d->file, NULL, buf_str(text), buf_len(text), &ds);
	diags_text(&ds, why);
	diags_done(&ds);
	return r;
}

/* Marks the journal, so that a start that finds the mark is none from
 * scratch; keeps what the settings file said. */
static int
mark_start(struct daemon *d, const struct buf *file_text)
{
	int r;

	if ((r = journal_begin(d->journal)) == 0 &&
	    (r = values_store(&d->values, d->journal)) == 0 &&
	    (r = journal_put_value(d->journal, "boot", proc_boot_id())) == 0 &&
	    (r = journal_put_value(d->journal, "agent.json",
	    buf_str(file_text))) == 0 &&
	    (r = journal_drop_old_runs(d->journal, clock_wall_us() -
	    FORGET_RUNS_US)) == 0)
		r = journal_commit(d->journal);
	if (r < 0)
		journal_rollback(d->journal);
	d->values.dirty = false;
	return r;
}

static int
start_values(struct daemon *d, struct buf *why)
{
	struct buf text = BUF_INIT;
	struct host_facts host = { .cpus = 1 };
	char *boot = journal_value(d->journal, "boot");
	bool full = boot == NULL || strcmp(boot, proc_boot_id()) != 0;
	int r;

	free(boot);
	(void)host_read(&host);
	d->values.max.advised = host_advised_workers(host.cpus,
	    host.memory_bytes);
	values_load(&d->values, d->journal);
	r = read_file(d, full, &text, why);
	if (r == 0 && full && (r = values_full_start(&d->values, &d->file,
	    d->opt->local ? NULL : getenv("YARDMASTER_MAX_WORKERS"))) < 0)
		buf_putf(why, "YARDMASTER_MAX_WORKERS is no number from 1 to "
		    "%d", MAX_WORKERS_LIMIT);
	if (r == 0 && (r = mark_start(d, &text)) < 0)
		buf_putf(why, "journal: %s", journal_fault(d->journal));
	step_env_clean(&d->worker_env);
	strvec_push_all(&d->worker_env, &d->file.env);
	buf_done(&text);
	return r;
}

static int
start_loop(struct daemon *d)
{
	static const int signals[DAEMON_SIGNALS] = {
		SIGTERM, SIGINT, SIGHUP
	};
	int i, r;

	if ((r = loop_new(&d->loop)) < 0)
		return r;
	for (i = 0; i < DAEMON_SIGNALS; i++)
		if ((r = sigwatch_new(d->loop, signals[i], on_signal, d,
		    &d->sigs[i])) < 0)
			return r;
	d->tick = timer_new(d->loop, on_tick, d);
	d->commit_timer = timer_new(d->loop, on_turn_due, d);
	d->report_timer = timer_new(d->loop, on_turn_due, d);
	d->facts_timer = timer_new(d->loop, on_facts, d);
	d->retry_timer = timer_new(d->loop, on_turn_due, d);
	d->expire_timer = timer_new(d->loop, on_expire, d);
	d->sweep_timer = timer_new(d->loop, on_sweep, d);
	timer_start(d->tick, tick_length(d));
	timer_start(d->expire_timer, 0);
	timer_start(d->sweep_timer, US_PER_S);
	d->busy_us = loop_now_us(d->loop);
	consoles_init(d);
	loop_hook(d->loop, turn_end, d);
	if ((r = trees_init(d)) < 0)
		return r;
	return tails_init(d);
}

static int
start(struct daemon *d, struct buf *why)
{
	int r;

	if ((r = open_spool(d, why)) < 0 || (r = start_values(d, why)) < 0 ||
	    (r = start_loop(d)) < 0 || (r = recover(d)) < 0)
		return r;
	if (d->warning == NULL)
		d->warning = service_own_warning();
	d->guardian = guardian_new(d);
	guard_changed(d);
	reserve_make();
	if ((r = asks_init(d)) < 0)
		return r;
	if ((r = listener_new(d->loop, LOOK_SOCKET_NAME, on_look, d,
	    &d->look_listener)) < 0)
		return r;
	return listener_new(d->loop, SOCKET_NAME, on_console, d,
	    &d->listener);
}

/* The next start is a full one unless this was a restart. */
static void
mark_end(struct daemon *d)
{
	if (d->journal == NULL || d->keep || d->listener == NULL)
		return;
	if (journal_begin(d->journal) == 0 &&
	    journal_put_value(d->journal, "boot", NULL) == 0 &&
	    journal_commit(d->journal) == 0)
		return;
	journal_rollback(d->journal);
}

static void
end(struct daemon *d)
{
	int i;

	mark_end(d);
	listener_free(d->listener);
	listener_free(d->look_listener);
	asks_free(d);
	consoles_free(d);
	tails_free(d);
	trees_free(d);
	preps_free(d);
	slots_free(d);
	guardian_free(d->guardian);
	for (i = 0; i < DAEMON_SIGNALS; i++)
		sigwatch_free(d->sigs[i]);
	timer_free(d->tick);
	timer_free(d->commit_timer);
	timer_free(d->report_timer);
	timer_free(d->facts_timer);
	timer_free(d->retry_timer);
	timer_free(d->expire_timer);
	timer_free(d->sweep_timer);
	loop_free(d->loop);
	journal_close(d->journal);
	takes_free(d->takes);
	queue_done(&d->queue);
	values_done(&d->values);
	agent_file_done(&d->file);
	strvec_done(&d->worker_env);
	strvec_done(&d->edits);
	free(d->guard);
	free(d->warning);
	free(d->spool);
	free(d->program);
	/* Last: who gets the lock finds everything closed. */
	if (d->lock_fd >= 0)
		close(d->lock_fd);
}

int
daemon_serve(const struct daemon_options *opt)
{
	struct daemon d = { .opt = opt, .lock_fd = -1 };
	struct buf why = BUF_INIT;
	int r;

	agent_log();
	queue_init(&d.queue);
	LIST_INIT(&d.preps);
	d.takes = takes_new();
	TAILQ_INIT(&d.due);
	r = start(&d, &why);
	if (r < 0) {
		if (buf_len(&why) == 0)
			buf_puts(&why, err_text(r));
		log_error("%s", buf_str(&why));
		agent_ready(opt->ready, buf_str(&why));
	} else {
		log_info("agent %s %s, pid %d, max workers %u", opt->instance,
		    PACKAGE_VERSION, (int)getpid(), d.values.max_workers);
		agent_ready(opt->ready, "ok");
		r = loop_run(d.loop);
	}
	buf_done(&why);
	end(&d);
	proc_dumpable(true);
	return r < 0 ? 1 : 0;
}
