/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a change will do, worked out before it is asked for: old and new
 * values, what follows from them, and who is left out and why.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/console.h"
#include "tui/editexpr.h"
#include "tui/opform.h"

static void
warn(struct target *tg, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void
warn(struct target *tg, const char *fmt, ...)
{
	char *more, *both;
	va_list ap;

	va_start(ap, fmt);
	more = str_vfmt(fmt, ap);
	va_end(ap);
	both = tg->warning == NULL ? str_dup(more)
	    : str_fmt("%s; %s", tg->warning, more);
	free(more);
	free(tg->warning);
	tg->warning = both;
}

static void
skip(struct target *tg, const char *why)
{
	tg->state = TARGET_SKIPPED;
	tg->text = str_dup(why);
}

/* The agent of a target; NULL, and the target is skipped, when it cannot be
 * told anything. */
static const struct agent *
reachable(const struct batch *b, struct target *tg)
{
	int no = engine_agent_find(b->t->engine, tg->op.agent);
	const struct agent *a;

	a = no >= 0 ? engine_agent(b->t->engine, (size_t)no) : NULL;
	if (a != NULL && a->link == LINK_UP)
		return a;
	skip(tg, a == NULL ? "is gone" : "its link is down");
	return NULL;
}

/* What an operator should know before setting max workers to n. */
static void
warn_of_max(struct target *tg, const struct facts *f, uint32_t n)
{
	if (n < f->busy)
		warn(tg, "%u run now: kills none, starts none until fewer run",
		    f->busy);
	if (n > f->advised && f->advised > 0)
		warn(tg, "above the advised %u", f->advised);
	if (f->max_source == SOURCE_FILE ||
	    f->max_source == SOURCE_ENVIRONMENT)
		warn(tg, "until its agent restarts, then %s again",
		    value_source_name(f->max_source));
}

static void
preview_max(struct target *tg, const struct agent *a, const struct edit *e)
{
	const struct facts *f = &a->facts;
	uint32_t n = edit_max(e, f->max_workers, f->advised);

	tg->old_max = f->max_workers;
	tg->new_max = n;
	tg->op.set_max = n != f->max_workers;
	tg->op.max_workers = n;
	tg->op.expect_max = f->max_workers;
	if (f->virtual && n != 1)
		skip(tg, "fixed at 1: a virtual agent");
	else
		warn_of_max(tg, f, n);
}

static void
preview_threshold(struct target *tg, const struct agent *a,
    const struct edit *e)
{
	const struct facts *f = &a->facts;
	struct threshold th;

	th = edit_threshold(e, f->effective, f->advised);
	tg->old_threshold = f->threshold;
	tg->new_threshold = th;
	tg->op.set_threshold = !threshold_equal(&th, &f->threshold);
	tg->op.threshold = th;
	tg->op.expect_threshold = f->threshold;
	if (th.kind == THRESHOLD_SPARE && f->max_workers <= th.n + 1)
		warn(tg, "leaves 1 of %u", f->max_workers);
	if (threshold_effective(&th, f->max_workers) == 0)
		warn(tg, "0: only pinned and ad-hoc work starts");
}

static char *
threshold_text(const struct threshold *th, char *out)
{
	if (th->kind == THRESHOLD_UNSET)
		return strcpy(out, "max");
	return threshold_format(th, out);
}

/* "max 4 -> 6, threshold max -> 4" */
static void
set_effect(struct target *tg)
{
	char a[16], b[16];
	struct buf e = BUF_INIT;

	if (tg->op.set_max)
		buf_putf(&e, "max %u -> %u", tg->old_max, tg->new_max);
	if (tg->op.set_threshold)
		buf_putf(&e, "%sthreshold %s -> %s",
		    tg->op.set_max ? ", " : "",
		    threshold_text(&tg->old_threshold, a),
		    threshold_text(&tg->new_threshold, b));
	if (tg->op.set_guards != 0)
		guards_put_change(&e, &tg->old_guards, &tg->new_guards,
		    tg->op.set_guards);
	if (buf_len(&e) == 0 && tg->state == TARGET_ASKED)
		skip(tg, "has that value already");
	tg->effect = buf_steal(&e);
}

/* Bits of the guards that fields say something of, and their values. */
static int
parse_guards(const char *const *fields, struct guards *ret,
    unsigned *ret_named, char **ret_error)
{
	const char *const *hints = form_info(FORM_GUARDS)->hints;
	int g;

	for (g = 0; g < GUARDS; g++) {
		if (*fields[g] == '\0')
			continue;
		if (guard_set(ret, (enum guard)g, fields[g]) < 0) {
			*ret_error = str_fmt("%s: %s", fields[g], hints[g]);
			return ERR_SYNTAX;
		}
		*ret_named |= GUARD_BIT(g);
	}
	if (*ret_named == 0)
		*ret_error = str_dup("type a value; Esc leaves");
	return *ret_named != 0 ? 0 : ERR_SYNTAX;
}

static void
preview_guard(struct target *tg, const struct facts *f,
    const struct guards *to, unsigned named)
{
	unsigned bit;

	tg->old_guards = f->guards;
	tg->new_guards = *to;
	for (bit = 1; bit < GUARD_BIT(GUARDS); bit <<= 1)
		if ((named & bit) != 0 && !guards_equal(to, &f->guards, bit))
			tg->op.set_guards |= bit;
	tg->op.guards = *to;
	tg->op.expect_guards = f->guards;
	if ((tg->op.set_guards & f->guards_local) != 0)
		warn(tg, "until its agent restarts, then its file again");
}

static bool
preview_guards(struct batch *b, const char *const *fields, char **ret_error)
{
	struct guards to = { .given = 0 };
	const struct agent *a;
	struct target *tg;
	unsigned named = 0;
	size_t i;

	if (parse_guards(fields, &to, &named, ret_error) < 0)
		return false;
	for (i = 0; i < b->n; i++) {
		tg = &b->targets[i];
		tg->op.set_guards = 0;
		if ((a = reachable(b, tg)) != NULL)
			preview_guard(tg, &a->facts, &to, named);
		set_effect(tg);
	}
	return true;
}

/* Reads the fields of a settings form; empty ones change nothing. */
static int
parse_set(enum form form, const char *const *fields, struct edit *max,
    struct edit *threshold, bool set[2], char **ret_error)
{
	const char *text[2], *error = NULL;
	int r = 0;

	text[0] = form == FORM_THRESHOLD ? "" : fields[0];
	text[1] = form == FORM_THRESHOLD ? fields[0]
	    : form == FORM_SETTINGS ? fields[1] : "";
	set[0] = *text[0] != '\0';
	set[1] = *text[1] != '\0';
	if (!set[0] && !set[1])
		error = "type a value; Esc leaves";
	if (set[0])
		r = edit_parse(text[0], false, max, &error);
	if (r == 0 && set[1])
		r = edit_parse(text[1], true, threshold, &error);
	if (error == NULL)
		return 0;
	*ret_error = str_dup(error);
	return ERR_SYNTAX;
}

static bool
preview_set(struct batch *b, const char *const *fields, char **ret_error)
{
	struct edit max = { .n = 0 }, threshold = { .n = 0 };
	const struct agent *a;
	struct target *tg;
	bool set[2];
	size_t i;

	if (parse_set(b->form, fields, &max, &threshold, set, ret_error) < 0)
		return false;
	for (i = 0; i < b->n; i++) {
		tg = &b->targets[i];
		tg->op.set_max = tg->op.set_threshold = false;
		a = reachable(b, tg);
		if (a != NULL && set[0])
			preview_max(tg, a, &max);
		if (a != NULL && set[1])
			preview_threshold(tg, a, &threshold);
		set_effect(tg);
	}
	return true;
}

/* What undo makes of each target is known already; only say it, and leave
 * out who no longer has our value. */
static void
preview_undo_set(struct batch *b)
{
	const struct facts *f;
	struct target *tg;
	size_t i;
	int no;

	for (i = 0; i < b->n; i++) {
		tg = &b->targets[i];
		no = engine_agent_find(b->t->engine, tg->op.agent);
		f = no >= 0 ? &engine_agent(b->t->engine, (size_t)no)->facts
		    : NULL;
		if (f == NULL)
			skip(tg, "is gone");
		else if ((tg->op.set_max && f->max_workers != tg->old_max) ||
		    !guards_equal(&f->guards, &tg->old_guards,
		    tg->op.set_guards) || (tg->op.set_threshold &&
		    !threshold_equal(&f->threshold, &tg->old_threshold)))
			skip(tg, "no longer has our value");
		set_effect(tg);
	}
}

static void
effect_of_cancel(struct batch *b, struct target *tg)
{
	const struct run *r = engine_run_find(b->t->engine, tg->op.id.run);
	const struct execution *x;
	char text[DURATION_TEXT];
	uint32_t open;

	x = tg->op.id.execution > 0
	    ? engine_execution_find(b->t->engine, &tg->op.id) : NULL;
	if (x != NULL && x->state == EXEC_RUNNING)
		tg->effect = str_fmt("runs since %s, which is lost",
		    tui_age(b->t, x->since_us, text));
	else if (x != NULL)
		tg->effect = str_fmt("%s, will not run",
		    exec_state_name(x->state));
	else if (r != NULL) {
		open = counts_total(&r->counts) - counts_final(&r->counts);
		tg->effect = str_fmt("%u execution%s not done, %u running",
		    open, plural(open), r->counts.n[EXEC_RUNNING]);
	}
}

static const char *const plain_effects[FORMS] = {
	[FORM_DRAIN] = "lets run, starts none, moves what is queued",
	[FORM_UNDRAIN] = "starts work again",
	[FORM_HOLD] = "lets run, starts none, keeps what is queued",
	[FORM_RELEASE] = "starts work again",
	[FORM_REQUEUE] = "its attempt ends and is tried elsewhere",
	[FORM_RECONNECT] = "is tried now",
	[FORM_CLEAR] = "its errors are forgotten, it is used again",
	[FORM_PROBE] = "gets one execution; unless that errs it is used again",
	[FORM_DEAD] = "what it holds is lost now, its locks are free",
	[FORM_LOST] = "tried elsewhere now; its locks stay taken",
	[FORM_SKIP] = "ends as skipped, does not run",
	[FORM_RUN_ANYWAY] = "runs without what it waits for",
	[FORM_START_NOW] = "no longer waits for its time",
	[FORM_OVERRIDE] = "may use what is reserved for others",
	[FORM_PAUSE] = "nothing more is sent, of any run",
	[FORM_GO_ON] = "work is sent again",
	[FORM_UNDO] = "takes it back, unless it was changed since",
	[FORM_GIVE_BACK] = "is free again, with all that was taken with it",
	[FORM_CANCEL_HOLDER] = "ends now",
	[FORM_ADOPT] = "this console drives it from now on",
};

static int
parse_hold(struct batch *b, const char *const *fields, int64_t *ret_expires,
    char **ret_error)
{
	int64_t us;

	*ret_expires = 0;
	free(b->note);
	b->note = *fields[0] != '\0' ? str_dup(fields[0]) : NULL;
	if (*fields[1] == '\0')
		return 0;
	if (duration_parse(fields[1], &us) < 0 || us <= 0) {
		*ret_error = str_fmt("%s: a time such as 30m or 2h",
		    fields[1]);
		return ERR_SYNTAX;
	}
	*ret_expires = b->t->now_wall_us + us;
	return 0;
}

static int
parse_priority(const char *text, int32_t *ret, char **ret_error)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < -1000000 || n > 1000000) {
		*ret_error = str_dup("a number, -1000000 to 1000000");
		return ERR_SYNTAX;
	}
	*ret = (int32_t)n;
	return 0;
}

static void
effect_of_take(struct batch *b, struct target *tg, enum worker_kind kind)
{
	int no = engine_agent_find(b->t->engine, tg->op.agent);
	const struct facts *f = no < 0 ? NULL :
	    &engine_agent(b->t->engine, (size_t)no)->facts;

	tg->op.taking = kind;
	tg->op.worker = 1;
	tg->effect = str_fmt("one worker less for work: %s",
	    worker_kind_name(kind));
	if (f != NULL && f->busy >= f->max_workers)
		tg->warning = str_dup("all its workers are busy: it will be "
		    "refused");
}

/* What a worker is taken for; hold when nothing is said. */
static int
parse_kind(const char *text, enum worker_kind *ret, char **ret_error)
{
	int kind = *text != '\0' ? worker_kind_parse(text) : WORKER_HOLD;

	if (kind != WORKER_RECORDING && kind != WORKER_DEVELOPMENT &&
	    kind != WORKER_HOLD) {
		*ret_error = str_dup("recording, development or hold");
		return ERR_SYNTAX;
	}
	*ret = (enum worker_kind)kind;
	return 0;
}

/* Fills the ops of the other forms from their fields. */
static bool
preview_plain(struct batch *b, const char *const *fields, char **ret_error)
{
	int64_t expires = 0;
	int32_t priority = 0;
	enum worker_kind taking = WORKER_HOLD;
	const char *agent = NULL;
	struct target *tg;
	size_t i;

	if ((b->form == FORM_DRAIN || b->form == FORM_HOLD ||
	    b->form == FORM_TAKE) &&
	    parse_hold(b, fields, &expires, ret_error) < 0)
		return false;
	if (b->form == FORM_TAKE &&
	    parse_kind(fields[2], &taking, ret_error) < 0)
		return false;
	if (b->form == FORM_PAUSE) {
		free(b->note);
		b->note = *fields[0] != '\0' ? str_dup(fields[0]) : NULL;
	}
	if (b->form == FORM_PRIORITY &&
	    parse_priority(fields[0], &priority, ret_error) < 0)
		return false;
	if (b->form == FORM_MOVE) {
		agent = fields[0];
		if (engine_agent_find(b->t->engine, agent) < 0) {
			*ret_error = str_fmt("no agent '%s'", agent);
			return false;
		}
	}
	for (i = 0; i < b->n; i++) {
		tg = &b->targets[i];
		tg->op.expires_wall_us = expires;
		tg->op.priority = priority;
		tg->op.note = b->note;
		if (agent != NULL)
			snprintf(tg->op.agent, sizeof(tg->op.agent), "%s",
			    agent);
		if (b->form == FORM_CANCEL)
			effect_of_cancel(b, tg);
		else if (b->form == FORM_MOVE)
			tg->effect = str_fmt("goes to %s, pinned", agent);
		else if (b->form == FORM_PRIORITY)
			tg->effect = str_fmt("priority %d", priority);
		else if (b->form == FORM_TAKE)
			effect_of_take(b, tg, taking);
		else if (b->form == FORM_AMEND_AGENT)
			tg->effect = str_dup(tg->key);
		else if (b->form == FORM_AMEND)
			tg->effect = str_fmt("%s=%s", tg->key, tg->value);
		else
			tg->effect = str_dup(plain_effects[b->form]);
	}
	return true;
}

/* Its name and values are what the fields say. */
static bool
preview_add(struct batch *b, const char *const *fields, char **ret_error)
{
	struct target *tg = &b->targets[0];
	int no = engine_agent_find(b->t->engine, fields[0]);

	if (!ident_is_agent_name(fields[0]) || (no >= 0 &&
	    !engine_agent(b->t->engine, (size_t)no)->removed)) {
		*ret_error = str_fmt("%s: a name that no agent has",
		    fields[0]);
		return false;
	}
	snprintf(tg->op.agent, sizeof(tg->op.agent), "%s", fields[0]);
	free(tg->key);
	tg->op.key = tg->key = str_dup(fields[1]);
	tg->effect = str_fmt("joins the fleet%s%s", *fields[1] != '\0' ?
	    ": " : "", fields[1]);
	return true;
}

static bool
preview_form(struct batch *b, const char *const *fields, char **ret_error)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		target_clear(&b->targets[i]);
	if (b->form == FORM_ADD_AGENT)
		return preview_add(b, fields, ret_error);
	if (form_info(b->form)->kind != OP_SET || b->form == FORM_AMEND_AGENT)
		return preview_plain(b, fields, ret_error);
	if (!b->is_undo && b->form == FORM_GUARDS)
		return preview_guards(b, fields, ret_error);
	if (!b->is_undo)
		return preview_set(b, fields, ret_error);
	preview_undo_set(b);
	return true;
}

/* What all of them together would come to, by the scheduler's own prediction:
 * said with the first. */
static void
predict(struct batch *b)
{
	struct op_effect effect;
	struct target *tg;
	char *text;

	if (!batch_effect(b, &effect))
		return;
	tg = &b->targets[0];
	text = str_fmt("%s%s%s%s", tg->effect != NULL ? tg->effect : "",
	    tg->effect != NULL ? "; " : "", b->n > 1 ? "together: " : "",
	    effect.text);
	free(tg->effect);
	tg->effect = text;
}

bool
batch_effect(struct batch *b, struct op_effect *ret)
{
	struct op *ops = mem_calloc(b->n, sizeof(*ops));
	size_t i, n = 0;

	ret->known = false;
	for (i = 0; i < b->n && b->form != FORM_ADOPT && !b->is_undo; i++)
		if (b->targets[i].state == TARGET_ASKED)
			ops[n++] = b->targets[i].op;
	if (n > 0)
		engine_effect(b->t->engine, ops, n, NULL, ret);
	free(ops);
	return ret->known;
}

bool
batch_preview(struct batch *b, const char *const *fields, char **ret_error)
{
	bool right = preview_form(b, fields, ret_error);

	if (right)
		predict(b);
	return right;
}
