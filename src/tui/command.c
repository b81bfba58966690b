/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ":" line, derived from the action table. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "tui/command.h"

/* Short forms that hands know from elsewhere. */
static const struct {
	const char *word, *name;
} short_forms[] = { { "q", "quit" }, { "w", "save" }, { "run", "launch" },
	{ "h", "help" }, { "sort", "sort-next" }, { "set", "max-workers" },
	{ "ack", "acknowledge" } };
#define N_SHORT (sizeof(short_forms) / sizeof(short_forms[0]))

static size_t
word_length(const char *text)
{
	return strcspn(text, " ");
}

int
command_find(const char *text)
{
	size_t i, n = word_length(text);
	int found = -1;

	for (i = 0; i < N_SHORT; i++)
		if (strlen(short_forms[i].word) == n &&
		    strncmp(short_forms[i].word, text, n) == 0)
			return action_find(short_forms[i].name);
	for (i = 0; i < n_actions && n > 0; i++) {
		if (strncmp(actions[i].name, text, n) != 0)
			continue;
		if (actions[i].name[n] == '\0')
			return (int)i;
		found = found == -1 ? (int)i : -2;
	}
	return found;
}

void
command_run(struct tui *t, const char *text)
{
	const char *arg, *near;
	int action;
	char word[64];

	text += strspn(text, " ");
	if (*text == '\0')
		return;
	action = command_find(text);
	arg = text + word_length(text);
	arg += strspn(arg, " ");
	if (action >= 0) {
		tui_run_action(t, action, *arg != '\0' ? arg : NULL);
		return;
	}
	snprintf(word, sizeof(word), "%.*s", (int)word_length(text), text);
	near = action_nearest(word);
	tui_status(t, ROLE_STATUS_WARN, action == -2
	    ? "%s means several commands%s%s%s" : "no command %s%s%s%s",
	    word, near != NULL ? "; did you mean " : "",
	    near != NULL ? near : "", near != NULL ? "?" : "");
}

void
command_hint(const char *text, char *out, size_t size)
{
	size_t i, at = 0, n = word_length(text);
	int action = command_find(text);

	out[0] = '\0';
	if (action >= 0) {
		snprintf(out, size, "%s %s: %s", actions[action].name,
		    actions[action].argument != NULL
		    ? actions[action].argument : "", actions[action].help);
		return;
	}
	for (i = 0; i < n_actions && n > 0 && at < size; i++)
		if (strncmp(actions[i].name, text, n) == 0)
			at += (size_t)snprintf(out + at, size - at, "%s%s",
			    at > 0 ? " " : "", actions[i].name);
}

/* How many bytes all names that begin with text have in common. */
static size_t
common_length(const char *text, size_t n, const char **ret_name)
{
	size_t i, k, common = 0;
	const char *name = NULL;

	for (i = 0; i < n_actions; i++) {
		if (strncmp(actions[i].name, text, n) != 0)
			continue;
		if (name == NULL) {
			name = actions[i].name;
			common = strlen(name);
			continue;
		}
		for (k = 0; k < common && actions[i].name[k] == name[k]; k++)
			continue;
		common = k;
	}
	*ret_name = name;
	return common;
}

void
command_complete(struct lineedit *line, char *hint, size_t size)
{
	const char *name;
	char word[64];
	size_t n = common_length(line->text, line->n, &name);

	if (name == NULL || strchr(line->text, ' ') != NULL)
		return;
	snprintf(word, sizeof(word), "%.*s%s", (int)n, name,
	    name[n] == '\0' ? " " : "");
	lineedit_set(line, word);
	command_hint(line->text, hint, size);
}
