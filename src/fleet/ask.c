/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SET and MODE: sent with a tag, answered once, by the agent or by the end of
 * the link. */
#include "config.h"

#include <stdlib.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* Why nothing can be asked of this agent now: 0 or a code. */
static int
cannot_ask(const struct peer *p, const char **ret_why)
{
	if (p->phase != PEER_UP) {
		*ret_why = p->agent.error != NULL ? p->agent.error :
		    "not connected";
		return ERR_CLOSED;
	}
	if (p->f->read_only || p->read_only) {
		*ret_why = "this link may only look";
		return ERR_REFUSED;
	}
	return 0;
}

/* Starts the body of a question and remembers who waits for its answer. */
static void
begin(struct peer *p, struct jw *w, const char *who, fleet_done_fn fn,
    void *arg)
{
	struct call *c = mem_zalloc(sizeof(*c));

	c->tag = ++p->f->next_tag;
	c->fn = fn;
	c->arg = arg;
	TAILQ_INSERT_TAIL(&p->calls, c, entry);
	jw_object(w);
	jw_kv_int(w, "tag", c->tag);
	jw_kv_str(w, "who", who != NULL ? who : p->f->who);
}

static void
end(struct peer *p, struct call *c, int code, const char *text)
{
	TAILQ_REMOVE(&p->calls, c, entry);
	if (c->fn != NULL)
		c->fn(c->arg, code, text);
	free(c);
}

void
ask_drop(struct peer *p)
{
	struct call *c;

	while ((c = TAILQ_FIRST(&p->calls)) != NULL)
		end(p, c, ERR_CLOSED, p->agent.error != NULL ?
		    p->agent.error : "the link went down");
}

void
ask_answered(struct peer *p, const struct jval *v)
{
	int64_t tag = jval_get_int(v, "tag", -1);
	int code = (int)jval_get_int(v, "code", 0);
	const char *text = jval_get_str(v, "text", NULL);
	struct call *c;

	if (jval_get_bool(v, "ok", false))
		code = 0;
	else if (code >= 0 || code < -20000)
		code = ERR_REFUSED;
	TAILQ_FOREACH(c, &p->calls, entry)
		if (c->tag == tag)
			break;
	if (c != NULL)
		end(p, c, code, text != NULL ? text : err_text(code));
}

static void
put_guards(struct jw *w, const struct guards *g, unsigned named)
{
	if (named == 0)
		return;
	jw_key(w, "guards");
	guards_write(w, g, named);
}

void
fleet_set_values(struct fleet *f, size_t agent, const struct fleet_set *set,
    fleet_done_fn fn, void *arg)
{
	struct peer *p = f->peers[agent];
	struct buf body = BUF_INIT;
	const char *why;
	struct jw w;
	int r;

	if ((r = cannot_ask(p, &why)) < 0) {
		if (fn != NULL)
			fn(arg, r, why);
		return;
	}
	jw_init(&w, &body);
	begin(p, &w, set->who, fn, arg);
	jw_key(&w, "expect");
	jw_object(&w);
	if (set->set_max)
		jw_kv_int(&w, "max_workers", set->expect_max);
	if (set->set_threshold) {
		jw_key(&w, "threshold");
		threshold_write(&w, &set->expect_threshold);
	}
	put_guards(&w, &set->expect_guards, set->set_guards);
	jw_object_end(&w);
	if (set->set_max)
		jw_kv_int(&w, "max_workers", set->max_workers);
	if (set->set_threshold) {
		jw_key(&w, "threshold");
		threshold_write(&w, &set->threshold);
	}
	put_guards(&w, &set->guards, set->set_guards);
	jw_object_end(&w);
	say(p, MSG_SET, &body);
	buf_done(&body);
}

void
fleet_set_mode(struct fleet *f, size_t agent, const char *mode,
    const char *who, const char *note, int64_t expires_wall_us,
    fleet_done_fn fn, void *arg)
{
	struct peer *p = f->peers[agent];
	struct buf body = BUF_INIT;
	const char *why;
	struct jw w;
	int r;

	if ((r = cannot_ask(p, &why)) < 0) {
		if (fn != NULL)
			fn(arg, r, why);
		return;
	}
	jw_init(&w, &body);
	begin(p, &w, who, fn, arg);
	jw_kv_str(&w, "mode", mode);
	jw_kv_str(&w, "note", note);
	jw_kv_time(&w, "expires", expires_wall_us);
	jw_object_end(&w);
	say(p, MSG_MODE, &body);
	buf_done(&body);
}

void
fleet_take(struct fleet *f, size_t agent, const struct fleet_take *take,
    fleet_done_fn fn, void *arg)
{
	struct peer *p = f->peers[agent];
	struct buf body = BUF_INIT;
	const char *why;
	struct jw w;
	int r;

	if ((r = cannot_ask(p, &why)) < 0) {
		if (fn != NULL)
			fn(arg, r, why);
		return;
	}
	jw_init(&w, &body);
	begin(p, &w, take->who, fn, arg);
	if (take->give_back > 0) {
		jw_kv_int(&w, "give_back", take->give_back);
	} else {
		jw_kv_str(&w, "kind", worker_kind_name(take->kind));
		jw_kv_int(&w, "workers", take->workers);
		jw_kv_str(&w, "note", take->note);
		jw_kv_seconds(&w, "for_s", take->for_us);
	}
	jw_object_end(&w);
	say(p, MSG_TAKE, &body);
	buf_done(&body);
}

/* ---- values of the fleet file ---- */

static void
values_set(void *arg, int code, const char *text)
{
	struct peer *p = arg;

	if (code < 0 && code != ERR_CLOSED)
		fleet_event(p, EVENT_WARNING, "did not take the values of the "
		    "fleet file: %s", text);
}

/* What was asked counts until the answer: it reaches the agent before any work
 * does, and nobody should see, or plan with, the values of before. */
static void
assume(struct facts *f, const struct fleet_set *set)
{
	int g;

	if (set->set_max)
		f->max_workers = set->max_workers;
	if (set->set_threshold)
		f->threshold = set->threshold;
	f->effective = threshold_effective(&f->threshold, f->max_workers);
	for (g = 0; g < GUARDS; g++)
		if ((set->set_guards & GUARD_BIT(g)) != 0)
			guard_copy(&f->guards, &set->guards, (enum guard)g);
}

void
ask_fleet_values(struct peer *p)
{
	struct facts *facts = &p->agent.facts;
	struct fleet_set set = { .who = NULL };

	if (p->values_sent || p->f->read_only || p->read_only)
		return;
	p->values_sent = true;
	set.set_max = p->spec->max_workers != 0 && !facts->virtual &&
	    facts->max_source == SOURCE_ADVISED;
	set.max_workers = p->spec->max_workers;
	set.expect_max = facts->max_workers;
	set.set_threshold = p->spec->threshold.kind != THRESHOLD_UNSET &&
	    facts->threshold.kind == THRESHOLD_UNSET;
	set.threshold = p->spec->threshold;
	set.expect_threshold = facts->threshold;
	set.set_guards = p->spec->guards.given & ~facts->guards.given;
	set.guards = p->spec->guards;
	set.expect_guards = facts->guards;
	if (!set.set_max && !set.set_threshold && set.set_guards == 0)
		return;
	fleet_set_values(p->f, p->index, &set, values_set, p);
	assume(facts, &set);
}
