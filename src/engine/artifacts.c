/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Artifacts: the result of an attempt is recorded and counts at once, but it
 * is acknowledged only when its files came, were given up, or cannot be had.
 * Until then the agent holds both, and says so again to whoever takes the run
 * over. A file gets its name when it is whole and its hash is right.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/sha256.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#include "engine/engine_private.h"

#define AT_ONCE 4		/* attempts whose files come */
#define GIVE_UP_US (60 * US_PER_S)	/* nothing came, and the run ended */
#define LOOK_US (2 * US_PER_S)

struct bringing {
	struct engine *e;
	size_t agent;
	struct ident id;
	uint32_t epoch;
	struct artifacts files;
	uint32_t at;		/* the file that comes */
	struct fleet_tail *tail;	/* NULL: not begun */
	bool over;		/* nothing more comes of it */
	char *path, *temp;
	int fd;
	uint64_t got;
	struct sha256 sum;
	int64_t moved_us;	/* when something came last */
	TAILQ_ENTRY(bringing) entry;
};

static void next_file(struct bringing *b);

static void
close_file(struct bringing *b)
{
	fleet_untail(b->tail);
	b->tail = NULL;
	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
	if (b->temp != NULL)
		(void)unlink(b->temp);
	free(b->temp);
	free(b->path);
	b->temp = b->path = NULL;
}

static void
bringing_free(struct bringing *b)
{
	close_file(b);
	TAILQ_REMOVE(&b->e->artifacts, b, entry);
	artifacts_done(&b->files);
	free(b);
}

static void
start_some(struct engine *e)
{
	struct bringing *b, *next;
	unsigned n = 0;

	for (b = TAILQ_FIRST(&e->artifacts); b != NULL && n < AT_ONCE;
	    b = next, n++) {
		next = TAILQ_NEXT(b, entry);
		if (b->tail == NULL)
			next_file(b);
	}
}

/* All came, or no more will. */
static void
finish(struct bringing *b)
{
	struct engine *e = b->e;

	fleet_ack_files(e->fleet, b->agent, &b->id, b->epoch);
	engine_out(e, OUT_ACK, b->agent, &b->id, b->epoch);
	bringing_free(b);
	engine_wake(e);
}

static void
complain(struct bringing *b, const char *why)
{
	char *name = text_safe(b->files.v[b->at].name);

	engine_say(b->e, EVENT_WARNING, NULL, b->id.run, "execution %u: "
	    "artifact %s of attempt %u did not come: %s", b->id.execution,
	    name, b->id.attempt, why);
	free(name);
}

static void
on_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct bringing *b = arg;

	b->moved_us = clock_mono_us();
	if (b->fd < 0 || offset != b->got ||
	    n > b->files.v[b->at].bytes - b->got ||
	    fd_write_all(b->fd, p, n) < 0) {
		/* Its end says that it is not whole. */
		if (b->fd >= 0)
			close(b->fd);
		b->fd = -1;
		return;
	}
	sha256_put(&b->sum, p, n);
	b->got += n;
}

static void
on_end(void *arg, int code, const char *text)
{
	struct bringing *b = arg;
	const struct artifact *a = &b->files.v[b->at];
	char hash[SHA256_TEXT];

	sha256_text(&b->sum, hash);
	if (code < 0)
		complain(b, text);
	else if (b->fd < 0 || b->got != a->bytes ||
	    strcmp(hash, a->sha256) != 0)
		complain(b, "what came is not what was announced");
	else if (rename(b->temp, b->path) == -1)
		complain(b, err_text(-errno));
	b->at++;
	b->over = true;
	b->moved_us = clock_mono_us();
	/* From here the tail must not be freed: the next turn does. */
	timer_start(b->e->artifacts_timer, 0);
}

static const struct fleet_tail_ops ops = { .data = on_data, .end = on_end };

static int
open_file(struct bringing *b)
{
	const struct artifact *a = &b->files.v[b->at];
	char *root = run_path(b->e->state_dir, b->id.run, ".artifacts");
	char *dir = NULL;
	int r;

	b->path = str_fmt("%s/%u/%u/%s", root, b->id.execution,
	    b->id.attempt, a->name);
	b->temp = str_fmt("%s/%u.%u.part", root, b->id.execution,
	    b->id.attempt);
	dir = path_dir(b->path);
	if ((r = fs_mkdirs(dir)) == 0) {
		b->fd = open(b->temp, O_WRONLY | O_CREAT | O_TRUNC |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
		r = b->fd == -1 ? -errno : 0;
	}
	free(dir);
	free(root);
	return r;
}

static void
next_file(struct bringing *b)
{
	char name[32];
	int r;

	b->over = false;
	for (; b->at < b->files.n; b->at++) {
		close_file(b);
		if ((r = open_file(b)) < 0) {
			complain(b, err_text(r));
			continue;
		}
		b->got = 0;
		sha256_init(&b->sum);
		snprintf(name, sizeof name, "artifact.%u", b->at);
		if ((r = fleet_fetch(b->e->fleet, b->agent, &b->id, name,
		    (int64_t)b->files.v[b->at].bytes + 1, &ops, b,
		    &b->tail)) == 0)
			return;
		complain(b, err_text(r));
	}
	finish(b);
}

/* Goes on with those whose file ended; gives up those of runs that ended and
 * of which nothing comes. */
void
artifacts_turn(void *arg)
{
	struct engine *e = arg;
	int64_t now = clock_mono_us();
	struct bringing *b, *next;
	const struct erun *r;

	for (b = TAILQ_FIRST(&e->artifacts); b != NULL; b = next) {
		next = TAILQ_NEXT(b, entry);
		r = erun_find(e, b->id.run);
		if (b->over) {
			next_file(b);
		} else if ((r == NULL || r->ended) &&
		    now - b->moved_us > GIVE_UP_US) {
			complain(b, "its agent is silent");
			finish(b);
		}
	}
	start_some(e);
	if (!TAILQ_EMPTY(&e->artifacts) && !timer_armed(e->artifacts_timer))
		timer_start(e->artifacts_timer, LOOK_US);
}

bool
artifacts_take(struct engine *e, const struct erun *r, size_t agent,
    const struct report *rep)
{
	struct bringing *b;

	if (rep->artifacts.dropped > 0)
		engine_say(e, EVENT_WARNING, NULL, r->live.id, "execution "
		    "%u: %u artifacts were left out, over a limit",
		    rep->id.execution, rep->artifacts.dropped);
	if (rep->artifacts.n == 0)
		return false;
	TAILQ_FOREACH(b, &e->artifacts, entry)
		if (ident_equal(&b->id, &rep->id))
			return true;
	b = mem_zalloc(sizeof *b);
	b->e = e;
	b->agent = agent;
	b->id = rep->id;
	b->epoch = r->epoch;
	b->fd = -1;
	b->moved_us = clock_mono_us();
	artifacts_copy(&b->files, &rep->artifacts);
	TAILQ_INSERT_TAIL(&e->artifacts, b, entry);
	timer_start(e->artifacts_timer, 0);
	return true;
}

bool
artifacts_pending(const struct engine *e, const struct erun *r)
{
	const struct bringing *b;

	TAILQ_FOREACH(b, &e->artifacts, entry)
		if (strcmp(b->id.run, r->live.id) == 0)
			return true;
	return false;
}

void
artifacts_free(struct engine *e)
{
	while (!TAILQ_EMPTY(&e->artifacts))
		bringing_free(TAILQ_FIRST(&e->artifacts));
	timer_free(e->artifacts_timer);
}
