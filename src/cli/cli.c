/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds the command that the first words name, and says what there is. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/cli/cli.h"
#include "yardmaster/net/link.h"

#include "cli/cli_private.h"
#include "cli/version.h"

const struct cli_command *const cli_groups[] = {
	cli_console_commands, cli_run_commands, cli_exec_commands, cli_plan_commands,
	cli_split_commands, cli_check_commands, cli_list_commands,
	cli_runs_commands, cli_diff_commands, cli_history_commands,
	cli_schedule_commands, cli_store_commands,
	cli_op_commands,
	cli_amend_commands, cli_fleet_commands,
	cli_fleet_edit_commands, cli_deploy_commands,
	cli_completion_commands, NULL
};

/* How many words of argv name cmd, 0 when they do not. */
static int
match_words(const struct cli_command *cmd, int argc, char **argv)
{
	const char *space = strchr(cmd->name, ' ');
	size_t n;

	if (space == NULL)
		return strcmp(argv[0], cmd->name) == 0;
	n = (size_t)(space - cmd->name);
	if (argc < 2 || strlen(argv[0]) != n ||
	    strncmp(argv[0], cmd->name, n) != 0 ||
	    strcmp(argv[1], space + 1) != 0)
		return 0;
	return 2;
}

/* Of "runs" and "runs diff" it is the one of two words. */
static const struct cli_command *
find(int argc, char **argv, int *ret_words)
{
	const struct cli_command *cmd, *found = NULL;
	int g, words;

	*ret_words = 0;
	for (g = 0; cli_groups[g] != NULL; g++)
		for (cmd = cli_groups[g]; cmd->name != NULL; cmd++)
			if ((words = match_words(cmd, argc, argv)) >
			    *ret_words) {
				*ret_words = words;
				found = cmd;
			}
	return found;
}

static void
usage(void)
{
	const struct cli_command *cmd;
	int g;

	printf("usage: yardmaster [COMMAND [options] [arguments]]\n\n"
	    "A terminal operations console for test-execution fleets. "
	    "Without a command\nthe console opens.\n\ncommands:\n");
	for (g = 0; cli_groups[g] != NULL; g++)
		for (cmd = cli_groups[g]; cmd->name != NULL; cmd++)
			if (!cmd->hidden)
				printf("  %-16s %s\n", cmd->name,
				    cmd->summary);
	printf("\nyardmaster COMMAND --help says more; so does "
	    "man yardmaster.\n");
}

/* As "plan" begins "plan show". */
static bool
begins(const struct cli_command *cmd, const char *word)
{
	size_t n = strlen(word);

	return !cmd->hidden && strncmp(cmd->name, word, n) == 0 &&
	    cmd->name[n] == ' ';
}

/* What the commands do that begin with word; false when none does. */
static bool
usage_of(const char *word)
{
	const struct cli_command *cmd;
	bool any = false;
	int g;

	for (g = 0; cli_groups[g] != NULL; g++)
		for (cmd = cli_groups[g]; cmd->name != NULL; cmd++) {
			if (!begins(cmd, word))
				continue;
			if (!any)
				printf("usage: yardmaster %s COMMAND "
				    "[options] [words]\n\ncommands:\n", word);
			printf("  %-16s %s\n", cmd->name, cmd->summary);
			any = true;
		}
	return any;
}

/* Says which commands begin with word. False when none does. */
static bool
say_second_words(const char *word)
{
	const struct cli_command *cmd;
	struct buf found = BUF_INIT;
	bool any;
	int g;

	for (g = 0; cli_groups[g] != NULL; g++)
		for (cmd = cli_groups[g]; cmd->name != NULL; cmd++)
			if (begins(cmd, word))
				buf_putf(&found, "%s%s", buf_len(&found) > 0 ?
				    ", " : "", cmd->name);
	any = buf_len(&found) > 0;
	if (any)
		fprintf(stderr, "yardmaster: %s wants one more word: %s\n",
		    word, buf_str(&found));
	buf_done(&found);
	return any;
}

static const char *
nearest_command(const char *text)
{
	const char *names[128];
	const struct cli_command *cmd;
	int g, n = 0;

	for (g = 0; cli_groups[g] != NULL; g++)
		for (cmd = cli_groups[g]; cmd->name != NULL && n < 127; cmd++)
			names[n++] = cmd->name;
	names[n] = NULL;
	return text_nearest(text, names, 2);
}

/* second is the word behind it, or NULL. */
static int
unknown(const char *word, const char *second)
{
	char *two = second != NULL && second[0] != '-' ?
	    str_fmt("%s %s", word, second) : NULL;
	const char *near = two != NULL ? nearest_command(two) : NULL;
	char *safe;

	if (near == NULL && say_second_words(word)) {
		free(two);
		return EXIT_USAGE;
	}
	safe = text_safe(near != NULL ? two : word);
	if (near == NULL)
		near = nearest_command(word);
	if (near != NULL)
		fprintf(stderr, "yardmaster: no command %s; did you mean "
		    "%s?\n", safe, near);
	else
		fprintf(stderr, "yardmaster: no command %s; yardmaster --help "
		    "lists them\n", safe);
	free(safe);
	free(two);
	return EXIT_USAGE;
}

static int
run_command(const struct cli_command *cmd, int argc, char **argv)
{
	struct cli c;
	int r;

	r = cli_parse(cmd, argc, argv, &c);
	if (r == 0)
		r = cmd->run(&c);
	else if (r < 0)
		r = EXIT_OK;
	cli_done(&c);
	return r;
}

static bool
is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int
cli_main(int argc, char **argv)
{
	const struct cli_command *cmd;
	static char console[] = "console";
	char *none[] = { console, NULL };
	int words = 0;

	if (argc < 2)
		return run_command(cli_console_commands, 1, none);
	if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
		usage();
		return EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		version_print();
		return EXIT_OK;
	}
	/* Options alone are those of the console. */
	if (argv[1][0] == '-')
		return run_command(cli_console_commands, argc, argv);
	cmd = find(argc - 1, argv + 1, &words);
	if (cmd == NULL && argc == 3 && is_help(argv[2]) && usage_of(argv[1]))
		return EXIT_OK;
	if (cmd == NULL)
		return unknown(argv[1], argc > 2 ? argv[2] : NULL);
	return run_command(cmd, argc - words, argv + words);
}
