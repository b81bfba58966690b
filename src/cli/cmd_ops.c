/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that change agents, runs and executions. What concerns an agent
 * goes over a link of our own; what concerns a run goes to its owner.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/mem.h"

#include "cli/fleet_edit.h"
#include "cli/op.h"
#include "cli/owner_client.h"
#include "cli/session.h"

struct pending {
	const struct cli *c;
	size_t waiting;
	int failed;
};

struct one {
	struct pending *p;
	char *object;
};

static void
op_done(void *arg, int code, const char *text)
{
	struct one *one = arg;

	one->p->waiting--;
	if (code < 0) {
		one->p->failed++;
		cli_fail(one->p->c, 0, "%s: %s", one->object,
		    text != NULL ? text : err_text(code));
	} else {
		printf("%s: %s\n", one->object, text != NULL ? text : "done");
	}
	free(one->object);
	free(one);
}

static bool
all_done(void *arg)
{
	return ((struct pending *)arg)->waiting == 0;
}

static void
start_op(struct session *s, struct pending *p, const struct op *op,
    const char *object)
{
	struct one *one = mem_zalloc(sizeof *one);

	one->p = p;
	one->object = str_dup(object);
	p->waiting++;
	engine_op(s->engine, op, op_done, one);
}

/* Carries the op out on every agent that names names. */
static int
on_agents(struct cli *c, struct op *op, char *const *names, size_t n)
{
	struct pending p = { .c = c };
	struct session s;
	size_t i;
	int r;

	if ((r = session_open(&s, c, cli_get(c, "fleet"))) != 0)
		goto out;
	for (i = 0; i < n; i++)
		if (session_agent(&s, c, names[i]) < 0) {
			r = EXIT_USAGE;
			goto out;
		}
	/* Whom to clear is known here, not there. */
	if (op->kind != OP_CLEAR)
		session_wait_links(&s, names, n);
	for (i = 0; i < n; i++) {
		const struct agent *a = engine_agent(s.engine,
		    (size_t)engine_agent_find(s.engine, names[i]));

		snprintf(op->agent, sizeof op->agent, "%s", names[i]);
		op->expect_max = a->facts.max_workers;
		op->expect_threshold = a->facts.threshold;
		op->expect_guards = a->facts.guards;
		start_op(&s, &p, op, names[i]);
	}
	if (!session_wait(&s, all_done, &p, 30 * US_PER_S))
		r = cli_fail(c, EXIT_ERRORS, "no answer from %zu agents",
		    p.waiting);
	else if (p.failed > 0)
		r = EXIT_ERRORS;
out:
	session_close(&s);
	return r;
}

/* "guards.load_per_cpu=1.5" into the op. */
static int
set_guard(struct cli *c, struct op *op, const char *arg)
{
	const char *value = strchr(arg, '=') + 1;
	char *name = str_ndup(arg + 7, (size_t)(value - arg) - 8);
	int g = guard_parse(name);

	free(name);
	if (g < 0)
		return cli_fail(c, EXIT_USAGE, "%s: the guards are "
		    "load_per_cpu, free_memory, free_disk and health", arg);
	if (guard_set(&op->guards, (enum guard)g, value) < 0)
		return cli_fail(c, EXIT_USAGE, "%s: %s, \"off\" or "
		    "\"default\"", arg, g == GUARD_LOAD ?
		    "a number up to 10000" : g == GUARD_HEALTH ?
		    "a command of at most 511 bytes" : "a size such as 512M");
	op->set_guards |= GUARD_BIT(g);
	return 0;
}

/* "max_workers=4" or "threshold=-1" into the op. */
static int
set_value(struct cli *c, struct op *op, const char *arg)
{
	const char *value = strchr(arg, '=');
	char *end;
	long n;

	if (strncmp(arg, "max_workers=", 12) == 0) {
		n = strtol(value + 1, &end, 10);
		if (end == value + 1 || *end != '\0' || n < 0 || n > 1024)
			return cli_fail(c, EXIT_USAGE,
			    "%s: a number from 0 to 1024", arg);
		op->set_max = true;
		op->max_workers = (uint32_t)n;
		return 0;
	}
	if (strncmp(arg, "threshold=", 10) == 0) {
		if (threshold_parse(value + 1, &op->threshold) < 0)
			return cli_fail(c, EXIT_USAGE, "%s: a number, \"-N\" "
			    "or max", arg);
		op->set_threshold = true;
		return 0;
	}
	if (strncmp(arg, "guards.", 7) == 0)
		return set_guard(c, op, arg);
	return cli_fail(c, EXIT_USAGE, "%s: max_workers=N, threshold=N, "
	    "guards.NAME=VALUE, labels+=A,B or targets+=A,B", arg);
}

/* Of the fleet file, not of the agent. */
static bool
is_of_fleet(const char *arg)
{
	return strncmp(arg, "labels", 6) == 0 ||
	    strncmp(arg, "targets", 7) == 0;
}

static int
cmd_set(struct cli *c)
{
	struct op op = { .kind = OP_SET };
	struct strvec values = STRVEC_INIT;
	size_t i, agents = 0;
	int r = 0;

	for (i = 0; i < c->args.n && r == 0; i++) {
		if (strchr(c->args.v[i], '=') == NULL) {
			if (agents++ != i)
				r = cli_fail(c, EXIT_USAGE,
				    "name the agents before the values");
		} else if (is_of_fleet(c->args.v[i])) {
			strvec_push(&values, c->args.v[i]);
		} else {
			r = set_value(c, &op, c->args.v[i]);
		}
	}
	if (r == 0 && (agents == 0 || agents == c->args.n))
		r = cli_fail(c, EXIT_USAGE, "name agents and values, as in "
		    "yardmaster set lab-1 max_workers=4");
	if (r == 0 && agents + values.n < c->args.n)
		r = on_agents(c, &op, c->args.v, agents);
	for (i = 0; r == 0 && values.n > 0 && i < agents; i++)
		r = fleet_edit(c, c->args.v[i], &values);
	strvec_done(&values);
	return r;
}

static int
read_stop_opts(struct cli *c, struct op *op)
{
	int64_t us;

	op->note = cli_get(c, "note");
	if (cli_get(c, "for") == NULL)
		return 0;
	if (duration_parse(cli_get(c, "for"), &us) < 0)
		return cli_fail(c, EXIT_USAGE, "--for %s: a duration such as "
		    "10m", cli_get(c, "for"));
	op->expires_wall_us = clock_wall_us() + us;
	return 0;
}

static int
cmd_drain(struct cli *c)
{
	struct op op = { .kind = OP_DRAIN };
	int r = read_stop_opts(c, &op);

	return r != 0 ? r : on_agents(c, &op, c->args.v, c->args.n);
}

static int
cmd_undrain(struct cli *c)
{
	struct op op = { .kind = OP_UNDRAIN };

	return on_agents(c, &op, c->args.v, c->args.n);
}

/* An agent, or a run or execution: ids are tried first, unless a fleet has
 * an agent of that name it is none of ours to guess. */
static int
hold_or_release(struct cli *c, struct op *op)
{
	if (ident_parse(c->args.v[0], &op->id) == 0 &&
	    owner_exists(op->id.run))
		return owner_op(c, op);
	memset(&op->id, 0, sizeof op->id);
	return on_agents(c, op, c->args.v, c->args.n);
}

static int
cmd_hold(struct cli *c)
{
	struct op op = { .kind = OP_HOLD };
	int r = read_stop_opts(c, &op);

	return r != 0 ? r : hold_or_release(c, &op);
}

static int
cmd_release(struct cli *c)
{
	struct op op = { .kind = OP_RELEASE };

	return hold_or_release(c, &op);
}

int
op_on_id(const struct cli *c, struct op *op)
{
	if (ident_parse(c->args.v[0], &op->id) < 0)
		return cli_fail(c, EXIT_USAGE, "%s: not an id (a run, or "
		    "RUN/NUMBER)", c->args.v[0]);
	return owner_op(c, op);
}

static int
cmd_cancel(struct cli *c)
{
	struct op op = { .kind = OP_CANCEL };

	return op_on_id(c, &op);
}

static int
cmd_requeue(struct cli *c)
{
	struct op op = { .kind = OP_REQUEUE };

	return op_on_id(c, &op);
}

static int
cmd_move(struct cli *c)
{
	struct op op = { .kind = OP_MOVE };

	if (!ident_is_agent_name(c->args.v[1]))
		return cli_fail(c, EXIT_USAGE, "%s: not an agent's name",
		    c->args.v[1]);
	snprintf(op.agent, sizeof op.agent, "%s", c->args.v[1]);
	return op_on_id(c, &op);
}

static int
cmd_priority(struct cli *c)
{
	struct op op = { .kind = OP_PRIORITY };
	char *end;
	long n = strtol(c->args.v[1], &end, 10);

	if (end == c->args.v[1] || *end != '\0' || n < -1000000 || n > 1000000)
		return cli_fail(c, EXIT_USAGE, "%s: not a priority",
		    c->args.v[1]);
	op.priority = (int32_t)n;
	return op_on_id(c, &op);
}

static int
cmd_skip(struct cli *c)
{
	struct op op = { .kind = OP_SKIP };

	return op_on_id(c, &op);
}

static int
cmd_run_anyway(struct cli *c)
{
	struct op op = { .kind = OP_RUN_ANYWAY };

	return op_on_id(c, &op);
}

static int
cmd_start_now(struct cli *c)
{
	struct op op = { .kind = OP_START_NOW };

	return op_on_id(c, &op);
}

static int
cmd_override(struct cli *c)
{
	struct op op = { .kind = OP_OVERRIDE };

	return op_on_id(c, &op);
}

static int
cmd_pause(struct cli *c)
{
	struct op op = { .kind = OP_PAUSE, .note = cli_get(c, "note") };

	return op_on_id(c, &op);
}

static int
cmd_go_on(struct cli *c)
{
	struct op op = { .kind = OP_GO_ON };

	return op_on_id(c, &op);
}

static const struct cli_opt note_opts[] = {
	{ "note", 'n', "TEXT", "why, shown to everybody" },
	{ NULL }
};
/*
 * What concerns an agent and is known to the processes that drive runs: each
 * is told. Nobody is left of those who benched it when no run is live; then
 * what is recorded counts.
 */
static int
on_owners(struct cli *c, struct op *op)
{
	struct strvec runs = STRVEC_INIT;
	int r;

	if (!ident_is_agent_name(c->args.v[0]))
		return cli_fail(c, EXIT_USAGE, "%s: not an agent's name",
		    c->args.v[0]);
	snprintf(op->agent, sizeof op->agent, "%s", c->args.v[0]);
	if ((r = owner_live_runs(&runs)) < 0)
		r = cli_fail(c, EXIT_ERRORS, "runs: %s", err_text(r));
	else if (runs.n > 0)
		r = owners_op(c, &runs, op);
	else if (op->kind == OP_CLEAR)
		r = on_agents(c, op, c->args.v, 1);
	else
		r = cli_fail(c, EXIT_ERRORS, "%s: no run is live; take over "
		    "first what nobody drives (yardmaster runs, yardmaster "
		    "resume RUN)", op->agent);
	strvec_done(&runs);
	return r;
}

static int
cmd_clear(struct cli *c)
{
	struct op op = { .kind = OP_CLEAR };

	return on_owners(c, &op);
}

static int
cmd_probe(struct cli *c)
{
	struct op op = { .kind = OP_PROBE };

	return on_owners(c, &op);
}

static int
cmd_reconnect(struct cli *c)
{
	struct op op = { .kind = OP_RECONNECT };

	return on_owners(c, &op);
}

static int
cmd_declare(struct cli *c)
{
	struct op op = { .kind = OP_DECLARE_DEAD };

	if (strcmp(c->args.v[1], "dead") == 0)
		return on_owners(c, &op);
	op.kind = OP_DECLARE_LOST;
	if (strcmp(c->args.v[1], "lost") == 0)
		return op_on_id(c, &op);
	return cli_fail(c, EXIT_USAGE, "%s: dead (an agent) or lost (an "
	    "execution)", c->args.v[1]);
}

static int
read_worker(const struct cli *c, const char *text, uint16_t *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0' || n < 1 || n > 1024)
		return cli_fail(c, EXIT_USAGE, "%s: a number from 1 to 1024",
		    text);
	*ret = (uint16_t)n;
	return 0;
}

static int
cmd_take(struct cli *c)
{
	struct op op = { .kind = OP_TAKE, .worker = 1 };
	const char *n = cli_get(c, "workers"), *kind = cli_get(c, "kind");
	int k = kind != NULL ? worker_kind_parse(kind) : WORKER_HOLD, r;

	if (k != WORKER_RECORDING && k != WORKER_DEVELOPMENT &&
	    k != WORKER_HOLD)
		return cli_fail(c, EXIT_USAGE, "--kind %s: recording, "
		    "development or hold", kind);
	op.taking = (enum worker_kind)k;
	if ((r = read_stop_opts(c, &op)) != 0 ||
	    (n != NULL && (r = read_worker(c, n, &op.worker)) != 0))
		return r;
	return on_agents(c, &op, c->args.v, c->args.n);
}

static int
cmd_give_back(struct cli *c)
{
	struct op op = { .kind = OP_GIVE_BACK };
	int r = read_worker(c, c->args.v[1], &op.worker);

	return r != 0 ? r : on_agents(c, &op, c->args.v, 1);
}

static const struct cli_opt fleet_opts[] = { FLEET_OPT, { NULL } };
static const struct cli_opt stop_opts[] = {
	FLEET_OPT,
	{ "note", 'n', "TEXT", "why, shown to everybody" },
	{ "for", 't', "TIME", "until then only (10m, 2h)" },
	{ NULL }
};

static const struct cli_opt take_opts[] = {
	FLEET_OPT,
	{ "kind", 'k', "KIND", "recording, development or hold (the default)",
	    "recording development hold" },
	{ "workers", 'w', "N", "so many (default 1)" },
	{ "note", 'n', "TEXT", "why, shown to everybody" },
	{ "for", 't', "TIME", "until then only (10m, 2h)" },
	{ NULL }
};

const struct cli_command cli_op_commands[] = {
	{ "set", "AGENT... KEY=VALUE...",
	    "change max workers, threshold, guards and labels of agents",
	    "KEY is max_workers (a number), threshold (a number, -N to keep N "
	    "workers free,\nor max), guards.load_per_cpu (a number), "
	    "guards.free_memory or guards.free_disk\n(a size such as 2G), or "
	    "guards.health (a command that must exit 0; words, or a\nJSON "
	    "list); a guard may be off, or default. Lowering kills nothing: "
	    "nothing\nstarts until fewer run. labels+=A,B, labels-=A,B and "
	    "targets+=A,B are edits of\nthe fleet, as of fleet edit.\n",
	    fleet_opts, 2, -1, cmd_set },
	{ "drain", "AGENT...", "let agents end their work and start none; "
	    "what is queued moves", NULL, stop_opts, 1, -1, cmd_drain },
	{ "undrain", "AGENT...", "give drained agents work again", NULL,
	    fleet_opts, 1, -1, cmd_undrain },
	{ "hold", "AGENT...|RUN|EXECUTION", "start nothing new there; what is "
	    "queued stays", NULL, stop_opts, 1, -1, cmd_hold },
	{ "release", "AGENT...|RUN|EXECUTION", "end a hold", NULL,
	    fleet_opts, 1, -1, cmd_release },
	{ "take", "AGENT...", "take a worker of each for yourself",
	    "It counts against max workers, and everybody sees who has it, "
	    "until it is given\nback or the time is over. Refused with who has "
	    "them when none is free.\n", take_opts, 1, -1, cmd_take },
	{ "give-back", "AGENT WORKER", "give back what a person took, by one of "
	    "its workers", NULL,
	    fleet_opts, 2, 2, cmd_give_back },
	{ "cancel", "RUN|EXECUTION", "end it (INT, TERM, KILL)", NULL, NULL,
	    1, 1, cmd_cancel },
	{ "requeue", "EXECUTION", "end its attempt and try again", NULL, NULL,
	    1, 1, cmd_requeue },
	{ "move", "EXECUTION AGENT", "run it on that agent", NULL, NULL, 2, 2,
	    cmd_move },
	{ "priority", "RUN|EXECUTION N", "higher runs first", NULL, NULL,
	    2, 2, cmd_priority },
	{ "skip", "EXECUTION", "end one that waits as skipped", NULL, NULL,
	    1, 1, cmd_skip },
	{ "run-anyway", "EXECUTION", "run it without what it needs, or past "
	    "the failure limit", NULL, NULL, 1, 1, cmd_run_anyway },
	{ "start-now", "EXECUTION", "do not wait for its delay or its time",
	    NULL, NULL, 1, 1, cmd_start_now },
	{ "override", "EXECUTION", "let it use what is reserved for others",
	    "Workers and limits are reserved for what is wide or limited and "
	    "was passed often.\nIt may use them; what they are reserved for "
	    "keeps the rest.\n", NULL, 1, 1, cmd_override },
	{ "pause", "RUN", "send nothing more, of all runs of its console",
	    NULL, note_opts, 1, 1, cmd_pause },
	{ "go-on", "RUN", "end a pause", NULL, NULL, 1, 1, cmd_go_on },
	{ "clear", "AGENT", "use a benched agent again",
	    "An agent on which errors pile up is benched: nothing is sent "
	    "to it.\n", fleet_opts, 1, 1, cmd_clear },
	{ "probe", "AGENT", "send one execution to a benched agent",
	    "When it passes or fails, the agent is used again; when it ends "
	    "as an error, the\nagent stays benched.\n",
	    NULL, 1, 1, cmd_probe },
	{ "reconnect", "AGENT", "try the link of an agent again now", NULL,
	    NULL, 1, 1, cmd_reconnect },
	{ "declare", "AGENT dead|EXECUTION lost", "give up what is silent",
	    "dead: all that the agent holds is lost now, and the locks it "
	    "kept are free.\nlost: its attempt is lost now and is tried "
	    "elsewhere; locks stay taken.\n",
	    NULL, 2, 2, cmd_declare },
	{ NULL }
};
