/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Start, restart, quit, status, hold and release, given on the host. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/client.h"
#include "agent/control.h"
#include "agent/tree.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/text.h"
#include "yardmaster/model/facts.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/loop.h"
#include "yardmaster/sys/paths.h"

#define EXIT_NONE_RUNS 3

static int
fail(struct buf *why)
{
	struct buf safe = BUF_INIT;

	text_escape(&safe, buf_str(why), buf_len(why));
	fflush(stdout);
	fprintf(stderr, "yardmaster-agent: %s\n", buf_str(&safe));
	buf_done(&safe);
	buf_done(why);
	return 1;
}

int
control_start(const struct start_options *o)
{
	struct buf why = BUF_INIT;
	int fd;

	if (agent_reach(o, &fd, &why) < 0)
		return fail(&why);
	close(fd);
	buf_done(&why);
	return 0;
}

/* Sends signo to the daemon and waits until it is gone. 0, ERR_NOT_FOUND
 * when none runs, or a code with words. */
static int
end_daemon(int signo, struct lock_note *note, struct buf *why)
{
	int fd, r;

	if (!file_lock_held(LOCK_NAME))
		return ERR_NOT_FOUND;
	if ((r = lock_note_read(note)) < 0 ||
	    (r = proc_signal(&note->id, signo)) < 0) {
		buf_putf(why, "the daemon cannot be told: %s", err_text(r));
		return r;
	}
	fd = open(LOCK_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1 || flock(fd, LOCK_EX) == -1)
		r = errno == ENOENT ? 0 : -errno;
	if (fd >= 0)
		close(fd);
	if (r < 0)
		buf_putf(why, LOCK_NAME ": %s", err_text(r));
	return r;
}

int
control_quit(const struct start_options *o)
{
	struct lock_note note;
	struct buf why = BUF_INIT;
	int r;

	if ((r = spool_enter(o->instance, NULL, &why)) == 0)
		r = end_daemon(SIGTERM, &note, &why);
	if (r < 0 && r != ERR_NOT_FOUND)
		return fail(&why);
	if (r == ERR_NOT_FOUND)
		fprintf(stderr, "yardmaster-agent: none runs\n");
	return 0;
}

int
control_restart(const struct start_options *o)
{
	struct start_options again = *o;
	struct lock_note note;
	struct buf why = BUF_INIT;
	int r;

	if ((r = spool_enter(o->instance, NULL, &why)) == 0)
		r = end_daemon(SIGHUP, &note, &why);
	if (r == 0) {
		again.local |= note.local;
		if (again.idle_us < 0)
			again.idle_us = note.idle_us;
	}
	if (r < 0 && r != ERR_NOT_FOUND)
		return fail(&why);
	return control_start(&again);
}

/* ---- remove ---- */

/* 0 when the agent has nothing that would be lost. */
static int
check_unused(const struct facts *f, struct buf *why)
{
	if (f->busy == 0 && f->queued == 0 && f->runs.n == 0)
		return 0;
	buf_putf(why, "instance %s is in use: %u running, %u queued, "
	    "attempts or results of %zu runs; --force ends and loses them",
	    f->instance, f->busy, f->queued, f->runs.n);
	return ERR_LOCKED;
}

/* What runs for the agent, and what that has left behind. */
static void
kill_workers(const struct facts *f)
{
	uint32_t i;

	for (i = 0; i < f->n_workers; i++) {
		if (f->workers[i].pid > 0)
			(void)proc_signal_tree(f->workers[i].pid, 0, SIGKILL);
		if (f->workers[i].busy)
			(void)tree_kill_orphans(f->workers[i].no,
			    &f->workers[i].attempt);
		tree_ungroup(f->workers[i].no, NULL);
	}
}

/* Asks the daemon, which is started to read the journal when none runs. */
static int
ask_facts(const struct start_options *o, struct facts *ret, struct buf *why)
{
	struct client c;
	int fd, r;

	if ((r = agent_reach(o, &fd, why)) < 0)
		return r;
	if ((r = client_open(&c, fd)) == 0)
		r = facts_read(jval_get(c.body, "facts"), ret);
	if (r < 0)
		buf_putf(why, "the daemon does not answer: %s", err_text(r));
	client_done(&c);
	return r;
}

/* The spool, and the folders around it that it was alone in. */
static int
remove_spool(const char *spool, struct buf *why)
{
	char *agents = path_dir(spool), *state = path_dir(agents);
	int r;

	r = chdir("/") == -1 ? -errno : fs_remove_tree(spool);
	if (r < 0)
		buf_putf(why, "%s: %s", spool, err_text(r));
	else if (rmdir(agents) == 0)
		(void)rmdir(state);
	free(agents);
	free(state);
	return r;
}

static int
end_all(const struct start_options *o, bool force, struct buf *why)
{
	struct lock_note note;
	struct facts f = { .busy = 0 };
	int r;

	r = ask_facts(o, &f, why);
	if (r == 0 && !force)
		r = check_unused(&f, why);
	/* One that cannot even start keeps nobody from removing it. */
	if (r < 0 && !force) {
		facts_done(&f);
		return r;
	}
	buf_clear(why);
	r = end_daemon(SIGTERM, &note, why);
	if (r == 0 || r == ERR_NOT_FOUND) {
		kill_workers(&f);
		r = 0;
	}
	facts_done(&f);
	return r;
}

int
control_remove(const struct start_options *o, bool force)
{
	struct buf why = BUF_INIT;
	char *spool = NULL;
	int r;

	if ((r = paths_agent(o->instance, &spool)) < 0)
		buf_puts(&why, "HOME is not set");
	else if (fs_exists(spool) && (r = end_all(o, force, &why)) == 0)
		r = remove_spool(spool, &why);
	free(spool);
	if (r < 0)
		return fail(&why);
	buf_done(&why);
	return 0;
}

/* "taking 7" */
static const char *
take_text(const struct worker *w, char text[32])
{
	snprintf(text, 32, "taking %u", w->take);
	return text;
}

static void
print_worker(const struct worker *w)
{
	char id[IDENT_TEXT], elapsed[DURATION_TEXT], text[32];
	struct buf label = BUF_INIT;

	if (!w->busy) {
		printf("  %3u idle\n", w->no);
		return;
	}
	if (w->label != NULL)
		text_escape(&label, w->label, strlen(w->label));
	if (w->progress != NULL) {
		buf_puts(&label, ": ");
		text_escape(&label, w->progress, strlen(w->progress));
	}
	printf("  %3u %-10s %-7s %-20s %s\n", w->no,
	    worker_kind_name(w->kind), duration_format(w->elapsed_us,
	    elapsed), w->taken.on ? take_text(w, text) :
	    ident_format(&w->attempt, id), buf_str(&label));
	buf_done(&label);
}

static void
print_stop(const char *word, const struct stop_note *s)
{
	struct buf b = BUF_INIT;

	if (!s->on)
		return;
	text_escape(&b, s->who, strlen(s->who));
	if (s->note != NULL) {
		buf_puts(&b, ": ");
		text_escape(&b, s->note, strlen(s->note));
	}
	printf("%s by %s\n", word, buf_str(&b));
	buf_done(&b);
}

static void
print_warning(const char *text)
{
	char *safe = text_safe(text);

	printf("warning: %s\n", safe);
	free(safe);
}

static void
print_facts(const struct facts *f)
{
	char text[16];
	uint32_t i;

	printf("instance %s, version %s\n", f->instance, f->version);
	printf("max workers %u (%s), threshold %s (%u)\n", f->max_workers,
	    value_source_name(f->max_source),
	    threshold_format(&f->threshold, text), f->effective);
	printf("busy %u, queued %u\n", f->busy, f->queued);
	print_stop("draining", &f->draining);
	print_stop("held", &f->held);
	if (f->guard != NULL)
		printf("nothing new starts: %s\n", f->guard);
	if (f->root)
		printf("runs as root\n");
	if (f->warning != NULL)
		print_warning(f->warning);
	for (i = 0; i < f->n_workers; i++)
		print_worker(&f->workers[i]);
}

/* Reaches a daemon that runs, by the socket of that name. */
static int
reach_running(const struct start_options *o, const char *name,
    struct client *c, struct buf *why)
{
	int fd, r;

	memset(c, 0, sizeof *c);
	c->fd = -1;
	if ((r = spool_enter(o->instance, NULL, why)) < 0)
		return r;
	if (usock_connect(name, &fd) < 0)
		return ERR_NOT_FOUND;
	if ((r = client_open(c, fd)) < 0)
		buf_putf(why, "the daemon does not answer: %s", err_text(r));
	return r;
}

int
control_status(const struct start_options *o, bool json)
{
	struct buf why = BUF_INIT, text = BUF_INIT;
	const struct jval *v;
	struct client c;
	struct facts f;
	int r;

	r = reach_running(o, LOOK_SOCKET_NAME, &c, &why);
	if (r == ERR_NOT_FOUND) {
		printf("%s", json ? "null\n" : "none runs\n");
		client_done(&c);
		return EXIT_NONE_RUNS;
	}
	v = jval_get(c.body, "facts");
	if (r == 0 && json) {
		jval_print(v, &text);
		printf("%s\n", buf_str(&text));
	} else if (r == 0 && (r = facts_read(v, &f)) == 0) {
		print_facts(&f);
		facts_done(&f);
	}
	client_done(&c);
	buf_done(&text);
	if (r < 0)
		return fail(&why);
	buf_done(&why);
	return 0;
}

/* Sends the message that b holds and waits for its answer. */
static int
ask(struct client *c, enum msg number, struct buf *b, struct buf *why)
{
	int r;

	if ((r = client_send(c, number, b)) == 0)
		r = client_wait(c, MSG_ANSWER);
	if (r == 0 && !jval_get_bool(c->body, "ok", false))
		r = ERR_REFUSED;
	if (r < 0)
		buf_puts(why, c->body != NULL ? jval_get_str(c->body, "text",
		    err_text(r)) : err_text(r));
	buf_done(b);
	return r;
}

static int
say_mode(struct client *c, bool on, const char *note, int64_t for_us,
    struct buf *why)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "tag", 1);
	jw_kv_str(&w, "mode", on ? "hold" : "release");
	jw_kv_str(&w, "note", note);
	jw_kv_time(&w, "expires", for_us > 0 ? clock_wall_us() + for_us : 0);
	jw_object_end(&w);
	return ask(c, MSG_MODE, &b, why);
}

int
control_hold(const struct start_options *o, bool on, const char *note,
    int64_t for_us)
{
	struct buf why = BUF_INIT;
	struct client c;
	int r;

	r = reach_running(o, SOCKET_NAME, &c, &why);
	if (r == ERR_NOT_FOUND)
		buf_puts(&why, "none runs");
	if (r == 0)
		r = say_mode(&c, on, note, for_us, &why);
	client_done(&c);
	if (r < 0)
		return fail(&why);
	buf_done(&why);
	return 0;
}

/* A daemon is started where none runs: what people have taken is its to
 * know, and outlives it. */
static int
reach(const struct start_options *o, struct client *c, struct buf *why)
{
	int fd, r;

	memset(c, 0, sizeof *c);
	c->fd = -1;
	if ((r = agent_reach(o, &fd, why)) == 0 && (r = client_open(c, fd)) < 0)
		buf_putf(why, "the daemon does not answer: %s", err_text(r));
	return r;
}

int
control_take(const struct start_options *o, const struct take_options *t)
{
	struct buf why = BUF_INIT, b = BUF_INIT;
	struct client c;
	struct jw w;
	int r;

	if ((r = reach(o, &c, &why)) == 0) {
		jw_init(&w, &b);
		jw_object(&w);
		jw_kv_int(&w, "tag", 1);
		jw_kv_str(&w, "kind", t->kind);
		jw_kv_int(&w, "workers", t->workers);
		jw_kv_str(&w, "note", t->note);
		jw_kv_seconds(&w, "for_s", t->for_us);
		jw_kv_bool(&w, "wait", t->wait);
		jw_object_end(&w);
		if (t->wait)
			client_patient(&c);
		r = ask(&c, MSG_TAKE, &b, &why);
	}
	if (r == 0)
		printf("%lld\n", (long long)jval_get_int(c.body, "take", 0));
	client_done(&c);
	if (r < 0)
		return fail(&why);
	buf_done(&why);
	return 0;
}

int
control_give_back(const struct start_options *o, int64_t take)
{
	struct buf why = BUF_INIT, b = BUF_INIT;
	struct client c;
	struct jw w;
	int r;

	if ((r = reach(o, &c, &why)) == 0) {
		jw_init(&w, &b);
		jw_object(&w);
		jw_kv_int(&w, "tag", 1);
		jw_kv_int(&w, "give_back", take);
		jw_object_end(&w);
		r = ask(&c, MSG_TAKE, &b, &why);
	}
	client_done(&c);
	if (r < 0)
		return fail(&why);
	buf_done(&why);
	return 0;
}
