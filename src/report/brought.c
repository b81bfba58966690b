/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Walks the folders RUN.artifacts/EXECUTION; links are not followed. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/brought.h"
#include "yardmaster/model/prepare.h"
#include "yardmaster/store/run_file.h"

#define DEPTH_MAX 70
#define FILES_MAX 100000	/* of one execution */

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Closes fd. */
static void
walk(int fd, struct buf *path, unsigned depth, struct strvec *out)
{
	size_t keep = buf_len(path);
	struct dirent *e;
	struct stat st;
	DIR *d = fdopendir(fd);
	int next;

	if (d == NULL) {
		close(fd);
		return;
	}
	while ((e = readdir(d)) != NULL && out->n < FILES_MAX) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 || fstatat(dirfd(d),
		    e->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		buf_putf(path, "%s%s", keep > 0 ? "/" : "", e->d_name);
		if (S_ISREG(st.st_mode))
			strvec_push(out, buf_str(path));
		else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX &&
		    (next = openat(dirfd(d), e->d_name, O_RDONLY |
		    O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)) != -1)
			walk(next, path, depth + 1, out);
		buf_truncate(path, keep);
	}
	closedir(d);
}

void
brought_load(const char *state_dir, struct report_run *r)
{
	char *root = run_path(state_dir, r->id, ".artifacts"), no[16];
	int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	struct buf path = BUF_INIT;
	struct strvec *out;
	uint32_t i;

	for (i = 0; dir != -1 && i < r->n_execs; i++) {
		out = &r->execs[i].artifacts;
		snprintf(no, sizeof no, "%u", r->execs[i].no);
		fd = openat(dir, no, O_RDONLY | O_DIRECTORY | O_CLOEXEC |
		    O_NOFOLLOW);
		if (fd == -1)
			continue;
		walk(fd, &path, 0, out);
		if (out->n > 1)
			qsort(out->v, out->n, sizeof *out->v, by_name);
	}
	if (dir != -1)
		close(dir);
	buf_done(&path);
	free(root);
}
