/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What operators change from a console: max workers, threshold, guards, drain,
 * hold.
 * Each edit is answered with the facts after it, and noted with who. */
#include "config.h"

#include <stdarg.h>
#include <string.h>

#include "agent/console.h"
#include "agent/prepare.h"
#include "agent/guard.h"
#include "agent/takes.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"

void
edit_answer(struct link *l, int64_t tag, int code, const char *text,
    uint32_t take)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "tag", tag);
	jw_kv_bool(&w, "ok", code == 0);
	jw_kv_int(&w, "code", code);
	jw_kv_str(&w, "text", text);
	if (take > 0)
		jw_kv_int(&w, "take", take);
	facts_put(l->d, &w);
	jw_object_end(&w);
	/* A taking is on disk before anybody hears of it. */
	(takes_dirty(l->d->takes) ? link_later : link_send)(l, MSG_ANSWER,
	    &b);
	buf_done(&b);
}

static void
answer(struct link *l, const struct jval *v, int code, const char *text)
{
	edit_answer(l, jval_get_int(v, "tag", 0), code, text, 0);
}

static const char *
who_of(const struct link *l, const struct jval *v)
{
	return jval_get_str(v, "who", l->who);
}

void
edit_note(struct daemon *d, const char *who, const char *fmt, ...)
{
	struct buf what = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vputf(&what, fmt, ap);
	va_end(ap);
	strvec_pushf(&d->edits, "%s\t%s", who, buf_str(&what));
	log_info("%s: %s", who, buf_str(&what));
	buf_done(&what);
}

/* Whether an object names a key at all, be it with null. */
static bool
names(const struct jval *v, const char *key)
{
	size_t i, n = jval_type(v) == JVAL_OBJECT ? jval_count(v) : 0;

	for (i = 0; i < n; i++)
		if (strcmp(jval_key_at(v, i), key) == 0)
			return true;
	return false;
}

/* What of the guards is not as expected. */
static int
check_guards(const struct daemon *d, const struct jval *v, struct buf *text)
{
	struct guards expect = { .given = 0 };
	unsigned named;
	int g;

	if (guards_read(v, &expect, &named) < 0)
		return ERR_SYNTAX;
	for (g = 0; g < GUARDS; g++) {
		if ((named & GUARD_BIT(g)) == 0 ||
		    guards_equal(&expect, &d->values.guards,
		    GUARD_BIT(g)))
			continue;
		buf_putf(text, "%s is ", guard_name(g));
		guard_put(text, &d->values.guards, g);
		return ERR_STALE;
	}
	return 0;
}

/* The code of a SET whose expectations are not met, with what was found. */
static int
check_expect(struct daemon *d, const struct jval *v, struct buf *text)
{
	const struct jval *e = jval_get(v, "expect");
	struct threshold t;
	char now[16];

	if (names(e, "max_workers") && jval_get_int(e, "max_workers", -1) !=
	    d->values.max_workers) {
		buf_putf(text, "max workers is %u", d->values.max_workers);
		return ERR_STALE;
	}
	if (names(e, "threshold") &&
	    (threshold_read(jval_get(e, "threshold"), &t) < 0 ||
	    !threshold_equal(&t, &d->values.threshold))) {
		buf_putf(text, "threshold is %s",
		    threshold_format(&d->values.threshold, now));
		return ERR_STALE;
	}
	return check_guards(d, jval_get(e, "guards"), text);
}

static void
set_guards(struct daemon *d, const struct guards *g, unsigned named,
    struct buf *text)
{
	int i;

	values_set_guards(&d->values, g, named);
	for (i = 0; i < GUARDS; i++) {
		if ((named & GUARD_BIT(i)) == 0)
			continue;
		buf_putf(text, "%s%s ", buf_len(text) > 0 ? ", " : "",
		    guard_name(i));
		guard_put(text, &d->values.guards, i);
	}
	if (named != 0)
		guard_changed(d);
}

static int
set_values(struct link *l, const struct jval *v, struct buf *text)
{
	struct daemon *d = l->d;
	struct threshold t;
	struct guards guards = { .given = 0 };
	unsigned named = 0;
	int64_t n = jval_get_int(v, "max_workers", -1);
	char words[16];
	int r;

	if (names(v, "max_workers") && (n < 1 || n > MAX_WORKERS_LIMIT)) {
		buf_putf(text, "max workers is from 1 to %d",
		    MAX_WORKERS_LIMIT);
		return ERR_RANGE;
	}
	if (names(v, "max_workers") && d->values.max.virtual && n != 1) {
		buf_puts(text, "a virtual agent has one worker");
		return ERR_REFUSED;
	}
	if (names(v, "threshold") &&
	    (r = threshold_read(jval_get(v, "threshold"), &t)) < 0) {
		buf_puts(text, "threshold is a number, -N, or max");
		return r;
	}
	if ((r = guards_read(jval_get(v, "guards"), &guards, &named)) < 0) {
		buf_puts(text, "guards cannot be read");
		return r;
	}
	if (names(v, "max_workers")) {
		values_set_max(&d->values, (uint32_t)n);
		buf_putf(text, "max workers %u", (unsigned)n);
	}
	if (names(v, "threshold")) {
		values_set_threshold(&d->values, &t);
		buf_putf(text, "%sthreshold %s", buf_len(text) > 0 ? ", " : "",
		    threshold_format(&t, words));
	}
	set_guards(d, &guards, named, text);
	edit_note(d, who_of(l, v), "%s", buf_str(text));
	return 0;
}

int
edit_set(struct link *l, const struct jval *v)
{
	struct buf text = BUF_INIT;
	int r;

	if (l->read_only) {
		buf_puts(&text, "this link may look and not touch");
		r = ERR_REFUSED;
	} else if ((r = check_expect(l->d, v, &text)) == 0) {
		r = set_values(l, v, &text);
	}
	answer(l, v, r, buf_str(&text));
	buf_done(&text);
	turn_facts(l->d, true);
	return 0;
}

static void
return_queued(struct daemon *d)
{
	struct attempt *a, *next;
	size_t i;

	HASH_ITER(hh, d->queue.all, a, next) {
		if (!attempt_waits(a) || prep_is_own(&a->id))
			continue;
		for (i = 0; i < a->run->n_watchers; i++)
			link_returned(a->run->watchers[i], &a->id, true,
			    "draining");
		turn_forget(d, a);
	}
}

static const struct mode {
	const char *name;
	bool hold;		/* else drain */
	bool on;
} modes[] = {
	{ "drain", false, true }, { "undrain", false, false },
	{ "hold", true, true }, { "release", true, false },
	{ NULL, false, false }
};

static int
set_mode(struct link *l, const struct jval *v, struct buf *text)
{
	const struct mode *m = modes;
	const char *mode = jval_get_str(v, "mode", "");
	const char *until = jval_get_str(v, "expires", NULL);
	struct values *values = &l->d->values;
	int64_t expires = 0;

	while (m->name != NULL && strcmp(m->name, mode) != 0)
		m++;
	if (m->name == NULL ||
	    (until != NULL && clock_parse(until, &expires) < 0)) {
		buf_puts(text, "mode or expires cannot be read");
		return ERR_SYNTAX;
	}
	stop_note_set(m->hold ? &values->held : &values->draining,
	    m->on ? who_of(l, v) : NULL, jval_get_str(v, "note", NULL),
	    clock_wall_us(), expires);
	values->dirty = true;
	buf_puts(text, mode);
	edit_note(l->d, who_of(l, v), "%s", mode);
	if (values->draining.on)
		return_queued(l->d);
	timer_start(l->d->expire_timer, 0);
	return 0;
}

int
edit_mode(struct link *l, const struct jval *v)
{
	struct buf text = BUF_INIT;
	int r = ERR_REFUSED;

	if (l->read_only)
		buf_puts(&text, "this link may look and not touch");
	else
		r = set_mode(l, v, &text);
	answer(l, v, r, buf_str(&text));
	buf_done(&text);
	turn_facts(l->d, true);
	return 0;
}
