/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of actions. A new key or command is one row here. */
#include "config.h"

#include <string.h>

#include "yardmaster/base/text.h"
#include "tui/action.h"
#include "tui/opform.h"
#include "yardmaster/model/reason.h"

/* clang-format off */
#define GLOBAL .context = CTX_GLOBAL
#define TABLE .context = CTX_TABLE
#define MOVE(i) .context = CTX_MOVE, .fn = act_view, .id = i, .n = i
#define LOG(i) .context = CTX_LOG, .fn = act_view, .id = i, .n = i
#define DIALOG(i) .context = CTX_DIALOG, .fn = act_view, .id = i, .n = i
#define PANE(i) GLOBAL, .fn = act_pane, .n = i
#define FORM(i) TABLE, .fn = act_form, .n = i, .class = ACTION_CHANGE

const struct action actions[] = {
	{ "open", "open what the cursor is on", "open",
	    MOVE(ACT_OPEN) },
	{ "back", "go back, close, or drop the filter", "back",
	    MOVE(ACT_BACK) },
	{ "menu", "what can be done with the row or the marked rows", "actions",
	    TABLE, .fn = act_menu },
	{ "why", "every reason why an execution is not running", "why",
	    TABLE, .fn = act_why, .letter = 'w',
	    .on = ON_EXEC | ON_WORKER },
	{ "max-workers", "set the most workers that may be busy at once", "max",
	    FORM(FORM_MAX_WORKERS), .letter = 'm', .on = ON_AGENT | ON_WAITING,
	    .argument = "VALUE" },
	{ "threshold", "set the most workers for distributed work", "threshold",
	    FORM(FORM_THRESHOLD), .letter = 't', .on = ON_AGENT | ON_WAITING,
	    .argument = "VALUE" },
	{ "edit", "edit the settings of agents", NULL,
	    FORM(FORM_SETTINGS), .letter = 'e', .on = ON_AGENT },
	{ "amend-agent", "give an agent the labels and targets it lacks", NULL,
	    FORM(FORM_AMEND_AGENT), .letter = 'E', .on = ON_WAITING },
	{ "add-agent", "add an agent to the fleet", NULL,
	    FORM(FORM_ADD_AGENT), .letter = 'A', .on = ON_WAITING,
	    .argument = "NAME" },
	{ "guards", "set what a host must have for anything to start", NULL,
	    FORM(FORM_GUARDS), .letter = 'f', .on = ON_AGENT | ON_WAITING },
	{ "drain", "let run, start nothing, move what is queued", NULL,
	    FORM(FORM_DRAIN), .letter = 'd', .on = ON_AGENT,
	    .argument = "NOTE" },
	{ "undrain", "end a drain", NULL,
	    FORM(FORM_UNDRAIN), .letter = 'u', .on = ON_AGENT | ON_WAITING },
	{ "hold", "let run, start nothing, keep what is queued", NULL,
	    FORM(FORM_HOLD), .letter = 'h',
	    .on = ON_AGENT | ON_EXEC | ON_RUN, .argument = "NOTE" },
	{ "release", "end a hold", NULL,
	    FORM(FORM_RELEASE), .letter = 'r',
	    .on = ON_AGENT | ON_EXEC | ON_RUN | ON_CAUSE },
	{ "cancel", "end executions or a run now", NULL,
	    TABLE, .fn = act_form, .n = FORM_CANCEL, .class = ACTION_DESTROY,
	    .letter = 'c', .on = ON_EXEC | ON_WORKER | ON_RUN | ON_CAUSE },
	{ "cancel-holder", "end what has what it waits for", NULL,
	    TABLE, .fn = act_form, .n = FORM_CANCEL_HOLDER,
	    .class = ACTION_DESTROY, .letter = 'C', .on = ON_WAITING },
	{ "holder", "why what it waits for goes on or waits itself", NULL,
	    TABLE, .fn = act_holder, .letter = 'H', .on = ON_WAITING,
	    .cures = CURE_SHOW_HOLDER },
	{ "requeue", "end the attempt and try elsewhere", NULL,
	    TABLE, .fn = act_form, .n = FORM_REQUEUE,
	    .class = ACTION_DESTROY, .letter = 'q',
	    .on = ON_EXEC | ON_WORKER | ON_CAUSE },
	{ "move", "run it on one agent, whatever its threshold", NULL,
	    FORM(FORM_MOVE), .letter = 'o', .on = ON_EXEC,
	    .argument = "AGENT" },
	{ "priority", "set the priority of a run", NULL,
	    FORM(FORM_PRIORITY), .letter = 'p', .on = ON_RUN | ON_EXEC,
	    .argument = "NUMBER" },
	{ "skip", "end what waits as skipped", NULL,
	    TABLE, .fn = act_form, .n = FORM_SKIP, .class = ACTION_DESTROY,
	    .letter = 's', .on = ON_WAITING },
	{ "run-anyway", "run it without what it waits for", NULL,
	    FORM(FORM_RUN_ANYWAY), .letter = 'R', .on = ON_WAITING },
	{ "start-now", "end its delay", NULL,
	    FORM(FORM_START_NOW), .letter = 'N', .on = ON_WAITING },
	{ "override", "let it use what is reserved for others", NULL,
	    FORM(FORM_OVERRIDE), .letter = 'O', .on = ON_WAITING },
	{ "amend", "change the limit or rule of the plan it waits for", NULL,
	    FORM(FORM_AMEND), .letter = 'M', .on = ON_WAITING },
	{ "pause", "send nothing more, of any run", NULL,
	    FORM(FORM_PAUSE), .letter = 'P', .on = ON_RUN,
	    .argument = "NOTE" },
	{ "go-on", "end a pause of dispatch", NULL,
	    FORM(FORM_GO_ON), .letter = 'G', .on = ON_RUN | ON_WAITING },
	{ "reconnect", "try the link of an agent again now", NULL,
	    FORM(FORM_RECONNECT), .letter = 'n', .on = ON_AGENT | ON_WAITING },
	{ "clear", "use a benched agent again", NULL,
	    FORM(FORM_CLEAR), .letter = 'b', .on = ON_AGENT | ON_WAITING },
	{ "probe", "send one execution to a benched agent", NULL,
	    FORM(FORM_PROBE), .letter = 'i', .on = ON_AGENT | ON_WAITING },
	{ "declare-dead", "give up an agent that is silent", NULL,
	    TABLE, .fn = act_form, .n = FORM_DEAD, .class = ACTION_DESTROY,
	    .letter = 'z', .on = ON_AGENT | ON_WAITING },
	{ "declare-lost", "give up the attempt of a silent agent", NULL,
	    TABLE, .fn = act_form, .n = FORM_LOST, .class = ACTION_DESTROY,
	    .letter = 'j', .on = ON_EXEC },
	{ "take", "take a worker for yourself", NULL,
	    FORM(FORM_TAKE), .letter = 'T', .on = ON_AGENT,
	    .argument = "NOTE" },
	{ "give-back", "give back a worker that a person took", NULL,
	    TABLE, .fn = act_form, .n = FORM_GIVE_BACK,
	    .class = ACTION_DESTROY, .letter = 'B',
	    .on = ON_AGENT | ON_WAITING },
	{ "adopt", "take over a run whose owner is gone", NULL,
	    FORM(FORM_ADOPT), .letter = 'v', .on = ON_RUN | ON_EXEC },
	{ "answer", "answer what the link of an agent asks", NULL,
	    TABLE, .fn = act_answer, .class = ACTION_CHANGE, .letter = 'k',
	    .on = ON_ASKING },
	{ "log", "output of an execution", "log",
	    TABLE, .fn = act_log, .letter = 'l', .on = ON_EXEC | ON_WORKER },
	{ "link-log", "what the link to an agent and ssh said last", NULL,
	    TABLE, .fn = act_link_log, .letter = 'K',
	    .on = ON_AGENT | ON_WAITING, .cures = CURE_SHOW_LOG },
	{ "launch", "launch a plan", "launch",
	    TABLE, .fn = act_launch, .class = ACTION_CHANGE, .letter = 'x',
	    .on = ON_PLAN, .argument = "PLAN" },
	{ "exec", "run a command on the marked agents, or on all", NULL,
	    TABLE, .fn = act_exec, .class = ACTION_CHANGE,
	    .argument = "COMMAND" },
	{ "acknowledge", "acknowledge a row until it worsens", "acknowledge",
	    TABLE, .fn = act_acknowledge, .letter = 'a', .on = ON_ATTENTION,
	    .argument = "NOTE" },
	{ "timeline", "workers over time, executions as blocks", NULL,
	    TABLE, .fn = act_timeline, .letter = 'g', .on = ON_RUN | ON_EXEC },
	{ "filter", "show only rows or lines that match", "filter",
	    .context = CTX_MOVE, .fn = act_filter, .id = ACT_FILTER,
	    .argument = "EXPRESSION" },
	{ "search", "go to the next row or line that matches", "search",
	    .context = CTX_MOVE, .fn = act_search, .id = ACT_SEARCH,
	    .argument = "EXPRESSION" },
	{ "search-next", "next match", NULL, MOVE(ACT_SEARCH_NEXT) },
	{ "search-previous", "previous match", NULL,
	    MOVE(ACT_SEARCH_PREVIOUS) },
	{ "sort-next", "sort by the next column", NULL,
	    TABLE, .fn = act_sort, .n = 1, .argument = "COLUMN" },
	{ "sort-previous", "sort by the previous column", NULL,
	    TABLE, .fn = act_sort, .n = -1 },
	{ "sort-reverse", "turn the order round", NULL,
	    TABLE, .fn = act_sort_reverse },
	{ "columns", "choose columns", NULL, TABLE, .fn = act_columns },
	{ "mark", "mark or unmark the row", "mark",
	    TABLE, .fn = act_mark, .n = 0 },
	{ "mark-range", "mark from the last marked row to here", NULL,
	    TABLE, .fn = act_mark, .n = 1 },
	{ "mark-all", "mark all rows shown", "all",
	    TABLE, .fn = act_mark, .n = 2 },
	{ "mark-none", "drop all marks", NULL, TABLE, .fn = act_mark, .n = 3 },
	{ "undo", "take back the last edit, while the agent has our value",
	    "undo", TABLE, .fn = act_undo, .class = ACTION_CHANGE },
	{ "copy", "copy the row to the clipboard (OSC 52)", NULL,
	    TABLE, .fn = act_copy },

	{ "follow", "stay at the end of the output", "follow",
	    LOG(ACT_FOLLOW) },
	{ "wrap", "wrap long lines", "wrap", LOG(ACT_WRAP) },
	{ "stamps", "show when each line came", "stamps", LOG(ACT_STAMPS) },
	{ "next-failure", "go to the next line that looks like a failure",
	    "failure", LOG(ACT_NEXT_FAILURE) },
	{ "save", "save the output to a file", "save", LOG(ACT_SAVE) },

	{ "confirm", "do what is asked", "do it", DIALOG(ACT_CONFIRM) },
	{ "next-field", "next field", NULL, DIALOG(ACT_NEXT_FIELD) },
	{ "previous-field", "previous field", NULL,
	    DIALOG(ACT_PREVIOUS_FIELD) },

	{ "up", "one row up", NULL, MOVE(ACT_UP) },
	{ "down", "one row down", NULL, MOVE(ACT_DOWN) },
	{ "page-up", "one page up", NULL, MOVE(ACT_PAGE_UP) },
	{ "page-down", "one page down", NULL, MOVE(ACT_PAGE_DOWN) },
	{ "half-up", "half a page up", NULL, MOVE(ACT_HALF_UP) },
	{ "half-down", "half a page down", NULL, MOVE(ACT_HALF_DOWN) },
	{ "first", "to the first row", NULL, MOVE(ACT_FIRST) },
	{ "last", "to the last row", NULL, MOVE(ACT_LAST) },
	{ "left", "scroll left", NULL, MOVE(ACT_LEFT) },
	{ "right", "scroll right", NULL, MOVE(ACT_RIGHT) },

	{ "attention", "what wants a person, worst first", NULL, PANE(0) },
	{ "overview", "agents, workers and queue at once", NULL, PANE(1) },
	{ "agents", "agents", NULL, PANE(2) },
	{ "queue", "what waits, and why", NULL, PANE(3) },
	{ "workers", "what each worker does", NULL, PANE(4) },
	{ "plans", "plans that can be launched", NULL, PANE(5) },
	{ "runs", "runs", NULL, PANE(6) },
	{ "output", "the last opened output", NULL, PANE(7) },
	{ "events", "what happened", NULL, PANE(8) },
	{ "next-pane", "next pane", NULL,
	    GLOBAL, .fn = act_cycle_pane, .n = 1, .id = ACT_NEXT_PANE },
	{ "previous-pane", "previous pane", NULL,
	    GLOBAL, .fn = act_cycle_pane, .n = -1, .id = ACT_PREVIOUS_PANE },
	{ "freeze", "stop and go on with what is shown", NULL,
	    GLOBAL, .fn = act_freeze },
	{ "reload", "reconnect lost links, read theme and key map again", NULL,
	    GLOBAL, .fn = act_reload },
	{ "read-only", "refuse changes from now on, or allow them", NULL,
	    GLOBAL, .fn = act_read_only },
	{ "theme", "use another theme", NULL,
	    GLOBAL, .fn = act_theme, .argument = "NAME" },
	{ "keymap", "use another key map", NULL,
	    GLOBAL, .fn = act_keymap, .argument = "NAME" },
	{ "diagnostics", "faults of theme, key map and other files", NULL,
	    GLOBAL, .fn = act_diagnostics },
	{ "redraw", "draw the whole screen again", NULL,
	    GLOBAL, .fn = act_redraw },
	{ "suspend", "stop the console; links stand still", NULL,
	    GLOBAL, .fn = act_suspend },
	{ "command", "type a command", NULL,
	    GLOBAL, .fn = act_command, .argument = "COMMAND" },
	{ "help", "all keys of this view", "help", GLOBAL, .fn = act_help },
	{ "quit", "leave; what was sent goes on on the agents", NULL,
	    GLOBAL, .fn = act_quit },
};
/* clang-format on */
const size_t n_actions = sizeof(actions) / sizeof(actions[0]);

static const char *const context_names[CONTEXTS] = {
	[CTX_GLOBAL] = "everywhere",
	[CTX_MOVE] = "moving and finding",
	[CTX_TABLE] = "tables",
	[CTX_LOG] = "output",
	[CTX_DIALOG] = "dialogs",
};

const char *
context_name(enum context c)
{
	return context_names[c];
}

int
action_find(const char *name)
{
	size_t i;

	for (i = 0; i < n_actions; i++)
		if (strcmp(actions[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *
action_nearest(const char *word)
{
	const char *best = NULL;
	unsigned d, least = 3;
	size_t i;

	for (i = 0; i < n_actions; i++) {
		d = text_distance(word, actions[i].name);
		if (d < least) {
			least = d;
			best = actions[i].name;
		}
	}
	return best;
}
