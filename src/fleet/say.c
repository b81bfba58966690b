/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is said to an agent. Things of one kind, run and epoch that follow
 * each other become one message; order is kept, because a START means
 * something only after the SYNC of its run. All of a turn leaves at its end.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

/* A message is closed when it has become this long. */
#define BATCH_BYTES (256u << 10)
/* Room for what stands around one work in a START. */
#define WORK_MAX_BYTES (MESSAGE_MAX - 4096)

static void
close_batch(struct peer *p)
{
	struct batch *b = &p->batch;

	if (b->number == 0)
		return;
	jw_array_end(&b->w);
	if (buf_len(&b->secrets) > 0) {
		buf_putc(&b->secrets, '}');
		jw_key(&b->w, "secrets");
		jw_raw(&b->w, buf_str(&b->secrets), buf_len(&b->secrets));
		buf_clear(&b->secrets);
	}
	jw_object_end(&b->w);
	frame_put(&p->out, b->number, buf_data(&b->body), buf_len(&b->body));
	b->number = 0;
	buf_clear(&b->body);
}

/* Opens (or goes on with) the batch of that kind. */
static struct batch *
open_batch(struct peer *p, unsigned number, const char *run, uint32_t epoch,
    int64_t grace_us)
{
	struct batch *b = &p->batch;

	if (b->number == number && strcmp(b->run, run) == 0 &&
	    b->epoch == epoch && b->grace_us == grace_us &&
	    buf_len(&b->body) < BATCH_BYTES)
		return b;
	close_batch(p);
	b->number = number;
	memcpy(b->run, run, sizeof(b->run));
	b->epoch = epoch;
	b->grace_us = grace_us;
	jw_init(&b->w, &b->body);
	jw_object(&b->w);
	jw_kv_str(&b->w, "run", run);
	jw_kv_int(&b->w, "epoch", epoch);
	if (number == MSG_CANCEL)
		jw_kv_seconds(&b->w, "grace_s", grace_us);
	jw_key(&b->w, number == MSG_START ? "works" : number == MSG_TOLD ?
	    "told" : "ids");
	jw_array(&b->w);
	fleet_mark(p);
	return b;
}

void
say(struct peer *p, unsigned number, const struct buf *body)
{
	if (p->phase != PEER_UP)
		return;
	close_batch(p);
	frame_put(&p->out, number, buf_data(body), buf_len(body));
	fleet_mark(p);
}

void
say_ping(struct peer *p, unsigned number, int64_t n)
{
	struct buf body = BUF_INIT;
	struct jw w;

	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_int(&w, "n", n);
	jw_object_end(&w);
	say(p, number, &body);
	buf_done(&body);
}

void
say_hello(struct peer *p)
{
	struct buf body = BUF_INIT;
	struct jw w;

	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_int(&w, "protocol", PROTO_VERSION);
	jw_kv_str(&w, "version", PACKAGE_VERSION);
	jw_key(&w, "features");
	jw_array(&w);
	jw_array_end(&w);
	jw_kv_str(&w, "who", p->f->who);
	jw_kv_str(&w, "console", p->f->console);
	jw_kv_bool(&w, "read_only", p->f->read_only);
	jw_object_end(&w);
	buf_puts(&p->out, PROTO_BANNER);
	frame_put(&p->out, MSG_HELLO, buf_data(&body), buf_len(&body));
	buf_done(&body);
	fleet_mark(p);
}

void
say_flush(struct peer *p)
{
	if (p->link == NULL)
		return;
	close_batch(p);
	if (buf_len(&p->out) == 0)
		return;
	link_write(p->link, buf_data(&p->out), buf_len(&p->out));
	buf_clear(&p->out);
}

void
say_done(struct peer *p)
{
	p->batch.number = 0;
	buf_clear(&p->batch.secrets);
	buf_clear(&p->batch.body);
	buf_clear(&p->out);
}

/* ---- attempts that were sent ---- */

/* The key: all bytes behind the strings are zero. */
static struct ident
key_of(const struct ident *id)
{
	struct ident key;

	memset(&key, 0, sizeof(key));
	strcpy(key.run, id->run);
	key.execution = id->execution;
	key.attempt = id->attempt;
	return key;
}

static void
sent_add(struct peer *p, const struct ident *id)
{
	struct ident key = key_of(id);
	struct sent *s;

	HASH_FIND(hh, p->sent, &key, sizeof(key), s);
	if (s != NULL)
		return;
	s = mem_zalloc(sizeof(*s));
	s->id = key;
	s->at_us = clock_mono_us();
	HASH_ADD(hh, p->sent, id, sizeof(s->id), s);
	p->agent.sent++;
}

void
sent_forget(struct peer *p, const struct ident *id)
{
	struct ident key = key_of(id);
	struct sent *s;
	int64_t took;

	HASH_FIND(hh, p->sent, &key, sizeof(key), s);
	if (s == NULL)
		return;
	took = clock_mono_us() - s->at_us;
	p->agent.answer_us = p->agent.answer_us == 0 ? took :
	    p->agent.answer_us + (took - p->agent.answer_us) / 8;
	HASH_DEL(p->sent, s);
	free(s);
	p->agent.sent--;
}

void
sent_clear(struct peer *p)
{
	struct sent *s, *next;

	HASH_ITER(hh, p->sent, s, next) {
		HASH_DEL(p->sent, s);
		free(s);
	}
	p->agent.sent = 0;
}

/* ---- refusals ---- */

static void
refuse(struct peer *p, const struct ident *id, const char *why)
{
	p->refusals = mem_grow(p->refusals, &p->cap_refusals,
	    p->n_refusals + 1, sizeof(*p->refusals));
	p->refusals[p->n_refusals++] = (struct refusal){ *id, why };
	fleet_mark(p);
}

void
say_refusals(struct peer *p)
{
	struct refusal *v = p->refusals;
	size_t n = p->n_refusals, i;

	if (n == 0)
		return;
	/* The engine may send more from within the call. */
	p->refusals = NULL;
	p->n_refusals = p->cap_refusals = 0;
	for (i = 0; i < n; i++)
		p->f->ops->returned(p->f->arg, p->index, &v[i].id, true,
		    v[i].why);
	free(v);
}

/* ---- the engine's calls ---- */

/* An agent ends the link of a looker that wants more. */
static bool
may_change(const struct peer *p)
{
	return p->phase == PEER_UP && !p->f->read_only && !p->read_only;
}

static void
sync_run(struct peer *p, const char *run, uint32_t epoch, bool over)
{
	struct buf body = BUF_INIT;
	struct jw w;

	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_str(&w, "run", run);
	jw_kv_int(&w, "epoch", epoch);
	jw_kv_str(&w, "owner", p->f->who);
	if (over)
		jw_kv_bool(&w, "over", true);
	jw_object_end(&w);
	say(p, MSG_SYNC, &body);
	buf_done(&body);
}

void
fleet_sync(struct fleet *f, size_t agent, const char *run, uint32_t epoch)
{
	sync_run(f->peers[agent], run, epoch, false);
}

void
fleet_over(struct fleet *f, size_t agent, const char *run, uint32_t epoch)
{
	if (may_change(f->peers[agent]))
		sync_run(f->peers[agent], run, epoch, true);
}

/* Adds the secrets of work to what goes beside the works. */
static void
put_secrets(struct batch *b, const struct work *work)
{
	char text[IDENT_TEXT];
	struct jw w;

	if (work->secrets.n == 0)
		return;
	buf_putf(&b->secrets, "%c\"%s\":", buf_len(&b->secrets) > 0 ? ',' :
	    '{', ident_format(&work->id, text));
	jw_init(&w, &b->secrets);
	secrets_write(&w, &work->secrets);
}

/* How long the work is on the wire, with its secrets; it is in scratch. */
static size_t
measure(struct fleet *f, const struct work *work)
{
	struct buf b = BUF_INIT;
	struct jw w;
	size_t n;

	buf_clear(&f->scratch);
	jw_init(&w, &f->scratch);
	work_write(&w, work);
	buf_secret(&b);
	jw_init(&w, &b);
	secrets_write(&w, &work->secrets);
	n = buf_len(&f->scratch) + buf_len(&b);
	buf_done(&b);
	return n;
}

void
fleet_start(struct fleet *f, size_t agent, const struct work *work)
{
	struct peer *p = f->peers[agent];
	struct batch *b;
	size_t n;

	if (p->phase != PEER_UP)
		return;
	if (!may_change(p)) {
		refuse(p, &work->id, "this link may only look");
		return;
	}
	if (work->secrets.n > 0 && !p->agent.takes_secrets) {
		refuse(p, &work->id, "this agent's version cannot take "
		    "secrets, deploy a newer one");
		return;
	}
	if ((n = measure(f, work)) > WORK_MAX_BYTES) {
		refuse(p, &work->id, "too long for one message (4 MB)");
		return;
	}
	if (n + buf_len(&p->batch.body) + buf_len(&p->batch.secrets) >
	    WORK_MAX_BYTES)
		close_batch(p);
	b = open_batch(p, MSG_START, work->id.run, work->epoch, 0);
	jw_raw(&b->w, buf_str(&f->scratch), buf_len(&f->scratch));
	put_secrets(b, work);
	sent_add(p, &work->id);
	peer_show(p);
}

static void
put_id(struct peer *p, unsigned number, const struct ident *id,
    uint32_t epoch, int64_t grace_us)
{
	char text[IDENT_TEXT];
	struct batch *b;

	if (!may_change(p))
		return;
	b = open_batch(p, number, id->run, epoch, grace_us);
	jw_str(&b->w, ident_format(id, text));
}

void
fleet_take_back(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch)
{
	put_id(f->peers[agent], MSG_TAKE_BACK, id, epoch, 0);
}

void
fleet_cancel(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch, int64_t grace_us)
{
	put_id(f->peers[agent], MSG_CANCEL, id, epoch, grace_us);
}

void
fleet_go(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch)
{
	put_id(f->peers[agent], MSG_GO, id, epoch, 0);
}

void
fleet_tell(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch, const char *told)
{
	struct peer *p = f->peers[agent];
	struct batch *b;

	if (!may_change(p))
		return;
	b = open_batch(p, MSG_TOLD, id->run, epoch, 0);
	jw_raw(&b->w, told, strlen(told));
}

void
fleet_ack(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch)
{
	put_id(f->peers[agent], MSG_ACK, id, epoch, 0);
}

void
fleet_ack_files(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch)
{
	struct peer *p = f->peers[agent];
	struct buf body = BUF_INIT;
	char text[IDENT_TEXT];
	struct jw w;

	if (!may_change(p))
		return;
	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_str(&w, "run", id->run);
	jw_kv_int(&w, "epoch", epoch);
	jw_kv_bool(&w, "files", true);
	jw_key(&w, "ids");
	jw_array(&w);
	jw_str(&w, ident_format(id, text));
	jw_array_end(&w);
	jw_object_end(&w);
	say(p, MSG_ACK, &body);
	buf_done(&body);
}
