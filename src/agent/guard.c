/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guards on load, memory and disk, and a health command of the host's own. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent/daemon.h"
#include "agent/guard.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/host.h"
#include "yardmaster/sys/proc.h"

#define HEALTH_EVERY_US (30 * US_PER_S)
#define HEALTH_LONGEST_US (10 * US_PER_S)
#define HEALTH_SAID_MAX 1024u

struct guardian {
	struct daemon *d;
	struct timer *next;	/* runs the command, or ends one that hangs */
	struct child *child;	/* NULL: none runs */
	struct stream *out;	/* what it says */
	struct buf said;
	char *fault;		/* not healthy, in words; NULL: it is */
	bool late;		/* was ended because it took too long */
};

/* ---- the health command ---- */

static void
health_data(void *arg, const uint8_t *p, size_t n)
{
	struct guardian *g = arg;

	buf_put(&g->said, p, n);
	if (buf_len(&g->said) > HEALTH_SAID_MAX)
		buf_consume(&g->said, buf_len(&g->said) - HEALTH_SAID_MAX);
}

static void
health_eof(void *arg, int error)
{
	/* Its exit is what counts. */
}

static const struct stream_ops health_ops = { health_data, health_eof, NULL };

/* The last line that is not empty. */
static const char *
last_line(struct buf *b)
{
	const char *nl;

	while (buf_len(b) > 0 && strchr("\r\n", buf_str(b)[buf_len(b) - 1]))
		buf_truncate(b, buf_len(b) - 1);
	nl = strrchr(buf_str(b), '\n');
	return nl != NULL ? nl + 1 : buf_str(b);
}

static void
set_fault(struct guardian *g, char *fault)
{
	free(g->fault);
	g->fault = fault;
	guard_check(g->d);
	turn_facts(g->d, true);
}

static void
stop_health(struct guardian *g)
{
	if (g->child != NULL)
		(void)proc_signal_tree(child_pid(g->child),
		    child_pid(g->child), SIGKILL);
	child_free(g->child);
	g->child = NULL;
	stream_free(g->out);
	g->out = NULL;
}

static void
health_ended(void *arg, int code, int signo)
{
	struct guardian *g = arg;
	const char *line = last_line(&g->said);
	char *fault = NULL;

	if (g->late)
		fault = str_fmt("no answer in %d s",
		    (int)(HEALTH_LONGEST_US / US_PER_S));
	else if (signo != 0)
		fault = str_fmt("ended by signal %d", signo);
	else if (code != 0)
		fault = str_fmt("exit %d%s%s", code, *line != '\0' ? ": " : "",
		    line);
	stop_health(g);
	set_fault(g, fault);
	timer_start(g->next, HEALTH_EVERY_US);
}

static void
start_health(struct guardian *g, const struct strvec *argv)
{
	struct child_spec spec = {
		.file = argv->v[0], .argv = strvec_argv(argv),
		.envp = strvec_argv(&g->d->worker_env), .cwd = "/",
		.in = CHILD_NULL, .out = CHILD_PIPE, .err = CHILD_NULL,
		.fd3 = -1, .session = true,
	};
	int fds[3], r;

	buf_clear(&g->said);
	g->late = false;
	r = child_start(g->d->loop, &spec, health_ended, g, &g->child, fds);
	if (r < 0) {
		set_fault(g, str_fmt("%s: %s", argv->v[0], err_text(r)));
		timer_start(g->next, HEALTH_EVERY_US);
		return;
	}
	(void)stream_new(g->d->loop, fds[1], -1, &health_ops, g, &g->out);
	timer_start(g->next, HEALTH_LONGEST_US);
}

static void
on_health(void *arg)
{
	struct guardian *g = arg;
	struct strvec argv = STRVEC_INIT;

	guards_health(&g->d->values.guards, &argv);
	if (g->child != NULL) {
		g->late = true;
		(void)proc_signal_tree(child_pid(g->child),
		    child_pid(g->child), SIGKILL);
	} else if (argv.n > 0) {
		start_health(g, &argv);
	}
	strvec_done(&argv);
}

struct guardian *
guardian_new(struct daemon *d)
{
	struct guardian *g = mem_zalloc(sizeof *g);

	g->d = d;
	g->next = timer_new(d->loop, on_health, g);
	return g;
}

void
guardian_free(struct guardian *g)
{
	if (g == NULL)
		return;
	stop_health(g);
	timer_free(g->next);
	buf_done(&g->said);
	free(g->fault);
	free(g);
}

void
guard_changed(struct daemon *d)
{
	struct guardian *g = d->guardian;

	stop_health(g);
	timer_stop(g->next);
	free(g->fault);
	g->fault = NULL;
	if (*d->values.guards.health != '\0') {
		g->fault = str_dup("not known yet");
		timer_start(g->next, 0);
	}
	guard_check(d);
}

/* ---- the others ---- */

bool
guard_disk_low(const struct daemon *d)
{
	uint64_t bytes, inodes;

	return fs_free(".", &bytes, &inodes) == 0 &&
	    (bytes < d->values.guards.free_disk ||
	    (inodes > 0 && inodes < 64));
}

/* What of the host is past its guard, in words; NULL: nothing. */
static char *
past_guard(const struct guards *g)
{
	struct host_facts host = { .cpus = 0 };

	if (host_read(&host) < 0)
		return NULL;
	if (g->load_per_cpu > 0 && host.cpus > 0 &&
	    host.load1 / host.cpus > g->load_per_cpu)
		return str_fmt("load per CPU: %.2f against %.2f",
		    host.load1 / host.cpus, g->load_per_cpu);
	if (host.memory_free_bytes > 0 &&
	    host.memory_free_bytes < g->free_memory)
		return str_fmt("memory: %llu MB free against %llu",
		    (unsigned long long)(host.memory_free_bytes >> 20),
		    (unsigned long long)(g->free_memory >> 20));
	return NULL;
}

void
guard_check(struct daemon *d)
{
	free(d->guard);
	if (d->store_failing)
		d->guard = str_fmt("the journal cannot be written: %s",
		    journal_fault(d->journal));
	else if (guard_disk_low(d))
		d->guard = str_fmt("disk: less than %llu MB free",
		    (unsigned long long)(d->values.guards.free_disk >> 20));
	else if (d->guardian != NULL && d->guardian->fault != NULL)
		d->guard = str_fmt("health: %s", d->guardian->fault);
	else
		d->guard = past_guard(&d->values.guards);
}
