/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Links of consoles: frames in and out, phases, silence. What promises
 * something (reports, returned, synced) is collected and leaves only after
 * the commit of the turn; answers that promise nothing leave at once.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ask.h"
#include "agent/console.h"
#include "agent/takes.h"
#include "agent/trees.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"

#define SILENT_PING_US (15 * US_PER_S)
#define SILENT_END_US (60 * US_PER_S)
#define PENDING_MAX (16u << 20)
#define LIST_MAX (1u << 20)	/* bytes of a list in one message */

void
consoles_init(struct daemon *d)
{
	d->consoles = mem_zalloc(sizeof *d->consoles);
	LIST_INIT(&d->consoles->links);
}

/* Nobody can say go: prepared parts keep no workers from others. */
static void
lose_driver(struct daemon *d, const struct held_run *run)
{
	struct attempt *a, *next;

	asks_unlinked(d, run);
	HASH_ITER(hh, d->queue.all, a, next)
		if (a->run == run)
			turn_unprepare(d, a);
}

static void
unwatch_all(struct link *l)
{
	struct held_run *run;
	size_t i, j;

	for (i = 0; i < l->n_runs; i++) {
		run = l->runs[i];
		if (run->driver == l->serial) {
			run->driver = 0;
			lose_driver(l->d, run);
		}
		for (j = 0; j < run->n_watchers; j++)
			if (run->watchers[j] == l)
				run->watchers[j--] =
				    run->watchers[--run->n_watchers];
	}
	free(l->runs);
}

static void
link_free(struct link *l)
{
	LIST_REMOVE(l, entry);
	l->d->consoles->n--;
	syncs_drop(l);
	tails_drop(l);
	trees_drop(l);
	takes_link_gone(l->d, l);
	unwatch_all(l);
	stream_free(l->stream);
	frame_reader_done(&l->reader);
	buf_done(&l->out);
	buf_done(&l->reports);
	buf_done(&l->returned);
	buf_done(&l->synced);
	free(l->who);
	free(l);
}

void
consoles_free(struct daemon *d)
{
	if (d->consoles == NULL)
		return;
	while (!LIST_EMPTY(&d->consoles->links))
		link_free(LIST_FIRST(&d->consoles->links));
	free(d->consoles);
	d->consoles = NULL;
}

static void
link_data(void *arg, const uint8_t *p, size_t n)
{
	struct link *l = arg;
	const uint8_t *body;
	unsigned number;
	size_t len;
	int r = 0;

	if (l->ended)
		return;
	l->heard_us = loop_now_us(l->d->loop);
	l->pinged = false;
	frame_feed(&l->reader, p, n);
	while (!l->ended &&
	    (r = frame_next(&l->reader, &number, &body, &len)) > 0) {
		if ((r = msg_check(number, FROM_CONSOLE, l->phase)) == 0)
			r = handle_message(l, number, body, len);
		if (r < 0)
			break;
	}
	if (r < 0 && !l->ended)
		link_fail(l, r, err_text(r));
}

static void
link_end(void *arg, int error)
{
	struct link *l = arg;

	l->ended = true;
}

static void
link_drained(void *arg)
{
	struct link *l = arg;

	if (l->ended)
		return;
	syncs_pump(l);
	tails_pump(l);
}

static const struct stream_ops link_ops = {
	.data = link_data, .end = link_end, .drained = link_drained
};

void
console_accept(struct daemon *d, int fd, bool read_only)
{
	struct link *l = mem_zalloc(sizeof *l);

	l->d = d;
	l->serial = ++d->last_serial;
	l->phase = PHASE_GREETING;
	l->read_only = read_only;
	l->heard_us = loop_now_us(d->loop);
	STAILQ_INIT(&l->syncs);
	LIST_INIT(&l->tails);
	frame_reader_init(&l->reader);
	LIST_INSERT_HEAD(&d->consoles->links, l, entry);
	d->consoles->n++;
	if (stream_new(d->loop, fd, fd, &link_ops, l, &l->stream) < 0) {
		close(fd);
		link_free(l);
		return;
	}
	stream_write(l->stream, PROTO_BANNER, strlen(PROTO_BANNER));
}

void
link_send(struct link *l, enum msg number, const struct buf *body)
{
	struct buf b = BUF_INIT;

	if (frame_put(&b, number, buf_data(body), buf_len(body)) == 0)
		stream_write(l->stream, buf_data(&b), buf_len(&b));
	buf_done(&b);
}

void
link_later(struct link *l, enum msg number, const struct buf *body)
{
	(void)frame_put(&l->out, number, buf_data(body), buf_len(body));
}

void
link_fail(struct link *l, int code, const char *text)
{
	struct buf b = BUF_INIT;
	struct jw w;

	log_info("link of %s ended: %s", l->who != NULL ? l->who : "?", text);
	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "code", code);
	jw_kv_str(&w, "text", text);
	jw_object_end(&w);
	link_send(l, MSG_ERROR, &b);
	buf_done(&b);
	l->ended = true;
}

/* Makes a message {KEY: [elements]} of a list and empties it. */
static void
end_list(struct link *l, enum msg number, const char *key, struct buf *list)
{
	struct buf b = BUF_INIT;

	if (buf_len(list) == 0)
		return;
	buf_putf(&b, "{\"%s\":[", key);
	buf_put(&b, buf_data(list), buf_len(list));
	buf_puts(&b, "]}");
	if (frame_put(&l->out, number, buf_data(&b), buf_len(&b)) < 0)
		link_fail(l, ERR_TOO_LARGE, "a report is too large");
	buf_clear(list);
	buf_done(&b);
}

void
link_report(struct link *l, const char *json, size_t n)
{
	if (buf_len(&l->reports) + n > LIST_MAX)
		end_list(l, MSG_REPORT, "reports", &l->reports);
	if (buf_len(&l->reports) > 0)
		buf_putc(&l->reports, ',');
	buf_put(&l->reports, json, n);
}

static void
put_returned(struct link *l, const struct ident *id, bool returned,
    bool full, const char *why)
{
	char text[IDENT_TEXT];
	struct jw w;

	if (buf_len(&l->returned) > LIST_MAX)
		end_list(l, MSG_RETURNED, "items", &l->returned);
	if (buf_len(&l->returned) > 0)
		buf_putc(&l->returned, ',');
	jw_init(&w, &l->returned);
	jw_object(&w);
	jw_kv_str(&w, "id", ident_format(id, text));
	jw_kv_bool(&w, "returned", returned);
	if (full)
		jw_kv_bool(&w, "full", true);
	jw_kv_str(&w, "why", why);
	jw_object_end(&w);
}

void
link_returned(struct link *l, const struct ident *id, bool returned,
    const char *why)
{
	put_returned(l, id, returned, false, why);
}

void
link_full(struct link *l, const struct ident *id, const char *why)
{
	put_returned(l, id, true, true, why);
	l->full = true;
}

void
link_give_back(struct link *l, struct attempt *a)
{
	link_returned(l, &a->id, true, "its secrets are gone");
	turn_forget(l->d, a);
}

void
link_synced(struct link *l, const char *run, uint32_t epoch, bool ok)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "run", run);
	jw_kv_int(&w, "epoch", epoch);
	jw_kv_bool(&w, "ok", ok);
	jw_object_end(&w);
	(void)frame_put(&l->synced, MSG_SYNCED, buf_data(&b), buf_len(&b));
	buf_done(&b);
}

void
link_watch(struct link *l, struct held_run *run)
{
	size_t i;

	for (i = 0; i < l->n_runs; i++)
		if (l->runs[i] == run)
			return;
	l->runs = mem_grow(l->runs, &l->cap_runs, l->n_runs + 1,
	    sizeof(*l->runs));
	l->runs[l->n_runs++] = run;
	run->watchers = mem_grow(run->watchers, &run->cap_watchers,
	    run->n_watchers + 1, sizeof(*run->watchers));
	run->watchers[run->n_watchers++] = l;
}

static void
link_flush(struct link *l)
{
	end_list(l, MSG_REPORT, "reports", &l->reports);
	end_list(l, MSG_RETURNED, "items", &l->returned);
	buf_put(&l->out, buf_data(&l->synced), buf_len(&l->synced));
	buf_clear(&l->synced);
	if (buf_len(&l->out) > 0)
		stream_write(l->stream, buf_data(&l->out), buf_len(&l->out));
	buf_clear(&l->out);
	if (stream_pending(l->stream) > PENDING_MAX) {
		log_warn("link of %s ended: it does not read",
		    l->who != NULL ? l->who : "?");
		l->ended = true;
	}
}

void
consoles_flush(struct daemon *d)
{
	struct link *l;

	LIST_FOREACH(l, &d->consoles->links, entry)
		if (!l->ended)
			link_flush(l);
}

void
consoles_reap(struct daemon *d)
{
	struct link *l, *next;

	for (l = LIST_FIRST(&d->consoles->links); l != NULL; l = next) {
		next = LIST_NEXT(l, entry);
		if (l->ended)
			link_free(l);
	}
}

static void
put_facts(struct daemon *d, struct buf *b)
{
	struct facts facts;
	struct jw w;

	facts_make(d, &facts);
	jw_init(&w, b);
	facts_write(&w, &facts);
	facts_done(&facts);
}

void
link_facts(struct link *l)
{
	struct buf b = BUF_INIT;

	put_facts(l->d, &b);
	link_send(l, MSG_FACTS, &b);
	buf_done(&b);
}

void
consoles_facts(struct daemon *d)
{
	struct buf b = BUF_INIT;
	struct link *l;

	if (LIST_EMPTY(&d->consoles->links))
		return;
	put_facts(d, &b);
	LIST_FOREACH(l, &d->consoles->links, entry)
		if (l->phase == PHASE_OPEN && !l->ended)
			link_send(l, MSG_FACTS, &b);
	buf_done(&b);
}

void
consoles_tick(struct daemon *d)
{
	int64_t now = loop_now_us(d->loop);
	struct buf b = BUF_INIT;
	struct link *l;

	buf_puts(&b, "{\"n\":0}");
	LIST_FOREACH(l, &d->consoles->links, entry) {
		if (now - l->heard_us > SILENT_END_US)
			link_fail(l, ERR_TIMEOUT, "nothing was heard for 60 s");
		else if (now - l->heard_us > SILENT_PING_US && !l->pinged &&
		    l->phase == PHASE_OPEN) {
			link_send(l, MSG_PING, &b);
			l->pinged = true;
		}
	}
	buf_done(&b);
}
