/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slots, and the worker process of each. A worker is made when its slot is
 * used for the first time and then kept. The end of the stream is the end of
 * the worker: it closes its side only when it exits.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/begun.h"
#include "agent/daemon.h"
#include "agent/output.h"
#include "agent/prepare.h"
#include "agent/result_file.h"
#include "agent/tree.h"
#include "agent/wire.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/proc.h"

static void
slot_free(struct slot *s)
{
	stream_free(s->stream);
	child_free(s->child);
	frame_reader_done(&s->reader);
	free(s);
}

void
slots_reserve(struct daemon *d, uint32_t n)
{
	uint32_t i = d->n_slots;

	if (n <= i)
		return;
	d->slots = mem_realloc(d->slots, n, sizeof(*d->slots));
	for (; i < n; i++) {
		d->slots[i] = mem_zalloc(sizeof **d->slots);
		d->slots[i]->d = d;
		d->slots[i]->no = (uint16_t)(i + 1);
		frame_reader_init(&d->slots[i]->reader);
	}
	d->n_slots = n;
}

void
slots_free(struct daemon *d)
{
	uint32_t i;

	for (i = 0; i < d->n_slots; i++)
		slot_free(d->slots[i]);
	free(d->slots);
	d->slots = NULL;
	d->n_slots = 0;
}

bool
slot_is_free(const struct slot *s)
{
	return s->attempt == NULL && s->take == NULL;
}

static void
occupy(struct daemon *d, struct slot *s, struct attempt *a)
{
	s->attempt = a;
	d->busy++;
	if (a->class == CLASS_AUTO)
		d->auto_busy++;
	if (a->worker == 0)
		a->worker = s->no;
}

void
slots_take(struct daemon *d, struct attempt *a)
{
	uint32_t i, got = 0;

	slots_reserve(d, d->values.max_workers);
	for (i = 0; i < d->n_slots && got < a->workers; i++)
		if (slot_is_free(d->slots[i])) {
			occupy(d, d->slots[i], a);
			got++;
		}
}

void
slots_take_one(struct daemon *d, struct attempt *a, uint16_t no)
{
	slots_reserve(d, no);
	if (slot_is_free(d->slots[no - 1]))
		occupy(d, d->slots[no - 1], a);
}

void
slots_take_for(struct daemon *d, const struct take *k, uint16_t no)
{
	uint32_t i = no > 0 ? no - 1u : 0;

	slots_reserve(d, d->values.max_workers);
	while (i < d->n_slots && !slot_is_free(d->slots[i]))
		i++;
	slots_reserve(d, i + 1);
	d->slots[i]->take = k;
	d->busy++;
}

void
slots_give_back(struct daemon *d, const struct take *k)
{
	uint32_t i;

	for (i = 0; i < d->n_slots; i++)
		if (d->slots[i]->take == k) {
			d->slots[i]->take = NULL;
			d->busy--;
		}
}

void
slots_release(struct daemon *d, struct attempt *a)
{
	uint32_t i;

	for (i = 0; i < d->n_slots; i++)
		if (d->slots[i]->attempt == a) {
			d->slots[i]->attempt = NULL;
			d->busy--;
			if (a->class == CLASS_AUTO)
				d->auto_busy--;
		}
}

static void
send_frame(struct slot *s, enum wire number, const struct buf *body)
{
	struct buf b = BUF_INIT;

	buf_secret(&b);
	if (s->stream != NULL &&
	    frame_put(&b, number, buf_data(body), buf_len(body)) == 0)
		stream_write(s->stream, buf_data(&b), buf_len(&b));
	buf_wipe(&b);
}

void
slot_record(struct daemon *d, const char *record, size_t n)
{
	const char *blank = memchr(record, ' ', n < IDENT_TEXT ? n :
	    IDENT_TEXT);
	char text[IDENT_TEXT];
	struct attempt *a;
	struct ident id;
	size_t len;

	if (blank == NULL)
		return;
	len = (size_t)(blank - record);
	memcpy(text, record, len);
	text[len] = '\0';
	if (ident_parse(text, &id) < 0 || (a = queue_find(&d->queue, &id)) ==
	    NULL || a->result != NULL || a->worker == 0)
		return;		/* known already: given once more */
	slots_release(d, a);
	turn_result(d, a, ATTEMPT_ENDED, blank + 1, n - len - 1);
}

void
slot_put_back(struct daemon *d, struct attempt *a)
{
	slots_release(d, a);
	a->worker = 0;
	a->started_wall_us = a->started_us = 0;
	if (a->state == ATTEMPT_ENDING) {
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_CANCELLED, NULL);
		return;
	}
	if (a->secret && a->secrets.n == 0) {
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_ERROR,
		    "it was not begun, and its secrets are gone");
		return;
	}
	queue_enter(&d->queue, a);
	turn_touch(d, a, DUE_STORE | DUE_REPORT);
}

/* A worker that an earlier daemon left says what it runs, or ran last. When
 * it is not what the journal says, that was never begun and now never will
 * be: the connection it may have been on its way in is closed. The same way
 * it may not have heard that it is to end. */
static void
compare(struct slot *s, struct attempt *a, const struct jval *v)
{
	const char *runs = jval_get_str(v, "attempt", "");
	const char *last = jval_get_str(v, "last", "");
	bool ending = jval_get_bool(v, "ending", false);
	struct daemon *d = s->d;
	char text[IDENT_TEXT];

	ident_format(&a->id, text);
	if (strcmp(runs, text) == 0 && ending) {
		a->state = ATTEMPT_ENDING;
		turn_touch(d, a, DUE_STORE | DUE_REPORT);
	} else if (strcmp(runs, text) == 0 && a->state == ATTEMPT_ENDING) {
		slot_cancel(d, a, (double)d->file.grace_us / (double)US_PER_S);
	} else if (strcmp(runs, text) != 0 && strcmp(last, text) != 0) {
		slot_put_back(d, a);
	}
}

/* The worker has said what it runs. */
static int
take_hello(struct slot *s, const uint8_t *body, size_t n)
{
	struct daemon *d = s->d;
	struct attempt *a = s->attempt;
	struct jval *v = NULL;
	int r;

	if ((r = jval_parse(&v, body, n)) < 0)
		return r;
	s->greeted = true;
	s->pid = (pid_t)jval_get_int(v, "pid", 0);
	if (s->adopted && a != NULL && a->worker == s->no)
		compare(s, a, v);
	if (s->attempt != NULL)
		prep_changed(d, s->attempt);
	jval_free(v);
	turn_facts(d, false);
	return 0;
}

static int
take_frame(struct slot *s, unsigned number, const uint8_t *body, size_t n)
{
	if (number == WIRE_HELLO)
		return take_hello(s, body, n);
	if (number == WIRE_RESULT)
		slot_record(s->d, (const char *)body, n);
	if (number == WIRE_READY && s->attempt != NULL) {
		prep_changed(s->d, s->attempt);
		loop_poke(s->d->loop);
	}
	return 0;
}

static void
worker_data(void *arg, const uint8_t *p, size_t n)
{
	struct slot *s = arg;
	const uint8_t *body;
	unsigned number;
	size_t len;
	int r;

	frame_feed(&s->reader, p, n);
	while ((r = frame_next(&s->reader, &number, &body, &len)) > 0)
		if ((r = take_frame(s, number, body, len)) < 0)
			break;
	if (r < 0)
		log_error("worker %u: bad message: %s", s->no, err_text(r));
}

/* The worker is gone while it had an attempt. Its result may be in the file
 * and not have been sent. What it did not begin gets another worker, once. */
static void
lose_attempt(struct slot *s, struct attempt *a)
{
	struct daemon *d = s->d;
	struct buf record = BUF_INIT;
	char name[WORKER_NAME_SIZE], text[96];
	bool began;
	int killed;

	snprintf(name, sizeof name, WORKER_RESULT, s->no);
	if (result_file_read(name, &record) == 0)
		slot_record(d, buf_str(&record), buf_len(&record));
	buf_done(&record);
	if (a->result != NULL)
		return;
	if (!a->again && !begun(s->no, &a->id)) {
		a->again = true;
		slot_put_back(d, a);
		return;
	}
	killed = tree_kill_orphans(s->no, &a->id);
	(void)output_claim(&a->id, s->no);
	began = s->greeted || s->adopted;
	snprintf(text, sizeof text, began ?
	    "the process of worker %u died; %d processes were ended" :
	    "the process of worker %u could not start, see agent.log",
	    s->no, killed);
	slots_release(d, a);
	if (began)
		turn_fail(d, a, ATTEMPT_LOST, OUTCOME_ERROR, text);
	else
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_ERROR, text);
}

static void
worker_end(void *arg, int error)
{
	struct slot *s = arg;
	struct attempt *a = s->attempt;

	stream_free(s->stream);
	s->stream = NULL;
	child_free(s->child);
	s->child = NULL;
	s->pid = 0;
	frame_reader_done(&s->reader);
	frame_reader_init(&s->reader);
	if (a != NULL && a->worker == s->no && !a->unsent && !a->prepared)
		lose_attempt(s, a);
	tree_ungroup(s->no, NULL);
	s->greeted = s->adopted = false;
	turn_facts(s->d, false);
}

static const struct stream_ops worker_ops = {
	.data = worker_data, .end = worker_end
};

static void
worker_exited(void *arg, int code, int signo)
{
	struct slot *s = arg;

	if (signo != 0)
		log_warn("worker %u: ended by signal %d", s->no, signo);
	else if (code != 0)
		log_warn("worker %u: exited with %d", s->no, code);
}

static int
worker_start(struct slot *s, int fd)
{
	struct daemon *d = s->d;
	struct strvec argv = STRVEC_INIT;
	int fds[3], r;
	struct child_spec spec = {
		.file = d->program, .envp = strvec_argv(&d->worker_env),
		.in = CHILD_NULL, .out = CHILD_INHERIT, .err = CHILD_INHERIT,
		.fd3 = fd, .session = true,
	};

	strvec_push(&argv, "yardmaster-agent");
	strvec_push(&argv, "worker");
	strvec_push(&argv, "--instance");
	strvec_push(&argv, d->opt->instance);
	strvec_pushf(&argv, "--slot=%u", s->no);
	strvec_pushf(&argv, "--grace=%g",
	    (double)d->file.grace_us / (double)US_PER_S);
	strvec_pushf(&argv, "--out-cap=%llu",
	    (unsigned long long)d->file.out_cap);
	spec.argv = strvec_argv(&argv);
	r = child_start(d->loop, &spec, worker_exited, s, &s->child, fds);
	if (r == 0)
		s->pid = child_pid(s->child);
	strvec_done(&argv);
	return r;
}

static int
take_stream(struct slot *s, int fd)
{
	int r;

	r = stream_new(s->d->loop, fd, fd, &worker_ops, s, &s->stream);
	if (r == 0)
		stream_write(s->stream, PROTO_BANNER, strlen(PROTO_BANNER));
	return r;
}

static int
make_worker(struct slot *s)
{
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return -errno;
	r = worker_start(s, pair[1]);
	close(pair[1]);
	if (r == 0)
		r = take_stream(s, pair[0]);
	if (r < 0)
		close(pair[0]);
	return r;
}

static void
send_secrets(struct slot *s, const struct attempt *a)
{
	struct buf b = BUF_INIT;
	struct jw w;

	buf_secret(&b);
	jw_init(&w, &b);
	secrets_write(&w, &a->secrets);
	send_frame(s, WIRE_SECRETS, &b);
	buf_wipe(&b);
}

void
slot_send(struct daemon *d, struct attempt *a)
{
	struct slot *s = d->slots[a->worker - 1];
	struct buf b = BUF_INIT;
	char text[128];
	int r = 0;

	a->unsent = false;
	if (s->stream == NULL && (r = make_worker(s)) < 0) {
		snprintf(text, sizeof text, "no process for worker %u: %s",
		    s->no, err_text(r));
		slots_release(d, a);
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_ERROR, text);
		return;
	}
	if (a->secrets.n > 0)
		send_secrets(s, a);
	if (a->prep != NULL) {
		buf_put(&b, &d->values.guards.free_disk,
		    sizeof d->values.guards.free_disk);
		send_frame(s, WIRE_KEEP_FREE, &b);
		buf_clear(&b);
	}
	buf_put(&b, &a->queued_wall_us, sizeof a->queued_wall_us);
	buf_put(&b, a->work, a->work_len);
	send_frame(s, WIRE_RUN, &b);
	buf_done(&b);
}

void
slot_cancel(struct daemon *d, struct attempt *a, double grace_s)
{
	struct buf b = BUF_INIT;
	char text[IDENT_TEXT];
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "attempt", ident_format(&a->id, text));
	jw_kv_real(&w, "grace_s", grace_s);
	jw_object_end(&w);
	send_frame(d->slots[a->worker - 1], WIRE_CANCEL, &b);
	buf_done(&b);
}

int
slot_adopt(struct daemon *d, uint16_t no)
{
	char name[WORKER_NAME_SIZE];
	struct slot *s;
	int fd, r;

	slots_reserve(d, no);
	s = d->slots[no - 1];
	snprintf(name, sizeof name, WORKER_SOCKET, no);
	if ((r = usock_connect(name, &fd)) < 0)
		return r;
	s->adopted = true;
	if ((r = take_stream(s, fd)) < 0)
		close(fd);
	return r;
}

/* The first look at an attempt counts from what its worker had used before,
 * which nobody knows: it says nothing of CPUs. */
static void
look_at(struct slot *s, int64_t now_us)
{
	struct usage *u = &s->usage, old = *u;
	struct proc_usage got;

	*u = (struct usage){ .of = s->attempt->id, .at_us = now_us };
	if (proc_usage_below(s->pid, &got) < 0)
		return;
	u->cpu_us = got.cpu_us;
	u->memory_bytes = got.memory_bytes;
	if (ident_equal(&old.of, &u->of) && now_us > old.at_us &&
	    got.cpu_us > old.cpu_us)
		u->cpu = (double)(got.cpu_us - old.cpu_us) /
		    (double)(now_us - old.at_us);
}

void
slots_tick(struct daemon *d)
{
	int64_t now = loop_now_us(d->loop);
	struct slot *s;
	uint32_t i;

	for (i = 0; i < d->n_slots; i++) {
		s = d->slots[i];
		if (s->attempt != NULL && s->attempt->worker == s->no &&
		    s->pid > 0)
			look_at(s, now);
	}
}
