/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options of one command, parsed by getopt_long() from the command's table. */
#include "config.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/text.h"

#include "cli/cli_private.h"

static const struct cli_opt help_opt = {
	"help", 'h', NULL, "show this help"
};

static int
opt_count(const struct cli_command *cmd)
{
	int n = 0;

	while (cmd->opts != NULL && cmd->opts[n].name != NULL)
		n++;
	assert(n < CLI_OPTS_MAX);
	return n;
}

static int
opt_index(const struct cli *c, const char *name)
{
	int i, n = opt_count(c->command);

	for (i = 0; i < n; i++)
		if (strcmp(c->command->opts[i].name, name) == 0)
			return i;
	assert(!"an option that is in the command's table");
	return 0;
}

/* Fills the two forms of getopt_long() from the table. */
static void
opt_tables(const struct cli_command *cmd, struct option *longs, char *shorts)
{
	int i, n = opt_count(cmd);
	const struct cli_opt *o;

	*shorts++ = cmd->raw ? '+' : '-';
	*shorts++ = ':';
	for (i = 0; i <= n; i++) {
		o = i < n ? &cmd->opts[i] : &help_opt;
		longs[i] = (struct option){
			.name = o->name,
			.has_arg = o->arg != NULL,
			.val = 1000 + i,
		};
		if (o->letter == 0)
			continue;
		*shorts++ = (char)o->letter;
		if (o->arg != NULL)
			*shorts++ = ':';
	}
	longs[n + 1] = (struct option){ .name = NULL };
	*shorts = '\0';
}

/* The index of the option that getopt answered with; opt_count() is help. */
static int
opt_by_value(const struct cli_command *cmd, int value)
{
	int i, n = opt_count(cmd);

	if (value >= 1000)
		return value - 1000;
	for (i = 0; i < n; i++)
		if (cmd->opts[i].letter == value)
			return i;
	return n;
}

/* Says what getopt_long() did not take; given is the word it was in. */
static int
bad_option(const struct cli *c, const char *given)
{
	const char *names[CLI_OPTS_MAX + 3], *near;
	int i, n = opt_count(c->command);

	if (optopt >= 1000)
		return cli_fail(c, EXIT_USAGE, "%.*s takes no value",
		    (int)strcspn(given, "="), given);
	/* It may stand among other letters. */
	if (optopt > 0)
		return cli_fail(c, EXIT_USAGE, "unknown option -%c; see "
		    "yardmaster %s --help", optopt, c->command->name);
	for (i = 0; i < n; i++)
		names[i] = c->command->opts[i].name;
	names[n++] = "help";
	/* Options without a command are those of the console, and this. */
	if (c->command == cli_console_commands)
		names[n++] = "version";
	names[n] = NULL;
	near = text_nearest(given + strspn(given, "-"), names, 2);
	if (near != NULL)
		return cli_fail(c, EXIT_USAGE, "unknown option %s (did you "
		    "mean --%s?)", given, near);
	return cli_fail(c, EXIT_USAGE, "unknown option %s; see yardmaster %s "
	    "--help", given, c->command->name);
}

static int
check_args(const struct cli *c)
{
	int n = (int)c->args.n;

	if (n >= c->command->min_args &&
	    (c->command->max_args < 0 || n <= c->command->max_args))
		return 0;
	fprintf(stderr, "usage: yardmaster %s [options] %s\n",
	    c->command->name, c->command->args);
	return EXIT_USAGE;
}

int
cli_parse(const struct cli_command *cmd, int argc, char **argv,
    struct cli *ret)
{
	struct option longs[CLI_OPTS_MAX + 2];
	char shorts[2 * CLI_OPTS_MAX + 8];
	int value, i;

	memset(ret, 0, sizeof *ret);
	ret->command = cmd;
	opt_tables(cmd, longs, shorts);
	optind = 0;
	opterr = 0;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (value == 1) {
			strvec_push(&ret->args, optarg);
			continue;
		}
		if (value == ':')
			return cli_fail(ret, EXIT_USAGE,
			    "%s wants an argument", argv[optind - 1]);
		if (value == '?')
			return bad_option(ret, argv[optind - 1]);
		i = opt_by_value(cmd, value);
		if (i == opt_count(cmd)) {
			cli_help(cmd);
			return -1;
		}
		strvec_push(&ret->given[i], optarg != NULL ? optarg : "");
	}
	for (; optind < argc; optind++)
		strvec_push(&ret->args, argv[optind]);
	return check_args(ret);
}

void
cli_done(struct cli *c)
{
	int i;

	for (i = 0; i < CLI_OPTS_MAX; i++)
		strvec_done(&c->given[i]);
	strvec_done(&c->args);
}

bool
cli_has(const struct cli *c, const char *name)
{
	return cli_all(c, name)->n > 0;
}

const char *
cli_get(const struct cli *c, const char *name)
{
	const struct strvec *sv = cli_all(c, name);

	return sv->n > 0 ? sv->v[sv->n - 1] : NULL;
}

const struct strvec *
cli_all(const struct cli *c, const char *name)
{
	return &c->given[opt_index(c, name)];
}

int
cli_run_id(const struct cli *c, struct ident *ret)
{
	if (ident_parse(c->args.v[0], ret) == 0 && ret->execution == 0)
		return 0;
	return cli_fail(c, EXIT_USAGE, "%s: not a run's id; yardmaster runs "
	    "lists them", c->args.v[0]);
}

int
cli_execution_id(const struct cli *c, struct ident *ret)
{
	if (ident_parse(c->args.v[0], ret) == 0 && ret->execution != 0)
		return 0;
	return cli_fail(c, EXIT_USAGE, "%s: not an execution's id "
	    "(RUN/NUMBER)", c->args.v[0]);
}

static void
help_line(const struct cli_opt *o)
{
	struct buf b = BUF_INIT;

	if (o->letter != 0)
		buf_putf(&b, "-%c, ", o->letter);
	else
		buf_puts(&b, "    ");
	buf_putf(&b, "--%s", o->name);
	if (o->arg != NULL)
		buf_putf(&b, " %s", o->arg);
	printf("  %-28s %s\n", buf_str(&b), o->help);
	buf_done(&b);
}

void
cli_help(const struct cli_command *cmd)
{
	int i, n = opt_count(cmd);

	printf("usage: yardmaster %s [options] %s\n\n%s\n", cmd->name,
	    cmd->args, cmd->summary);
	if (cmd->detail != NULL)
		printf("\n%s", cmd->detail);
	printf("\noptions:\n");
	for (i = 0; i < n; i++)
		help_line(&cmd->opts[i]);
	help_line(&help_opt);
}

int
cli_fail(const struct cli *c, int code, const char *fmt, ...)
{
	struct buf text = BUF_INIT, safe = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vputf(&text, fmt, ap);
	va_end(ap);
	text_escape(&safe, buf_str(&text), buf_len(&text));
	fflush(stdout);
	fprintf(stderr, "yardmaster %s: %s\n", c->command->name,
	    buf_str(&safe));
	buf_done(&text);
	buf_done(&safe);
	return code;
}

int
cli_diags(struct diags *ds, int code)
{
	fflush(stdout);
	diags_print(ds, STDERR_FILENO);
	diags_done(ds);
	*ds = (struct diags)DIAGS_INIT;
	return code;
}
