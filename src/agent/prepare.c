/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preparations of runs.
 *
 * 1. ws/RUN.N/prepare.json is on the disk before a work that needs it is
 *    promised, and says that the run is over before SYNCED does.
 * 2. As long as a preparation is not ready at most one of its attempts, the
 *    leader, is in a line of the queue or runs: its worker prepares. The
 *    others are parked.
 * 3. A teardown is an attempt in the journal like any other, so it is started
 *    at most once; prepare.json says that it ended before it is forgotten.
 *
 *	prep_join() -> waits for its tree -> has a leader -> ready
 *	                     ^                   | failed: those parked end
 *	                     +-------------------+ as errors
 *	any, over and nothing of it left -> teardown -> (removed)
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/output.h"
#include "agent/prepare.h"
#include "agent/setup.h"
#include "agent/trees.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define FILE_NAME "prepare.json"
#define FILE_MAX (1u << 20)
#define FAILED_MAX 4096
#define ALONE_US (600 * US_PER_S)
#define MB (1u << 20)

struct prep {
	char run[RUN_ID_SIZE];
	struct work_prepare p;
	struct strvec env;	/* of the teardown */
	char *owner;
	bool ready, over, done;	/* done: torn down */
	bool tree_here;
	struct ident leader;	/* attempt 0: none */
	int64_t alone_us;	/* since when nobody cares; 0: somebody does */
	LIST_ENTRY(prep) entry;
};

bool
prep_is_own(const struct ident *id)
{
	return id->execution >= PREPARE_TEARDOWN;
}

static struct prep *
find(const struct daemon *d, const char *run, uint32_t no)
{
	struct prep *p;

	LIST_FOREACH(p, &d->preps, entry)
		if (p->p.no == no && strcmp(p->run, run) == 0)
			return p;
	return NULL;
}

static void
prep_free(struct prep *p)
{
	LIST_REMOVE(p, entry);
	work_prepare_done(&p->p);
	strvec_done(&p->env);
	free(p->owner);
	free(p);
}

void
preps_free(struct daemon *d)
{
	while (!LIST_EMPTY(&d->preps))
		prep_free(LIST_FIRST(&d->preps));
}

/* ---- on the disk ---- */

static int
save(const struct prep *p)
{
	char name[WS_NAME_SIZE];
	struct buf b = BUF_INIT;
	struct jw w;
	size_t i;
	int r;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "run", p->run);
	jw_key(&w, "prepare");
	work_prepare_write(&w, &p->p);
	jw_key(&w, "env");
	jw_array(&w);
	for (i = 0; i < p->env.n; i++)
		jw_str(&w, p->env.v[i]);
	jw_array_end(&w);
	jw_kv_str(&w, "owner", p->owner);
	jw_kv_bool(&w, "over", p->over);
	jw_kv_bool(&w, "done", p->done);
	jw_object_end(&w);
	r = fs_replace(setup_name(p->run, p->p.no, FILE_NAME, name),
	    buf_data(&b), buf_len(&b), 0600);
	buf_done(&b);
	return r;
}

static struct prep *
prep_new(struct daemon *d, const char *run)
{
	struct prep *p = mem_zalloc(sizeof *p);

	memcpy(p->run, run, strnlen(run, sizeof p->run - 1));
	LIST_INSERT_HEAD(&d->preps, p, entry);
	return p;
}

/* A large tree takes long to remove, which is not for the daemon's loop. */
static void
remove_folder(struct daemon *d, const char *name)
{
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	const char *argv[] = { "rm", "-rf", "--", NULL, NULL };
	char *gone = str_fmt(WS_DIR "/gone.%lld",
	    (long long)clock_mono_us());
	struct child_spec spec = {
		.file = "rm", .argv = (char *const *)(uintptr_t)argv,
		.envp = (char *const *)(uintptr_t)env, .in = CHILD_NULL,
		.out = CHILD_NULL, .err = CHILD_NULL, .fd3 = -1,
		.session = true,
	};
	struct child *child;
	int fds[3];

	argv[3] = rename(name, gone) == 0 ? gone : name;
	if (child_start(d->loop, &spec, NULL, NULL, &child, fds) == 0)
		child_free(child);
	free(gone);
}

/* Reads one folder; false when it is none that counts. */
static bool
load_one(struct daemon *d, const char *folder)
{
	char *path = path_join(folder, FILE_NAME);
	struct work_prepare prepare;
	struct buf b = BUF_INIT;
	struct jval *v = NULL;
	const struct jval *env;
	struct ident id;
	struct prep *p;
	size_t i;
	bool good;

	good = fs_read(path, FILE_MAX, &b) == 0 &&
	    jval_parse(&v, buf_data(&b), buf_len(&b)) == 0 &&
	    !jval_get_bool(v, "done", false) &&
	    ident_parse(jval_get_str(v, "run", ""), &id) == 0 &&
	    id.execution == 0 &&
	    work_prepare_read(jval_get(v, "prepare"), &prepare) == 0;
	if (good) {
		p = prep_new(d, id.run);
		p->p = prepare;
		p->over = jval_get_bool(v, "over", false);
		p->owner = str_dup(jval_get_str(v, "owner", NULL));
		p->ready = setup_is_ready(id.run, prepare.no);
		env = jval_get(v, "env");
		for (i = 0; i < jval_count(env); i++)
			strvec_push(&p->env, jval_str(jval_at(env, i), ""));
	}
	jval_free(v);
	buf_done(&b);
	free(path);
	return good;
}

void
preps_load(struct daemon *d)
{
	DIR *dir = opendir(WS_DIR);
	struct dirent *e;
	char *path;

	while (dir != NULL && (e = readdir(dir)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		path = path_join(WS_DIR, e->d_name);
		if (!load_one(d, path))
			remove_folder(d, path);
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
}

/* ---- attempts ---- */

static int
make(struct daemon *d, const struct work *work, struct prep **ret)
{
	struct prep *p = prep_new(d, work->id.run);
	char name[WS_NAME_SIZE];
	int r = 0;

	work_prepare_copy(&p->p, &work->prepare);
	strvec_push_all(&p->env, &work->env);
	p->owner = str_dup(work->owner);
	if (mkdir(setup_name(p->run, p->p.no, NULL, name), 0700) == -1 &&
	    errno != EEXIST)
		r = -errno;
	if (r < 0 || (r = save(p)) < 0)
		prep_free(p);
	else
		*ret = p;
	return r;
}

int
prep_join(struct daemon *d, struct attempt *a, const struct work *work)
{
	struct prep *p;
	int r;

	if (work->prepare.no == 0)
		return 0;
	p = find(d, work->id.run, work->prepare.no);
	if (p == NULL && (r = make(d, work, &p)) < 0)
		return r;
	a->prep = p;
	p->alone_us = 0;
	/* What runs while nothing is ready is what prepares. */
	if (a->worker > 0 && !p->ready)
		p->leader = a->id;
	a->parked = a->worker == 0 && !p->ready;
	return 0;
}

static void
unpark(struct daemon *d, struct attempt *a)
{
	queue_leave(&d->queue, a);
	a->parked = false;
	queue_enter(&d->queue, a);
	turn_touch(d, a, DUE_REPORT);
}

/* The first that is parked for p, or of them all with p NULL, behind a. */
static struct attempt *
next_parked(struct daemon *d, const struct prep *p, struct attempt *a)
{
	a = a == NULL ? TAILQ_FIRST(&d->queue.parked) :
	    TAILQ_NEXT(a, in_queue);
	while (a != NULL && (a->prep != p || a->gone))
		a = TAILQ_NEXT(a, in_queue);
	return a;
}

/* Ends all that wait for p as errors; they get the log of the one that tried,
 * if one did. */
static void
end_parked(struct daemon *d, struct prep *p, const struct ident *tried,
    const char *why)
{
	char from[OUTPUT_NAME_SIZE], to[OUTPUT_NAME_SIZE];
	struct attempt *a;

	while ((a = next_parked(d, p, NULL)) != NULL) {
		if (tried != NULL && link(output_file_name(tried, from),
		    output_file_name(&a->id, to)) == -1)
			log_warn("%s: %s", to, err_text(-errno));
		queue_leave(&d->queue, a);
		a->parked = false;
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_ERROR, why);
	}
}

void
preps_refuse(struct daemon *d, const char *hash, const char *why)
{
	struct prep *p;

	LIST_FOREACH(p, &d->preps, entry)
		if (strcmp(p->p.tree, hash) == 0)
			end_parked(d, p, NULL, why);
}

bool
preps_need(const struct daemon *d, const char *hash)
{
	const struct prep *p;

	LIST_FOREACH(p, &d->preps, entry)
		if (!p->over && strcmp(p->p.tree, hash) == 0)
			return true;
	return false;
}

static void
touch_parked(struct daemon *d, struct prep *p)
{
	struct attempt *a;

	for (a = next_parked(d, p, NULL); a != NULL;
	    a = next_parked(d, p, a))
		turn_touch(d, a, DUE_REPORT);
}

void
prep_changed(struct daemon *d, struct attempt *a)
{
	struct prep *p = a->prep;

	if (p != NULL && !p->ready && setup_is_ready(p->run, p->p.no))
		p->ready = true;
	else if (p != NULL && !p->ready)
		touch_parked(d, p);
}

/* The leader is no more: ready all the same, or it says why not. */
static void
leader_gone(struct daemon *d, struct prep *p)
{
	struct ident was = p->leader;
	char name[WS_NAME_SIZE], text[IDENT_TEXT], *why;
	struct buf b = BUF_INIT;

	p->leader.attempt = 0;
	p->ready = setup_is_ready(p->run, p->p.no);
	setup_name(p->run, p->p.no, "failed", name);
	if (!p->ready && fs_read(name, FAILED_MAX, &b) == 0) {
		(void)unlink(name);
		why = str_fmt("%s (in %s)", buf_str(&b),
		    ident_format(&was, text));
		end_parked(d, p, &was, why);
		free(why);
	}
	buf_done(&b);
	p->tree_here = false;
}

static void
go_on(struct daemon *d, struct prep *p)
{
	struct attempt *a;

	if (!p->ready && p->leader.attempt > 0) {
		a = queue_find(&d->queue, &p->leader);
		if (a == NULL || a->gone || a->result != NULL)
			leader_gone(d, p);
	}
	while (p->ready && (a = next_parked(d, p, NULL)) != NULL)
		unpark(d, a);
	if (p->ready || p->leader.attempt > 0 ||
	    (a = next_parked(d, p, NULL)) == NULL)
		return;
	p->tree_here = p->tree_here || p->p.tree[0] == '\0' ||
	    tree_is_here(p->p.tree);
	if (!p->tree_here)
		return;
	trees_make_room(d, p->p.tree_bytes);
	p->leader = a->id;
	unpark(d, a);
	touch_parked(d, p);
}

char *
prep_text(const struct attempt *a)
{
	const struct prep *p = a->prep;
	char text[IDENT_TEXT];

	if (!a->parked || p == NULL)
		return NULL;
	if (p->leader.attempt > 0)
		return str_fmt("the workspace is set up; its log is that of "
		    "%s", ident_format(&p->leader, text));
	return str_fmt("the workspace of %llu kB is on its way",
	    (unsigned long long)(p->p.tree_bytes / 1024));
}

/* ---- the end ---- */

static bool
is_used(const struct daemon *d, const struct prep *p)
{
	struct attempt *a, *next;

	HASH_ITER(hh, d->queue.all, a, next)
		if (a->prep == p && a->result == NULL && !a->gone)
			return true;
	return false;
}

static void
prep_remove(struct daemon *d, struct prep *p)
{
	struct attempt *a, *next;
	char name[WS_NAME_SIZE];

	HASH_ITER(hh, d->queue.all, a, next)
		if (a->prep == p)
			a->prep = NULL;
	remove_folder(d, setup_name(p->run, p->p.no, NULL, name));
	prep_free(p);
}

static struct ident
teardown_id(const struct prep *p)
{
	struct ident id = { .execution = PREPARE_TEARDOWN + p->p.no,
	    .attempt = 1 };

	memcpy(id.run, p->run, sizeof id.run);
	return id;
}

static void
start_teardown(struct daemon *d, const struct prep *p)
{
	struct ident id = teardown_id(p);
	struct attempt *a = queue_add(&d->queue, &id);
	char name[WS_NAME_SIZE];
	struct work_step step = { .label = NULL,
	    .timeout_us = p->p.teardown_us };
	struct work work = { .id = id, .epoch = a->run->epoch,
	    .class = CLASS_ADHOC, .workers = 1, .n_steps = 1,
	    .owner = p->owner, .env = p->env };
	struct buf b = BUF_INIT;
	struct jw w;

	step.argv = p->p.teardown;
	work.steps = &step;
	work.label = str_fmt("teardown of %s", p->run);
	work.cwd = str_fmt("%s/%s", d->spool, setup_name(p->run, p->p.no,
	    "tree", name));
	attempt_describe(&d->queue, a, &work);
	a->epoch = work.epoch;
	a->queued_wall_us = clock_wall_us();
	jw_init(&w, &b);
	work_write(&w, &work);
	a->work_len = buf_len(&b);
	a->work = buf_steal(&b);
	queue_enter(&d->queue, a);
	turn_touch(d, a, DUE_STORE);
	free(work.label);
	free(work.cwd);
}

/* Nothing of it is left to run. A teardown follows what was begun. */
static void
tear_down(struct daemon *d, struct prep *p)
{
	struct ident id = teardown_id(p);
	char name[WS_NAME_SIZE];

	if (queue_find(&d->queue, &id) != NULL)
		return;
	if (p->p.teardown.n > 0 && !p->done &&
	    fs_exists(setup_name(p->run, p->p.no, "tree", name)))
		start_teardown(d, p);
	else
		prep_remove(d, p);
}

void
prep_result(struct daemon *d, struct attempt *a)
{
	struct prep *p;

	if (!prep_is_own(&a->id))
		return;
	p = find(d, a->id.run, a->id.execution - PREPARE_TEARDOWN);
	log_info("teardown of %s: %s", a->id.run, a->result);
	if (p != NULL) {
		p->done = true;
		if (save(p) < 0)
			log_warn("teardown of %s cannot be recorded",
			    a->id.run);
		prep_remove(d, p);
	}
	turn_forget(d, a);
}

int
preps_over(struct daemon *d, const char *run)
{
	struct prep *p;
	int r = 0, code;

	LIST_FOREACH(p, &d->preps, entry) {
		if (strcmp(p->run, run) != 0 || p->over)
			continue;
		p->over = true;
		if ((code = save(p)) < 0)
			r = code;
	}
	return r;
}

void
preps_turn(struct daemon *d)
{
	struct prep *p, *next;

	for (p = LIST_FIRST(&d->preps); p != NULL; p = next) {
		next = LIST_NEXT(p, entry);
		go_on(d, p);
		if (p->over && !is_used(d, p))
			tear_down(d, p);
	}
}

void
preps_tick(struct daemon *d)
{
	int64_t now = loop_now_us(d->loop), most = d->opt->idle_us;
	struct prep *p;

	if (most <= 0 || most > ALONE_US)
		most = ALONE_US;
	LIST_FOREACH(p, &d->preps, entry) {
		if (queue_run(&d->queue, p->run)->driver != 0 ||
		    is_used(d, p))
			p->alone_us = 0;
		else if (p->alone_us == 0)
			p->alone_us = now;
		else if (now - p->alone_us >= most && !p->over) {
			p->over = true;
			(void)save(p);
			loop_poke(d->loop);
		}
	}
}
