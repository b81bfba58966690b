/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Runs pane, and the executions of one run, failures first. */
#include "config.h"

#include "yardmaster/base/buf.h"
#include "tui/cells.h"

#define GAUGE 10

static uint32_t
bad(const struct run *r)
{
	const uint32_t *n = r->counts.n;

	return n[EXEC_FAILED] + n[EXEC_TIMEOUT] + n[EXEC_ERROR];
}

static void
text_run(const struct tui *t, const struct object *o, struct cellout *out)
{
	buf_putf(out->b, "%s", o->run->id);
}

static struct sortkey
key_run(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->run->id };
}

static void
text_plan(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->run->plan != NULL)
		buf_puts(out->b, o->run->plan);
}

static struct sortkey
key_plan(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->run->plan };
}

static void
text_counts(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	const struct counts *c = &o->run->counts;

	out->style.role = bad(o->run) > 0 ? ROLE_BAD : ROLE_NORMAL;
	buf_putf(out->b, "%u/%u/%u", counts_final(c), bad(o->run),
	    counts_total(c));
}

static struct sortkey
key_failed(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ bad(o->run), NULL };
}

static void
text_gauge(const struct tui *t, const struct object *o, struct cellout *out)
{
	cell_gauge(t, out, GAUGE, counts_final(&o->run->counts), 0,
	    counts_total(&o->run->counts));
}

static void
text_state(const struct tui *t, const struct object *o, struct cellout *out)
{
	cell_state(t, out, LOOK_RUN, o->run->state);
}

static struct sortkey
key_state(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->run->state, NULL };
}

static void
text_workers(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	if (o->run->workers > 0)
		buf_putf(out->b, "%u", o->run->workers);
}

static struct sortkey
key_workers(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ o->run->workers, NULL };
}

static int64_t
elapsed_us(const struct tui *t, const struct run *r)
{
	if (r->started_wall_us == 0)
		return 0;
	return (r->ended_wall_us > 0 ? r->ended_wall_us : t->now_wall_us) -
	    r->started_wall_us;
}

static void
text_elapsed(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	cell_duration(out, elapsed_us(t, o->run));
}

static struct sortkey
key_elapsed(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ elapsed_us(t, o->run), NULL };
}

static void
text_end(const struct tui *t, const struct object *o, struct cellout *out)
{
	char text[DURATION_TEXT];

	if (o->run->state != RUN_ENDED && o->run->predicted_end_us > t->now_us)
		buf_putf(out->b, "in %s", duration_coarse(
		    o->run->predicted_end_us - t->now_us, text));
}

static void
text_owner(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->run->ours)
		buf_puts(out->b, "this console");
	else if (o->run->owner != NULL)
		buf_puts(out->b, o->run->owner);
}

static const struct column columns[] = {
	{ "run", "RUN", 11, 11, 0, false, text_run, key_run },
	{ "counts", "DONE/FAILED/ALL", 11, 15, 1, true, text_counts,
	    key_failed },
	{ "gauge", "", GAUGE, GAUGE, 5, false, text_gauge, NULL },
	{ "state", "STATE", 9, 10, 2, false, text_state, key_state },
	{ "plan", "PLAN", 10, 0, 3, false, text_plan, key_plan },
	{ "workers", "WORK", 4, 7, 6, true, text_workers, key_workers },
	{ "elapsed", "ELAPSED", 7, 7, 4, true, text_elapsed, key_elapsed },
	{ "end", "END", 6, 7, 7, true, text_end, NULL },
	{ "owner", "OWNER", 12, 26, 8, false, text_owner, NULL },
	{ NULL }
};

static void
build(struct tui *t, struct table *tb)
{
	size_t i, n = engine_run_count(t->engine);
	struct object o;

	for (i = 0; i < n; i++) {
		object_run(engine_run(t->engine, i), &o);
		table_add(tb, &o);
	}
}

static void
open_run(struct tui *t, const struct object *o)
{
	struct scope scope = { .kind = SCOPE_RUN };

	memcpy(scope.run, o->run->id, sizeof(scope.run));
	tui_push(t, table_view_new(t, &pane_execs, &scope));
}

/* When it is, and what that means for the workers. */
static void
detail_deadline(const struct run *r, struct lines *out)
{
	char text[CLOCK_TEXT];

	if (r->deadline_wall_us == 0 || r->state == RUN_ENDED)
		return;
	clock_format(r->deadline_wall_us, text);
	if (r->enough > 0)
		lines_fact(out, "deadline", ROLE_NORMAL,
		    "%s, %u workers are enough", text, r->enough);
	else
		lines_fact(out, "deadline", ROLE_WARN,
		    "%s, all workers are used", text);
}

static void
detail(struct tui *t, const struct object *o, struct lines *out)
{
	const struct run *r = o->run;
	char text[CLOCK_TEXT];
	int s;

	lines_add(out, ROLE_STRONG, "%s %s", r->id,
	    r->plan != NULL ? r->plan : "");
	lines_fact(out, "state", ROLE_NORMAL, "%s%s", run_state_name(r->state),
	    r->adopted ? ", adopted" : "");
	for (s = 0; s < EXEC_STATES; s++)
		if (r->counts.n[s] > 0)
			lines_fact(out, exec_state_name((enum exec_state)s),
			    theme_state(&t->theme, LOOK_EXEC, (unsigned)s)
				->style.role, "%u", r->counts.n[s]);
	lines_fact(out, "planned", ROLE_STRONG, "%u",
	    counts_total(&r->counts));
	if (r->started_wall_us > 0)
		lines_fact(out, "started", ROLE_NORMAL, "%s",
		    clock_format(r->started_wall_us, text));
	detail_deadline(r, out);
	if (r->ended_wall_us > 0)
		lines_fact(out, "ended", ROLE_NORMAL, "%s",
		    clock_format(r->ended_wall_us, text));
	lines_fact(out, "owner", ROLE_NORMAL, "%s",
	    r->owner != NULL ? r->owner : "nobody");
	if (r->held.on)
		lines_fact(out, "held by", ROLE_WARN, "%s%s%s",
		    r->held.who != NULL ? r->held.who : "?",
		    r->held.note != NULL ? ": " : "",
		    r->held.note != NULL ? r->held.note : "");
	if (r->held.on && r->held.expires_wall_us > 0)
		lines_fact(out, "until", ROLE_NORMAL, "%s",
		    clock_format(r->held.expires_wall_us, text));
}

const struct pane pane_runs = { "runs", "Runs",
	"no run yet; 5 lists plans, x launches one", columns, -1, false,
	build, open_run, detail };

/* The executions of a run. */

static void
text_exec_state(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	cell_state(t, out, LOOK_EXEC, o->exec->state);
	if (o->exec->unknown)
		buf_putc(out->b, '?');
}

/* Failures first, then what goes on, then what is well. */
static struct sortkey
key_exec_state(const struct tui *t, const struct object *o)
{
	static const uint8_t rank[EXEC_STATES] = { [EXEC_ERROR] = 0,
		[EXEC_TIMEOUT] = 1, [EXEC_FAILED] = 2, [EXEC_RUNNING] = 3,
		[EXEC_ASSIGNED] = 4, [EXEC_WAITING] = 5,
		[EXEC_CANCELLED] = 6, [EXEC_SKIPPED] = 7,
		[EXEC_HEALED] = 8, [EXEC_PASSED] = 9 };

	return (struct sortkey){ rank[o->exec->state], NULL };
}

static void
text_exec(const struct tui *t, const struct object *o, struct cellout *out)
{
	tui_exec_name(o->exec, out->b);
}

static struct sortkey
key_exec(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ 0, o->exec->test };
}

static void
text_target(const struct tui *t, const struct object *o,
    struct cellout *out)
{
	cell_row_target(o->exec, out->b);
}

static void
text_agent(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->agent == NULL)
		return;
	buf_puts(out->b, o->agent->name);
	if (o->exec->worker > 0)
		buf_putf(out->b, "/%u", o->exec->worker);
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

static int64_t
exec_elapsed_us(const struct tui *t, const struct execution *x)
{
	return x->state == EXEC_RUNNING && x->since_us > 0
	    ? t->now_us - x->since_us : x->elapsed_us;
}

static void
text_took(const struct tui *t, const struct object *o, struct cellout *out)
{
	cell_duration(out, exec_elapsed_us(t, o->exec));
}

static struct sortkey
key_took(const struct tui *t, const struct object *o)
{
	return (struct sortkey){ exec_elapsed_us(t, o->exec), NULL };
}

static void
text_why(const struct tui *t, const struct object *o, struct cellout *out)
{
	if (o->exec->text != NULL)
		buf_puts(out->b, o->exec->text);
	else if (o->exec->reason != REASON_NONE)
		cell_reason(o->exec, out);
}

static const struct column exec_columns[] = {
	{ "state", "STATE", 10, 12, 0, false, text_exec_state,
	    key_exec_state },
	{ "test", "TEST", 16, 40, 1, false, text_exec, key_exec },
	{ "target", "ROW/TARGET", 10, 16, 5, false, text_target, NULL },
	{ "agent", "AGENT", 8, 16, 3, false, text_agent, key_agent },
	{ "attempt", "TRY", 3, 3, 6, true, text_attempt, NULL },
	{ "took", "TOOK", 5, 6, 2, true, text_took, key_took },
	{ "why", "WHY", 10, 0, 4, false, text_why, NULL },
	{ NULL }
};

static void
build_execs(struct tui *t, struct table *tb)
{
	const struct run *run = engine_run_recorded(t->engine,
	    tb->scope.run);
	struct object o;
	uint32_t i;

	if (run == NULL || run->executions == NULL)
		return;
	object_run(run, &o);
	for (i = 0; i < run->n; i++) {
		object_set_exec(t, &run->executions[i], &o);
		table_add(tb, &o);
	}
}

static void
open_exec(struct tui *t, const struct object *o)
{
	struct ident id;
	struct buf name = BUF_INIT;

	if (o->exec->state <= EXEC_ASSIGNED && o->exec->attempt == 0) {
		why_open(t, o);
		return;
	}
	object_ident(o, &id);
	tui_exec_name(o->exec, &name);
	log_open(t, &id, buf_str(&name), o->exec->state >= EXEC_FAILED &&
	    o->exec->state <= EXEC_ERROR);
	buf_done(&name);
}

const struct pane pane_execs = { "executions", "Executions",
	"its executions cannot be read, or are too many",
	exec_columns, 0, false, build_execs, open_exec, detail_exec };
