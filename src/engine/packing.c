/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packing the workspaces of a run, on a thread that touches only the folders,
 * its own file in STATE/trees and struct packing's lower half. Nothing of the
 * run is sent meanwhile. Which hash came of it is put into the snapshot; who
 * takes a run over that has none yet packs again.
 *
 *	no hash -> packing -> hash recorded, executions may go
 *	                 |--> failed: all executions end as errors
 *	                 +--> run over or process ends: stopped, no hash
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/tree.h"

#include "engine/engine_private.h"

#define KEEP_US (30 * 24 * 3600 * US_PER_S)	/* since it was last used */
#define SAY_US (500 * US_PER_MS)
#define MB (UINT64_C(1) << 20)
#define NEW "new."		/* then pid and run: being packed */

/* One folder that is packed. */
struct packed {
	uint32_t index;		/* of the plan's workspaces */
	char *path;
	struct strvec exclude;
	struct tree_sum sum;
};

struct packing {
	struct engine *e;
	struct erun *r;
	struct job *job;
	struct timer *say;
	char *text;		/* how far it is, for people */
	int64_t since_us;
	struct tree_progress progress;	/* shared with the thread */
	/* Of the thread until it is done. */
	char *dir, *temp;
	struct packed *v;
	size_t n;
	int code;
	struct buf why;
};

/* ---- on the thread ------------------------------------------------------- */

/* Of a process that is no more, or not used for long. */
static bool
is_stale(const char *name, const struct stat *st, int64_t oldest_us)
{
	long pid;

	if (!S_ISREG(st->st_mode))
		return false;
	if (strncmp(name, NEW, strlen(NEW)) == 0) {
		pid = strtol(name + strlen(NEW), NULL, 10);
		if (pid > 0 && kill((pid_t)pid, 0) == -1 && errno == ESRCH)
			return true;
	}
	return (int64_t)st->st_mtime * US_PER_S < oldest_us;
}

static void
sweep(const char *dir_name)
{
	int64_t oldest = clock_wall_us() - KEEP_US;
	DIR *dir = opendir(dir_name);
	struct dirent *e;
	struct stat st;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW)
		    == 0 && is_stale(e->d_name, &st, oldest))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

/* Packs into a file of our own, which then gets the name of its content. */
static int
pack(struct packing *p, struct packed *w)
{
	char *path = NULL;
	int fd, r;

	fd = open(p->temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd == -1) {
		r = -errno;
		buf_putf(&p->why, "%s: %s", p->temp, err_text(r));
		return r;
	}
	r = tree_pack(w->path, &w->exclude, fd, TREE_MAX_BYTES, &p->progress,
	    &w->sum, &p->why);
	close(fd);
	if (r == 0) {
		path = path_join(p->dir, w->sum.hash);
		r = rename(p->temp, path) == 0 ? 0 : -errno;
	}
	if (r < 0)
		(void)unlink(p->temp);
	free(path);
	return r;
}

static void
pack_all(void *arg)
{
	struct packing *p = arg;
	size_t i;

	if ((p->code = fs_mkdirs(p->dir)) < 0)
		buf_putf(&p->why, "%s: %s", p->dir, err_text(p->code));
	else
		sweep(p->dir);
	for (i = 0; i < p->n && p->code == 0; i++)
		p->code = pack(p, &p->v[i]);
}

/* ---- on the loop ----------------------------------------------------------- */

void
packing_free(struct packing *p)
{
	size_t i;

	if (p == NULL)
		return;
	atomic_store(&p->progress.stop, true);
	job_free(p->job);
	timer_free(p->say);
	for (i = 0; i < p->n; i++) {
		free(p->v[i].path);
		strvec_done(&p->v[i].exclude);
	}
	free(p->v);
	free(p->dir);
	free(p->temp);
	free(p->text);
	buf_done(&p->why);
	free(p);
}

static void
say(void *arg)
{
	struct packing *p = arg;
	uint64_t done = atomic_load(&p->progress.done);
	uint64_t total = atomic_load(&p->progress.total);

	free(p->text);
	p->text = total == 0 ?
	    str_dup("packing the workspace: its files are counted") :
	    str_fmt("packing the workspace: %llu of %llu MB",
	    (unsigned long long)(done / MB),
	    (unsigned long long)((total + MB - 1) / MB));
	(void)sched_run_setup(p->e->sched, p->r->handle, p->text,
	    clock_mono_us());
	timer_start(p->say, SAY_US);
	engine_touch(p->e);
}

/* The snapshot says what the run was launched with, so without amendments. */
static int
record(struct packing *p)
{
	struct plan *plan = p->r->plan, *launched = NULL;
	struct buf text = BUF_INIT;
	size_t i;
	int rc;

	if (p->r->n_amendments > 0) {
		if ((rc = run_plan_load(p->r->file, &launched)) < 0)
			return rc;
		for (i = 0; i < plan->n_workspaces; i++) {
			memcpy(launched->workspaces[i].hash,
			    plan->workspaces[i].hash, SHA256_TEXT);
			launched->workspaces[i].bytes =
			    plan->workspaces[i].bytes;
		}
		plan = launched;
	}
	plan_snapshot(plan, &text);
	erun_put(p->r, run_file_put_snapshot(p->r->file, buf_str(&text)));
	buf_done(&text);
	plan_free(launched);
	return 0;
}

static int
take(struct packing *p)
{
	struct plan_workspace *w;
	uint64_t bytes = 0;
	char took[DURATION_TEXT];
	size_t i;
	int rc;

	for (i = 0; i < p->n; i++) {
		w = &p->r->plan->workspaces[p->v[i].index];
		memcpy(w->hash, p->v[i].sum.hash, sizeof w->hash);
		w->bytes = p->v[i].sum.bytes;
		bytes += w->bytes;
	}
	if ((rc = record(p)) < 0) {
		buf_puts(&p->why, err_text(rc));
		return rc;
	}
	engine_say(p->e, EVENT_INFO, NULL, p->r->live.id,
	    "packed the workspace, %llu kB, in %s",
	    (unsigned long long)(bytes / 1024),
	    duration_format(clock_mono_us() - p->since_us, took));
	return 0;
}

/* Those that need others go first: they are errors as well, not skipped. */
static void
end_all(struct packing *p)
{
	struct erun *r = p->r;
	char *text = str_fmt("the workspace cannot be packed: %s",
	    buf_len(&p->why) > 0 ? buf_str(&p->why) : err_text(p->code));
	uint32_t no;

	engine_say(p->e, EVENT_ERROR, NULL, r->live.id, "%s", text);
	for (no = r->live.n; no > 0; no--) {
		if (sched_exec_give_up(p->e->sched, r->handle, no,
		    clock_mono_us()) < 0)
			continue;
		erun_why(r, no, str_dup(text));
		view_execution(p->e, r, no);
	}
	free(text);
}

static void
on_packed(void *arg)
{
	struct packing *p = arg;
	struct erun *r = p->r;

	if (p->code == 0)
		p->code = take(p);
	if (p->code < 0)
		end_all(p);
	(void)sched_run_setup(p->e->sched, r->handle, NULL, clock_mono_us());
	engine_hurry(p->e);
	r->packing = NULL;
	packing_free(p);
}

void
packing_begin(struct engine *e, struct erun *r)
{
	const struct plan *plan = r->plan;
	struct packing *p = mem_zalloc(sizeof *p);
	struct packed *w;
	uint32_t i;
	int rc;

	p->e = e;
	p->r = r;
	p->v = mem_calloc(plan->n_workspaces, sizeof *p->v);
	for (i = 0; i < plan->n_workspaces; i++) {
		if (plan->workspaces[i].hash[0] != '\0')
			continue;
		w = &p->v[p->n++];
		w->index = i;
		w->path = str_dup(plan->workspaces[i].path);
		strvec_push_all(&w->exclude, &plan->workspaces[i].exclude);
	}
	p->dir = path_join(e->state_dir, "trees");
	p->temp = str_fmt("%s/" NEW "%d.%s", p->dir, (int)getpid(),
	    r->live.id);
	p->since_us = clock_mono_us();
	p->say = timer_new(e->loop, say, p);
	if (p->n == 0) {
		packing_free(p);
		return;
	}
	r->packing = p;
	/* From here on p->code is of the thread. */
	rc = job_start(e->loop, pack_all, on_packed, p, &p->job);
	if (rc < 0) {
		p->code = rc;
		on_packed(p);
		return;
	}
	say(p);
}

const char *
engine_packing(const struct engine *e, const char *run)
{
	const struct erun *r = erun_find(e, run);

	return r != NULL && r->packing != NULL ? r->packing->text : NULL;
}
