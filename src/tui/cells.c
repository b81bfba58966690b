/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells and facts that several panes show in the same way. */
#include "config.h"

#include "yardmaster/base/clock.h"
#include "tui/cells.h"

#define SLOW_RTT_US (500 * US_PER_MS)

void
cell_state(const struct tui *t, struct cellout *out, enum look_kind kind,
    unsigned state)
{
	const struct state_look *look = theme_state(&t->theme, kind, state);

	out->style = look->style;
	buf_putf(out->b, "%s %s",
	    theme_glyph(&t->theme, kind, state, t->surface->utf8),
	    look_state_name(kind, state));
}

void
cell_gauge(const struct tui *t, struct cellout *out, unsigned cells,
    uint32_t used, uint32_t limit, uint32_t total)
{
	const char *full = t->surface->utf8 ? "\xe2\x96\xa0" : "#";
	const char *free = t->surface->utf8 ? "\xc2\xb7" : ".";
	unsigned i, filled, at = cells;

	if (total == 0)
		return;
	filled = (unsigned)((uint64_t)used * cells / total);
	if (used > 0 && filled == 0)
		filled = 1;
	if (limit > 0 && limit < total)
		at = (unsigned)((uint64_t)limit * cells / total);
	for (i = 0; i < cells; i++)
		buf_puts(out->b, i == at && i >= filled ? "|"
		    : i < filled ? full : free);
}

void
cell_duration(struct cellout *out, int64_t us)
{
	char text[DURATION_TEXT];

	if (us > 0)
		buf_puts(out->b, duration_coarse(us, text));
}

void
cell_bytes(struct buf *b, uint64_t bytes)
{
	static const char units[] = "BKMGTP";
	uint64_t tenths = bytes * 10;
	unsigned u = 0;

	while (tenths >= 10000 && units[u + 1] != '\0') {
		tenths /= 1024;
		u++;
	}
	if (tenths < 100 && u > 0)
		buf_putf(b, "%u.%u%c", (unsigned)(tenths / 10),
		    (unsigned)(tenths % 10), units[u]);
	else
		buf_putf(b, "%u%c", (unsigned)(tenths / 10), units[u]);
}

void
cell_row_target(const struct execution *x, struct buf *b)
{
	if (x->row != NULL)
		buf_puts(b, x->row);
	if (x->row != NULL && x->target != NULL)
		buf_putc(b, '/');
	if (x->target != NULL)
		buf_puts(b, x->target);
}

void
cell_next(const struct tui *t, const struct execution *x, struct buf *b)
{
	char text[DURATION_TEXT];

	if (x->next_us == 0)
		return;
	if (x->next_us <= t->now_us)
		buf_puts(b, "now");
	else
		buf_putf(b, "in %s",
		    duration_coarse(x->next_us - t->now_us, text));
}

void
cell_reason(const struct execution *x, struct cellout *out)
{
	static const uint8_t roles[] = { [CLEARS_ITSELF] = ROLE_NORMAL,
		[CLEARS_OPERATOR] = ROLE_BAD, [CLEARS_EITHER] = ROLE_WARN };
	const struct reason_info *info = reason_info(x->reason);

	out->style.role = roles[info->clears];
	buf_puts(out->b, info->name);
	if (x->reason_text != NULL) {
		buf_puts(out->b, ": ");
		buf_puts(out->b, x->reason_text);
	}
}

/* What went by since the facts of the agent were sent. */
static int64_t
facts_age(const struct tui *t, const struct agent *a)
{
	return a->link == LINK_UP && a->heard_us > 0 && t->now_us > a->heard_us
	    ? t->now_us - a->heard_us : 0;
}

int64_t
worker_elapsed_us(const struct tui *t, const struct object *o)
{
	return o->worker->busy
	    ? o->worker->elapsed_us + facts_age(t, o->agent) : 0;
}

int64_t
worker_silent_us(const struct tui *t, const struct object *o)
{
	return o->worker->output_age_us < 0 ? -1
	    : o->worker->output_age_us + facts_age(t, o->agent);
}

void
cell_link(const struct tui *t, const struct agent *a, struct cellout *out)
{
	char age[DURATION_TEXT], next[DURATION_TEXT];

	out->style = theme_state(&t->theme, LOOK_LINK, a->link)->style;
	if (a->link == LINK_UP && a->rtt_us > SLOW_RTT_US) {
		out->style.role = ROLE_WARN;
		buf_putf(out->b, "slow %dms", (int)(a->rtt_us / US_PER_MS));
		return;
	}
	if (a->link == LINK_UP) {
		buf_puts(out->b, "ok");
		return;
	}
	buf_puts(out->b, a->link == LINK_DOWN && a->heard_us > 0 ? "lost"
	    : link_state_name(a->link));
	if (a->link == LINK_STALE)
		buf_putf(out->b, " %s", tui_age(t, a->heard_us, age));
	else
		buf_putf(out->b, " %s", tui_age(t, a->link_since_us, age));
	if (a->link == LINK_DOWN && a->next_try_us > t->now_us)
		buf_putf(out->b, ", next %s",
		    duration_coarse(a->next_try_us - t->now_us, next));
}

void
cell_list(struct buf *b, const struct strvec *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		buf_putf(b, "%s%s", i > 0 ? ", " : "", v->v[i]);
}

static void
fact_list(struct lines *out, const char *label, const struct strvec *v)
{
	struct buf b = BUF_INIT;

	cell_list(&b, v);
	lines_fact(out, label, ROLE_NORMAL, "%s", buf_str(&b));
	buf_done(&b);
}

static void
fact_stop(const struct tui *t, struct lines *out, const char *label,
    const struct stop_note *s)
{
	char text[CLOCK_TEXT], age[DURATION_TEXT];

	if (!s->on)
		return;
	lines_fact(out, label, ROLE_WARN, "by %s, since %s%s%s",
	    s->who != NULL ? s->who : "?",
	    duration_coarse(t->now_wall_us - s->since_wall_us, age),
	    s->note != NULL ? ": " : "", s->note != NULL ? s->note : "");
	if (s->expires_wall_us > 0)
		lines_fact(out, "until", ROLE_NORMAL, "%s",
		    clock_format(s->expires_wall_us, text));
}

static void
fact_values(const struct facts *f, struct lines *out)
{
	char threshold[16];

	lines_fact(out, "max workers", ROLE_NORMAL, "%u, %s; advised %u",
	    f->max_workers, value_source_name(f->max_source), f->advised);
	lines_fact(out, "threshold", ROLE_NORMAL, "%s, so %u",
	    f->threshold.kind == THRESHOLD_UNSET ? "max workers"
	    : threshold_format(&f->threshold, threshold), f->effective);
	lines_fact(out, "busy", ROLE_NORMAL, "%u, %u of them distributed",
	    f->busy, f->auto_running);
	lines_fact(out, "queued there", ROLE_NORMAL, "%u", f->queued);
}

static void
fact_guards(const struct facts *f, struct lines *out)
{
	struct buf b = BUF_INIT;
	int g;

	for (g = 0; g < GUARDS; g++) {
		if ((f->guards.given & GUARD_BIT(g)) == 0)
			continue;
		buf_putf(&b, "%s%s ", buf_len(&b) > 0 ? ", " : "",
		    guard_name((enum guard)g));
		guard_put(&b, &f->guards, (enum guard)g);
	}
	lines_fact(out, "guards", ROLE_NORMAL, "%s", buf_str(&b));
	lines_fact(out, "past guard", ROLE_WARN, "%s",
	    f->guard != NULL ? f->guard : "");
	lines_fact(out, "to mend", ROLE_WARN, "%s",
	    f->warning != NULL ? f->warning : "");
	buf_done(&b);
}

static void
fact_host(const struct facts *f, struct lines *out)
{
	char text[DURATION_TEXT];
	struct buf b = BUF_INIT;

	lines_fact(out, "host", ROLE_NORMAL, "%s, %u CPUs, load %.1f",
	    f->host != NULL ? f->host : "?", f->cpus, f->load1);
	cell_bytes(&b, f->memory_free_bytes);
	buf_puts(&b, " free of ");
	cell_bytes(&b, f->memory_bytes);
	lines_fact(out, "memory", ROLE_NORMAL, "%s", buf_str(&b));
	buf_clear(&b);
	cell_bytes(&b, f->disk_free_bytes);
	lines_fact(out, "disk", ROLE_NORMAL, "%s free", buf_str(&b));
	lines_fact(out, "agent", ROLE_NORMAL, "%s%s, up %s",
	    f->version != NULL ? f->version : "?",
	    f->root ? ", runs as root" : "",
	    duration_coarse(f->uptime_us, text));
	buf_done(&b);
}

void
detail_agent(struct tui *t, const struct object *o, struct lines *out)
{
	const struct agent *a = o->agent;
	struct buf b = BUF_INIT;
	struct cellout cell = { &b, { 0, 0 } };

	lines_add(out, ROLE_STRONG, "%s", a->name);
	cell_state(t, &cell, LOOK_AGENT, a->state);
	lines_fact(out, "state", cell.style.role, "%s", buf_str(&b));
	buf_clear(&b);
	cell_link(t, a, &cell);
	lines_fact(out, "link", cell.style.role, "%s", buf_str(&b));
	buf_done(&b);
	lines_fact(out, "reached", ROLE_NORMAL, "%s",
	    a->host != NULL ? a->host : "");
	lines_fact(out, "error", ROLE_BAD, "%s",
	    a->error != NULL ? a->error : "");
	lines_fact(out, a->benched ? "benched" : "errors", ROLE_WARN, "%s",
	    a->errors != NULL ? a->errors : "");
	if (a->speed != 0)
		lines_fact(out, "speed", ROLE_NORMAL, "%u.%02u",
		    a->speed / 1000, a->speed % 1000 / 10);
	if (a->rtt_us > 0)
		lines_fact(out, "round trip", ROLE_NORMAL, "%d ms",
		    (int)(a->rtt_us / US_PER_MS));
	fact_list(out, "labels", &a->labels);
	fact_list(out, "targets", &a->targets);
	if (!a->known)
		return;
	fact_values(&a->facts, out);
	fact_stop(t, out, "draining", &a->facts.draining);
	fact_stop(t, out, "held", &a->facts.held);
	fact_guards(&a->facts, out);
	fact_host(&a->facts, out);
}

void
detail_exec(struct tui *t, const struct object *o, struct lines *out)
{
	const struct execution *x = o->exec;
	struct buf b = BUF_INIT;
	struct cellout cell = { &b, { 0, 0 } };
	char text[DURATION_TEXT];

	tui_exec_name(x, &b);
	lines_add(out, ROLE_STRONG, "%s", buf_str(&b));
	lines_fact(out, "id", ROLE_NORMAL, "%s/%u%s", x->run->id, x->no,
	    x->unknown ? " (agent silent)" : "");
	buf_clear(&b);
	cell_state(t, &cell, LOOK_EXEC, x->state);
	lines_fact(out, "state", cell.style.role, "%s%s %s", buf_str(&b),
	    x->unknown ? "?" : "", tui_age(t, x->since_us, text));
	buf_clear(&b);
	cell_row_target(x, &b);
	lines_fact(out, "row/target", ROLE_NORMAL, "%s", buf_str(&b));
	lines_fact(out, "agent", ROLE_NORMAL, "%s",
	    o->agent != NULL ? o->agent->name : "");
	if (x->worker > 0)
		lines_fact(out, "worker", ROLE_NORMAL, "%u", x->worker);
	if (x->attempt > 0)
		lines_fact(out, "attempt", ROLE_NORMAL, "%u%s%s", x->attempt,
		    x->tier != TIER_NONE ? ", " : "",
		    x->tier != TIER_NONE ? tier_name(x->tier) : "");
	if (x->n_steps > 1)
		lines_fact(out, "steps", ROLE_NORMAL, "%u", x->n_steps);
	if (x->estimate_us > 0)
		lines_fact(out, "estimate", ROLE_NORMAL, "%s",
		    duration_format(x->estimate_us, text));
	if (x->elapsed_us > 0)
		lines_fact(out, "took", ROLE_NORMAL, "%s",
		    duration_format(x->elapsed_us, text));
	if (x->reason != REASON_NONE) {
		lines_fact(out, "reason", ROLE_WARN, "%s",
		    reason_name(x->reason));
		lines_wrap(out, ROLE_NORMAL, 38, 2,
		    x->reason_text != NULL ? x->reason_text : "");
	}
	lines_fact(out, "result", ROLE_NORMAL, "%s",
	    x->text != NULL ? x->text : "");
	buf_done(&b);
}
