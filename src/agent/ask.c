/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Helpers that steps call: each is a connection with one question. Nothing of
 * them outlives the daemon; a helper that loses it comes back and asks again,
 * and the console knows asks by what the helper called them.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/ask.h"
#include "agent/helper.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

#define HELPERS_MAX 1024
#define QUESTION_MAX (HELPER_VALUE_MAX * 7)	/* as JSON */

struct helper {
	struct daemon *d;
	struct stream *stream;
	struct frame_reader reader;
	struct ident id;
	char *ask;		/* NULL: nothing was asked yet */
	char *op, *name, *value;
	bool told;		/* it has its answer */
	LIST_ENTRY(helper) entry;
};

struct asks {
	LIST_HEAD(, helper) all;
	size_t n;
	struct listener *listener;
};

static void
helper_send(struct helper *h, enum helper_wire number, const struct buf *body)
{
	struct buf b = BUF_INIT;

	if (frame_put(&b, number, buf_data(body), buf_len(body)) == 0)
		stream_write(h->stream, buf_data(&b), buf_len(&b));
	buf_done(&b);
}

static void
helper_tell(struct helper *h, bool ok, const char *text, const char *value)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_bool(&w, "ok", ok);
	jw_kv_str(&w, "text", text);
	jw_kv_str(&w, "value", value);
	jw_object_end(&w);
	helper_send(h, HELPER_TOLD, &b);
	h->told = true;
	buf_done(&b);
}

static void
helper_clock(struct helper *h, bool runs)
{
	struct buf b = BUF_INIT;

	buf_puts(&b, runs ? "{\"runs\":true}" : "{\"runs\":false}");
	helper_send(h, HELPER_CLOCK, &b);
	buf_done(&b);
}

/* ---- to the console ---- */

static struct link *
driver_of(struct daemon *d, const struct held_run *run)
{
	struct link *l;

	LIST_FOREACH(l, &d->consoles->links, entry)
		if (l->serial == run->driver && !l->ended)
			return l;
	return NULL;
}

static void
say_ask(struct link *l, enum msg number, const struct helper *h)
{
	struct buf b = BUF_INIT;
	char text[IDENT_TEXT];
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_key(&w, "asks");
	jw_array(&w);
	jw_object(&w);
	jw_kv_str(&w, "id", ident_format(&h->id, text));
	jw_kv_str(&w, "ask", h->ask);
	if (number == MSG_ASK) {
		jw_kv_str(&w, "op", h->op);
		jw_kv_str(&w, "name", h->name);
		if (h->value != NULL)
			jw_kv_str(&w, "value", h->value);
	}
	jw_object_end(&w);
	jw_array_end(&w);
	jw_object_end(&w);
	link_send(l, number, &b);
	buf_done(&b);
}

static void
helper_free(struct helper *h)
{
	struct attempt *a = queue_find(&h->d->queue, &h->id);
	struct link *l;

	if (h->ask != NULL && !h->told && a != NULL &&
	    (l = driver_of(h->d, a->run)) != NULL)
		say_ask(l, MSG_UNASK, h);
	LIST_REMOVE(h, entry);
	h->d->asks->n--;
	stream_free(h->stream);
	frame_reader_done(&h->reader);
	free(h->ask);
	free(h->op);
	free(h->name);
	free(h->value);
	free(h);
}

void
asks_linked(struct link *l, const struct held_run *run)
{
	struct helper *h;

	LIST_FOREACH(h, &l->d->asks->all, entry) {
		if (h->ask == NULL || h->told ||
		    strcmp(h->id.run, run->id) != 0)
			continue;
		say_ask(l, MSG_ASK, h);
		helper_clock(h, true);
	}
}

void
asks_unlinked(struct daemon *d, const struct held_run *run)
{
	struct helper *h;

	if (d->asks == NULL)
		return;
	LIST_FOREACH(h, &d->asks->all, entry)
		if (h->ask != NULL && !h->told &&
		    strcmp(h->id.run, run->id) == 0)
			helper_clock(h, false);
}

int
asks_told(struct link *l, const struct jval *v)
{
	const struct jval *told = jval_get(v, "told"), *one;
	struct helper *h;
	struct ident id;
	size_t i;

	if (jval_type(told) != JVAL_ARRAY)
		return ERR_PROTOCOL;
	for (i = 0; i < jval_count(told); i++) {
		one = jval_at(told, i);
		if (ident_parse(jval_get_str(one, "id", ""), &id) < 0)
			return ERR_PROTOCOL;
		LIST_FOREACH(h, &l->d->asks->all, entry)
			if (h->ask != NULL && !h->told &&
			    ident_equal(&h->id, &id) && strcmp(h->ask,
			    jval_get_str(one, "ask", "")) == 0)
				helper_tell(h, jval_get_bool(one, "ok",
				    false), jval_get_str(one, "text", NULL),
				    jval_get_str(one, "value", NULL));
	}
	return 0;
}

/* ---- from helpers ---- */

static void
take_progress(struct helper *h, struct attempt *a)
{
	free(a->progress);
	a->progress = *h->name != '\0' ? str_dup(h->name) : NULL;
	turn_facts(h->d, false);
	helper_tell(h, true, NULL, NULL);
}

static bool
is_known_op(const char *op)
{
	return strcmp(op, "sync") == 0 || strcmp(op, "put") == 0 ||
	    strcmp(op, "get") == 0 || strcmp(op, "progress") == 0;
}

/* 0 with all of the question in h, or ERR_PROTOCOL. */
static int
read_question(struct helper *h, const struct jval *v)
{
	const char *op = jval_get_str(v, "op", ""), *value;

	if (h->ask != NULL || !is_known_op(op) ||
	    ident_parse(jval_get_str(v, "attempt", ""), &h->id) < 0 ||
	    strlen(jval_get_str(v, "ask", "")) > HELPER_ASK_MAX ||
	    strlen(jval_get_str(v, "name", "")) > HELPER_NAME_MAX)
		return ERR_PROTOCOL;
	value = jval_get_str(v, "value", NULL);
	if (value != NULL && strlen(value) > HELPER_VALUE_MAX)
		return ERR_PROTOCOL;
	h->ask = str_dup(jval_get_str(v, "ask", ""));
	h->op = str_dup(op);
	h->name = str_dup(jval_get_str(v, "name", ""));
	h->value = str_dup(value);
	return 0;
}

static int
take_question(struct helper *h, const uint8_t *body, size_t n)
{
	struct jval *v = NULL;
	struct attempt *a;
	struct link *l;
	int r;

	if (n > QUESTION_MAX)
		return ERR_TOO_LARGE;
	if ((r = jval_parse(&v, body, n)) == 0)
		r = read_question(h, v);
	jval_free(v);
	if (r < 0)
		return r;
	a = queue_find(&h->d->queue, &h->id);
	if (a == NULL || (a->state != ATTEMPT_RUNNING &&
	    a->state != ATTEMPT_ENDING)) {
		helper_tell(h, false, "this execution does not run here",
		    NULL);
	} else if (strcmp(h->op, "progress") == 0) {
		take_progress(h, a);
	} else if (!a->together) {
		helper_tell(h, false, "this execution is no part of a "
		    "together suite", NULL);
	} else {
		l = driver_of(h->d, a->run);
		helper_clock(h, l != NULL);
		if (l != NULL)
			say_ask(l, MSG_ASK, h);
	}
	return 0;
}

static void
helper_data(void *arg, const uint8_t *p, size_t n)
{
	struct helper *h = arg;
	const uint8_t *body;
	unsigned number;
	size_t len;
	int r;

	frame_feed(&h->reader, p, n);
	while ((r = frame_next(&h->reader, &number, &body, &len)) > 0)
		if (number != HELPER_ASK ||
		    (r = take_question(h, body, len)) < 0)
			break;
	if (r != 0)
		stream_shutdown(h->stream);
}

static void
helper_end(void *arg, int error)
{
	helper_free(arg);
}

static const struct stream_ops helper_ops = {
	.data = helper_data, .end = helper_end
};

static void
on_helper(void *arg, int fd)
{
	struct daemon *d = arg;
	struct helper *h;

	if (d->asks->n >= HELPERS_MAX) {
		close(fd);
		return;
	}
	h = mem_zalloc(sizeof *h);
	h->d = d;
	frame_reader_init(&h->reader);
	if (stream_new(d->loop, fd, fd, &helper_ops, h, &h->stream) < 0) {
		close(fd);
		frame_reader_done(&h->reader);
		free(h);
		return;
	}
	stream_write(h->stream, PROTO_BANNER, strlen(PROTO_BANNER));
	LIST_INSERT_HEAD(&d->asks->all, h, entry);
	d->asks->n++;
}

int
asks_init(struct daemon *d)
{
	d->asks = mem_zalloc(sizeof *d->asks);
	LIST_INIT(&d->asks->all);
	return listener_new(d->loop, HELPER_SOCKET, on_helper, d,
	    &d->asks->listener);
}

void
asks_free(struct daemon *d)
{
	struct helper *h;

	if (d->asks == NULL)
		return;
	listener_free(d->asks->listener);
	while ((h = LIST_FIRST(&d->asks->all)) != NULL)
		helper_free(h);
	free(d->asks);
	d->asks = NULL;
}
