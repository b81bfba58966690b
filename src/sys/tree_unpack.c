/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Unpacking a tree. Each name is checked, and the way to it is walked without
 * following links, so that no entry before can lead this one outside. Targets
 * of links have ".." only at their beginning: what stands behind can be a
 * link again, which stays inside by itself.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/tree.h"
#include "yardmaster/base/err.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/tree.h"

#define BLOCK 4096		/* of a disk, more or less */
#define CONTENT_MAX (UINT64_C(1) << 40)

struct unpacker {
	int in, root;
	uint8_t mem[TREE_PIECE];
	size_t at, n;		/* of mem: read and not used */
	char name[TREE_NAME_MAX + 1];
	struct buf *why;
};

struct entry {
	char kind;
	unsigned mode;
	size_t name_len;
	uint64_t content;
};

/* The length of the first part, and whether it is one that may be. */
static size_t
part(const char *p, size_t n, bool *ret_ok)
{
	const char *slash = memchr(p, '/', n);
	size_t len = slash != NULL ? (size_t)(slash - p) : n;

	*ret_ok = len > 0 && len <= 255 && !(len == 1 && p[0] == '.') &&
	    !(len == 2 && p[0] == '.' && p[1] == '.');
	return len;
}

/* How many parts a good path has; 0: it is not good. */
static unsigned
count_parts(const char *p, size_t n)
{
	unsigned parts = 0;
	size_t len;
	bool ok = true;

	if (n == 0 || n > TREE_NAME_MAX || memchr(p, '\0', n) != NULL)
		return 0;
	for (;;) {
		len = part(p, n, &ok);
		if (!ok || ++parts > TREE_DEPTH_MAX)
			return 0;
		if (len == n)
			return parts;
		p += len + 1;
		n -= len + 1;
	}
}

bool
tree_name_ok(const char *name, size_t n)
{
	return count_parts(name, n) > 0;
}

bool
tree_link_ok(const char *name, const char *target, size_t n)
{
	unsigned up = count_parts(name, strlen(name));

	if (up == 0 || n == 0 || n > TREE_TARGET_MAX)
		return false;
	while (n >= 2 && memcmp(target, "..", 2) == 0 &&
	    (n == 2 || target[2] == '/')) {
		if (--up == 0)
			return false;
		if (n <= 3)
			return true;
		target += 3;
		n -= 3;
	}
	if (n == 1 && target[0] == '.')
		return true;
	/* A slash at the end says no more than that it is a folder. */
	return count_parts(target, target[n - 1] == '/' ? n - 1 : n) > 0;
}

static int
fail(struct unpacker *u, int code, const char *what)
{
	if (buf_len(u->why) == 0)
		buf_putf(u->why, "%s%s%s", u->name, u->name[0] != '\0' ?
		    ": " : "", what);
	return code;
}

static int
fill(struct unpacker *u)
{
	ssize_t n;

	do
		n = read(u->in, u->mem, sizeof u->mem);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? fail(u, ERR_SYNTAX, "the tree ends too soon") :
		    fail(u, -errno, err_text(-errno));
	u->at = 0;
	u->n = (size_t)n;
	return 0;
}

static int
take(struct unpacker *u, void *out, size_t n)
{
	uint8_t *to = out;
	size_t piece;
	int r;

	for (; n > 0; n -= piece, to += piece) {
		if (u->at == u->n && (r = fill(u)) < 0)
			return r;
		piece = u->n - u->at < n ? u->n - u->at : n;
		memcpy(to, u->mem + u->at, piece);
		u->at += piece;
	}
	return 0;
}

/* Opens the folder that the entry goes into; *ret_leaf its name there. */
static int
open_parent(struct unpacker *u, const char **ret_leaf)
{
	const char *p = u->name, *slash;
	char piece[256];
	int fd = u->root, next;

	for (; (slash = strchr(p, '/')) != NULL; p = slash + 1) {
		memcpy(piece, p, (size_t)(slash - p));
		piece[slash - p] = '\0';
		next = openat(fd, piece, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    O_NOFOLLOW);
		if (fd != u->root)
			close(fd);
		if (next == -1)
			return -errno;
		fd = next;
	}
	*ret_leaf = p;
	return fd;
}

static int
copy_content(struct unpacker *u, int fd, uint64_t left)
{
	size_t piece;
	int r;

	for (; left > 0; left -= piece) {
		if (u->at == u->n && (r = fill(u)) < 0)
			return r;
		piece = u->n - u->at;
		if (piece > left)
			piece = (size_t)left;
		if ((r = fd_write_all(fd, u->mem + u->at, piece)) < 0)
			return fail(u, r, err_text(r));
		u->at += piece;
	}
	return 0;
}

static int
make_file(struct unpacker *u, const struct entry *e, int dir, const char *leaf)
{
	int fd, r;

	fd = openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1)
		return fail(u, -errno, err_text(-errno));
	r = copy_content(u, fd, e->content);
	if (r == 0 && fchmod(fd, e->mode & 0777) == -1)
		r = fail(u, -errno, err_text(-errno));
	close(fd);
	return r;
}

static int
make_link(struct unpacker *u, const struct entry *e, int dir, const char *leaf)
{
	char target[TREE_TARGET_MAX + 1];
	int r;

	if (e->content > TREE_TARGET_MAX)
		return fail(u, ERR_SYNTAX, "its target is too long");
	if ((r = take(u, target, (size_t)e->content)) < 0)
		return r;
	target[e->content] = '\0';
	if (!tree_link_ok(u->name, target, (size_t)e->content))
		return fail(u, ERR_SYNTAX, "a link that leaves the tree");
	return symlinkat(target, dir, leaf) == 0 ? 0 :
	    fail(u, -errno, err_text(-errno));
}

/* Ours stay open to us, or nothing could be put into them. */
static int
make_folder(struct unpacker *u, const struct entry *e, int dir,
    const char *leaf)
{
	if (e->content != 0)
		return fail(u, ERR_SYNTAX, "a folder with content");
	return mkdirat(dir, leaf, 0700) == 0 &&
	    fchmodat(dir, leaf, (e->mode & 0777) | 0700, 0) == 0 ? 0 :
	    fail(u, -errno, err_text(-errno));
}

static int
make_entry(struct unpacker *u, const struct entry *e)
{
	const char *leaf = NULL;
	int dir, r;

	dir = open_parent(u, &leaf);
	if (dir < 0)
		return fail(u, dir, err_text(dir));
	if (e->kind == 'f')
		r = make_file(u, e, dir, leaf);
	else if (e->kind == 'l')
		r = make_link(u, e, dir, leaf);
	else
		r = make_folder(u, e, dir, leaf);
	if (dir != u->root)
		close(dir);
	return r;
}

/* Takes what stands before the content. 1, 0 at the end, or a code. */
static int
take_entry(struct unpacker *u, struct entry *e)
{
	uint8_t h[TREE_HEADER];
	unsigned i;
	int r;

	u->name[0] = '\0';
	if ((r = take(u, h, 1)) < 0)
		return r;
	e->kind = (char)h[0];
	if (e->kind == 'e')
		return 0;
	if (e->kind != 'f' && e->kind != 'd' && e->kind != 'l')
		return fail(u, ERR_SYNTAX, "an entry of an unknown kind");
	if ((r = take(u, h + 1, TREE_HEADER - 1)) < 0)
		return r;
	e->mode = (unsigned)h[1] << 8 | h[2];
	e->name_len = (size_t)h[3] << 8 | h[4];
	e->content = 0;
	for (i = 0; i < 8; i++)
		e->content = e->content << 8 | h[5 + i];
	if (e->name_len > TREE_NAME_MAX)
		return fail(u, ERR_SYNTAX, "a name that is too long");
	if ((r = take(u, u->name, e->name_len)) < 0)
		return r;
	u->name[e->name_len] = '\0';
	if (!tree_name_ok(u->name, e->name_len))
		return fail(u, ERR_SYNTAX, "a name that leaves the tree");
	return 1;
}

static int
unpack(struct unpacker *u)
{
	char magic[TREE_MAGIC_SIZE];
	struct entry e;
	uint32_t entries = 0;
	int r;

	if ((r = take(u, magic, sizeof magic)) < 0)
		return r;
	if (memcmp(magic, TREE_MAGIC, sizeof magic) != 0)
		return fail(u, ERR_SYNTAX, "not a packed tree");
	while ((r = take_entry(u, &e)) > 0) {
		if (++entries > TREE_ENTRIES_MAX)
			return fail(u, ERR_TOO_LARGE, "too many entries");
		if ((r = make_entry(u, &e)) < 0)
			return r;
	}
	return r;
}

static int
skip(struct unpacker *u, uint64_t n)
{
	uint64_t have = u->n - u->at;

	if (n > CONTENT_MAX)
		return fail(u, ERR_SYNTAX, "content that is too long");
	if (n <= have) {
		u->at += (size_t)n;
		return 0;
	}
	u->at = u->n;
	return lseek(u->in, (off_t)(n - have), SEEK_CUR) == -1 ?
	    fail(u, -errno, err_text(-errno)) : 0;
}

int
tree_measure(int fd, struct tree_sum *ret, struct buf *why)
{
	struct unpacker u = { .in = fd, .root = -1, .why = why };
	struct tree_sum sum = { .entries = 0 };
	struct entry e;
	int r;

	if (lseek(fd, TREE_MAGIC_SIZE, SEEK_SET) == -1)
		return fail(&u, -errno, err_text(-errno));
	while ((r = take_entry(&u, &e)) > 0) {
		if (++sum.entries > TREE_ENTRIES_MAX)
			return fail(&u, ERR_TOO_LARGE, "too many entries");
		sum.bytes += (e.content / BLOCK + 1) * BLOCK;
		if ((r = skip(&u, e.content)) < 0)
			return r;
	}
	if (r == 0)
		*ret = sum;
	return r;
}

int
tree_unpack(int fd, const char *dir, struct buf *why)
{
	struct unpacker u = { .in = fd, .why = why };
	int r;

	u.root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (u.root == -1 || lseek(fd, 0, SEEK_SET) == -1)
		r = fail(&u, -errno, err_text(-errno));
	else
		r = unpack(&u);
	if (u.root != -1)
		close(u.root);
	return r;
}
