/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RUN.sock: other processes of the account ask and act through the owner of a
 * run. One request at a time is answered in order; ops are answered when they
 * are done. A peer that breaks the protocol loses its connection only.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/proto/msg.h"
#include "yardmaster/engine/owner.h"

#include "engine/owner_private.h"

#define PEERS_MAX 32
#define PEER_PENDING_MAX (16u << 20)

struct peer {
	TAILQ_ENTRY(peer) entry;
	uint64_t id;
	struct owner *owner;
	struct stream *stream;
	struct frame_reader reader;
	bool dead;		/* freed at the end of the turn */
};

struct owner {
	struct engine *engine;
	struct loop *loop;
	struct listener *listener;
	TAILQ_HEAD(, peer) peers;
	uint64_t next_id;
	unsigned n_peers;
	unsigned ops;		/* under way: their replies know us */
	bool closed;		/* freed when the last of them is done */
};

/* An op under way: it finds its peer by id, which may be gone by then. */
struct reply_to {
	struct owner *owner;
	uint64_t peer;
	int64_t tag;
};

static void
peer_free(struct peer *p)
{
	TAILQ_REMOVE(&p->owner->peers, p, entry);
	p->owner->n_peers--;
	stream_free(p->stream);
	frame_reader_done(&p->reader);
	free(p);
}

static void
send_reply(struct peer *p, const struct buf *body)
{
	struct buf out = BUF_INIT;

	if (stream_pending(p->stream) > PEER_PENDING_MAX ||
	    frame_put(&out, MSG_REPLY, buf_data(body), buf_len(body)) < 0)
		p->dead = true;
	else
		stream_write(p->stream, buf_data(&out), buf_len(&out));
	buf_done(&out);
}

/* {"tag", "ok", "code", "text", "data"}; data is JSON text or NULL. */
static void
reply(struct peer *p, int64_t tag, int code, const char *text,
    const struct buf *data)
{
	struct buf body = BUF_INIT;
	struct jw w;

	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_int(&w, "tag", tag);
	jw_kv_bool(&w, "ok", code == 0);
	jw_kv_int(&w, "code", code);
	jw_kv_str(&w, "text", text != NULL ? text :
	    code < 0 ? err_text(code) : NULL);
	if (data != NULL) {
		jw_key(&w, "data");
		jw_raw(&w, buf_str(data), buf_len(data));
	}
	jw_object_end(&w);
	send_reply(p, &body);
	buf_done(&body);
}

static struct peer *
peer_find(struct owner *o, uint64_t id)
{
	struct peer *p;

	TAILQ_FOREACH(p, &o->peers, entry)
		if (p->id == id)
			return p;
	return NULL;
}

static void
op_done(void *arg, int code, const char *text)
{
	struct reply_to *to = arg;
	struct peer *p = peer_find(to->owner, to->peer);

	if (p != NULL)
		reply(p, to->tag, code, text, NULL);
	if (--to->owner->ops == 0 && to->owner->closed)
		free(to->owner);
	free(to);
}

static void
do_op(struct peer *p, int64_t tag, const struct jval *v)
{
	struct reply_to *to;
	struct op op;
	int r;

	if ((r = owner_op_read(v, &op)) < 0) {
		reply(p, tag, r, "the op is not understood", NULL);
		return;
	}
	to = mem_zalloc(sizeof *to);
	to->owner = p->owner;
	to->peer = p->id;
	to->tag = tag;
	to->owner->ops++;
	engine_op(p->owner->engine, &op, op_done, to);
}

static void
do_query(struct peer *p, int64_t tag, const char *name, const struct jval *v)
{
	struct buf data = BUF_INIT;
	int r;

	r = engine_query(p->owner->engine, name, v, &data);
	reply(p, tag, r, NULL, r == 0 ? &data : NULL);
	buf_done(&data);
}

static int
handle(struct peer *p, const uint8_t *body, size_t n)
{
	struct jval *v = NULL;
	const char *name;
	int64_t tag;
	int r;

	if ((r = jval_parse(&v, body, n)) < 0)
		return r;
	tag = jval_get_int(v, "tag", 0);
	if ((name = jval_get_str(v, "query", NULL)) != NULL)
		do_query(p, tag, name, v);
	else
		do_op(p, tag, v);
	jval_free(v);
	return 0;
}

static void
peer_data(void *arg, const uint8_t *bytes, size_t count)
{
	struct peer *p = arg;
	const uint8_t *body;
	unsigned number;
	size_t n;
	int r;

	if (p->dead)
		return;
	frame_feed(&p->reader, bytes, count);
	while ((r = frame_next(&p->reader, &number, &body, &n)) > 0) {
		r = msg_check(number, FROM_CONSOLE, PHASE_OWNER);
		if (r == 0)
			r = handle(p, body, n);
		if (r < 0)
			break;
	}
	if (r < 0) {
		log_warn("owner socket: %s", err_text(r));
		p->dead = true;
		loop_poke(p->owner->loop);
	}
}

static void
peer_end(void *arg, int error)
{
	struct peer *p = arg;

	p->dead = true;
	loop_poke(p->owner->loop);
}

static const struct stream_ops peer_ops = {
	.data = peer_data,
	.end = peer_end,
};

static void
peer_accept(void *arg, int fd)
{
	struct owner *o = arg;
	struct peer *p = mem_zalloc(sizeof *p);

	p->owner = o;
	p->id = ++o->next_id;
	frame_reader_init(&p->reader);
	TAILQ_INSERT_TAIL(&o->peers, p, entry);
	o->n_peers++;
	if (stream_new(o->loop, fd, fd, &peer_ops, p, &p->stream) < 0) {
		close(fd);
		peer_free(p);
	} else if (o->n_peers > PEERS_MAX) {
		p->dead = true;
	} else {
		stream_write(p->stream, PROTO_BANNER, strlen(PROTO_BANNER));
	}
}

static void
reap(void *arg)
{
	struct owner *o = arg;
	struct peer *p, *next;

	for (p = TAILQ_FIRST(&o->peers); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if (p->dead)
			peer_free(p);
	}
}

int
owner_new(struct engine *e, struct loop *loop, const char *path,
    struct owner **ret)
{
	struct owner *o = mem_zalloc(sizeof *o);
	int r;

	o->engine = e;
	o->loop = loop;
	TAILQ_INIT(&o->peers);
	r = listener_new(loop, path, peer_accept, o, &o->listener);
	if (r < 0) {
		free(o);
		return r;
	}
	loop_hook(loop, reap, o);
	*ret = o;
	return 0;
}

void
owner_free(struct owner *o)
{
	struct peer *p;

	if (o == NULL)
		return;
	loop_unhook(o->loop, reap, o);
	listener_free(o->listener);
	while ((p = TAILQ_FIRST(&o->peers)) != NULL)
		peer_free(p);
	o->closed = true;
	if (o->ops == 0)
		free(o);
}
