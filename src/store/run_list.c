/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All runs of a state folder, and upkeep of one: copy, check. Only reads. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/run.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define DB_SUFFIX ".db"

static int
newest_first(const void *a, const void *b)
{
	return strcmp(*(char *const *)b, *(char *const *)a);
}

/* The ids of all runs of the folder; ids sort by time. */
static int
find_runs(const char *state_dir, struct strvec *out)
{
	char *path = path_join(state_dir, "runs"), *id;
	struct ident parsed;
	struct dirent *d;
	size_t n;
	DIR *dir;

	dir = opendir(path);
	free(path);
	if (dir == NULL)
		return errno == ENOENT ? 0 : -errno;
	while ((d = readdir(dir)) != NULL) {
		n = strlen(d->d_name);
		if (n != RUN_ID_SIZE - 1 + strlen(DB_SUFFIX) ||
		    strcmp(d->d_name + RUN_ID_SIZE - 1, DB_SUFFIX) != 0)
			continue;
		id = str_ndup(d->d_name, RUN_ID_SIZE - 1);
		if (ident_parse(id, &parsed) == 0)
			strvec_push_owned(out, id);
		else
			free(id);
	}
	closedir(dir);
	if (out->n > 1)
		qsort(out->v, out->n, sizeof(*out->v), newest_first);
	return 0;
}

/* Reads the summary of one run and hands it to fn. The owner is looked for
 * before the head is read: one that ends in between is then not taken for
 * an orphan. */
static int
summarize(const char *state_dir, const char *run,
    int (*fn)(void *arg, const struct run_summary *s), void *arg)
{
	struct run_summary s = { .owner = NULL };
	struct run_owner owner = { .who = NULL };
	struct run_file *f = NULL;
	struct run_head head;
	char *text = NULL;
	int r, got;

	if (run_owner_read(state_dir, run, &owner) == 0)
		text = run_owner_text(&owner);
	if ((r = run_file_open(state_dir, run, &f)) < 0 ||
	    (r = run_file_head(f, &head)) < 0 ||
	    (r = run_file_counts(f, &s.counts)) < 0) {
		if (r != ERR_NOT_FOUND)
			log_warn("run %s cannot be read: %s", run,
			    err_text(r));
		got = 0;
		goto out;
	}
	if (head.state != RUN_ENDED && text == NULL)
		head.state = RUN_ORPHANED;
	s.head = &head;
	s.owner = head.state == RUN_ENDED ? NULL : text;
	got = fn(arg, &s);
out:
	run_file_close(f);
	run_owner_done(&owner);
	free(text);
	return got;
}

int
run_state_read(const char *state_dir, const char *run,
    enum run_state *ret, int *ret_exit_code)
{
	struct run_owner owner = { .who = NULL };
	struct run_file *f = NULL;
	struct run_head head;
	bool owned;
	int r;

	/* As above: first who owns it. */
	owned = run_owner_read(state_dir, run, &owner) == 0;
	if ((r = run_file_open(state_dir, run, &f)) == 0 &&
	    (r = run_file_head(f, &head)) == 0) {
		*ret = head.state == RUN_ENDED || owned ? head.state :
		    RUN_ORPHANED;
		*ret_exit_code = head.exit_code;
	}
	run_file_close(f);
	run_owner_done(&owner);
	return r;
}

int
run_list(const char *state_dir,
    int (*fn)(void *arg, const struct run_summary *s), void *arg)
{
	struct strvec runs = STRVEC_INIT;
	size_t i;
	int r;

	r = find_runs(state_dir, &runs);
	for (i = 0; i < runs.n && r == 0; i++)
		r = summarize(state_dir, runs.v[i], fn, arg);
	strvec_done(&runs);
	return r;
}

int
run_backup(const char *state_dir, const char *run, const char *path)
{
	struct run_file *f = NULL;
	struct db to = { .h = NULL };
	sqlite3_backup *copy;
	int r;

	if (fs_exists(path))
		return ERR_EXISTS;
	if ((r = run_file_open(state_dir, run, &f)) < 0)
		return r;
	if ((r = db_open(&to, path, DB_CREATE, NULL, 0)) < 0)
		goto out;
	copy = sqlite3_backup_init(to.h, "main", f->db.h, "main");
	if (copy != NULL) {
		sqlite3_backup_step(copy, -1);
		sqlite3_backup_finish(copy);
	}
	r = db_code(sqlite3_errcode(to.h));
	db_close(&to);
	if (r < 0)
		unlink(path);
out:
	run_file_close(f);
	return r;
}

int
run_check(const char *state_dir, const char *run, char **ret_text)
{
	struct run_file *f = NULL;
	int r;

	if ((r = run_file_open(state_dir, run, &f)) < 0)
		return r;
	r = db_check(&f->db, ret_text);
	run_file_close(f);
	return r;
}
