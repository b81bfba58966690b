/* SPDX-License-Identifier: GPL-3.0-or-later */
/* yardmaster-agent: its commands and options, each from one table. */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bridge.h"
#include "agent/control.h"
#include "agent/daemon.h"
#include "agent/helper.h"
#include "agent/worker.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/text.h"
#include "yardmaster/store/version.h"

#define EXIT_USAGE 4
#define IDLE_US (600 * US_PER_S)
#define IDLE_LOCAL_US (60 * US_PER_S)

struct options {
	struct start_options start;
	const char *ready, *note, *kind;
	bool json, wait, force;
	int64_t for_us, grace_us, out_cap, slot, timeout_us, workers;
	const char *args[2];	/* n_args of the command; NULL: not given */
};

static int
run_serve(const struct options *o)
{
	struct daemon_options d = {
		.instance = o->start.instance, .local = o->start.local,
		.idle_us = o->start.idle_us, .ready = o->ready,
	};

	if (d.idle_us < 0)
		d.idle_us = d.local ? IDLE_LOCAL_US : IDLE_US;
	return daemon_serve(&d);
}

static int
run_worker(const struct options *o)
{
	struct worker_options w = {
		.instance = o->start.instance, .no = (uint16_t)o->slot,
		.grace_us = o->grace_us, .out_cap = (uint64_t)o->out_cap,
	};

	return worker_main(&w);
}

static int
run_start(const struct options *o)
{
	return control_start(&o->start);
}

static int
run_restart(const struct options *o)
{
	return control_restart(&o->start);
}

static int
run_quit(const struct options *o)
{
	return control_quit(&o->start);
}

static int
run_remove(const struct options *o)
{
	return control_remove(&o->start, o->force);
}

static int
run_connect(const struct options *o)
{
	return bridge_main(&o->start);
}

static int
run_status(const struct options *o)
{
	return control_status(&o->start, o->json);
}

static int
run_hold(const struct options *o)
{
	const struct take_options t = {
		.kind = o->kind, .note = o->note, .for_us = o->for_us,
		.workers = o->workers > 0 ? o->workers : 1, .wait = o->wait,
	};

	if (o->kind != NULL)
		return control_take(&o->start, &t);
	if (o->wait || o->workers > 0) {
		fprintf(stderr, "yardmaster-agent: --wait and --workers go "
		    "with --kind\n");
		return EXIT_USAGE;
	}
	return control_hold(&o->start, true, o->note, o->for_us);
}

static int
bad_word(const char *wanted, const char *word)
{
	char *safe = text_safe(word);

	fprintf(stderr, "yardmaster-agent: \"%s\" is not %s\n", safe, wanted);
	free(safe);
	return ERR_SYNTAX;
}

static int
run_release(const struct options *o)
{
	char *end;
	long long take;

	if (o->args[0] == NULL)
		return control_hold(&o->start, false, NULL, 0);
	take = strtoll(o->args[0], &end, 10);
	if (end == o->args[0] || *end != '\0' || take <= 0 || take > UINT32_MAX) {
		(void)bad_word("the number of a taking", o->args[0]);
		return EXIT_USAGE;
	}
	return control_give_back(&o->start, take);
}

static int
run_sync(const struct options *o)
{
	return helper_main("sync", o->args[0], NULL, o->timeout_us);
}

static int
run_put(const struct options *o)
{
	return helper_main("put", o->args[0], o->args[1], -1);
}

static int
run_get(const struct options *o)
{
	return helper_main("get", o->args[0], NULL, o->timeout_us);
}

static int
run_progress(const struct options *o)
{
	return helper_main("progress", o->args[0], NULL, -1);
}

static const struct command {
	const char *name;
	int (*fn)(const struct options *o);
	const char *options;	/* letters of those it takes */
	const char *help;	/* NULL: not for people */
	int n_args;
	const char *args;	/* what they are called */
	bool optional;		/* they need not be given */
} commands[] = {
	{ "connect", run_connect, "irLI",
	    "carry the protocol on standard input and output" },
	{ "serve", run_serve, "iLIR", "be the daemon, in the foreground" },
	{ "start", run_start, "iLI", "start the daemon" },
	{ "restart", run_restart, "iLI",
	    "start it anew; what runs goes on, values stay" },
	{ "quit", run_quit, "i", "end it; what runs goes on" },
	{ "status", run_status, "ij", "print what it does" },
	{ "hold", run_hold, "infkwW", "start nothing new, keep what is queued; "
	    "with --kind\n             take a worker for yourself" },
	{ "release", run_release, "i", "end a hold; with a number give back "
	    "that taking", 1, "at most one NUMBER", true },
	{ "remove", run_remove, "iF",
	    "end it and remove all that it kept; refused while it has work" },
	{ "sync", run_sync, "t", "in a step: wait for all parts", 1, "NAME" },
	{ "put", run_put, "", "in a step: share a value with all parts", 2,
	    "KEY VALUE" },
	{ "get", run_get, "t", "in a step: print a shared value", 1, "KEY" },
	{ "progress", run_progress, "", "in a step: say how far it is", 1,
	    "TEXT" },
	{ "worker", run_worker, "isgo", NULL },
	{ NULL, NULL, NULL, NULL }
};

static const struct option longs[] = {
	{ "instance", required_argument, NULL, 'i' },
	{ "read-only", no_argument, NULL, 'r' },
	{ "local", no_argument, NULL, 'L' },
	{ "idle", required_argument, NULL, 'I' },
	{ "ready", required_argument, NULL, 'R' },
	{ "json", no_argument, NULL, 'j' },
	{ "force", no_argument, NULL, 'F' },
	{ "note", required_argument, NULL, 'n' },
	{ "for", required_argument, NULL, 'f' },
	{ "kind", required_argument, NULL, 'k' },
	{ "workers", required_argument, NULL, 'w' },
	{ "wait", no_argument, NULL, 'W' },
	{ "slot", required_argument, NULL, 's' },
	{ "grace", required_argument, NULL, 'g' },
	{ "out-cap", required_argument, NULL, 'o' },
	{ "timeout", required_argument, NULL, 't' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static const char option_help[] =
    "options:\n"
    "  --instance NAME   which agent of this account (default \"default\")\n"
    "  --read-only       connect: look and do not touch\n"
    "  --local           connect, serve, start: an agent of the console's own "
    "host\n"
    "  --idle TIME       connect, serve, start: end after so long with "
    "nothing to do\n"
    "  --json            status: print data\n"
    "  --force           remove: although it has work, which is killed\n"
    "  --note TEXT       hold: why\n"
    "  --for TIME        hold: release after that time\n"
    "  --kind KIND       hold: take a worker, for a recording, development "
    "or hold\n"
    "  --workers N       hold --kind: take so many\n"
    "  --wait            hold --kind: wait until so many are free\n"
    "  --timeout TIME    sync, get: fail after so long\n";

static void
print_help(void)
{
	const struct command *c;

	printf("usage: yardmaster-agent COMMAND [options]\n\n");
	for (c = commands; c->name != NULL; c++)
		if (c->help != NULL)
			printf("  %-10s %s\n", c->name, c->help);
	printf("\n%s", option_help);
}

static void
print_version(void)
{
	printf("yardmaster-agent %s\nSQLite %s\nlibuv %s\n", PACKAGE_VERSION,
	    store_library_version(), loop_library_version());
}

static int
bad_option(const char *name, const char *value)
{
	char *safe = text_safe(value);

	fprintf(stderr, "yardmaster-agent: --%s does not take \"%s\"\n",
	    name, safe);
	free(safe);
	return ERR_SYNTAX;
}

static int
set_number(const char *name, int64_t min, int64_t max, int64_t *to)
{
	char *end;
	long long n = strtoll(optarg, &end, 10);

	if (end == optarg || *end != '\0' || n < min || n > max)
		return bad_option(name, optarg);
	*to = n;
	return 0;
}

static int
set_duration(const char *name, int64_t *to)
{
	return duration_parse(optarg, to) < 0 ? bad_option(name, optarg) : 0;
}

static int
set_option(struct options *o, int letter)
{
	switch (letter) {
	case 'i':
		o->start.instance = optarg;
		return ident_is_agent_name(optarg) ? 0 :
		    bad_option("instance", optarg);
	case 'r':
		o->start.read_only = true;
		return 0;
	case 'L':
		o->start.local = true;
		return 0;
	case 'I':
		return set_duration("idle", &o->start.idle_us);
	case 'R':
		o->ready = optarg;
		return 0;
	case 'j':
		o->json = true;
		return 0;
	case 'F':
		o->force = true;
		return 0;
	case 'n':
		o->note = optarg;
		return 0;
	case 'k':
		o->kind = optarg;
		return 0;
	case 'W':
		o->wait = true;
		return 0;
	case 'w':
		return set_number("workers", 1, MAX_WORKERS_LIMIT,
		    &o->workers);
	case 'f':
		return set_duration("for", &o->for_us);
	case 't':
		return set_duration("timeout", &o->timeout_us);
	case 'g':
		return set_duration("grace", &o->grace_us);
	case 'o':
		return set_number("out-cap", 0, INT64_MAX, &o->out_cap);
	default:
		return set_number("slot", 0, MAX_WORKERS_LIMIT, &o->slot);
	}
}

static int
parse(const struct command *c, int argc, char **argv, struct options *o)
{
	int letter, i, n;

	while ((letter = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (letter == 'h') {
			print_help();
			return 1;
		}
		if (letter == '?' || strchr(c->options, letter) == NULL) {
			if (letter != '?')
				fprintf(stderr, "yardmaster-agent: %s does "
				    "not take %s\n", c->name,
				    argv[optind - 1]);
			return ERR_SYNTAX;
		}
		if (set_option(o, letter) < 0)
			return ERR_SYNTAX;
	}
	n = argc - optind;
	if (n != c->n_args && (n > 0 || !c->optional)) {
		fprintf(stderr, "yardmaster-agent: %s takes %s\n", c->name,
		    c->n_args > 0 ? c->args : "no arguments");
		return ERR_SYNTAX;
	}
	for (i = 0; i < n; i++)
		o->args[i] = argv[optind + i];
	return 0;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.start = { .instance = "default", .idle_us = -1 },
		.grace_us = 5 * US_PER_S, .timeout_us = -1,
	};
	const struct command *c = commands;
	int r;

	signal(SIGPIPE, SIG_IGN);	/* a daemon may die while it is told */
	if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
		print_version();
		return 0;
	}
	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "-h") == 0)) {
		print_help();
		return 0;
	}
	while (c->name != NULL && (argc < 2 || strcmp(c->name, argv[1]) != 0))
		c++;
	if (c->name == NULL) {
		fprintf(stderr, "usage: yardmaster-agent COMMAND [options]; "
		    "see --help\n");
		return EXIT_USAGE;
	}
	r = parse(c, argc - 1, argv + 1, &o);
	if (r != 0)
		return r < 0 ? EXIT_USAGE : 0;
	return c->fn(&o);
}
