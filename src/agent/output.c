/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of output files and work folders, and their removal by age and
 * size: logs stay readable after the console has recorded the end. */
#include "config.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/output.h"
#include "agent/wire.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define BLOCK 512
#define LEAST_BYTES 1024	/* an empty file costs something as well */

static char *
name_in(const char *dir, const struct ident *id, char *out)
{
	snprintf(out, OUTPUT_NAME_SIZE, "%s/%s.%u.%u", dir, id->run,
	    id->execution, id->attempt);
	return out;
}

char *
output_file_name(const struct ident *id, char *out)
{
	return name_in(OUTPUT_DIR, id, out);
}

char *
output_work_name(const struct ident *id, char *out)
{
	return name_in(WORK_DIR, id, out);
}

char *
output_home_name(const struct ident *id, char *out)
{
	return name_in(HOME_DIR, id, out);
}

char *
output_kept_name(const struct ident *id, char *out)
{
	return name_in(KEPT_DIR, id, out);
}

char *
output_worker_name(unsigned worker, char *out)
{
	snprintf(out, OUTPUT_NAME_SIZE, OUTPUT_DIR "/worker-%u", worker);
	return out;
}

bool
output_claim(const struct ident *id, unsigned worker)
{
	char from[OUTPUT_NAME_SIZE], to[OUTPUT_NAME_SIZE];
	struct stat st;

	output_worker_name(worker, from);
	return stat(from, &st) == 0 && st.st_size > 0 &&
	    rename(from, output_file_name(id, to)) == 0;
}

struct kept {
	char *name;
	int64_t mtime_us;
	uint64_t bytes;
};

struct sweep {
	int (*keep)(void *arg, const struct ident *id);
	void *arg;
	struct kept *v;
	size_t n, cap;
	uint64_t bytes;
	int64_t oldest_us;
};

/* The id in a file name of ours; false for any other name. */
static bool
name_ident(const char *name, struct ident *ret)
{
	char text[IDENT_TEXT];
	size_t i;

	if (strlen(name) >= sizeof text)
		return false;
	for (i = 0; name[i] != '\0'; i++)
		text[i] = name[i] == '.' ? '/' : name[i];
	text[i] = '\0';
	return ident_parse(text, ret) == 0 && ret->attempt != 0;
}

static void
remove_entry(const char *path)
{
	if (unlink(path) == -1)
		(void)fs_remove_tree(path);
}

static void
look_at(struct sweep *s, const char *dir, const char *name)
{
	char *path;
	struct ident id;
	struct stat st;
	int64_t mtime_us;

	if (!name_ident(name, &id) || s->keep(s->arg, &id))
		return;
	path = path_join(dir, name);
	if (lstat(path, &st) == -1) {
		free(path);
		return;
	}
	mtime_us = (int64_t)st.st_mtime * US_PER_S;
	if (mtime_us < s->oldest_us) {
		remove_entry(path);
		free(path);
		return;
	}
	s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof *s->v);
	s->v[s->n++] = (struct kept){
		.name = path, .mtime_us = mtime_us,
		.bytes = (uint64_t)st.st_blocks * BLOCK + LEAST_BYTES,
	};
	s->bytes += s->v[s->n - 1].bytes;
}

static void
walk(struct sweep *s, const char *name)
{
	DIR *dir = opendir(name);
	struct dirent *e;

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL)
		look_at(s, name, e->d_name);
	closedir(dir);
}

static int
by_age(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return (x->mtime_us > y->mtime_us) - (x->mtime_us < y->mtime_us);
}

void
output_sweep(uint64_t max_bytes, int64_t age_us,
    int (*keep)(void *arg, const struct ident *id), void *arg)
{
	struct sweep s = {
		.keep = keep, .arg = arg, .oldest_us = clock_wall_us() - age_us
	};
	size_t i;

	walk(&s, OUTPUT_DIR);
	walk(&s, WORK_DIR);
	walk(&s, HOME_DIR);
	walk(&s, KEPT_DIR);
	if (s.bytes > max_bytes)
		qsort(s.v, s.n, sizeof *s.v, by_age);
	for (i = 0; i < s.n; i++) {
		if (s.bytes > max_bytes) {
			remove_entry(s.v[i].name);
			s.bytes -= s.v[i].bytes;
		}
		free(s.v[i].name);
	}
	free(s.v);
}
