/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packed trees for an agent. One is offered; the agent says how much of it it
 * has, and gets the rest in pieces, a window at a time, so that what is said
 * besides never waits for more than that. After a reconnect it is offered
 * again, and goes on where the agent is.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/sha256.h"
#include "yardmaster/base/text.h"

#define WINDOW (256u << 10)	/* bytes beyond what the agent has */
#define PIECE 12000u

struct fleet_tree {
	char hash[SHA256_TEXT];
	uint64_t size, have, sent;
	char *path;
	int fd;			/* -1: not open */
	uint32_t tag;
	bool stored, refused;
	bool begun;		/* the agent said how much it has */
	TAILQ_ENTRY(fleet_tree) entry;
};

static void
close_file(struct fleet_tree *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static void
offer(struct peer *p, struct fleet_tree *t)
{
	struct buf body = BUF_INIT;
	struct jw w;

	t->tag = ++p->f->next_tag;
	t->stored = t->refused = t->begun = false;
	t->have = t->sent = 0;
	jw_init(&w, &body);
	jw_object(&w);
	jw_kv_int(&w, "tag", t->tag);
	jw_kv_str(&w, "hash", t->hash);
	jw_kv_int(&w, "size", (int64_t)t->size);
	jw_object_end(&w);
	say(p, MSG_TREE, &body);
	buf_done(&body);
}

/* Sends what the window allows. 0 or a code of the file. */
static int
pump(struct peer *p, struct fleet_tree *t)
{
	struct buf body = BUF_INIT;
	uint8_t piece[PIECE];
	ssize_t n = 1;
	int r = 0;

	if (t->fd < 0 && (t->fd = open(t->path, O_RDONLY | O_CLOEXEC)) == -1)
		return -errno;
	while (t->sent < t->size && t->sent < t->have + WINDOW && n > 0) {
		n = pread(t->fd, piece, t->size - t->sent < PIECE ?
		    (size_t)(t->size - t->sent) : PIECE, (off_t)t->sent);
		if (n <= 0) {
			r = n == 0 ? ERR_NOT_FOUND : -errno;
			break;
		}
		buf_clear(&body);
		msg_output_put(&body, t->tag, t->sent, piece, (size_t)n);
		say(p, MSG_TREE_DATA, &body);
		t->sent += (uint64_t)n;
	}
	buf_done(&body);
	return r;
}

static void
go_on(struct peer *p, struct fleet_tree *t)
{
	int r = pump(p, t);

	if (r == 0)
		return;
	t->refused = true;
	close_file(t);
	fleet_event(p, EVENT_ERROR, "the workspace %.12s cannot be read: %s",
	    t->hash, err_text(r));
}

bool
tree_have(struct peer *p, const struct jval *v)
{
	int64_t offset = jval_get_int(v, "offset", -1);
	struct fleet_tree *t;
	char *text;

	TAILQ_FOREACH(t, &p->trees, entry)
		if (t->tag == jval_get_int(v, "tag", -1))
			break;
	if (t == NULL || t->stored || t->refused)
		return true;
	if (jval_get_int(v, "code", 0) < 0) {
		t->refused = true;
		close_file(t);
		text = text_safe(jval_get_str(v, "text", "no reason given"));
		fleet_event(p, EVENT_WARNING, "did not take the workspace: "
		    "%s", text);
		free(text);
		return true;
	}
	if (offset < 0 || (uint64_t)offset > t->size ||
	    (t->begun && (uint64_t)offset < t->have))
		return false;
	t->have = (uint64_t)offset;
	if (!t->begun || t->sent < t->have)
		t->sent = t->have;
	t->begun = true;
	t->stored = jval_get_bool(v, "stored", false);
	if (t->stored)
		close_file(t);
	else
		go_on(p, t);
	return true;
}

void
trees_offer(struct peer *p)
{
	struct fleet_tree *t;

	TAILQ_FOREACH(t, &p->trees, entry)
		offer(p, t);
}

void
trees_free(struct peer *p)
{
	struct fleet_tree *t;

	while ((t = TAILQ_FIRST(&p->trees)) != NULL) {
		TAILQ_REMOVE(&p->trees, t, entry);
		close_file(t);
		free(t->path);
		free(t);
	}
}

void
fleet_offer(struct fleet *f, size_t agent, const char *hash, uint64_t size,
    const char *path)
{
	struct peer *p = f->peers[agent];
	struct fleet_tree *t;

	if (f->read_only || p->read_only)
		return;
	TAILQ_FOREACH(t, &p->trees, entry)
		if (strcmp(t->hash, hash) == 0)
			break;
	if (t != NULL) {
		if (t->refused)
			offer(p, t);
		return;
	}
	t = mem_zalloc(sizeof *t);
	memcpy(t->hash, hash, sizeof t->hash);
	t->size = size;
	t->path = str_dup(path);
	t->fd = -1;
	TAILQ_INSERT_TAIL(&p->trees, t, entry);
	offer(p, t);
}
