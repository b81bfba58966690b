/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A queue of paths below RUN.artifacts; each turn of the loop copies a piece
 * of the first one. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/model/prepare.h"
#include "yardmaster/store/run_file.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#include "cli/artifacts.h"
#include "cli/owner_client.h"

#define PIECE (256u << 10)
#define FETCH_WAIT_US (30 * US_PER_S)
#define LOOK_US (500 * US_PER_MS)

struct copying {
	const struct cli *c;
	struct session *s;	/* NULL: nothing more comes */
	struct timer *timer;
	char run[RUN_ID_SIZE];
	char *root;		/* of the run's artifacts */
	const char *dir;
	struct strvec queue;
	size_t at;		/* the one that is copied */
	int in, out;		/* -1: not begun */
	char *temp;
	uint8_t *piece;
	int code;
};

static void
fail(struct copying *c, const char *path, int code)
{
	char *name = text_safe(path);

	c->code = cli_fail(c->c, EXIT_ERRORS, "--artifacts: %s/%s: %s", c->dir,
	    name, err_text(code));
	free(name);
}

/* ---- one file ---------------------------------------------------------------- */

static int
begin(struct copying *c, const char *file)
{
	char *from = path_join(c->root, file), *to = path_join(c->dir, file);
	char *folder = path_dir(to);
	int r;

	c->temp = str_fmt("%s.%d.part", to, (int)getpid());
	if ((r = fs_mkdirs(folder)) == 0) {
		c->in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (c->in != -1)
			c->out = open(c->temp, O_WRONLY | O_CREAT | O_TRUNC |
			    O_CLOEXEC | O_NOFOLLOW, 0644);
		r = c->out == -1 ? -errno : 0;
	}
	free(folder);
	free(from);
	free(to);
	return r;
}

/* Ends the first one with the code r. */
static void
end(struct copying *c, int r)
{
	const char *file = c->queue.v[c->at++];
	char *to = path_join(c->dir, file);

	if (c->out >= 0 && close(c->out) == -1 && r == 0)
		r = -errno;
	if (c->in >= 0)
		close(c->in);
	if (r == 0 && rename(c->temp, to) == -1)
		r = -errno;
	if (r < 0) {
		(void)unlink(c->temp);
		fail(c, file, r);
	}
	free(c->temp);
	c->temp = NULL;
	c->in = c->out = -1;
	free(to);
}

/* Copies a piece; false when nothing is left to do. */
static bool
copy_some(struct copying *c)
{
	ssize_t n;
	int r;

	if (c->at == c->queue.n)
		return false;
	if (c->temp == NULL && (r = begin(c, c->queue.v[c->at])) < 0) {
		end(c, r);
		return true;
	}
	if ((n = read(c->in, c->piece, PIECE)) == -1)
		end(c, -errno);
	else if (n == 0)
		end(c, 0);
	else if ((r = fd_write_all(c->out, c->piece, (size_t)n)) < 0)
		end(c, r);
	return true;
}

static void
on_timer(void *arg)
{
	struct copying *c = arg;

	if (copy_some(c))
		timer_start(c->timer, 0);
}

/* ---- all of them --------------------------------------------------------------- */

static void
on_artifact(void *arg, const char *run, const char *file)
{
	struct copying *c = arg;

	if (strcmp(run, c->run) != 0)
		return;
	strvec_push(&c->queue, file);
	timer_start(c->timer, 0);
}

static int
add_row(void *arg, const struct run_artifact *a)
{
	struct copying *c = arg;
	char *file, *path;

	if (a->state != ARTIFACT_HERE || !prepare_name_ok(a->name))
		return 0;
	file = artifact_file_name(a->name);
	path = str_fmt("%u/%u/%s", a->exec, a->attempt, file);
	strvec_push(&c->queue, path);
	free(path);
	free(file);
	return 0;
}

struct copying *
copies_new(struct session *s, const struct cli *cli, const char *run)
{
	char *state = cli_has(cli, "artifacts") ? owner_state_dir(cli) : NULL;
	struct run_file *f = NULL;
	struct copying *c;

	if (state == NULL)
		return NULL;
	c = mem_zalloc(sizeof *c);
	c->c = cli;
	c->s = s;
	c->in = c->out = -1;
	c->dir = cli_get(cli, "artifacts");
	c->piece = mem_calloc(PIECE, 1);
	c->root = run_path(state, run, ".artifacts");
	memcpy(c->run, run, strlen(run) + 1);
	if (run_file_open(state, run, &f) == 0)
		(void)run_file_each_artifact(f, 0, add_row, c);
	run_file_close(f);
	if (s != NULL) {
		c->timer = timer_new(s->loop, on_timer, c);
		timer_start(c->timer, 0);
		engine_on_artifact(s->engine, on_artifact, c);
	}
	free(state);
	return c;
}

int
copies_free(struct copying *c)
{
	int code;

	if (c == NULL)
		return 0;
	while (copy_some(c))
		;
	if (c->s != NULL) {
		engine_on_artifact(c->s->engine, NULL, NULL);
		timer_free(c->timer);
	}
	code = c->code;
	strvec_done(&c->queue);
	free(c->piece);
	free(c->root);
	free(c);
	return code;
}

/* to as it is seen from the folder from; both without links and dots. */
static char *
relative(const char *from, const char *to)
{
	struct buf b = BUF_INIT;
	size_t i, common = 0;

	for (i = 0; from[i] == to[i] && from[i] != '\0'; i++)
		if (from[i] == '/')
			common = i;
	if ((from[i] == '\0' || from[i] == '/') &&
	    (to[i] == '\0' || to[i] == '/'))
		common = i;
	for (from += common; *from != '\0'; from++)
		if (*from == '/' && from[1] != '\0')
			buf_puts(&b, "../");
	to += common;
	to += *to == '/';
	buf_puts(&b, *to != '\0' ? to : ".");
	return buf_steal(&b);
}

char *
artifacts_from(const struct cli *c, const char *run, const char *dir,
    const char *file)
{
	char *state = owner_state_dir(c), *root = NULL, *folder;
	char *from, *to, *at = NULL;

	if (state == NULL)
		return NULL;
	root = dir != NULL ? str_dup(dir) :
	    run_path(state, run, ".artifacts");
	folder = path_dir(file);
	from = realpath(folder, NULL);
	to = realpath(root, NULL);
	if (from != NULL && to != NULL)
		at = relative(from, to);
	free(from);
	free(to);
	free(folder);
	free(root);
	free(state);
	return at;
}

/* ---- those that did not come ----------------------------------------------------- */

struct missing {
	struct session *s;
	char *state;
	const char *run;
	uint32_t n;
	int64_t looked_us, moved_us;
};

static int
count_row(void *arg, const struct run_artifact *a)
{
	struct missing *m = arg;

	m->n += a->state == ARTIFACT_MISSING || a->state == ARTIFACT_AWAITED;
	return 0;
}

static void
count(struct missing *m)
{
	struct run_file *f = NULL;

	m->n = 0;
	if (run_file_open(m->state, m->run, &f) == 0)
		(void)run_file_each_artifact(f, 0, count_row, m);
	run_file_close(f);
}

/* An agent that is on its way here, or has something of the run. */
static bool
somebody_has(const struct missing *m)
{
	size_t i, n = engine_agent_count(m->s->engine);
	const struct agent *a;

	for (i = 0; i < n; i++) {
		a = engine_agent(m->s->engine, i);
		if (a->link >= LINK_UP ? !a->known ||
		    strvec_find(&a->facts.runs, m->run) >= 0 :
		    a->error == NULL)
			return true;
	}
	return engine_artifacts_pending(m->s->engine, m->run);
}

static bool
no_more_comes(void *arg)
{
	struct missing *m = arg;
	int64_t now = clock_mono_us();
	uint32_t n = m->n;

	if (now - m->looked_us < LOOK_US)
		return false;
	m->looked_us = now;
	count(m);
	if (m->n < n || engine_artifacts_pending(m->s->engine, m->run))
		m->moved_us = now;
	return m->n == 0 || !somebody_has(m) ||
	    now - m->moved_us > FETCH_WAIT_US;
}

void
fetch_missing(const struct cli *c, const char *run)
{
	struct missing m = { .run = run, .moved_us = clock_mono_us() };
	struct session s;

	m.s = &s;
	if ((m.state = owner_state_dir(c)) == NULL)
		return;
	count(&m);
	if (m.n > 0) {
		cli_fail(c, 0, "asking for %u artifacts of %s that did not "
		    "come", m.n, run);
		if (session_open(&s, c, cli_get(c, "fleet")) == 0)
			(void)session_wait(&s, no_more_comes, &m, 0);
		session_close(&s);
	}
	free(m.state);
}
