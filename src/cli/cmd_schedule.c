/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "schedule": plans that serve and the console launch by themselves. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/base/when.h"
#include "yardmaster/store/run_file.h"
#include "yardmaster/store/schedules.h"

#include "cli/owner_client.h"
#include "cli/plan_args.h"
#include "cli/session.h"
#include "cli/table.h"

#define NAME_MAX_BYTES 255

static int
open_registry(const struct cli *c, char **ret_state, struct registry **ret)
{
	int r;

	if ((*ret_state = owner_state_dir(c)) == NULL)
		return EXIT_ERRORS;
	if ((r = registry_open(*ret_state, ret)) < 0)
		return cli_fail(c, EXIT_ERRORS, "%s: %s", *ret_state,
		    err_text(r));
	return 0;
}

/* ---- add ---------------------------------------------------------------------- */

struct adding {
	struct plan *plan;
	struct fleet_spec *fleet;
	char *path, *fleet_path, *options, *who, *state;
	struct registry *registry;
	struct schedule row;
};

/* The options of the launch, as they were given. */
static char *
launch_options(const struct cli *c)
{
	static const struct cli_opt select_opts[] = { SELECT_OPTS, { NULL } };
	struct buf out = BUF_INIT, word = BUF_INIT;
	const struct strvec *values;
	const struct cli_opt *o;
	struct jw w;
	size_t i;

	jw_init(&w, &out);
	jw_array(&w);
	for (o = select_opts; o->name != NULL; o++) {
		values = cli_all(c, o->name);
		for (i = 0; i < values->n; i++) {
			buf_clear(&word);
			buf_putf(&word, "--%s", o->name);
			jw_str(&w, buf_str(&word));
			jw_str(&w, values->v[i]);
		}
	}
	jw_array_end(&w);
	buf_done(&word);
	return buf_steal(&out);
}

static int
check_name(const struct cli *c, const char *name)
{
	size_t n = strlen(name), i;
	bool good = n > 0 && n <= NAME_MAX_BYTES && text_is_utf8(name, n);

	for (i = 0; i < n && good; i++)
		good = (unsigned char)name[i] >= 0x20 && name[i] != 0x7f;
	return good ? 0 : cli_fail(c, EXIT_USAGE, "not a usable name: at most "
	    "%d bytes, no control characters", NAME_MAX_BYTES);
}

/* What the command line says, else the plan itself; and when that is first. */
static int
read_when(const struct cli *c, struct adding *a)
{
	int64_t now_us = clock_wall_us();
	char *error = NULL, at[WHEN_TEXT];
	struct when when;

	if (c->args.n > 1)
		a->row.when = c->args.v[1];
	else if (a->plan->schedule > 0)
		a->row.when = a->plan->schedules[a->plan->schedule - 1].text;
	else
		return cli_fail(c, EXIT_USAGE, "say when: %s has no schedule "
		    "of its own", c->args.v[0]);
	if (when_parse(a->row.when, &when, &error) < 0) {
		cli_fail(c, 0, "%s (%s)", error, WHEN_FORMS);
		free(error);
		return EXIT_USAGE;
	}
	a->row.added_us = now_us;
	a->row.next_us = when_first(&when, now_us);
	if (a->row.next_us < now_us)
		return cli_fail(c, EXIT_USAGE, "%s has passed",
		    when_format(a->row.next_us, at));
	return 0;
}

/* Plan and fleet as they are now; later they may be others. */
static int
check_both(const struct cli *c, struct adding *a)
{
	struct diags ds = DIAGS_INIT;
	int r;

	if ((r = plan_args_load(c, c->args.v[0], &a->plan)) != 0)
		return r;
	if (fleet_open(cli_get(c, "fleet"), &ds, &a->fleet) < 0 ||
	    plan_check_agents(a->plan, a->fleet, &ds) > 0)
		return cli_diags(&ds, EXIT_USAGE);
	cli_diags(&ds, 0);
	a->path = realpath(c->args.v[0], NULL);
	if (a->path == NULL)
		return cli_fail(c, EXIT_ERRORS, "%s: cannot be found again",
		    c->args.v[0]);
	a->fleet_path = engine_fleet_path(a->fleet);
	return 0;
}

static int
is_served(void *arg, const char *who, const char *fleet)
{
	return strcmp(arg, fleet) == 0;
}

static void
say_unserved(const struct cli *c, const char *name, const char *fleet)
{
	cli_fail(c, 0, "nobody launches %s now: open the console, or start "
	    "yardmaster serve, with %s%s", name, *fleet != '\0' ?
	    "--fleet " : "the embedded fleet", fleet);
}

static int
add(const struct cli *c, struct adding *a)
{
	char at[WHEN_TEXT], *safe;
	int r;

	a->row.name = cli_has(c, "name") ? cli_get(c, "name") :
	    a->plan->name;
	a->row.plan = a->path;
	a->row.fleet = a->fleet_path;
	a->row.options = a->options = launch_options(c);
	a->row.who = a->who = session_who();
	a->row.catch_up = cli_has(c, "catch-up");
	if ((r = check_name(c, a->row.name)) != 0 ||
	    (r = open_registry(c, &a->state, &a->registry)) != 0)
		return r;
	r = registry_schedule_add(a->registry, &a->row);
	if (r == ERR_EXISTS)
		return cli_fail(c, EXIT_USAGE, "there is a schedule %s: remove "
		    "it, or give another --name", a->row.name);
	if (r < 0)
		return cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
	safe = text_safe(a->row.name);
	printf("%s: %s, next %s\n", safe, a->row.when,
	    when_format(a->row.next_us, at));
	free(safe);
	if (serving_each(a->state, is_served, a->fleet_path) == 0)
		say_unserved(c, a->row.name, a->fleet_path);
	return EXIT_OK;
}

static int
cmd_add(struct cli *c)
{
	struct adding a = { .plan = NULL };
	int r;

	if ((r = check_both(c, &a)) == 0 && (r = read_when(c, &a)) == 0)
		r = add(c, &a);
	registry_close(a.registry);
	plan_free(a.plan);
	fleet_spec_free(a.fleet);
	free(a.path);
	free(a.fleet_path);
	free(a.options);
	free(a.who);
	free(a.state);
	return r;
}

/* ---- list --------------------------------------------------------------------- */

struct listing {
	const char *state;
	struct jw w;
	const char *fleet;	/* of the row at hand */
	bool served;
};

static int
write_server(void *arg, const char *who, const char *fleet)
{
	struct listing *l = arg;

	if (strcmp(fleet, l->fleet) == 0) {
		l->served = true;
		jw_str(&l->w, who);
	}
	return 0;
}

/* "passed", or whatever became of a run that was to be. */
static const char *
result_of(const struct listing *l, const struct schedule *s, int *ret_code)
{
	static const char *const results[] = { "passed", "failed", "error",
		"failed and error", NULL, "cancelled" };
	enum run_state state;
	int r;

	*ret_code = -1;
	r = run_state_read(l->state, s->run, &state, ret_code);
	if (r == 0 && state != RUN_ENDED)
		return run_state_name(state);
	if (r == 0 && *ret_code >= 0 && *ret_code <= 5)
		return results[*ret_code];
	if (s->note == NOTE_STARTING && s->note_us == s->run_us)
		return s->by != NULL && serving_lives(l->state, s->by) ?
		    "starting" : "lost: the process that had it ended";
	return s->note == NOTE_ERROR && s->note_us == s->run_us ?
	    "error: not launched" : "no longer kept";
}

static void
write_last(struct listing *l, const struct schedule *s)
{
	int code;

	jw_key(&l->w, "last");
	if (s->run == NULL) {
		jw_null(&l->w);
		return;
	}
	jw_object(&l->w);
	jw_kv_time(&l->w, "at", s->run_us);
	jw_kv_str(&l->w, "run", s->run);
	jw_kv_str(&l->w, "result", result_of(l, s, &code));
	if (code >= 0)
		jw_kv_int(&l->w, "exit_code", code);
	jw_object_end(&l->w);
}

/* The last occurrence that did not come to a run. */
static void
write_trouble(struct jw *w, const struct schedule *s)
{
	jw_key(w, "trouble");
	if (s->note <= NOTE_STARTING || s->note_us < s->run_us) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_str(w, "kind", schedule_note_name(s->note));
	jw_kv_time(w, "at", s->note_us);
	jw_kv_str(w, "text", s->text);
	jw_object_end(w);
}

static int
write_schedule(void *arg, const struct schedule *s)
{
	struct listing *l = arg;
	struct jw *w = &l->w;

	jw_object(w);
	jw_kv_str(w, "name", s->name);
	jw_kv_str(w, "plan", s->plan);
	jw_kv_str(w, "fleet", *s->fleet != '\0' ? s->fleet : NULL);
	jw_kv_str(w, "when", s->when);
	jw_key(w, "options");
	jw_raw(w, s->options, strlen(s->options));
	jw_kv_bool(w, "catch_up", s->catch_up);
	jw_kv_str(w, "who", s->who);
	jw_kv_time(w, "added", s->added_us);
	jw_kv_time(w, "next", s->next_us);
	write_last(l, s);
	write_trouble(w, s);
	jw_kv_int(w, "missed", s->missed);
	l->fleet = s->fleet;
	l->served = false;
	jw_key(w, "served_by");
	jw_array(w);
	serving_each(l->state, write_server, l);
	jw_array_end(w);
	jw_kv_bool(w, "served", l->served);
	jw_object_end(w);
	return 0;
}

static void
put_local(const char *text, struct buf *out)
{
	char at[WHEN_TEXT];
	int64_t us;

	if (text == NULL || clock_parse(text, &us) < 0)
		buf_putc(out, '-');
	else
		buf_puts(out, when_format(us, at));
}

static void
cell_next(const struct jval *row, struct buf *out)
{
	put_local(jval_get_str(row, "next", NULL), out);
}

static void
cell_served(const struct jval *row, struct buf *out)
{
	bool served = jval_get_bool(row, "served", false);

	buf_puts(out, jval_get_str(row, "next", NULL) == NULL ? "over" :
	    served ? "yes" : "NOBODY");
}

static void
cell_last(const struct jval *row, struct buf *out)
{
	const struct jval *last = jval_get(row, "last");

	put_local(jval_get_str(last, "at", NULL), out);
	if (jval_get_str(last, "run", NULL) != NULL)
		buf_putf(out, " %s %s", jval_get_str(last, "run", ""),
		    jval_get_str(last, "result", ""));
}

static void
cell_trouble(const struct jval *row, struct buf *out)
{
	const struct jval *t = jval_get(row, "trouble");
	int64_t missed = jval_get_int(row, "missed", 0);

	if (jval_get_str(t, "kind", NULL) != NULL) {
		buf_putf(out, "%s ", jval_get_str(t, "kind", ""));
		put_local(jval_get_str(t, "at", NULL), out);
		if (jval_get_str(t, "text", NULL) != NULL)
			buf_putf(out, ": %s", jval_get_str(t, "text", ""));
	}
	if (missed > 0)
		buf_putf(out, "%s%lld missed", buf_len(out) > 0 ? "; " : "",
		    (long long)missed);
	if (buf_len(out) == 0)
		buf_putc(out, '-');
}

static const struct column columns[] = {
	{ .title = "SCHEDULE", .key = "name" },
	{ .title = "WHEN", .key = "when" },
	{ .title = "NEXT", .cell = cell_next },
	{ .title = "LAUNCHED", .cell = cell_served },
	{ .title = "LAST", .cell = cell_last },
	{ .title = "TROUBLE", .cell = cell_trouble },
	{ .title = "WHO", .key = "who" },
	{ .title = "PLAN", .key = "plan" },
	{ NULL }
};

static void
print_table(const struct cli *c, const struct jval *rows)
{
	const struct jval *row;
	size_t i;

	table_print(columns, rows);
	for (i = 0; i < jval_count(rows); i++) {
		row = jval_at(rows, i);
		if (jval_get_str(row, "next", NULL) != NULL &&
		    !jval_get_bool(row, "served", false))
			say_unserved(c, jval_get_str(row, "name", ""),
			    jval_get_str(row, "fleet", ""));
	}
}

static int
cmd_list(struct cli *c)
{
	struct registry *registry = NULL;
	struct listing l = { .served = false };
	struct buf out = BUF_INIT;
	struct jval *v = NULL;
	char *state = NULL;
	int r;

	if ((r = open_registry(c, &state, &registry)) != 0)
		goto out;
	l.state = state;
	jw_init(&l.w, &out);
	jw_object(&l.w);
	jw_key(&l.w, "schedules");
	jw_array(&l.w);
	r = registry_schedule_each(registry, write_schedule, &l);
	jw_array_end(&l.w);
	jw_object_end(&l.w);
	if (r < 0)
		r = cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
	else if (cli_has(c, "json"))
		printf("%s\n", buf_str(&out));
	else if (jval_parse(&v, buf_data(&out), buf_len(&out)) == 0)
		print_table(c, jval_get(v, "schedules"));
out:
	registry_close(registry);
	jval_free(v);
	buf_done(&out);
	free(state);
	return r;
}

/* ---- remove ------------------------------------------------------------------- */

static int
cmd_remove(struct cli *c)
{
	struct registry *registry = NULL;
	char *state = NULL;
	int r;

	if ((r = open_registry(c, &state, &registry)) != 0)
		goto out;
	r = registry_schedule_remove(registry, c->args.v[0]);
	if (r == ERR_NOT_FOUND)
		r = cli_fail(c, EXIT_USAGE, "%s: no such schedule; yardmaster "
		    "schedule list shows them", c->args.v[0]);
	else if (r < 0)
		r = cli_fail(c, EXIT_ERRORS, "%s", err_text(r));
out:
	registry_close(registry);
	free(state);
	return r;
}

static const struct cli_opt add_opts[] = {
	FLEET_OPT, SELECT_OPTS,
	{ "name", 0, "NAME", "what it is called (default: as the plan)" },
	{ "catch-up", 0, NULL, "launch the latest that was missed, once" },
	{ NULL }
};
static const struct cli_opt list_opts[] = { JSON_OPT, { NULL } };

const struct cli_command cli_schedule_commands[] = {
	{ "schedule add", "PLAN [WHEN]", "have a plan launched by itself",
	    "WHEN is \"HH:MM\" (every day), five fields of cron, or, for once, "
	    "an RFC 3339\ninstant or \"+30m\"; without it the schedule of the "
	    "plan. An open console or\nserve with the same fleet launches it.\n",
	    add_opts, 1, 2, cmd_add },
	{ "schedule list", "", "what is launched by itself: next, last, who",
	    NULL, list_opts, 0, 0, cmd_list },
	{ "schedule remove", "NAME", "no longer launch it", NULL, NULL, 1, 1,
	    cmd_remove },
	{ NULL }
};
