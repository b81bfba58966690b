/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trees on their way. Bytes are taken only where they go on from what is
 * there, from whichever link; the hash is made as they come, and after a
 * start of the daemon of what came before, a little each turn. What is
 * complete and has the right hash gets its name; anything else goes.
 *
 *	(nothing) -> .part, read again -> .part, receives -> trees/HASH
 *	                    another hash, no room -> (nothing)
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/prepare.h"
#include "agent/setup.h"
#include "agent/trees.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/proc.h"

#define BOOT_FILE TREES_DIR "/boot"
#define HAVE_EVERY 65536	/* bytes between two words on how far it is */
#define AGAIN_BYTES (4u << 20)	/* hashed again in one turn */
#define OFFERS_MAX 64		/* of one link */
#define BLOCK 512
#define PART ".part"
#define MB (1u << 20)

/* A tree that is being received. */
struct receiving {
	char hash[SHA256_TEXT];
	uint64_t size, got;	/* got: hashed and in the file */
	uint64_t there;		/* in the file since before; got comes first */
	uint64_t said;		/* in the last HAVE */
	int fd;
	struct sha256 sum;
	LIST_ENTRY(receiving) entry;
};

/* Who wants to hear of it. */
struct offer {
	struct link *link;
	uint32_t tag;
	char hash[SHA256_TEXT];
	LIST_ENTRY(offer) entry;
};

struct trees {
	LIST_HEAD(, receiving) receiving;
	LIST_HEAD(, offer) offers;
	struct timer *again;	/* hashes what was there before */
};

bool
tree_is_here(const char *hash)
{
	char name[WS_NAME_SIZE];

	return fs_exists(setup_tree_name(hash, "", name));
}

static struct receiving *
find(const struct daemon *d, const char *hash)
{
	struct receiving *t;

	LIST_FOREACH(t, &d->trees->receiving, entry)
		if (strcmp(t->hash, hash) == 0)
			return t;
	return NULL;
}

uint64_t
tree_progress(const struct daemon *d, const char *hash)
{
	const struct receiving *t = find(d, hash);

	return t != NULL ? t->got : 0;
}

static void
say_have(const struct offer *o, uint64_t offset, bool stored, int code,
    const char *text)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "tag", o->tag);
	jw_kv_int(&w, "offset", (int64_t)offset);
	jw_kv_bool(&w, "stored", stored);
	jw_kv_int(&w, "code", code);
	jw_kv_str(&w, "text", text);
	jw_object_end(&w);
	link_send(o->link, MSG_HAVE, &b);
	buf_done(&b);
}

static void
offer_free(struct offer *o)
{
	LIST_REMOVE(o, entry);
	free(o);
}

/* Says it to all who offered that tree; over: they hear no more of it. */
static void
tell(struct daemon *d, const char *hash, uint64_t offset, bool stored,
    int code, const char *text)
{
	struct offer *o, *next;

	for (o = LIST_FIRST(&d->trees->offers); o != NULL; o = next) {
		next = LIST_NEXT(o, entry);
		if (strcmp(o->hash, hash) != 0)
			continue;
		say_have(o, offset, stored, code, text);
		if (stored || code < 0)
			offer_free(o);
	}
}

static void
receiving_free(struct receiving *t)
{
	LIST_REMOVE(t, entry);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
}

/* It will not come: those who wait for it hear why. */
static void
give_up(struct daemon *d, struct receiving *t, int code, const char *text)
{
	char name[WS_NAME_SIZE], hash[SHA256_TEXT];

	memcpy(hash, t->hash, sizeof hash);
	(void)unlink(setup_tree_name(hash, PART, name));
	receiving_free(t);
	log_warn("workspace %.12s: %s", hash, text);
	tell(d, hash, 0, false, code, text);
	preps_refuse(d, hash, text);
	loop_poke(d->loop);
}

static void
complete(struct daemon *d, struct receiving *t)
{
	char part[WS_NAME_SIZE], whole[WS_NAME_SIZE], hash[SHA256_TEXT];
	uint64_t size = t->size;

	sha256_text(&t->sum, hash);
	if (strcmp(hash, t->hash) != 0) {
		give_up(d, t, ERR_PROTOCOL, "what came of the workspace has "
		    "another hash");
		return;
	}
	setup_tree_name(hash, PART, part);
	if (rename(part, setup_tree_name(hash, "", whole)) == -1) {
		give_up(d, t, -errno, err_text(-errno));
		return;
	}
	receiving_free(t);
	tell(d, hash, size, true, 0, NULL);
	loop_poke(d->loop);
}

/* Hashes a little of what was in the file before. */
static void
hash_again(struct daemon *d, struct receiving *t)
{
	static const uint32_t piece = 65536;
	uint8_t mem[65536];
	uint64_t end = t->got + AGAIN_BYTES;
	ssize_t n = 1;

	while (t->got < t->there && t->got < end && n > 0) {
		n = pread(t->fd, mem, t->there - t->got < piece ?
		    (size_t)(t->there - t->got) : piece, (off_t)t->got);
		if (n > 0) {
			sha256_put(&t->sum, mem, (size_t)n);
			t->got += (uint64_t)n;
		}
	}
	if (n <= 0)
		t->there = t->got;
	if (t->got < t->there) {
		timer_start(d->trees->again, 0);
		return;
	}
	t->said = t->got;
	tell(d, t->hash, t->got, false, 0, NULL);
	if (t->got == t->size)
		complete(d, t);
}

static void
on_again(void *arg)
{
	struct daemon *d = arg;
	struct receiving *t, *next;

	for (t = LIST_FIRST(&d->trees->receiving); t != NULL; t = next) {
		next = LIST_NEXT(t, entry);
		if (t->got < t->there)
			hash_again(d, t);
	}
}

/* Room for the packed tree and for what is unpacked from it. 0, or a code
 * with words. */
static int
check_room(struct daemon *d, uint64_t size, uint64_t have, struct buf *why)
{
	uint64_t bytes, inodes;
	uint64_t want = 2 * size - have + d->values.guards.free_disk;

	if (size > d->file.workspace_max) {
		buf_putf(why, "the workspace has %llu MB, and the agent takes "
		    "at most %llu MB", (unsigned long long)(size / MB),
		    (unsigned long long)(d->file.workspace_max / MB));
		return ERR_TOO_LARGE;
	}
	trees_make_room(d, 2 * size - have);
	if (fs_free(".", &bytes, &inodes) < 0 || bytes >= want)
		return 0;
	buf_putf(why, "the workspace needs %llu MB of disk with what has to "
	    "stay free, and %llu MB are there", (unsigned long long)
	    (want / MB), (unsigned long long)(bytes / MB));
	return -ENOSPC;
}

static int
receive(struct daemon *d, const char *hash, uint64_t size,
    struct receiving **ret)
{
	struct receiving *t;
	char name[WS_NAME_SIZE];
	struct stat st;
	int fd;

	fd = open(setup_tree_name(hash, PART, name), O_RDWR | O_CREAT |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -errno;
	t = mem_zalloc(sizeof *t);
	t->fd = fd;
	t->size = size;
	memcpy(t->hash, hash, SHA256_TEXT);
	sha256_init(&t->sum);
	if (fstat(fd, &st) == 0 && (uint64_t)st.st_size <= size)
		t->there = (uint64_t)st.st_size;
	else if (ftruncate(fd, 0) == -1)
		log_warn("%s: %s", name, err_text(-errno));
	LIST_INSERT_HEAD(&d->trees->receiving, t, entry);
	*ret = t;
	return 0;
}

static unsigned
count_offers(const struct link *l)
{
	const struct offer *o;
	unsigned n = 0;

	LIST_FOREACH(o, &l->d->trees->offers, entry)
		n += o->link == l;
	return n;
}

/* Begins, or goes on with, what o offers; o is freed when that cannot be. */
static void
begin(struct daemon *d, struct offer *o, uint64_t size)
{
	struct receiving *t = find(d, o->hash);
	struct buf why = BUF_INIT;
	char hash[SHA256_TEXT];
	int r = 0;

	memcpy(hash, o->hash, sizeof hash);
	if (t == NULL && (r = check_room(d, size, 0, &why)) == 0 &&
	    (r = receive(d, hash, size, &t)) < 0)
		buf_puts(&why, err_text(r));
	if (t != NULL && t->size != size) {
		r = ERR_PROTOCOL;
		buf_puts(&why, "two lengths of one workspace");
	}
	if (r < 0) {
		say_have(o, 0, false, r, buf_str(&why));
		offer_free(o);
		preps_refuse(d, hash, buf_str(&why));
	} else if (t->got < t->there || t->size == 0) {
		timer_start(d->trees->again, 0);
	} else {
		say_have(o, t->got, false, 0, NULL);
	}
	buf_done(&why);
}

int
tree_offered(struct link *l, const struct jval *v)
{
	const char *hash = jval_get_str(v, "hash", "");
	int64_t size = jval_get_int(v, "size", -1);
	int64_t tag = jval_get_int(v, "tag", -1);
	struct offer *o;

	if (!sha256_is_text(hash) || size <= 0 ||
	    (uint64_t)size > TREE_MAX_BYTES || tag < 0 || tag > UINT32_MAX)
		return ERR_PROTOCOL;
	if (count_offers(l) >= OFFERS_MAX)
		return ERR_TOO_LARGE;
	o = mem_zalloc(sizeof *o);
	o->link = l;
	o->tag = (uint32_t)tag;
	memcpy(o->hash, hash, SHA256_TEXT);
	LIST_INSERT_HEAD(&l->d->trees->offers, o, entry);
	if (tree_is_here(hash)) {
		say_have(o, (uint64_t)size, true, 0, NULL);
		offer_free(o);
	} else {
		begin(l->d, o, (uint64_t)size);
	}
	return 0;
}

int
tree_piece(struct link *l, const uint8_t *body, size_t n)
{
	struct daemon *d = l->d;
	struct receiving *t = NULL;
	const struct offer *o;
	const uint8_t *p;
	uint64_t offset, skip;
	uint32_t tag;
	size_t len;

	if (msg_output_get(body, n, &tag, &offset, &p, &len) < 0)
		return ERR_PROTOCOL;
	LIST_FOREACH(o, &d->trees->offers, entry)
		if (o->link == l && o->tag == tag)
			t = find(d, o->hash);
	/* Of one that was given up, or of which another link brought more. */
	if (t == NULL || t->got < t->there || offset > t->got ||
	    t->got - offset >= len)
		return 0;
	skip = t->got - offset;
	p += skip;
	len -= (size_t)skip;
	if (len > t->size - t->got)
		return ERR_PROTOCOL;
	if (pwrite(t->fd, p, len, (off_t)t->got) != (ssize_t)len) {
		give_up(d, t, -ENOSPC, "the workspace cannot be written: the "
		    "disk is full");
		return 0;
	}
	sha256_put(&t->sum, p, len);
	t->got += len;
	t->there = t->got;
	if (t->got == t->size) {
		complete(d, t);
	} else if (t->got - t->said >= HAVE_EVERY) {
		t->said = t->got;
		tell(d, t->hash, t->got, false, 0, NULL);
	}
	return 0;
}

void
trees_drop(const struct link *l)
{
	struct offer *o, *next;

	if (l->d->trees == NULL)
		return;
	for (o = LIST_FIRST(&l->d->trees->offers); o != NULL; o = next) {
		next = LIST_NEXT(o, entry);
		if (o->link == l)
			offer_free(o);
	}
}

/* ---- what is stored ---- */

struct stored {
	char hash[SHA256_TEXT];
	char *path;
	int64_t used_us;
	uint64_t bytes;
};

static int
by_use(const void *a, const void *b)
{
	const struct stored *x = a, *y = b;

	return (x->used_us > y->used_us) - (x->used_us < y->used_us);
}

/* Files of trees, also unfinished ones of which nothing is heard. */
static struct stored *
list_stored(struct daemon *d, size_t *ret_n)
{
	struct stored *v = NULL, *s;
	size_t n = 0, cap = 0;
	DIR *dir = opendir(TREES_DIR);
	struct dirent *e;
	struct stat st;
	char hash[SHA256_TEXT];

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		snprintf(hash, sizeof hash, "%.64s", e->d_name);
		if (!sha256_is_text(hash) || find(d, hash) != NULL ||
		    fstatat(dirfd(dir), e->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		v = mem_grow(v, &cap, n + 1, sizeof *v);
		s = &v[n++];
		memcpy(s->hash, hash, sizeof hash);
		s->path = path_join(TREES_DIR, e->d_name);
		s->used_us = (int64_t)st.st_mtime * US_PER_S;
		s->bytes = (uint64_t)st.st_blocks * BLOCK;
	}
	if (dir != NULL)
		closedir(dir);
	*ret_n = n;
	return v;
}

void
trees_sweep(struct daemon *d, uint64_t max_bytes)
{
	int64_t oldest = clock_wall_us() - d->file.keep_ws_us;
	uint64_t bytes = 0;
	struct stored *v;
	size_t i, n;

	v = list_stored(d, &n);
	for (i = 0; i < n; i++)
		bytes += v[i].bytes;
	if (n > 1)
		qsort(v, n, sizeof *v, by_use);
	for (i = 0; i < n; i++) {
		if ((bytes > max_bytes || v[i].used_us < oldest) &&
		    !preps_need(d, v[i].hash) && unlink(v[i].path) == 0)
			bytes -= v[i].bytes;
		free(v[i].path);
	}
	free(v);
}

void
trees_make_room(struct daemon *d, uint64_t want)
{
	uint64_t bytes, inodes;

	if (fs_free(".", &bytes, &inodes) == 0 &&
	    bytes < want + d->values.guards.free_disk)
		trees_sweep(d, 0);
}

/* Nothing of a tree is forced to the disk: after a boot none counts. */
static int
check_boot(void)
{
	struct buf b = BUF_INIT;
	bool same;
	int r = 0;

	same = fs_read(BOOT_FILE, 256, &b) == 0 &&
	    strcmp(buf_str(&b), proc_boot_id()) == 0;
	buf_done(&b);
	if (same)
		return 0;
	if (fs_exists(TREES_DIR) && (r = fs_remove_tree(TREES_DIR)) < 0)
		return r;
	if (mkdir(TREES_DIR, 0700) == -1)
		return -errno;
	return fs_replace(BOOT_FILE, proc_boot_id(), strlen(proc_boot_id()),
	    0600);
}

int
trees_init(struct daemon *d)
{
	d->trees = mem_zalloc(sizeof *d->trees);
	LIST_INIT(&d->trees->receiving);
	LIST_INIT(&d->trees->offers);
	d->trees->again = timer_new(d->loop, on_again, d);
	return check_boot();
}

void
trees_free(struct daemon *d)
{
	if (d->trees == NULL)
		return;
	while (!LIST_EMPTY(&d->trees->receiving))
		receiving_free(LIST_FIRST(&d->trees->receiving));
	while (!LIST_EMPTY(&d->trees->offers))
		offer_free(LIST_FIRST(&d->trees->offers));
	timer_free(d->trees->again);
	free(d->trees);
	d->trees = NULL;
}
