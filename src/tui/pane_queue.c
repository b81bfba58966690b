/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Queue pane: what is not running yet, the reason first; and its groups
 * by cause.
 */
#include "config.h"

#include "yardmaster/base/buf.h"
#include "tui/attention.h"
#include "tui/cells.h"

static void
text_reason(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	if (o->exec->reason != REASON_NONE)
		cell_reason(o->exec, out);
	else
		cell_state(t, out, LOOK_EXEC, o->exec->state);
}

static struct sortkey
key_reason(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->exec->reason, NULL };
}

static void
text_test(const struct tui *t, const struct object *o, struct cellout *out)
{
	tui_exec_name(o->exec, out->b);
}

static struct sortkey
key_test(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->exec->test };
}

static void
text_since(const struct tui *t, const struct object *o, struct cellout *out)
{
	char age[DURATION_TEXT];

	buf_puts(out->b, tui_age(t, o->exec->since_us, age));
}

static struct sortkey
key_since(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->exec->since_us, NULL };
}

static void
text_next(const struct tui *t, const struct object *o, struct cellout *out)
{
	cell_next(t, o->exec, out->b);
}

static struct sortkey
key_next(const struct tui *t, const struct object *o)
{
	return (struct sortkey){
		o->exec->next_us > 0 ? o->exec->next_us : INT64_MAX, NULL };
}

static void
text_row(const struct tui *t, const struct object *o, struct cellout *out)
{
	cell_row_target(o->exec, out->b);
}

static struct sortkey
key_row(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->exec->target };
}

static void
text_agent(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->agent != NULL)
		buf_puts(out->b, o->agent->name);
}

static struct sortkey
key_agent(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->exec->agent, NULL };
}

static void
text_attempt(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	if (o->exec->attempt > 0)
		buf_putf(out->b, "%u", o->exec->attempt);
}

static void
text_estimate(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	cell_duration(out, o->exec->estimate_us);
}

static struct sortkey
key_estimate(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->exec->estimate_us, NULL };
}

static void
text_id(const struct tui *t, const struct object *o, struct cellout *out)
{
	buf_putf(out->b, "%s/%u", o->run->id, o->exec->no);
}

static const struct column columns[] = {
	{ "reason", "REASON", 18, 44, 0, false, text_reason, key_reason },
	{ "test", "TEST", 12, 0, 1, false, text_test, key_test },
	{ "wait", "WAIT", 5, 6, 2, true, text_since, key_since },
	{ "next", "NEXT", 6, 7, 3, true, text_next, key_next },
	{ "target", "ROW/TARGET", 10, 16, 4, false, text_row, key_row },
	{ "agent", "AGENT", 8, 14, 5, false, text_agent, key_agent },
	{ "attempt", "TRY", 3, 3, 6, true, text_attempt, NULL },
	{ "estimate", "ESTIM", 5, 6, 7, true, text_estimate, key_estimate },
	{ "id", "ID", 16, 18, 8, false, text_id, NULL },
	{ NULL }
};

static bool
in_scope(const struct table *tb, const struct execution *x)
{
	if (x->state > EXEC_ASSIGNED)
		return false;
	return tb->scope.kind != SCOPE_REASON ||
	    x->reason == tb->scope.reason;
}

static void
build(struct tui *t, struct table *tb)
{
	size_t i, n = engine_run_count(t->engine);
	const struct run *run;
	struct object o;
	uint32_t k;

	for (i = 0; i < n; i++) {
		run = engine_run(t->engine, i);
		if (run->executions == NULL || run->state == RUN_ENDED)
			continue;
		object_run(run, &o);
		for (k = 0; k < run->n; k++) {
			if (!in_scope(tb, &run->executions[k]))
				continue;
			object_set_exec(t, &run->executions[k], &o);
			table_add(tb, &o);
		}
	}
}

const struct pane pane_queue = { "queue", "Queue",
	"nothing waits in the runs of this console", columns,
	-1, false, build, why_open, detail_exec };

/* The causes: how many wait for each, and since when. */

static void
text_cause(const struct tui *t, const struct object *o, struct cellout *out)
{
	static const uint8_t roles[] = { [CLEARS_ITSELF] = ROLE_NORMAL,
		[CLEARS_OPERATOR] = ROLE_BAD, [CLEARS_EITHER] = ROLE_WARN };

	out->style.role = roles[reason_info(o->cause->reason)->clears];
	buf_puts(out->b, reason_name(o->cause->reason));
}

static void
text_count(const struct tui *t, const struct object *o, struct cellout *out)
{
	buf_putf(out->b, "%u", o->cause->n);
}

/* What a cure would free most comes first. */
static struct sortkey
key_count(const struct tui *t, const struct object *o)
{
	return (struct sortkey){
		(int64_t)o->cause->stuck << 32 | o->cause->n, NULL };
}

static void
text_oldest(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	char age[DURATION_TEXT];

	buf_puts(out->b, tui_age(t, o->cause->oldest_us, age));
}

static struct sortkey
key_oldest(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ -o->cause->oldest_us, NULL };
}

static void
text_clears(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	static const char *const words[] = { [CLEARS_ITSELF] = "itself",
		[CLEARS_OPERATOR] = "operator", [CLEARS_EITHER] = "either" };

	buf_puts(out->b, words[reason_info(o->cause->reason)->clears]);
}

static void
text_facts(const struct tui *t, const struct object *o, struct cellout *out)
{
	buf_puts(out->b, o->cause->text[0] != '\0' ? o->cause->text
	    : reason_info(o->cause->reason)->help);
}

static const struct column cause_columns[] = {
	{ "reason", "CAUSE", 16, 18, 0, false, text_cause, NULL },
	{ "count", "WAITING", 7, 8, 1, true, text_count, key_count },
	{ "oldest", "OLDEST", 6, 7, 2, true, text_oldest, key_oldest },
	{ "clears", "CLEARS", 8, 8, 4, false, text_clears, NULL },
	{ "facts", "FACTS", 12, 0, 3, false, text_facts, NULL },
	{ NULL }
};

static void
build_causes(struct tui *t, struct table *tb)
{
	struct object o;
	int r;

	for (r = 1; r < REASONS; r++)
		if (object_find(t, rowid_plain(OBJ_CAUSE, (uint64_t)r), &o))
			table_add(tb, &o);
}

static void
open_cause(struct tui *t, const struct object *o)
{
	struct scope scope = { .kind = SCOPE_REASON,
		.reason = o->cause->reason };

	tui_push(t, table_view_new(t, &pane_queue, &scope));
}

const struct pane pane_causes = { "causes", "Causes",
	"nothing waits in the runs of this console",
	cause_columns, 1, true, build_causes, open_cause, NULL };
