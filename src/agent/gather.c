/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks below a folder without following links, and only as deep as some
 * pattern reaches. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/gather.h"
#include "agent/kept.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/fs.h"

#define ENTRIES_MAX 200000	/* looked at */
#define DEPTH_MAX 64
#define ANY_DEPTH "**/"
#define PIECE 65536
/* File times are taken from a clock of the kernel's that is a tick late. */
#define COARSE_US (20 * US_PER_MS)

struct gathering {
	const struct work *work;
	int64_t since_us;	/* 0: whenever */
	unsigned depth;		/* how deep some pattern reaches */
	uint32_t entries;
	struct buf path;
	struct strvec found;
	uint64_t bytes;
	struct artifacts *to;
};

bool
gather_matches(const char *pattern, const char *path)
{
	size_t any = strlen(ANY_DEPTH);

	if (strncmp(pattern, ANY_DEPTH, any) != 0)
		return fnmatch(pattern, path, FNM_PATHNAME) == 0;
	for (pattern += any; path != NULL; path = strchr(path, '/')) {
		path += *path == '/';
		if (fnmatch(pattern, path, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static unsigned
reach(const struct strvec *patterns)
{
	unsigned most = 0, n;
	const char *p;
	size_t i;

	for (i = 0; i < patterns->n; i++) {
		if (strncmp(patterns->v[i], ANY_DEPTH, strlen(ANY_DEPTH)) == 0)
			return DEPTH_MAX;
		for (n = 0, p = patterns->v[i]; *p != '\0'; p++)
			n += *p == '/';
		most = n > most ? n : most;
	}
	return most < DEPTH_MAX ? most : DEPTH_MAX;
}

static bool
is_wanted(const struct gathering *g, const struct stat *st)
{
	int64_t us = (int64_t)st->st_mtim.tv_sec * US_PER_S +
	    st->st_mtim.tv_nsec / 1000;
	size_t i;

	if (us < g->since_us)
		return false;
	for (i = 0; i < g->work->artifacts.n; i++)
		if (gather_matches(g->work->artifacts.v[i],
		    buf_str(&g->path)))
			return true;
	return false;
}

static void walk(struct gathering *g, int fd, unsigned depth);

static void
look_at(struct gathering *g, int dir, const char *name, unsigned depth)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	if (S_ISREG(st.st_mode) && is_wanted(g, &st))
		strvec_push(&g->found, buf_str(&g->path));
	if (!S_ISDIR(st.st_mode) || depth >= g->depth)
		return;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
	    O_NOFOLLOW);
	if (fd != -1)
		walk(g, fd, depth + 1);
}

/* Closes fd. */
static void
walk(struct gathering *g, int fd, unsigned depth)
{
	size_t keep = buf_len(&g->path);
	struct dirent *e;
	DIR *d = fdopendir(fd);

	if (d == NULL) {
		close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL && g->entries++ < ENTRIES_MAX) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (keep > 0)
			buf_putc(&g->path, '/');
		buf_puts(&g->path, e->d_name);
		look_at(g, dirfd(d), e->d_name, depth);
		buf_truncate(&g->path, keep);
	}
	closedir(d);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Copies at most bytes of in; what it came to. 0 or -errno. */
static int
copy(int in, int out, uint64_t bytes, struct artifact *ret)
{
	uint8_t piece[PIECE];
	struct sha256 sum;
	ssize_t n = 1;
	int r;

	sha256_init(&sum);
	ret->bytes = 0;
	while (ret->bytes < bytes && n > 0) {
		n = read(in, piece, bytes - ret->bytes < PIECE ?
		    (size_t)(bytes - ret->bytes) : PIECE);
		if (n == -1)
			return -errno;
		if ((r = fd_write_all(out, piece, (size_t)n)) < 0)
			return r;
		sha256_put(&sum, piece, (size_t)n);
		ret->bytes += (uint64_t)n;
	}
	sha256_text(&sum, ret->sha256);
	return 0;
}

/* Keeps one file; false when it cannot be had, or not be kept. */
static bool
keep(struct gathering *g, int dir, const char *name)
{
	struct artifact *a = &g->to->v[g->to->n];
	char file[KEPT_NAME_MAX], *path;
	struct stat st;
	int in, out, r = -1;

	if (g->to->n >= ARTIFACTS_MAX || !prepare_name_ok(name) ||
	    !text_is_utf8(name, strlen(name)))
		return false;
	in = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (in == -1)
		return false;
	snprintf(file, sizeof file, KEPT_ARTIFACT "%u", g->to->n);
	path = kept_path(&g->work->id, file);
	if (fstat(in, &st) == 0 && S_ISREG(st.st_mode) &&
	    (uint64_t)st.st_size <= g->work->artifacts_max - g->bytes) {
		out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
		    O_NOFOLLOW, 0600);
		r = out == -1 ? -errno : copy(in, out, (uint64_t)st.st_size,
		    a);
		if (out != -1)
			close(out);
		if (r < 0)
			(void)unlink(path);
	}
	if (r == 0) {
		a->name = str_dup(name);
		g->bytes += a->bytes;
		g->to->n++;
	}
	free(path);
	close(in);
	return r == 0;
}

/* No file of it is older, also when the wall clock was set meanwhile. */
static int64_t
oldest(const struct report *r)
{
	int64_t began = r->ended_wall_us - r->elapsed_us;

	return (began < r->started_wall_us ? began : r->started_wall_us) -
	    COARSE_US;
}

void
gather(const struct work *work, const char *cwd, bool shared,
    struct report *r)
{
	struct artifacts *ret = &r->artifacts;
	struct gathering g = {
		.work = work, .path = BUF_INIT, .found = STRVEC_INIT,
		.since_us = shared ? oldest(r) : 0,
		.depth = reach(&work->artifacts), .to = ret,
	};
	size_t i, n;
	int fd;

	*ret = (struct artifacts){ .v = NULL };
	fd = open(cwd, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	walk(&g, dup(fd), 0);
	if (g.found.n > 1)
		qsort(g.found.v, g.found.n, sizeof *g.found.v, by_name);
	n = g.found.n < ARTIFACTS_MAX ? g.found.n : ARTIFACTS_MAX;
	if (n > 0 && kept_make(&work->id) == 0)
		ret->v = mem_calloc(n, sizeof *ret->v);
	for (i = 0; i < g.found.n; i++)
		if (ret->v == NULL || !keep(&g, fd, g.found.v[i]))
			ret->dropped++;
	strvec_done(&g.found);
	buf_done(&g.path);
	close(fd);
}
