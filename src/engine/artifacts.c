/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Artifacts: the result of an attempt is recorded and counts at once, with
 * the names of its files; it is acknowledged only when those came or cannot
 * be had. Until then the agent holds both, and says so again to whoever takes
 * the run over, also after its end. A file gets its name when it is whole and
 * its hash is right, so one that has its name is not brought again.
 *
 *	awaited -> here | missing (the agent may still have it) -> here
 *
 * One for which there is no room here is tried again, for as long as its run
 * goes on and a little longer; then its agent keeps it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/sha256.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#include "engine/engine_private.h"

#define AT_ONCE 4		/* attempts of an agent whose files come */
/* A run that has ended waits so long for its agents to send the next byte. */
#define GIVE_UP_US (30 * US_PER_S)
#define LOOK_US US_PER_S

/* One file that is wanted. */
struct wanted {
	uint32_t no;		/* in what the agent said */
	char *name;
	uint64_t bytes;
	char sha256[SHA256_TEXT];
};

/* Those of one attempt. */
struct bringing {
	struct engine *e;
	size_t agent;
	struct ident id;
	struct wanted *v;
	size_t n, cap;
	size_t at;		/* the file that comes */
	bool silent;		/* given up; the agent is to keep it */
	struct fleet_tail *tail;	/* NULL: not begun */
	bool over;		/* nothing more comes of it */
	char *path, *temp;
	size_t root;		/* where in path the run's own begins */
	int fd;
	uint64_t got;
	struct sha256 sum;
	int64_t moved_us;	/* when something came last */
	int64_t full_us;	/* since when there is no room for it, or 0 */
	int64_t again_us;	/* not to be tried before */
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
	size_t i;

	close_file(b);
	TAILQ_REMOVE(&b->e->artifacts, b, entry);
	for (i = 0; i < b->n; i++)
		free(b->v[i].name);
	free(b->v);
	free(b);
}

/* ---- what is recorded -------------------------------------------------------- */

static void
put(struct engine *e, const char *run, const struct run_artifact *a)
{
	struct erun *r = erun_find(e, run);
	struct run_file *late;

	if (r != NULL && r->file != NULL)
		erun_put(r, run_file_put_artifact(r->file, a));
	else if ((late = late_file(e, run)) != NULL)
		(void)run_file_put_artifact(late, a);
	e->changed = true;
	engine_touch(e);
}

/* What became of the file that comes; text says why it did not. */
static void
settle(struct bringing *b, const char *text)
{
	const struct wanted *w = &b->v[b->at];
	char *name;

	put(b->e, b->id.run, &(struct run_artifact){
		.exec = b->id.execution, .attempt = b->id.attempt,
		.no = w->no, .name = w->name, .bytes = w->bytes,
		.sha256 = w->sha256, .n = 1, .text = text,
		.state = text == NULL ? ARTIFACT_HERE : ARTIFACT_MISSING,
	});
	if (text == NULL && b->e->on_artifact != NULL)
		b->e->on_artifact(b->e->on_artifact_arg, b->id.run, b->path +
		    b->root);
	if (text == NULL)
		return;
	name = text_safe(w->name);
	engine_say(b->e, EVENT_WARNING, NULL, b->id.run, "execution %u: "
	    "artifact %s of attempt %u did not come: %s", b->id.execution,
	    name, b->id.attempt, text);
	free(name);
}

/* All came, or no more will. */
static void
finish(struct bringing *b)
{
	struct engine *e = b->e;
	struct erun *r = erun_find(e, b->id.run);

	if (r != NULL && r->file != NULL && !b->silent) {
		engine_out(e, OUT_ACK_FILES, b->agent, &b->id, r->epoch);
		engine_out(e, OUT_ACK, b->agent, &b->id, r->epoch);
	} else if (late_file(e, b->id.run) != NULL && !b->silent) {
		late_ack(e, b->agent, &b->id);
	}
	bringing_free(b);
	engine_wake(e);
}

/* ---- one file ----------------------------------------------------------------- */

/* True when code is that of a full disk: the file is tried again later. */
static bool
is_full(struct bringing *b, int code)
{
	char *name;

	if (code != -ENOSPC && code != -EDQUOT)
		return false;
	b->again_us = clock_mono_us() + LOOK_US;
	if (b->full_us != 0)
		return true;
	b->full_us = clock_mono_us();
	name = text_safe(b->v[b->at].name);
	engine_say(b->e, EVENT_WARNING, NULL, b->id.run, "execution %u: "
	    "artifact %s of attempt %u waits: %s", b->id.execution, name,
	    b->id.attempt, err_text(code));
	free(name);
	return true;
}

static void
on_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct bringing *b = arg;
	struct erun *r = erun_find(b->e, b->id.run);
	int code = 0;

	b->moved_us = clock_mono_us();
	if (r != NULL)
		r->moved_us = b->moved_us;
	if (b->fd < 0 || offset != b->got || n > b->v[b->at].bytes - b->got ||
	    (code = fd_write_all(b->fd, p, n)) < 0) {
		/* Its end says that it is not whole. */
		if (b->fd >= 0)
			close(b->fd);
		b->fd = -1;
		(void)is_full(b, code);
		return;
	}
	sha256_put(&b->sum, p, n);
	b->got += n;
}

static void
on_end(void *arg, int code, const char *text)
{
	struct bringing *b = arg;
	const struct wanted *w = &b->v[b->at];
	char hash[SHA256_TEXT];

	/* From here the tail must not be freed: the next turn does. */
	timer_start(b->e->artifacts_timer, 0);
	b->over = true;
	b->moved_us = clock_mono_us();
	if (code == 0 && b->again_us != 0)
		return;
	sha256_text(&b->sum, hash);
	if (code == 0)
		text = b->fd < 0 || b->got != w->bytes ||
		    strcmp(hash, w->sha256) != 0 ?
		    "what came is not what was announced" :
		    rename(b->temp, b->path) == -1 ? err_text(-errno) : NULL;
	settle(b, text);
	b->at++;
	b->full_us = 0;
}

static const struct fleet_tail_ops ops = { .data = on_data, .end = on_end };

/* 0, 1 when it is there already, or a code. */
static int
open_file(struct bringing *b)
{
	const struct wanted *w = &b->v[b->at];
	char *root = run_path(b->e->state_dir, b->id.run, ".artifacts");
	char *name = artifact_file_name(w->name), *dir;
	struct stat st;
	int r;

	b->path = str_fmt("%s/%u/%u/%s", root, b->id.execution,
	    b->id.attempt, name);
	b->root = strlen(root) + 1;
	b->temp = str_fmt("%s/%u.%u.part", root, b->id.execution,
	    b->id.attempt);
	dir = path_dir(b->path);
	if (lstat(b->path, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size == w->bytes) {
		r = 1;
	} else if ((r = fs_mkdirs(dir)) == 0) {
		b->fd = open(b->temp, O_WRONLY | O_CREAT | O_TRUNC |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
		r = b->fd == -1 ? -errno : 0;
	}
	free(dir);
	free(name);
	free(root);
	return r;
}

static void
next_file(struct bringing *b)
{
	char name[32];
	int r;

	b->over = false;
	b->again_us = 0;
	for (; b->at < b->n; b->at++, b->full_us = 0) {
		close_file(b);
		if (is_full(b, r = open_file(b)))
			return;
		if (r == 0) {
			b->got = 0;
			sha256_init(&b->sum);
			snprintf(name, sizeof name, "artifact.%u",
			    b->v[b->at].no);
			r = fleet_fetch(b->e->fleet, b->agent, &b->id, name,
			    (int64_t)b->v[b->at].bytes + 1, &ops, b, &b->tail);
			if (r == 0)
				return;
		}
		settle(b, r == 1 ? NULL : err_text(r));
	}
	finish(b);
}

/* ---- all of them ---------------------------------------------------------------- */

/* Begins some of each agent that is there. */
static void
start_some(struct engine *e, int64_t now)
{
	unsigned *n = mem_calloc(fleet_count(e->fleet), sizeof *n);
	struct bringing *b, *next;

	for (b = TAILQ_FIRST(&e->artifacts); b != NULL; b = next) {
		next = TAILQ_NEXT(b, entry);
		if (n[b->agent]++ < AT_ONCE && b->tail == NULL &&
		    now >= b->again_us &&
		    fleet_agent(e->fleet, b->agent)->link >= LINK_UP)
			next_file(b);
	}
	free(n);
}

/* Of a run that has ended nothing came for long. Its agent keeps them: who
 * looks at the run when it is there again has it settled (late.c). */
static bool
is_silent(const struct bringing *b, int64_t now)
{
	const struct erun *r = erun_find(b->e, b->id.run);
	int64_t since = b->moved_us;

	if (r != NULL && r->file != NULL) {
		if (!r->ended)
			return false;
		since = r->moved_us > since ? r->moved_us : since;
	}
	if (b->full_us != 0)
		since = b->full_us;
	return now - since > GIVE_UP_US;
}

static void
give_up(struct bringing *b)
{
	for (; b->at < b->n; b->at++)
		settle(b, b->full_us != 0 ?
		    "there is no room for it; resume asks for it again" :
		    "its agent is silent; resume asks for it again");
	b->silent = true;
	finish(b);
}

void
artifacts_turn(void *arg)
{
	struct engine *e = arg;
	int64_t now = clock_mono_us();
	struct bringing *b, *next;

	for (b = TAILQ_FIRST(&e->artifacts); b != NULL; b = next) {
		next = TAILQ_NEXT(b, entry);
		if (is_silent(b, now))
			give_up(b);
		else if (b->over && b->again_us != 0)
			close_file(b);
		else if (b->over)
			next_file(b);
	}
	start_some(e, now);
	if (!TAILQ_EMPTY(&e->artifacts) && !timer_armed(e->artifacts_timer))
		timer_start(e->artifacts_timer, LOOK_US);
}

static struct bringing *
find(const struct engine *e, const struct ident *id)
{
	struct bringing *b;

	TAILQ_FOREACH(b, &e->artifacts, entry)
		if (ident_equal(&b->id, id))
			return b;
	return NULL;
}

struct wanting {
	struct engine *e;
	struct ident id;	/* of the run; attempt 0: of all */
	bool any;
};

/* A row of the run file: one that is not here is wanted. */
static int
want(void *arg, const struct run_artifact *a)
{
	struct wanting *w = arg;
	struct ident id = w->id;
	int agent = a->agent != NULL ? fleet_index(w->e->fleet, a->agent) : -1;
	struct bringing *b;

	if (a->state != ARTIFACT_AWAITED || agent < 0 ||
	    (w->id.attempt > 0 && w->id.attempt != a->attempt) ||
	    a->name == NULL || !prepare_name_ok(a->name) ||
	    a->sha256 == NULL || !sha256_is_text(a->sha256))
		return 0;
	id.execution = a->exec;
	id.attempt = a->attempt;
	if ((b = find(w->e, &id)) == NULL) {
		b = mem_zalloc(sizeof *b);
		b->e = w->e;
		b->agent = (size_t)agent;
		b->id = id;
		b->fd = -1;
		b->moved_us = clock_mono_us();
		TAILQ_INSERT_TAIL(&w->e->artifacts, b, entry);
	}
	b->v = mem_grow(b->v, &b->cap, b->n + 1, sizeof *b->v);
	b->v[b->n] = (struct wanted){ .no = a->no, .bytes = a->bytes,
	    .name = str_dup(a->name) };
	memcpy(b->v[b->n++].sha256, a->sha256, SHA256_TEXT);
	w->any = true;
	return 0;
}

static int
want_rows(struct wanting *w, struct run_file *file)
{
	int r = run_file_each_artifact(file, w->id.execution, want, w);

	if (w->any)
		timer_start(w->e->artifacts_timer, 0);
	return r;
}

int
artifacts_restore(struct engine *e, struct run_file *file)
{
	struct wanting w = { .e = e };

	strcpy(w.id.run, run_file_id(file));
	return want_rows(&w, file);
}

/* What the agent says it has; what is here already stays so. */
static void
announce(struct engine *e, const struct report *rep)
{
	const struct artifacts *v = &rep->artifacts;
	struct run_artifact a = { .exec = rep->id.execution,
	    .attempt = rep->id.attempt, .n = 1 };

	for (; a.no < v->n; a.no++) {
		a.name = v->v[a.no].name;
		a.bytes = v->v[a.no].bytes;
		a.sha256 = v->v[a.no].sha256;
		put(e, rep->id.run, &a);
	}
	if (v->dropped == 0)
		return;
	a.name = a.sha256 = "";
	a.bytes = 0;
	a.n = v->dropped;
	a.state = ARTIFACT_LEFT_OUT;
	put(e, rep->id.run, &a);
	engine_say(e, EVENT_WARNING, NULL, rep->id.run, "execution %u: %u "
	    "artifacts were left out, over a limit", rep->id.execution,
	    v->dropped);
}

bool
artifacts_take(struct engine *e, struct run_file *file,
    const struct report *rep)
{
	struct wanting w = { .e = e, .id = rep->id };

	if (rep->artifacts.n == 0 && rep->artifacts.dropped == 0)
		return false;
	if (find(e, &rep->id) != NULL)
		return true;
	announce(e, rep);
	(void)want_rows(&w, file);
	return w.any;
}

bool
engine_artifacts_pending(const struct engine *e, const char *run)
{
	const struct bringing *b;

	TAILQ_FOREACH(b, &e->artifacts, entry)
		if (strcmp(b->id.run, run) == 0)
			return true;
	return false;
}

void
engine_on_artifact(struct engine *e,
    void (*fn)(void *arg, const char *run, const char *file), void *arg)
{
	e->on_artifact = fn;
	e->on_artifact_arg = arg;
}

void
artifacts_free(struct engine *e)
{
	while (!TAILQ_EMPTY(&e->artifacts))
		bringing_free(TAILQ_FIRST(&e->artifacts));
	timer_free(e->artifacts_timer);
}
