/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The worker process: holds worker-N.lock as long as it lives, runs one
 * attempt at a time, and tells the daemon its end. It survives the daemon:
 *
 * 1. The end of an attempt is in worker-N.result before the daemon hears it,
 *    and is given again on every new connection until the next WIRE_RUN.
 * 2. A new connection ends the old one first, so that nothing that is still
 *    unread there can start after the daemon asked what runs here.
 * 3. Without a daemon it ends as soon as nothing runs and the last result is
 *    in its file.
 * 4. What it begins is noted in worker-N.lock first, so a daemon that finds
 *    the lock free and no such note knows that it never ran. Hence nothing is
 *    begun by a worker that got its lock after its daemon died.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/begun.h"
#include "agent/folder.h"
#include "agent/result_file.h"
#include "agent/runner.h"
#include "agent/start.h"
#include "agent/tree.h"
#include "agent/wire.h"
#include "agent/worker.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/proc.h"

#define LOCK_TRIES 250
#define LOCK_WAIT_MS 20
#define WRITE_AGAIN_US (5 * US_PER_S)
#define RECORD_MAX (MESSAGE_MAX - 65536u)

struct worker_process {
	struct loop *loop;
	struct runner_place place;
	struct folders folders;
	int lock_fd, result_fd;
	char *spool, *group;	/* group: NULL where none can be had */
	struct listener *listener;
	struct watch *sigchld;
	int sigchld_fd;
	struct stream *daemon;	/* NULL: gone */
	struct frame_reader reader;
	struct runner *runner;	/* NULL: idle */
	struct secrets secrets;	/* of the next WIRE_RUN */
	struct buf record;	/* the last result */
	bool record_kept;	/* it is in the file, or there is none */
	struct timer *again;	/* tries to write the record once more */
};

static void
send_frame(struct worker_process *w, enum wire number, const void *p,
    size_t n)
{
	struct buf b = BUF_INIT;

	if (w->daemon != NULL && frame_put(&b, number, p, n) == 0)
		stream_write(w->daemon, buf_data(&b), buf_len(&b));
	buf_done(&b);
}

static void
end_if_alone(struct worker_process *w)
{
	if (w->daemon == NULL && w->runner == NULL && w->record_kept)
		loop_stop(w->loop);
}

static void
keep_record(void *arg)
{
	struct worker_process *w = arg;
	int r;

	r = result_file_write(w->result_fd, buf_data(&w->record),
	    buf_len(&w->record));
	w->record_kept = r == 0;
	if (r < 0) {
		log_warn("worker %u: result file: %s", w->place.worker,
		    err_text(r));
		timer_start(w->again, WRITE_AGAIN_US);
	}
	end_if_alone(w);
}

/* Writes the record of a report; one that is too long for a message loses
 * first the times of its steps, then the steps. */
static void
make_record(struct buf *out, const struct report *given)
{
	struct report r = *given;
	char text[IDENT_TEXT];
	struct jw w;
	uint32_t i;
	int round;

	for (round = 0; round < 3; round++) {
		buf_clear(out);
		buf_puts(out, ident_format(&r.id, text));
		buf_putc(out, ' ');
		jw_init(&w, out);
		report_write(&w, &r);
		if (buf_len(out) <= RECORD_MAX)
			return;
		for (i = 0; round == 0 && i < r.n_steps; i++) {
			r.steps[i].started_wall_us = 0;
			r.steps[i].elapsed_us = 0;
			r.steps[i].out_from = r.steps[i].out_to = 0;
		}
		if (round == 1)
			r.n_steps = 0;
	}
}

static void
attempt_done(void *arg, const struct report *r)
{
	struct worker_process *w = arg;

	make_record(&w->record, r);
	keep_record(w);
	send_frame(w, WIRE_RESULT, buf_data(&w->record),
	    buf_len(&w->record));
	runner_free(w->runner);
	w->runner = NULL;
	end_if_alone(w);
}

static void
attempt_prepared(void *arg)
{
	send_frame(arg, WIRE_READY, "", 0);
}

static int
take_secrets(struct worker_process *w, const uint8_t *body, size_t n)
{
	struct apart apart = { NULL, 0, 0 };
	struct jval *v = NULL;
	int r;

	proc_dumpable(false);
	secrets_done(&w->secrets);
	if ((r = jval_parse_apart(&v, body, n, SECRET_KEY, &apart)) == 0)
		r = secrets_read(v, &apart, &w->secrets);
	jval_free(v);
	apart_done(&apart);
	return r;
}

static int
take_run(struct worker_process *w, const uint8_t *body, size_t n)
{
	struct jval *v = NULL;
	struct work work;
	int64_t queued_wall_us;
	int r;

	if (n < sizeof queued_wall_us || w->runner != NULL)
		return ERR_PROTOCOL;
	memcpy(&queued_wall_us, body, sizeof queued_wall_us);
	if ((r = jval_parse(&v, body + sizeof queued_wall_us,
	    n - sizeof queued_wall_us)) == 0)
		r = work_read(v, &work);
	jval_free(v);
	if (r < 0)
		return r;
	if ((r = begun_note(w->lock_fd, &work.id)) < 0) {
		work_done(&work);
		return r;
	}
	work.secrets = w->secrets;
	w->secrets = (struct secrets){ .v = NULL };
	timer_stop(w->again);
	buf_clear(&w->record);
	w->record_kept = true;
	runner_start(&w->place, &work, queued_wall_us, attempt_done, w,
	    &w->runner);
	return 0;
}

static int
take_cancel(struct worker_process *w, const uint8_t *body, size_t n)
{
	struct jval *v = NULL;
	struct ident id;
	int r;

	if ((r = jval_parse(&v, body, n)) < 0)
		return r;
	r = ident_parse(jval_get_str(v, "attempt", ""), &id);
	if (r == 0 && w->runner != NULL &&
	    ident_equal(&id, runner_id(w->runner)))
		runner_cancel(w->runner, (int64_t)(US_PER_S *
		    jval_get_real(v, "grace_s", 5)));
	jval_free(v);
	return r;
}

static void
lose_daemon(struct worker_process *w)
{
	stream_free(w->daemon);
	w->daemon = NULL;
	end_if_alone(w);
}

static void
daemon_data(void *arg, const uint8_t *p, size_t n)
{
	struct worker_process *w = arg;
	const uint8_t *body;
	unsigned number;
	size_t len;
	int r;

	frame_feed(&w->reader, p, n);
	while ((r = frame_next(&w->reader, &number, &body, &len)) > 0) {
		if (number == WIRE_RUN)
			r = take_run(w, body, len);
		else if (number == WIRE_SECRETS)
			r = take_secrets(w, body, len);
		else if (number == WIRE_KEEP_FREE &&
		    len == sizeof w->place.keep_free)
			memcpy(&w->place.keep_free, body, len);
		else if (number == WIRE_CANCEL)
			r = take_cancel(w, body, len);
		if (r < 0)
			break;
	}
	if (r < 0) {
		log_error("worker %u: cannot follow the daemon: %s",
		    w->place.worker, err_text(r));
		lose_daemon(w);
	}
}

static void
daemon_end(void *arg, int error)
{
	lose_daemon(arg);
}

static const struct stream_ops daemon_ops = {
	.data = daemon_data, .end = daemon_end
};

static void
say_hello(struct worker_process *w)
{
	struct buf b = BUF_INIT;
	char text[IDENT_TEXT];
	struct jw j;

	jw_init(&j, &b);
	jw_object(&j);
	jw_kv_int(&j, "pid", getpid());
	jw_kv_str(&j, "attempt", w->runner == NULL ? NULL :
	    ident_format(runner_id(w->runner), text));
	jw_key(&j, "last");
	jw_strn(&j, buf_str(&w->record), strcspn(buf_str(&w->record), " "));
	jw_kv_bool(&j, "ending",
	    w->runner != NULL && runner_ending(w->runner));
	jw_object_end(&j);
	stream_write(w->daemon, PROTO_BANNER, strlen(PROTO_BANNER));
	send_frame(w, WIRE_HELLO, buf_data(&b), buf_len(&b));
	buf_done(&b);
	if (buf_len(&w->record) > 0)
		send_frame(w, WIRE_RESULT, buf_data(&w->record),
		    buf_len(&w->record));
}

static void
take_daemon(void *arg, int fd)
{
	struct worker_process *w = arg;

	stream_free(w->daemon);
	w->daemon = NULL;
	frame_reader_done(&w->reader);
	frame_reader_init(&w->reader);
	if (stream_new(w->loop, fd, fd, &daemon_ops, w, &w->daemon) < 0) {
		close(fd);
		end_if_alone(w);
		return;
	}
	say_hello(w);
}

static void
child_ended(void *arg, unsigned events)
{
	struct worker_process *w = arg;
	struct signalfd_siginfo info;

	if (read(w->sigchld_fd, &info, sizeof info) > 0 && w->runner != NULL)
		runner_reap(w->runner);
}

/* A descriptor takes half the system calls of a handler, and a worker hears
 * of an end with each execution. */
static int
watch_children(struct worker_process *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -errno;
	w->sigchld_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w->sigchld_fd == -1)
		return -errno;
	return watch_new(w->loop, w->sigchld_fd, WATCH_READ, child_ended, w,
	    &w->sigchld);
}

/* A worker of this slot that lost its daemon may still be on its way out. */
static int
take_lock(struct worker_process *w, const char *name)
{
	int r, tries = LOCK_TRIES;

	while ((r = file_lock(name, &w->lock_fd)) == ERR_LOCKED && tries-- > 0)
		poll(NULL, 0, LOCK_WAIT_MS);
	return r;
}

static int
set_up(struct worker_process *w, unsigned no)
{
	char name[WORKER_NAME_SIZE];
	int r;

	snprintf(name, sizeof name, WORKER_LOCK, no);
	if ((r = take_lock(w, name)) < 0 ||
	    (r = begun_note(w->lock_fd, NULL)) < 0)
		return r;
	snprintf(name, sizeof name, WORKER_RESULT, no);
	if ((r = result_file_open(name, &w->result_fd)) < 0)
		return r;
	if ((w->place.null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) == -1)
		return -errno;
	if ((w->spool = getcwd(NULL, 0)) == NULL)
		return -errno;
	w->place.spool = w->spool;
	if ((r = proc_subreaper()) < 0 || (r = loop_new(&w->loop)) < 0)
		return r;
	w->place.loop = w->loop;
	w->place.folders = &w->folders;
	w->place.prepared = attempt_prepared;
	w->place.prepared_arg = w;
	w->again = timer_new(w->loop, keep_record, w);
	if ((r = watch_children(w)) < 0)
		return r;
	snprintf(name, sizeof name, WORKER_SOCKET, no);
	return listener_new(w->loop, name, take_daemon, w, &w->listener);
}

/* The daemon that made us died before we could be found by the next one. */
static bool
is_orphan(void)
{
	struct pollfd p = { .fd = WORKER_FD };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP) != 0;
}

static void
tear_down(struct worker_process *w)
{
	runner_free(w->runner);
	folders_done(&w->folders);
	stream_free(w->daemon);
	listener_free(w->listener);
	watch_free(w->sigchld);
	timer_free(w->again);
	loop_free(w->loop);
	frame_reader_done(&w->reader);
	secrets_done(&w->secrets);
	buf_done(&w->record);
	free(w->spool);
	if (w->sigchld_fd >= 0)
		close(w->sigchld_fd);
	if (w->result_fd >= 0)
		close(w->result_fd);
	if (w->place.null_fd >= 0)
		close(w->place.null_fd);
	if (w->lock_fd >= 0)
		close(w->lock_fd);
}

int
worker_main(const struct worker_options *opt)
{
	struct worker_process w = {
		.lock_fd = -1, .sigchld_fd = -1, .result_fd = -1, .record_kept = true,
		.place = {
			.instance = opt->instance, .worker = opt->no,
			.null_fd = -1, .grace_us = opt->grace_us,
			.out_cap = opt->out_cap,
		},
	};
	int r;

	agent_log();
	/* Those who stop the daemon by a signal to its group or terminal do
	 * not mean what runs. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	frame_reader_init(&w.reader);
	r = set_up(&w, opt->no);
	if (r == 0 && !is_orphan()) {
		w.group = tree_group(opt->no);
		take_daemon(&w, WORKER_FD);
		r = loop_run(w.loop);
	}
	if (r < 0)
		log_error("worker %u: %s", opt->no, err_text(r));
	tear_down(&w);
	tree_ungroup(opt->no, w.group);
	free(w.group);
	return r < 0 ? 1 : 0;
}
