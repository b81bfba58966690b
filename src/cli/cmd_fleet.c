/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fleet file and the hosts in it: list, test, trust. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/text.h"
#include "yardmaster/engine/owner.h"

#include "cli/owner_client.h"
#include "cli/session.h"

static int
cmd_list(struct cli *c)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f = NULL;
	struct buf where = BUF_INIT;
	size_t i;
	int r;

	r = fleet_open(cli_get(c, "fleet"), &ds, &f);
	if (cli_diags(&ds, r) < 0)
		return EXIT_USAGE;
	printf("fleet %s (%s)\n", f->name, f->file != NULL ? f->file :
	    "built in");
	for (i = 0; i < f->n_agents; i++) {
		buf_clear(&where);
		agent_spec_where(&f->agents[i], &where);
		printf("  %-16s %s\n", f->agents[i].name, buf_str(&where));
	}
	buf_done(&where);
	fleet_spec_free(f);
	return EXIT_OK;
}

/* One line for an agent: what works, or what to do. True when it works. */
static bool
say_link(const struct agent *a)
{
	struct buf line = BUF_INIT;
	const char *text = a->error != NULL ? a->error : a->question;
	bool up = a->link == LINK_UP && a->known;

	buf_putf(&line, "%-16s %s", a->name, up ? "ok" : "FAILED");
	if (up)
		buf_putf(&line, "  version %s, %u workers, round trip %.1f ms%s",
		    a->facts.version, a->facts.max_workers,
		    (double)a->rtt_us / 1000,
		    a->facts.root ? ", runs as root" : "");
	else {
		buf_puts(&line, "  ");
		text = text != NULL ? text : "no answer yet";
		text_escape(&line, text, strlen(text));
	}
	puts(buf_str(&line));
	buf_clear(&line);
	if (up && a->facts.warning != NULL) {
		text_escape(&line, a->facts.warning,
		    strlen(a->facts.warning));
		printf("%-16s warning: %s\n", "", buf_str(&line));
	}
	buf_done(&line);
	return up;
}

static int
cmd_test(struct cli *c)
{
	struct session s;
	size_t i;
	int r, failed = 0;

	if ((r = session_open(&s, c, cli_get(c, "fleet"))) == 0) {
		session_wait_links(&s, NULL, 0);
		for (i = 0; i < engine_agent_count(s.engine); i++)
			failed += !say_link(engine_agent(s.engine, i));
		r = failed > 0 ? EXIT_ERRORS : EXIT_OK;
	}
	session_close(&s);
	return r;
}

/* ---- trust --------------------------------------------------------------------- */

struct trusting {
	struct session *s;
	size_t agent;
};

static bool
asked_or_settled(void *arg)
{
	struct trusting *t = arg;
	const struct agent *a = engine_agent(t->s->engine, t->agent);

	return a->question != NULL || a->error != NULL || a->link == LINK_UP;
}

static bool
settled(void *arg)
{
	struct trusting *t = arg;
	const struct agent *a = engine_agent(t->s->engine, t->agent);

	return a->question == NULL && (a->error != NULL || a->link == LINK_UP);
}

static bool
person_agrees(const struct cli *c, const char *question)
{
	char *safe = text_safe(question), word[16] = "";

	printf("%s\n", safe);
	free(safe);
	if (cli_has(c, "yes"))
		return true;
	if (!isatty(STDIN_FILENO)) {
		cli_fail(c, 0, "nobody can answer here: compare the "
		    "fingerprint, then use --yes");
		return false;
	}
	printf("Trust this key? [yes/no] ");
	fflush(stdout);
	return fgets(word, sizeof word, stdin) != NULL &&
	    strcmp(word, "yes\n") == 0;
}

static int
trust(struct session *s, struct cli *c, size_t agent)
{
	struct trusting t = { .s = s, .agent = agent };
	const struct agent *a = engine_agent(s->engine, agent);

	engine_interactive(s->engine, true);
	session_wait(s, asked_or_settled, &t, 15 * US_PER_S);
	if (a->question == NULL)
		return say_link(a) ? EXIT_OK : EXIT_ERRORS;
	if (!person_agrees(c, a->question)) {
		engine_answer(s->engine, a->name, NULL);
		return cli_fail(c, EXIT_ERRORS, "%s is not trusted", a->name);
	}
	engine_answer(s->engine, a->name, "yes");
	session_wait(s, settled, &t, 15 * US_PER_S);
	return say_link(a) ? EXIT_OK : EXIT_ERRORS;
}

static int
cmd_trust(struct cli *c)
{
	struct session s;
	int r, agent;

	if ((r = session_open(&s, c, cli_get(c, "fleet"))) == 0) {
		agent = session_agent(&s, c, c->args.v[0]);
		r = agent < 0 ? EXIT_USAGE : trust(&s, c, (size_t)agent);
	}
	session_close(&s);
	return r;
}

/* ---- the log of a link ----------------------------------------------------------- */

static void
print_log(const struct cli *c, const char *run, const struct buf *json)
{
	const struct jval *lines, *line;
	struct jval *v = NULL;
	size_t i;

	if (cli_has(c, "json")) {
		printf("%s\n", buf_str(json));
		return;
	}
	if (jval_parse(&v, buf_data(json), buf_len(json)) < 0)
		return;
	if (run != NULL)
		printf("of the process that drives %s:\n", run);
	lines = jval_get(v, "log");
	for (i = 0; i < jval_count(lines); i++) {
		line = jval_at(lines, i);
		printf("%s  %s\n", jval_get_str(line, "time", "-"),
		    jval_get_str(line, "text", ""));
	}
	jval_free(v);
}

/* True when the owner of the run has that agent. */
static bool
log_of_owner(const struct cli *c, const char *run, const char *agent)
{
	struct buf request = BUF_INIT, out = BUF_INIT;
	struct jval *reply = NULL;
	struct jw w;
	bool has;

	jw_init(&w, &request);
	jw_object(&w);
	jw_kv_int(&w, "tag", 1);
	jw_kv_str(&w, "query", "link-log");
	jw_kv_str(&w, "agent", agent);
	jw_object_end(&w);
	has = owner_ask(run, &request, &reply) == 0 &&
	    jval_get_bool(reply, "ok", false);
	if (has) {
		jval_print(jval_get(reply, "data"), &out);
		print_log(c, run, &out);
	}
	jval_free(reply);
	buf_done(&request);
	buf_done(&out);
	return has;
}

/* Nobody has a link to it: what comes of one now. */
static int
log_of_own(struct cli *c, char *agent)
{
	struct buf out = BUF_INIT, args = BUF_INIT;
	struct jval *v = NULL;
	struct session s;
	struct jw w;
	int r;

	jw_init(&w, &args);
	jw_object(&w);
	jw_kv_str(&w, "agent", agent);
	jw_object_end(&w);
	if ((r = session_open(&s, c, cli_get(c, "fleet"))) == 0 &&
	    session_agent(&s, c, agent) < 0)
		r = EXIT_USAGE;
	if (r == 0) {
		session_wait_links(&s, &agent, 1);
		(void)jval_parse(&v, buf_data(&args), buf_len(&args));
		(void)engine_query(s.engine, "link-log", v, &out);
		print_log(c, NULL, &out);
	}
	session_close(&s);
	jval_free(v);
	buf_done(&out);
	buf_done(&args);
	return r;
}

static int
cmd_log(struct cli *c)
{
	struct strvec runs = STRVEC_INIT;
	size_t i;
	int r;

	if ((r = owner_live_runs(&runs)) < 0)
		return cli_fail(c, EXIT_ERRORS, "runs: %s", err_text(r));
	for (i = 0; i < runs.n && !log_of_owner(c, runs.v[i],
	    c->args.v[0]); i++)
		;
	r = i < runs.n ? EXIT_OK : log_of_own(c, c->args.v[0]);
	strvec_done(&runs);
	return r;
}

static const struct cli_opt fleet_opts[] = { FLEET_OPT, { NULL } };
static const struct cli_opt log_opts[] = { FLEET_OPT, JSON_OPT, { NULL } };
static const struct cli_opt trust_opts[] = {
	FLEET_OPT,
	{ "yes", 'y', NULL, "take the key without asking" },
	{ NULL }
};

const struct cli_command cli_fleet_commands[] = {
	{ "fleet list", "", "the agents of the fleet file", NULL, fleet_opts,
	    0, 0, cmd_list },
	{ "fleet test", "", "connect to every agent and say what is wrong",
	    NULL, fleet_opts, 0, 0, cmd_test },
	{ "fleet log", "AGENT", "what the link to an agent and ssh said last",
	    "Of the process that drives the newest live run; where none has "
	    "the agent,\nof a link that is tried now.\n", log_opts, 1, 1,
	    cmd_log },
	{ "fleet trust", "AGENT", "see the key of a host and take it", NULL,
	    trust_opts, 1, 1, cmd_trust },
	{ NULL }
};
