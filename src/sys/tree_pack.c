/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packing a tree: folders are read whole and sorted, so that equal contents
 * give equal bytes. The tree is walked twice: first to count, which finds most
 * of what is wrong before much was read. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/tree.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/tree.h"

struct packer {
	const struct strvec *exclude;
	const char *root;
	int out;
	bool counting;		/* the first walk: nothing is read or written */
	struct tree_progress *progress;
	uint64_t max, n;
	uint64_t told;		/* of n, to progress */
	uint32_t entries;
	struct sha256 sum;
	struct buf path;	/* of the entry at hand */
	struct buf pending;	/* not written yet */
	struct buf *why;
};

static int
fail(struct packer *k, int code, const char *what)
{
	if (buf_len(k->why) == 0)
		buf_putf(k->why, "%s%s%s: %s", k->root,
		    buf_len(&k->path) > 0 ? "/" : "", buf_str(&k->path), what);
	return code;
}

static int
check_stop(struct packer *k)
{
	return k->progress != NULL && atomic_load(&k->progress->stop) ?
	    fail(k, ERR_CANCELLED, err_text(ERR_CANCELLED)) : 0;
}

static int
flush(struct packer *k)
{
	int r = fd_write_all(k->out, buf_data(&k->pending),
	    buf_len(&k->pending));

	buf_clear(&k->pending);
	if (r < 0) {
		if (buf_len(k->why) == 0)
			buf_putf(k->why, "%s: what is packed cannot be "
			    "written: %s", k->root, err_text(r));
		return r;
	}
	if (k->progress != NULL)
		atomic_fetch_add(&k->progress->done, k->n - k->told);
	k->told = k->n;
	return check_stop(k);
}

/* So much comes next. */
static int
make_room(struct packer *k, uint64_t n)
{
	if (n > k->max - k->n)
		return fail(k, ERR_TOO_LARGE, "with it the tree is too large");
	k->n += n;
	return 0;
}

static int
put(struct packer *k, const void *p, size_t n)
{
	int r;

	if ((r = make_room(k, n)) < 0 || k->counting)
		return r;
	sha256_put(&k->sum, p, n);
	buf_put(&k->pending, p, n);
	return buf_len(&k->pending) < TREE_PIECE ? 0 : flush(k);
}

static int
put_header(struct packer *k, char kind, unsigned mode, uint64_t content)
{
	uint8_t h[TREE_HEADER] = { (uint8_t)kind, (uint8_t)(mode >> 8),
	    (uint8_t)mode };
	size_t n = buf_len(&k->path);
	unsigned i;
	int r;

	if (k->counting && (r = check_stop(k)) < 0)
		return r;
	if (++k->entries > TREE_ENTRIES_MAX)
		return fail(k, ERR_TOO_LARGE, "the tree has too many entries");
	if (!tree_name_ok(buf_str(&k->path), n))
		return fail(k, ERR_TOO_LARGE, "its path is too long");
	h[3] = (uint8_t)(n >> 8);
	h[4] = (uint8_t)n;
	for (i = 0; i < 8; i++)
		h[5 + i] = (uint8_t)(content >> (56 - 8 * i));
	if ((r = put(k, h, sizeof h)) < 0)
		return r;
	return put(k, buf_data(&k->path), n);
}

static int
put_content(struct packer *k, int fd, uint64_t left)
{
	uint8_t piece[TREE_PIECE];
	ssize_t n;
	int r;

	while (left > 0) {
		n = read(fd, piece, left < sizeof piece ? (size_t)left :
		    sizeof piece);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return fail(k, -errno, err_text(-errno));
		if (n == 0)
			return fail(k, ERR_STALE, "it was changed while it "
			    "was packed");
		if ((r = put(k, piece, (size_t)n)) < 0)
			return r;
		left -= (uint64_t)n;
	}
	return 0;
}

static bool
is_changed(int fd, const struct stat *was)
{
	struct stat st;

	return fstat(fd, &st) == -1 || st.st_size != was->st_size ||
	    st.st_mtim.tv_sec != was->st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != was->st_mtim.tv_nsec;
}

static int
pack_file(struct packer *k, int dir, const char *name)
{
	struct stat st;
	int fd, r;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return fail(k, -errno, err_text(-errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		r = fail(k, ERR_STALE, "it was changed while it was packed");
	else if ((r = put_header(k, 'f', st.st_mode & 0777,
	    (uint64_t)st.st_size)) == 0)
		r = put_content(k, fd, (uint64_t)st.st_size);
	if (r == 0 && is_changed(fd, &st))
		r = fail(k, ERR_STALE, "it was changed while it was packed");
	close(fd);
	return r;
}

static int
pack_link(struct packer *k, int dir, const char *name)
{
	char target[TREE_TARGET_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof target);
	int r;

	if (n == -1)
		return fail(k, -errno, err_text(-errno));
	if (!tree_link_ok(buf_str(&k->path), target, (size_t)n))
		return fail(k, ERR_UNSUPPORTED, "a symbolic link that leaves "
		    "the tree; exclude it");
	if ((r = put_header(k, 'l', 0777, (uint64_t)n)) < 0)
		return r;
	return put(k, target, (size_t)n);
}

static bool
is_excluded(const struct packer *k, const char *name)
{
	const char *pattern;
	size_t i;

	for (i = 0; i < k->exclude->n; i++) {
		pattern = k->exclude->v[i];
		if (strchr(pattern, '/') == NULL ?
		    fnmatch(pattern, name, 0) == 0 :
		    fnmatch(pattern, buf_str(&k->path), FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static int pack_folder(struct packer *k, int fd);

static int
pack_entry(struct packer *k, int dir, const char *name)
{
	struct stat st;
	int fd, r;

	if (is_excluded(k, name))
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return fail(k, -errno, err_text(-errno));
	if (S_ISREG(st.st_mode) && !k->counting)
		return pack_file(k, dir, name);
	if (S_ISREG(st.st_mode))
		return (r = put_header(k, 'f', 0, (uint64_t)st.st_size)) < 0 ?
		    r : make_room(k, (uint64_t)st.st_size);
	if (S_ISLNK(st.st_mode))
		return pack_link(k, dir, name);
	if (!S_ISDIR(st.st_mode))
		return fail(k, ERR_UNSUPPORTED, "neither a file nor a folder "
		    "nor a link; exclude it");
	if ((r = put_header(k, 'd', st.st_mode & 0777, 0)) < 0)
		return r;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	return fd == -1 ? fail(k, -errno, err_text(-errno)) :
	    pack_folder(k, fd);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int
list_folder(int fd, struct strvec *names)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (d == NULL) {
		r = -errno;
		close(fd);
		return r;
	}
	while (names->n <= TREE_ENTRIES_MAX) {
		errno = 0;
		if ((e = readdir(d)) == NULL) {
			r = -errno;
			break;
		}
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0)
			strvec_push(names, e->d_name);
	}
	if (names->n > 1)
		qsort(names->v, names->n, sizeof *names->v, by_name);
	closedir(d);
	return r;
}

/* Packs what is in the folder; closes fd. */
static int
pack_folder(struct packer *k, int fd)
{
	struct strvec names = STRVEC_INIT;
	size_t i, keep = buf_len(&k->path);
	int r, listed = dup(fd);

	r = listed == -1 ? -errno : list_folder(listed, &names);
	if (r < 0)
		(void)fail(k, r, err_text(r));
	for (i = 0; i < names.n && r == 0; i++) {
		if (keep > 0)
			buf_putc(&k->path, '/');
		buf_puts(&k->path, names.v[i]);
		r = pack_entry(k, fd, names.v[i]);
		if (r == 0)
			buf_truncate(&k->path, keep);
	}
	strvec_done(&names);
	close(fd);
	return r;
}

/* One walk over all of it. */
static int
walk(struct packer *k)
{
	int fd, r;

	k->n = k->entries = 0;
	fd = open(k->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return fail(k, -errno, err_text(-errno));
	r = put(k, TREE_MAGIC, TREE_MAGIC_SIZE);
	if (r == 0)
		r = pack_folder(k, fd);
	else
		close(fd);
	return r < 0 ? r : put(k, "e", 1);
}

int
tree_pack(const char *dir, const struct strvec *exclude, int out_fd,
    uint64_t max, struct tree_progress *progress, struct tree_sum *ret,
    struct buf *why)
{
	struct packer k = { .root = dir, .exclude = exclude, .out = out_fd,
	    .max = max, .path = BUF_INIT, .pending = BUF_INIT, .why = why,
	    .progress = progress, .counting = true };
	int r;

	sha256_init(&k.sum);
	r = walk(&k);
	if (r == 0 && progress != NULL)
		atomic_fetch_add(&progress->total, k.n);
	k.counting = false;
	if (r == 0 && (r = walk(&k)) == 0)
		r = flush(&k);
	if (r == 0) {
		sha256_text(&k.sum, ret->hash);
		ret->bytes = k.n;
		ret->entries = k.entries;
	}
	buf_done(&k.path);
	buf_done(&k.pending);
	return r;
}
