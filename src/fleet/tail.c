/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following output. A tail remembers how far it came, and asks from there
 * again after a reconnect; it is its owner's until fleet_untail(). */
#include "config.h"

#include <stdlib.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

void
tail_send(struct fleet_tail *t)
{
	struct buf body = BUF_INIT;
	char id[IDENT_TEXT];
	struct jw w;

	if (t->over)
		return;
	/* A new tag: what is still on its way under the old one is no more
	 * wanted. */
	t->tag = ++t->peer->f->next_tag;
	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_int(&w, "tag", t->tag);
	jw_kv_str(&w, "attempt", ident_format(&t->id, id));
	if (t->file != NULL)
		jw_kv_str(&w, "file", t->file);
	jw_kv_int(&w, "offset", t->offset);
	/* Of what is whole already the end is wanted: one byte asks for it. */
	jw_kv_int(&w, "max", t->max == 0 ? 0 :
	    t->offset < t->max ? t->max - t->offset : 1);
	jw_kv_bool(&w, "follow", t->follow);
	jw_object_end(&w);
	say(t->peer, t->file != NULL ? MSG_FETCH : MSG_TAIL, &body);
	buf_done(&body);
}

static struct fleet_tail *
find_tail(struct peer *p, int64_t tag)
{
	struct fleet_tail *t;

	TAILQ_FOREACH(t, &p->tails, entry)
		if (t->tag == tag && !t->over)
			return t;
	return NULL;
}

void
tail_output(struct peer *p, const uint8_t *body, size_t n)
{
	struct fleet_tail *t;
	const uint8_t *bytes;
	uint64_t offset, skip;
	uint32_t tag;
	size_t len;

	if (msg_output_get(body, n, &tag, &offset, &bytes, &len) < 0 ||
	    offset > INT64_MAX - len) {
		peer_fail(p, ERR_PROTOCOL, "%s: bad output message",
		    p->agent.name);
		return;
	}
	if ((t = find_tail(p, tag)) == NULL || len == 0)
		return;
	/* What was given before is not given again. */
	skip = t->offset > 0 && offset < (uint64_t)t->offset ?
	    (uint64_t)t->offset - offset : 0;
	if (skip >= len)
		return;
	t->offset = (int64_t)(offset + len);
	t->ops->data(t->arg, offset + skip, bytes + skip, len - (size_t)skip);
}

void
tail_ended(struct peer *p, const struct jval *v)
{
	struct fleet_tail *t = find_tail(p, jval_get_int(v, "tag", -1));
	int code = (int)jval_get_int(v, "code", 0);
	const char *text = jval_get_str(v, "text", NULL);

	if (t == NULL)
		return;
	if (code > 0 || code < -20000)
		code = ERR_PROTOCOL;
	t->over = true;
	t->ops->end(t->arg, code, text != NULL ? text :
	    code == 0 ? "" : err_text(code));
}

static void
begin(struct peer *p, struct fleet_tail *t)
{
	t->peer = p;
	TAILQ_INSERT_TAIL(&p->tails, t, entry);
	if (p->phase == PEER_UP)
		tail_send(t);
}

int
fleet_tail(struct fleet *f, size_t agent, const struct ident *id,
    int64_t offset, bool follow, const struct fleet_tail_ops *ops, void *arg,
    struct fleet_tail **ret)
{
	struct fleet_tail *t = mem_zalloc(sizeof(*t));

	t->id = *id;
	t->offset = offset;
	t->follow = follow;
	t->ops = ops;
	t->arg = arg;
	begin(f->peers[agent], t);
	*ret = t;
	return 0;
}

int
fleet_fetch(struct fleet *f, size_t agent, const struct ident *id,
    const char *file, int64_t max, const struct fleet_tail_ops *ops,
    void *arg, struct fleet_tail **ret)
{
	struct fleet_tail *t = mem_zalloc(sizeof(*t));

	t->id = *id;
	t->file = str_dup(file);
	t->max = max;
	t->ops = ops;
	t->arg = arg;
	begin(f->peers[agent], t);
	*ret = t;
	return 0;
}

void
fleet_untail(struct fleet_tail *t)
{
	struct buf body = BUF_INIT;
	struct jw w;

	if (t == NULL)
		return;
	if (t->peer != NULL && !t->over) {
		jw_init(&w, &body);
		jw_object(&w);
		jw_kv_int(&w, "tag", t->tag);
		jw_object_end(&w);
		say(t->peer, MSG_UNTAIL, &body);
		buf_done(&body);
	}
	if (t->peer != NULL)
		TAILQ_REMOVE(&t->peer->tails, t, entry);
	free(t->file);
	free(t);
}
