/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * "completion bash": what a shell needs to complete our command line, made
 * from the tables of commands. The file that is installed only asks for it.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli_private.h"

/* Before and behind the table of commands. In between $command is set, and
 * then: options, those of them that take a file or something else, the words
 * that follow an option that takes one of a few, what the arguments are. */
static const char script_head[] =
    "# bash completion for yardmaster, as yardmaster completion bash "
    "prints it\n"
    "_yardmaster()\n"
    "{\n"
    "	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
    "	local command=${COMP_WORDS[1]}\n"
    "	local options='' files='' others='' words='' args=''\n"
    "\n"
    "	COMPREPLY=()\n";
static const char script_tail[] =
    "	if [[ \" $files \" == *\" $prev \"* ]]; then\n"
    "		compopt -o filenames\n"
    "		COMPREPLY=($(compgen -f -- \"$cur\"))\n"
    "	elif [[ \" $others \" == *\" $prev \"* ]]; then\n"
    "		COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "	elif [[ $cur == -* ]]; then\n"
    "		COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
    "	else\n"
    "		[[ $args != *RUN* && $args != *EXECUTION* ]] ||\n"
    "			words+=\" $(\"${COMP_WORDS[0]}\" runs "
    "2>/dev/null |\n"
    "			    awk 'NR > 1 { print $1 }')\"\n"
    "		[[ $args != *AGENT* ]] ||\n"
    "			words+=\" $(\"${COMP_WORDS[0]}\" fleet list "
    "2>/dev/null |\n"
    "			    awk 'NR > 1 { print $1 }')\"\n"
    "		COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
    "		if [[ $args == *FILE* || $args == *PLAN* ]]; then\n"
    "			compopt -o filenames\n"
    "			COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
    "		fi\n"
    "	fi\n"
    "}\n"
    "complete -F _yardmaster yardmaster\n";

/* Calls fn for each command that is shown. */
static void
each_command(void (*fn)(const struct cli_command *cmd))
{
	const struct cli_command *cmd;
	int g;

	for (g = 0; cli_groups[g] != NULL; g++)
		for (cmd = cli_groups[g]; cmd->name != NULL; cmd++)
			if (!cmd->hidden)
				fn(cmd);
}

static void
print_first_word(const struct cli_command *cmd)
{
	printf(" %.*s", (int)strcspn(cmd->name, " "), cmd->name);
}

/* "plan) command+=..." for commands of two words; doubled lines are fine. */
static void
print_second_word(const struct cli_command *cmd)
{
	const char *space = strchr(cmd->name, ' ');

	if (space != NULL)
		printf("		'%.*s') words+=' %s' ;;&\n",
		    (int)(space - cmd->name), cmd->name, space + 1);
}

static bool
takes_file(const struct cli_opt *o)
{
	return o->arg != NULL && (strcmp(o->arg, "FILE") == 0 ||
	    strcmp(o->arg, "PLAN") == 0);
}

static bool
takes_other(const struct cli_opt *o)
{
	return o->arg != NULL && !takes_file(o);
}

/* Prints name='--a -b ...' of the options that are so; NULL: of all. */
static void
print_options(const struct cli_command *cmd, const char *name,
    bool (*so)(const struct cli_opt *o))
{
	const struct cli_opt *o;

	printf(" %s='", name);
	for (o = cmd->opts; o != NULL && o->name != NULL; o++) {
		if (so != NULL && !so(o))
			continue;
		printf(" --%s", o->name);
		if (o->letter != 0 && so != NULL)
			printf(" -%c", o->letter);
	}
	printf("%s'", so == NULL ? " --help" : "");
}

static void
print_command(const struct cli_command *cmd)
{
	const struct cli_opt *o;

	printf("	'%s')", cmd->name);
	print_options(cmd, "options", NULL);
	print_options(cmd, "files", takes_file);
	print_options(cmd, "others", takes_other);
	printf(" args='%s'\n", cmd->args);
	for (o = cmd->opts; o != NULL && o->name != NULL; o++)
		if (o->words != NULL)
			printf("		[[ $prev != --%s ]] || "
			    "words='%s'\n", o->name, o->words);
	printf("		;;\n");
}

static int
cmd_completion(struct cli *c)
{
	if (strcmp(c->args.v[0], "bash") != 0)
		return cli_fail(c, EXIT_USAGE, "%s: only bash",
		    c->args.v[0]);
	fputs(script_head, stdout);
	printf("	if ((COMP_CWORD == 1)); then\n"
	    "		words='help --help --version");
	each_command(print_first_word);
	printf("'\n"
	    "		COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "		return\n"
	    "	fi\n"
	    "	case $command in\n");
	each_command(print_second_word);
	printf("	esac\n"
	    "	if [[ -n $words && $cur != -* ]] && ((COMP_CWORD == 2)); "
	    "then\n"
	    "		COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	    "		return\n"
	    "	fi\n"
	    "	[[ \" $words \" != *\" ${COMP_WORDS[2]} \"* ]] ||\n"
	    "		command+=\" ${COMP_WORDS[2]}\"\n"
	    "	words=''\n"
	    "	case $command in\n");
	each_command(print_command);
	printf("	esac\n");
	fputs(script_tail, stdout);
	return EXIT_OK;
}

const struct cli_command cli_completion_commands[] = {
	{ "completion", "bash", "print what bash needs to complete commands",
	    NULL, NULL, 1, 1, cmd_completion, .hidden = true },
	{ NULL }
};
