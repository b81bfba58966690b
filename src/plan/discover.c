/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding tests by a command. It runs on this host, in the plan's folder,
 * without a shell; what it prints is capped and read with a pattern.
 */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/load.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/loop.h"

#define OUTPUT_MAX (16u << 20)
#define ERRORS_MAX (64u << 10)
#define DEFAULT_TIMEOUT_US (120 * US_PER_S)
#define DEFAULT_PATTERN "^(?<test>\\S+)$"
#define PROGRESS_US (US_PER_S / 4)

extern char **environ;

void
load_discover(struct loader *l, const struct jval *v, uint32_t suite)
{
	struct plan_private *priv = l->p->priv;
	const struct jval *value;
	struct discovery *d;
	struct strvec *command;
	const char *pattern;
	char *error = NULL;
	size_t mark;

	check_object(&l->c, v, AT_DISCOVER);
	if (jval_get(v, "command") == NULL)
		check_fault(&l->c, "discover needs a command");
	priv->discoveries = mem_grow(priv->discoveries,
	    &priv->cap_discoveries, priv->n_discoveries + 1,
	    sizeof(*priv->discoveries));
	d = &priv->discoveries[priv->n_discoveries++];
	d->suite = suite;
	d->doc = l->c.doc;
	d->path = str_dup(buf_str(&l->c.path));
	command = plan_own_list(l->p);
	value_strings(check_get(v, "command", AT_DISCOVER), command);
	d->command = command;
	value = check_get(v, "timeout", AT_DISCOVER);
	d->timeout_us = value != NULL ? value_duration_us(value) :
	    DEFAULT_TIMEOUT_US;
	pattern = jval_str(check_get(v, "pattern", AT_DISCOVER),
	    DEFAULT_PATTERN);
	mark = check_key(&l->c, "pattern");
	if (pattern_new(pattern, 0, &d->pattern, &error) < 0)
		check_fault(&l->c, "%s", error);
	else if (!pattern_has_group(d->pattern, "test"))
		diag_set_hint(check_fault(&l->c, "the pattern has no group "
		    "named test"), "as \"^(?<test>\\\\S+)$\"");
	check_back(&l->c, mark);
	free(error);
}

/* ---- running one command ---- */

struct job {
	struct loop *loop;
	struct child *child;
	struct stream *out, *err;
	struct timer *timer, *tick;
	const struct plan_progress *progress;
	const char *suite;
	struct buf text, errors;
	int64_t started_us;
	int open;		/* streams that have not ended */
	bool ended;		/* the process */
	int code, signo;
	int fault;		/* why it was ended: ERR_*, or 0 */
};

static void
check_over(struct job *j)
{
	if (j->ended && j->open == 0)
		loop_stop(j->loop);
}

/* Ends the command with what it started: it leads a session of its own. */
static void
end_command(struct job *j)
{
	if (j->child != NULL && !j->ended)
		kill(-child_pid(j->child), SIGKILL);
}

static void
give_up(struct job *j, int fault)
{
	if (j->fault == 0)
		j->fault = fault;
	end_command(j);
	loop_stop(j->loop);
}

static void
on_out(void *arg, const uint8_t *p, size_t n)
{
	struct job *j = arg;

	if (buf_len(&j->text) + n > OUTPUT_MAX)
		give_up(j, ERR_TOO_LARGE);
	else
		buf_put(&j->text, p, n);
}

static void
on_err(void *arg, const uint8_t *p, size_t n)
{
	struct job *j = arg;

	buf_put(&j->errors, p, n);
	if (buf_len(&j->errors) > ERRORS_MAX)
		buf_consume(&j->errors, buf_len(&j->errors) - ERRORS_MAX);
}

static void
on_end(void *arg, int error)
{
	struct job *j = arg;

	j->open--;
	check_over(j);
}

static const struct stream_ops out_ops = { .data = on_out, .end = on_end };
static const struct stream_ops err_ops = { .data = on_err, .end = on_end };

static void
on_exit_status(void *arg, int code, int signo)
{
	struct job *j = arg;

	j->ended = true;
	j->code = code;
	j->signo = signo;
	check_over(j);
}

static void
on_timeout(void *arg)
{
	give_up(arg, ERR_TIMEOUT);
}

static void
on_tick(void *arg)
{
	struct job *j = arg;
	const char *p = buf_str(&j->text);
	uint32_t lines = 0;

	while ((p = strchr(p, '\n')) != NULL) {
		lines++;
		p++;
	}
	if (!j->progress->found(j->progress->arg, j->suite, lines,
	    loop_now_us(j->loop) - j->started_us))
		give_up(j, ERR_CANCELLED);
	else
		timer_start(j->tick, PROGRESS_US);
}

static int
start(struct job *j, const struct plan *p, const struct discovery *d,
    struct strvec *env)
{
	struct child_spec spec = {
		.file = d->command->v[0],
		.argv = strvec_argv(d->command),
		.envp = strvec_argv(env),
		.cwd = p->dir,
		.in = CHILD_NULL, .out = CHILD_PIPE, .err = CHILD_PIPE,
		.fd3 = -1,
		.session = true,
	};
	int r, fds[3];

	if ((r = child_start(j->loop, &spec, on_exit_status, j, &j->child,
	    fds)) < 0)
		return r;
	if ((r = stream_new(j->loop, fds[1], -1, &out_ops, j, &j->out)) < 0) {
		close(fds[1]);
		close(fds[2]);
		return r;
	}
	j->open++;
	if ((r = stream_new(j->loop, fds[2], -1, &err_ops, j, &j->err)) < 0) {
		close(fds[2]);
		return r;
	}
	j->open++;
	j->timer = timer_new(j->loop, on_timeout, j);
	if (d->timeout_us > 0)
		timer_start(j->timer, d->timeout_us);
	if (j->progress != NULL && j->progress->found != NULL) {
		j->tick = timer_new(j->loop, on_tick, j);
		timer_start(j->tick, 0);
	}
	return 0;
}

static void
stop(struct job *j)
{
	end_command(j);
	stream_free(j->out);
	stream_free(j->err);
	timer_free(j->timer);
	timer_free(j->tick);
	child_free(j->child);
	if (j->loop != NULL)
		loop_free(j->loop);
}

static void
make_env(const struct plan *p, uint32_t suite, struct strvec *env)
{
	const struct strvec *own = p->suites[suite].props->env;
	char **e, *key;
	size_t i, n;

	for (e = environ; *e != NULL; e++)
		strvec_push(env, *e);
	for (i = 0; own != NULL && i < own->n; i++) {
		n = strcspn(own->v[i], "=");
		key = str_ndup(own->v[i], n);
		strvec_setenv(env, key, own->v[i] + n + 1);
		free(key);
	}
}

static int
run(struct job *j, const struct plan *p, const struct discovery *d)
{
	struct strvec env = STRVEC_INIT;
	int r;

	make_env(p, d->suite, &env);
	if ((r = loop_new(&j->loop)) < 0)
		goto out;
	j->started_us = clock_mono_us();
	if ((r = start(j, p, d, &env)) < 0)
		goto out;
	if ((r = loop_run(j->loop)) == 0)
		r = j->fault;
out:
	stop(j);
	strvec_done(&env);
	return r;
}

/* ---- what it said ---- */

static struct diag *
fault(const struct plan *p, const struct discovery *d, struct diags *ds,
    const char *text)
{
	return plan_fault(p, d->doc, ds, DIAG_ERROR, d->path, text);
}

/* The last line that is not empty. */
static char *
last_line(const struct buf *b)
{
	const char *s = buf_str(b);
	size_t end = strlen(s), from;

	while (end > 0 && (s[end - 1] == '\n' || s[end - 1] == '\r'))
		end--;
	for (from = end; from > 0 && s[from - 1] != '\n'; from--)
		;
	return str_ndup(s + from, end - from);
}

static int
say_failed(const struct plan *p, const struct discovery *d,
    const struct job *j, int r, struct diags *ds)
{
	char *text, *line = last_line(&j->errors);
	struct diag *diag;

	if (r == ERR_TIMEOUT)
		text = str_dup("discovery did not end in time");
	else if (r == ERR_TOO_LARGE)
		text = str_dup("discovery printed more than 16 MB");
	else if (r < 0)
		text = str_fmt("discovery: %s: %s", d->command->v[0],
		    err_text(r));
	else if (j->signo != 0)
		text = str_fmt("discovery was ended by signal %d", j->signo);
	else
		text = str_fmt("discovery exited with %d", j->code);
	diag = fault(p, d, ds, text);
	if (line[0] != '\0')
		diag_set_hint(diag, "%s", line);
	free(text);
	free(line);
	return r == ERR_CANCELLED ? r : ERR_INVALID;
}

static int
by_name(const void *pa, const void *pb)
{
	return strcmp(*(char *const *)pa, *(char *const *)pb);
}

/* All that the pattern finds, line by line: matching the whole text again
 * and again would check its encoding each time. */
static void
match_lines(const struct discovery *d, const struct buf *out,
    struct strvec *names)
{
	const char *line = buf_str(out), *end = line + buf_len(out);
	size_t n, from, to, next;

	for (; line < end; line += n + 1) {
		n = strcspn(line, "\r\n");
		next = 0;
		while (names->n < PLAN_MAX_TESTS && pattern_find_group(
		    d->pattern, "test", line, n, next, &from, &to, &next))
			strvec_push_owned(names,
			    str_ndup(line + from, to - from));
	}
}

/* The names that the pattern finds, without those the suite has already. */
static void
find_names(const struct plan *p, const struct discovery *d,
    const struct buf *out, struct strvec *names)
{
	const struct plan_suite *s = &p->suites[d->suite];
	struct strvec all = STRVEC_INIT;
	char **sorted, **hit, *name;
	size_t i;

	match_lines(d, out, &all);
	sorted = mem_calloc(s->n_tests, sizeof(*sorted));
	for (i = 0; i < s->n_tests; i++)
		sorted[i] = p->tests[s->first_test + i].name;
	qsort(sorted, s->n_tests, sizeof(*sorted), by_name);
	for (i = 0; i < all.n; i++) {
		name = all.v[i];
		hit = bsearch(&name, sorted, s->n_tests, sizeof(*sorted),
		    by_name);
		if (hit == NULL && is_good_name(name))
			strvec_push(names, name);
	}
	free(sorted);
	strvec_done(&all);
}

struct numbered {
	const char *name;
	size_t at;
};

static int
by_name_and_place(const void *pa, const void *pb)
{
	const struct numbered *a = pa, *b = pb;
	int r = strcmp(a->name, b->name);

	return r != 0 ? r : a->at < b->at ? -1 : 1;
}

/* Drops names that came before; a tool may list one twice. */
static void
drop_repeated(struct strvec *names)
{
	struct numbered *order = mem_calloc(names->n, sizeof(*order));
	size_t i, n = 0;
	bool *repeated = mem_calloc(names->n, sizeof(*repeated));

	for (i = 0; i < names->n; i++)
		order[i] = (struct numbered){ names->v[i], i };
	qsort(order, names->n, sizeof(*order), by_name_and_place);
	for (i = 1; i < names->n; i++)
		repeated[order[i].at] = strcmp(order[i].name,
		    order[i - 1].name) == 0;
	for (i = 0; i < names->n; i++) {
		if (repeated[i])
			free(names->v[i]);
		else
			names->v[n++] = names->v[i];
	}
	if (names->n > 0)
		names->v[n] = NULL;
	names->n = n;
	free(order);
	free(repeated);
}

/* Puts tests behind those of the suite; later suites move up. */
static void
insert_tests(struct plan *p, uint32_t suite, const struct strvec *names)
{
	struct plan_suite *s = &p->suites[suite];
	uint32_t at = s->first_test + s->n_tests, n = (uint32_t)names->n;
	uint32_t i, behind = p->n_tests - at;
	struct raw_refs *needs;

	for (i = 0; i < n; i++)
		plan_add_test(p);
	needs = p->priv->test_needs;
	memmove(&p->tests[at + n], &p->tests[at], behind * sizeof(*p->tests));
	memmove(&needs[at + n], &needs[at], behind * sizeof(*needs));
	for (i = 0; i < n; i++) {
		p->tests[at + i] = (struct plan_test){
			.name = str_dup(names->v[i]), .suite = suite,
			.props = s->props };
		needs[at + i] = (struct raw_refs){ .n = 0 };
	}
	s->n_tests += n;
	for (i = suite + 1; i < p->n_suites; i++)
		p->suites[i].first_test += n;
}

static int
discover(struct plan *p, struct discovery *d,
    const struct plan_progress *progress, struct diags *ds)
{
	struct job j = { .progress = progress,
		.suite = p->suites[d->suite].path };
	struct strvec names = STRVEC_INIT;
	int r;

	r = run(&j, p, d);
	if (r < 0 || j.signo != 0 || j.code != 0) {
		r = say_failed(p, d, &j, r, ds);
		goto out;
	}
	find_names(p, d, &j.text, &names);
	drop_repeated(&names);
	if (names.n == 0 && p->suites[d->suite].n_tests == 0) {
		diag_set_hint(fault(p, d, ds, "discovery found no test"),
		    "look at its command and pattern");
		r = ERR_INVALID;
	} else if (p->n_tests + names.n > PLAN_MAX_TESTS) {
		fault(p, d, ds, "discovery found too many tests");
		r = ERR_INVALID;
	} else {
		insert_tests(p, d->suite, &names);
		d->done = true;
	}
out:
	buf_done(&j.text);
	buf_done(&j.errors);
	strvec_done(&names);
	return r;
}

int
plan_discover(struct plan *p, const struct plan_progress *progress,
    struct diags *ds)
{
	struct discovery *d;
	int r = 0, one;
	size_t i;

	plan_drop_expansion(p);
	for (i = 0; i < p->priv->n_discoveries && r != ERR_CANCELLED; i++) {
		d = &p->priv->discoveries[i];
		if (d->done || !p->suites[d->suite].props->enabled)
			continue;
		if ((one = discover(p, d, progress, ds)) < 0)
			r = one;
	}
	return r < 0 ? r : plan_resolve(p, true, ds);
}
