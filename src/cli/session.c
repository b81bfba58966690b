/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command's loop, fleet and engine. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/host.h"

#include "cli/session.h"

#define LINKS_WAIT_US (12 * US_PER_S)	/* a host may be mute for 10 */

char *
session_who(void)
{
	struct host_facts host;
	const char *login = getenv("LOGNAME");

	if (login == NULL || *login == '\0')
		login = getenv("USER");
	if (login == NULL || *login == '\0')
		login = getuid() == 0 ? "root" : "user";
	memset(&host, 0, sizeof host);
	(void)host_read(&host);
	return str_fmt("%s@%s", login, host.name);
}

static void
signal_came(void *arg, int signo)
{
	struct session *s = arg;

	s->interrupts++;
	s->last_signal = signo;
	if (s->on_signal != NULL)
		s->on_signal(s->signal_arg, signo);
}

static int
watch_signals(struct session *s)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof signals / sizeof *signals && r == 0; i++)
		r = sigwatch_new(s->loop, signals[i], signal_came, s,
		    &s->signals[i]);
	return r;
}

int
session_open_fleet(struct session *s, const struct cli *c,
    struct fleet_spec *fleet)
{
	struct engine_opts opts = { .fleet = fleet };
	struct diags ds = DIAGS_INIT;
	char *who = session_who();
	int r;

	memset(s, 0, sizeof *s);
	s->fleet = fleet;
	opts.who = who;
	opts.read_only = fleet->read_only;
	if ((r = loop_new(&s->loop)) < 0 || (r = watch_signals(s)) < 0)
		goto out;
	r = engine_new(s->loop, &opts, &ds, &s->engine);
out:
	free(who);
	if (r == 0)
		return 0;
	if (ds.n == 0)
		return cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
	return cli_diags(&ds, EXIT_ERRORS);
}

int
session_open(struct session *s, const struct cli *c, const char *path)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *fleet = NULL;

	memset(s, 0, sizeof *s);
	if (fleet_open(path, &ds, &fleet) < 0)
		return cli_diags(&ds, EXIT_USAGE);
	diags_done(&ds);
	return session_open_fleet(s, c, fleet);
}

void
session_close(struct session *s)
{
	size_t i;

	engine_free(s->engine);
	for (i = 0; i < sizeof s->signals / sizeof *s->signals; i++)
		sigwatch_free(s->signals[i]);
	loop_free(s->loop);
	fleet_spec_free(s->fleet);
	memset(s, 0, sizeof *s);
}

int
session_agent(const struct session *s, const struct cli *c,
    const char *name)
{
	size_t i, n = engine_agent_count(s->engine);
	int found = engine_agent_find(s->engine, name);
	const char **names, *near;
	struct ident id;

	if (found >= 0)
		return found;
	names = mem_calloc(n + 1, sizeof *names);
	for (i = 0; i < n; i++)
		names[i] = engine_agent(s->engine, i)->name;
	names[n] = NULL;
	near = text_nearest(name, names, 2);
	if (ident_parse(name, &id) == 0)
		cli_fail(c, 0, "%s: no such run here and no such agent in "
		    "the fleet %s", name, engine_fleet_name(s->engine));
	else if (near != NULL)
		cli_fail(c, 0, "no agent %s in the fleet %s; did you mean "
		    "%s?", name, engine_fleet_name(s->engine), near);
	else
		cli_fail(c, 0, "no agent %s in the fleet %s", name,
		    engine_fleet_name(s->engine));
	free(names);
	return -1;
}

bool
session_wait(struct session *s, bool (*done)(void *arg), void *arg,
    int64_t timeout_us)
{
	int64_t end = clock_mono_us() + timeout_us, left;
	int interrupts = s->interrupts;

	while (!done(arg)) {
		if (s->interrupts != interrupts)
			return false;
		left = 1000 * US_PER_MS;
		if (timeout_us != 0 && end - clock_mono_us() < left)
			left = end - clock_mono_us();
		if (left <= 0)
			return false;
		loop_turn(s->loop, (int)(left / US_PER_MS) + 1);
	}
	return true;
}

struct links {
	struct session *s;
	char *const *names;	/* NULL: all */
	size_t n;
};

static bool
is_named(const struct links *l, const char *name)
{
	size_t i;

	for (i = 0; l->names != NULL && i < l->n; i++)
		if (strcmp(l->names[i], name) == 0)
			return true;
	return l->names == NULL;
}

static bool
links_settled(void *arg)
{
	const struct links *l = arg;
	const struct agent *a;
	size_t i, n = engine_agent_count(l->s->engine);

	for (i = 0; i < n; i++) {
		a = engine_agent(l->s->engine, i);
		if (a->link != LINK_UP && a->error == NULL &&
		    a->question == NULL && is_named(l, a->name))
			return false;
	}
	return true;
}

void
session_wait_links(struct session *s, char *const *names, size_t n)
{
	struct links l = { .s = s, .names = names, .n = n };

	session_wait(s, links_settled, &l, LINKS_WAIT_US);
}
