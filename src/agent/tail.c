/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Output of attempts, sent from its file. A tail that follows waits for the
 * attempt to start, for inotify, and for room on its link: output is the
 * least urgent of what a link carries. The file of a worker is used again
 * when an attempt wrote nothing, so how far a tail may read is settled in the
 * moment of the end.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/console.h"
#include "agent/kept.h"
#include "agent/output.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#define CHUNK 12000
#define PENDING_MAX (64u << 10)
#define TAILS_MAX 256		/* of one link: each holds a descriptor */

struct tail {
	uint32_t tag;
	struct ident id;
	int fd;			/* -1: not open yet */
	int64_t offset;		/* as asked for */
	uint64_t at, left;	/* left: bytes still wanted */
	bool follow;
	bool kept;		/* a file of the attempt, not its output */
	int wd;			/* of inotify, -1 none */
	LIST_ENTRY(tail) entry;
};

struct tails {
	int fd;			/* inotify */
	struct watch *watch;
};

static void
tail_free(struct link *l, struct tail *t)
{
	struct link *other;
	struct tail *o;
	bool shared = false;

	LIST_REMOVE(t, entry);
	LIST_FOREACH(other, &l->d->consoles->links, entry)
		LIST_FOREACH(o, &other->tails, entry)
			shared |= o->wd == t->wd;
	/* Watches are one for each file, whoever looks at it. */
	if (t->wd >= 0 && !shared)
		inotify_rm_watch(l->d->tails->fd, t->wd);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

static bool
has_ended(const struct link *l, const struct tail *t)
{
	const struct attempt *a = queue_find(&l->d->queue, &t->id);

	return a == NULL || a->result != NULL;
}

/* How far the file may be read: behind the head a capped output is in no
 * order before its end. */
static uint64_t
readable(const struct link *l, const struct tail *t)
{
	uint64_t cap = l->d->file.out_cap;

	return cap > 0 && !has_ended(l, t) ? cap / 2 : UINT64_MAX;
}

/* Bytes that a cap cut out, as far as the agent still knows. */
static int64_t
dropped(const struct link *l, const struct tail *t)
{
	const struct attempt *a = queue_find(&l->d->queue, &t->id);
	struct jval *v = NULL;
	int64_t n;

	if (t->kept || a == NULL || a->result == NULL ||
	    jval_parse(&v, a->result, a->result_len) < 0)
		return 0;
	n = jval_get_int(v, "out_dropped", 0);
	jval_free(v);
	return n;
}

static void
say_end(struct link *l, const struct tail *t, int code)
{
	struct buf b = BUF_INIT;
	struct stat st;
	struct jw w;

	if (t->fd < 0 || fstat(t->fd, &st) == -1)
		st.st_size = 0;
	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "tag", t->tag);
	jw_kv_int(&w, "size", st.st_size);
	jw_kv_int(&w, "dropped", dropped(l, t));
	jw_kv_bool(&w, "ended", has_ended(l, t));
	jw_kv_int(&w, "code", code);
	jw_kv_str(&w, "text", code < 0 ? err_text(code) : NULL);
	jw_object_end(&w);
	link_send(l, MSG_OUTPUT_END, &b);
	buf_done(&b);
}

/* Sends one piece. 1, 0 when there is nothing more now, or -errno. */
static int
send_piece(struct link *l, struct tail *t)
{
	uint8_t piece[CHUNK];
	struct buf b = BUF_INIT;
	size_t want = t->left < CHUNK ? (size_t)t->left : CHUNK;
	uint64_t limit = readable(l, t);
	ssize_t n;

	if (t->at + want > limit)
		want = t->at < limit ? (size_t)(limit - t->at) : 0;
	if (want == 0)
		return 0;
	n = pread(t->fd, piece, want, (off_t)t->at);
	if (n <= 0)
		return n == 0 ? 0 : -errno;
	msg_output_put(&b, t->tag, t->at, piece, (size_t)n);
	link_send(l, MSG_OUTPUT, &b);
	buf_done(&b);
	t->at += (uint64_t)n;
	t->left -= (uint64_t)n;
	return 1;
}

/* False when it is over and was freed. */
static bool
pump(struct link *l, struct tail *t)
{
	bool ended = has_ended(l, t);	/* before the last look at the file */
	int r = 1;

	while (r > 0 && stream_pending(l->stream) < PENDING_MAX)
		r = send_piece(l, t);
	if (r > 0 || (r == 0 && t->follow && !ended && t->left > 0))
		return true;
	say_end(l, t, r);
	tail_free(l, t);
	return false;
}

void
tails_pump(struct link *l)
{
	struct tail *t, *next;

	for (t = LIST_FIRST(&l->tails); t != NULL; t = next) {
		next = LIST_NEXT(t, entry);
		if (t->fd >= 0)
			(void)pump(l, t);
	}
}

/* Opens the file of an attempt that has started. */
static int
open_tail(struct link *l, struct tail *t)
{
	const struct attempt *a = queue_find(&l->d->queue, &t->id);
	bool runs = a != NULL && a->result == NULL;
	char name[OUTPUT_NAME_SIZE];
	struct stat st;

	/* Its worker may have ended it before we hear of that, or not have
	 * made its file yet. */
	t->fd = open(output_file_name(&t->id, name), O_RDONLY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (t->fd == -1 && runs)
		t->fd = open(output_worker_name(a->worker, name), O_RDONLY |
		    O_CLOEXEC | O_NOFOLLOW | O_CREAT, 0600);
	if (t->fd == -1)
		return errno == ENOENT ? ERR_NOT_FOUND : -errno;
	if (fstat(t->fd, &st) == -1)
		return -errno;
	if (t->offset < 0)
		t->offset = t->offset < -st.st_size ? 0 :
		    st.st_size + t->offset;
	t->at = (uint64_t)t->offset;
	if (t->follow && runs)
		t->wd = inotify_add_watch(l->d->tails->fd, name, IN_MODIFY);
	return 0;
}

static bool
waits(const struct link *l, const struct tail *t)
{
	const struct attempt *a = queue_find(&l->d->queue, &t->id);

	return a != NULL && attempt_waits(a);
}

/* Opens and sends, or says why that cannot be. */
static void
begin(struct link *l, struct tail *t)
{
	const struct attempt *a = queue_find(&l->d->queue, &t->id);
	int r = 0;

	if (!waits(l, t))
		r = open_tail(l, t);
	else if (t->follow)
		return;		/* until tails_started() */
	/* Who wrote nothing has no file. */
	if (r == ERR_NOT_FOUND && a != NULL)
		r = 0;
	if (t->fd >= 0) {
		(void)pump(l, t);
		return;
	}
	say_end(l, t, r);
	tail_free(l, t);
}

static bool
too_many(const struct link *l)
{
	const struct tail *t;
	size_t n = 0;

	LIST_FOREACH(t, &l->tails, entry)
		n++;
	return n > TAILS_MAX;
}

static void
refuse(struct link *l, struct tail *t, int code)
{
	say_end(l, t, code);
	tail_free(l, t);
}

/* What TAIL and FETCH have in common; NULL when it was refused. */
static struct tail *
tail_new(struct link *l, const struct jval *v)
{
	struct tail *t = mem_zalloc(sizeof *t);
	int64_t max = jval_get_int(v, "max", 0);

	t->tag = (uint32_t)jval_get_int(v, "tag", 0);
	t->offset = jval_get_int(v, "offset", 0);
	t->left = max > 0 ? (uint64_t)max : UINT64_MAX;
	t->fd = t->wd = -1;
	LIST_INSERT_HEAD(&l->tails, t, entry);
	if (ident_parse(jval_get_str(v, "attempt", ""), &t->id) < 0 ||
	    t->id.attempt == 0)
		refuse(l, t, ERR_SYNTAX);
	else if (too_many(l))
		refuse(l, t, ERR_REFUSED);
	else
		return t;
	return NULL;
}

void
tail_start(struct link *l, const struct jval *v)
{
	struct tail *t = tail_new(l, v);

	if (t == NULL)
		return;
	t->follow = jval_get_bool(v, "follow", false);
	begin(l, t);
}

void
tail_fetch(struct link *l, const struct jval *v)
{
	struct tail *t = tail_new(l, v);
	int r;

	if (t == NULL)
		return;
	t->kept = true;
	if (!has_ended(l, t))
		r = ERR_STATE;
	else if (t->offset < 0)
		r = ERR_SYNTAX;
	else
		r = kept_open(&t->id, jval_get_str(v, "file", ""));
	if (r < 0) {
		refuse(l, t, r);
		return;
	}
	t->fd = r;
	t->at = (uint64_t)t->offset;
	(void)pump(l, t);
}

void
tail_stop(struct link *l, uint32_t tag)
{
	struct tail *t, *next;

	for (t = LIST_FIRST(&l->tails); t != NULL; t = next) {
		next = LIST_NEXT(t, entry);
		if (t->tag == tag)
			tail_free(l, t);
	}
}

void
tails_drop(struct link *l)
{
	while (!LIST_EMPTY(&l->tails))
		tail_free(l, LIST_FIRST(&l->tails));
}

/* Calls fn for each tail of that attempt; fn may free it. */
static void
each_of(struct daemon *d, const struct ident *id,
    void (*fn)(struct link *l, struct tail *t))
{
	struct link *l;
	struct tail *t, *next;

	LIST_FOREACH(l, &d->consoles->links, entry)
		for (t = LIST_FIRST(&l->tails); t != NULL; t = next) {
			next = LIST_NEXT(t, entry);
			if (ident_equal(&t->id, id))
				fn(l, t);
		}
}

static void
start_one(struct link *l, struct tail *t)
{
	if (t->fd < 0)
		begin(l, t);
}

void
tails_started(struct daemon *d, const struct ident *id)
{
	each_of(d, id, start_one);
}

/* Whether its worker had put the output where it stays just before the file
 * of the worker was opened, which then is another one. */
static bool
is_stray(const struct tail *t)
{
	char name[OUTPUT_NAME_SIZE];
	struct stat st, ours;

	return stat(output_file_name(&t->id, name), &st) == 0 &&
	    fstat(t->fd, &ours) == 0 && st.st_ino != ours.st_ino;
}

static void
end_one(struct link *l, struct tail *t)
{
	struct stat st;
	uint64_t left = 0;

	if (t->fd >= 0 && is_stray(t)) {
		close(t->fd);
		t->fd = -1;
	}
	if (t->fd < 0) {
		begin(l, t);
		return;
	}
	if (fstat(t->fd, &st) == 0 && (uint64_t)st.st_size > t->at)
		left = (uint64_t)st.st_size - t->at;
	if (left < t->left)
		t->left = left;
	(void)pump(l, t);
}

void
tails_ended(struct daemon *d, const struct ident *id)
{
	each_of(d, id, end_one);
}

/* All that look at this watch; -1: at any, as words of some were lost. */
static void
wake(struct daemon *d, int wd)
{
	struct link *l;
	struct tail *t, *next;

	LIST_FOREACH(l, &d->consoles->links, entry)
		for (t = LIST_FIRST(&l->tails); t != NULL; t = next) {
			next = LIST_NEXT(t, entry);
			if (t->wd >= 0 && (wd < 0 || t->wd == wd))
				(void)pump(l, t);
		}
}

static void
notified(void *arg, unsigned events)
{
	struct daemon *d = arg;
	union {
		struct inotify_event e;
		char bytes[4096];
	} room;
	const struct inotify_event *e;
	ssize_t n, at;

	n = read(d->tails->fd, &room, sizeof room);
	for (at = 0; at < n; at += (ssize_t)(sizeof *e + e->len)) {
		e = (const struct inotify_event *)(const void *)
		    (room.bytes + at);
		wake(d, e->wd);
	}
}

int
tails_init(struct daemon *d)
{
	d->tails = mem_zalloc(sizeof *d->tails);
	d->tails->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (d->tails->fd == -1)
		return -errno;
	return watch_new(d->loop, d->tails->fd, WATCH_READ, notified, d,
	    &d->tails->watch);
}

void
tails_free(struct daemon *d)
{
	if (d->tails == NULL)
		return;
	watch_free(d->tails->watch);
	if (d->tails->fd >= 0)
		close(d->tails->fd);
	free(d->tails);
	d->tails = NULL;
}
