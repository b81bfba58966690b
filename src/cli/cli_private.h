/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a subcommand is declared: one row of a table, from which parsing, help
 * and completion derive. One file holds one group of commands.
 */
#ifndef YARDMASTER_CLI_PRIVATE_H
#define YARDMASTER_CLI_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/strvec.h"

/* Exit codes of every command (those of run: model/state.h). */
enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_ERRORS = 2,
	EXIT_USAGE = 4,
	EXIT_CANCELLED = 5,
};

struct cli_opt {
	const char *name;	/* long name, without dashes */
	int letter;		/* short form, or 0 */
	const char *arg;	/* name of its argument, or NULL for a flag */
	const char *help;
	const char *words;	/* all that its argument may be, or NULL */
};

#define CLI_OPTS_MAX 24

struct cli {
	const struct cli_command *command;
	struct strvec given[CLI_OPTS_MAX];	/* by option: its values */
	struct strvec args;	/* what is not an option */
};

struct cli_command {
	const char *name;	/* "plan show" */
	const char *args;	/* "PLAN [N]" for the usage line */
	const char *summary;
	const char *detail;	/* more lines for its --help, or NULL */
	const struct cli_opt *opts;	/* ended by a NULL name; may be NULL */
	int min_args, max_args;	/* max -1: any number */
	int (*run)(struct cli *c);	/* gives the exit code */
	bool raw;		/* stop parsing at the first argument */
	bool hidden;		/* not for people: help does not show it */
};

/* All commands, ended by a NULL name. */
extern const struct cli_command *const cli_groups[];

/* Parses argv (argv[0] is the command) into *ret. 0, EXIT_USAGE after a
 * message, or -1 when help was asked for and given. */
int cli_parse(const struct cli_command *cmd, int argc, char **argv,
    struct cli *ret);
void cli_done(struct cli *c);

/* True when the option was given; its last value or NULL; all values. The
 * name must be in the command's table. */
bool cli_has(const struct cli *c, const char *name);
const char *cli_get(const struct cli *c, const char *name);
const struct strvec *cli_all(const struct cli *c, const char *name);

/* The first argument as the id of a run, or of an execution or an attempt of
 * one. 0, or EXIT_USAGE after a message. */
int cli_run_id(const struct cli *c, struct ident *ret);
int cli_execution_id(const struct cli *c, struct ident *ret);

/* Writes the usage and options of a command to standard output. */
void cli_help(const struct cli_command *cmd);

/* Says "yardmaster COMMAND: text" on standard error and returns code. */
int cli_fail(const struct cli *c, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints all diagnostics to standard error and empties them; returns code. */
int cli_diags(struct diags *ds, int code);

/* The groups of commands. */
extern const struct cli_command cli_run_commands[];
extern const struct cli_command cli_plan_commands[];
extern const struct cli_command cli_split_commands[];
extern const struct cli_command cli_check_commands[];
extern const struct cli_command cli_list_commands[];
extern const struct cli_command cli_diff_commands[];
extern const struct cli_command cli_history_commands[];
extern const struct cli_command cli_runs_commands[];
extern const struct cli_command cli_schedule_commands[];
extern const struct cli_command cli_store_commands[];
extern const struct cli_command cli_op_commands[];
extern const struct cli_command cli_amend_commands[];
extern const struct cli_command cli_exec_commands[];
extern const struct cli_command cli_fleet_commands[];
extern const struct cli_command cli_fleet_edit_commands[];
extern const struct cli_command cli_deploy_commands[];
extern const struct cli_command cli_console_commands[];
extern const struct cli_command cli_completion_commands[];

#endif
