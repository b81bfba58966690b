/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What parts that run together ask each other through their agents: barriers
 * and values. One share for each round of a group.
 *
 * 1. What was given (a barrier that was met, a value that was put) is in the
 *    run file before anybody hears of it, and is given again when asked again.
 * 2. What is waited for is in memory only: agents ask again after each sync.
 * 3. A barrier is met when every part has an ask of that name that has not
 *    been met yet; of each part the oldest is.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"

#include "engine/share.h"

#define SHARE_BYTES_MAX (4u << 20)	/* names and values of a round */
#define SHARE_ASKS_MAX 100000

struct ask {
	bool get;		/* else a barrier */
	bool met;
	uint32_t no;		/* 0: met before this process */
	size_t agent;
	char *ask, *name;
};

struct value {
	char *name, *value;
};

struct share {
	struct share *next;
	uint32_t group, round;
	uint32_t first, n;	/* its executions, by number */
	struct ask *asks;
	size_t n_asks, cap_asks;
	struct value *values;
	size_t n_values, cap_values;
	size_t bytes;
};

static void
ask_drop(struct share *s, size_t i)
{
	free(s->asks[i].ask);
	free(s->asks[i].name);
	memmove(&s->asks[i], &s->asks[i + 1],
	    (--s->n_asks - i) * sizeof *s->asks);
}

static void
share_free(struct share *s)
{
	size_t i;

	while (s->n_asks > 0)
		ask_drop(s, s->n_asks - 1);
	for (i = 0; i < s->n_values; i++) {
		free(s->values[i].name);
		free(s->values[i].value);
	}
	free(s->asks);
	free(s->values);
	free(s);
}

void
shares_free(struct erun *r)
{
	struct share *s;

	while ((s = r->shares) != NULL) {
		r->shares = s->next;
		share_free(s);
	}
}

/* That of a round, made when new: then those of earlier rounds go. NULL when
 * the group is none of the plan. */
static struct share *
share_get(struct erun *r, uint32_t group, uint32_t round)
{
	struct share **at = &r->shares, *s;
	uint32_t i;

	for (; *at != NULL && (*at)->group != group; at = &(*at)->next)
		;
	s = *at;
	if (s != NULL && s->round >= round)
		return s->round == round ? s : NULL;
	for (i = 0; i < r->plan->n_execs && r->plan->execs[i].group != group;
	    i++)
		;
	if (i == r->plan->n_execs)
		return NULL;
	if (s != NULL) {
		*at = s->next;
		share_free(s);
	}
	s = mem_zalloc(sizeof *s);
	s->group = group;
	s->round = round;
	s->first = i + 1;
	for (; i < r->plan->n_execs && r->plan->execs[i].group == group; i++)
		s->n++;
	s->next = r->shares;
	r->shares = s;
	return s;
}

/* ---- telling ---- */

struct answer {
	bool ok;
	const char *text, *value;
};

static void
tell(struct engine *e, struct erun *r, size_t agent, const struct ident *id,
    const char *ask, const struct answer *answer)
{
	struct buf b = BUF_INIT;
	char text[IDENT_TEXT];
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "id", ident_format(id, text));
	jw_kv_str(&w, "ask", ask);
	jw_kv_bool(&w, "ok", answer->ok);
	if (answer->text != NULL)
		jw_kv_str(&w, "text", answer->text);
	if (answer->value != NULL)
		jw_kv_str(&w, "value", answer->value);
	jw_object_end(&w);
	engine_out_told(e, agent, id, r->epoch, buf_steal(&b));
}

static void
tell_ask(struct engine *e, struct erun *r, const struct share *s,
    const struct ask *a, const struct answer *answer)
{
	struct ident id = { .execution = a->no, .attempt = s->round };

	memcpy(id.run, r->live.id, sizeof id.run);
	tell(e, r, a->agent, &id, a->ask, answer);
}

static void
put_row(struct erun *r, const struct share *s, const char *kind,
    const char *name, const char *value)
{
	struct run_shared row = { .group = s->group, .round = s->round,
		.kind = kind, .name = name, .value = value };

	erun_put(r, run_file_put_shared(r->file, &row));
}

/* ---- values ---- */

static const char *
value_find(const struct share *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_values; i++)
		if (strcmp(s->values[i].name, name) == 0)
			return s->values[i].value;
	return NULL;
}

static void
value_set(struct share *s, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < s->n_values; i++)
		if (strcmp(s->values[i].name, name) == 0)
			break;
	if (i == s->n_values) {
		s->values = mem_grow(s->values, &s->cap_values,
		    s->n_values + 1, sizeof *s->values);
		s->values[s->n_values++] = (struct value){
			.name = str_dup(name) };
	}
	s->bytes += strlen(name) + strlen(value);
	free(s->values[i].value);
	s->values[i].value = str_dup(value);
}

static void
take_put(struct engine *e, struct erun *r, struct share *s,
    const struct ask *from, const char *value)
{
	struct answer given = { .ok = true };
	size_t i;

	if (s->bytes + strlen(value) > SHARE_BYTES_MAX) {
		tell_ask(e, r, s, from, &(struct answer){
			.text = "the parts share more than 4 MB" });
		return;
	}
	value_set(s, from->name, value);
	put_row(r, s, "put", from->name, value);
	tell_ask(e, r, s, from, &given);
	given.value = value;
	for (i = s->n_asks; i > 0; i--)
		if (s->asks[i - 1].get &&
		    strcmp(s->asks[i - 1].name, from->name) == 0) {
			tell_ask(e, r, s, &s->asks[i - 1], &given);
			ask_drop(s, i - 1);
		}
}

/* ---- waiting ---- */

static struct ask *
ask_add(struct share *s, const struct ask *from)
{
	struct ask *a;

	s->asks = mem_grow(s->asks, &s->cap_asks, s->n_asks + 1,
	    sizeof *s->asks);
	a = &s->asks[s->n_asks++];
	*a = *from;
	a->ask = str_dup(from->ask);
	a->name = str_dup(from->name);
	return a;
}

/* The oldest ask of part no at a barrier that was not met, or NULL. */
static struct ask *
waiting_at(struct share *s, uint32_t no, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_asks; i++)
		if (!s->asks[i].get && !s->asks[i].met && s->asks[i].no == no
		    && strcmp(s->asks[i].name, name) == 0)
			return &s->asks[i];
	return NULL;
}

static void
meet(struct engine *e, struct erun *r, struct share *s, const char *name)
{
	struct ask *a;
	uint32_t i;

	for (i = 0; i < s->n; i++)
		if (waiting_at(s, s->first + i, name) == NULL)
			return;
	for (i = 0; i < s->n; i++) {
		a = waiting_at(s, s->first + i, name);
		a->met = true;
		put_row(r, s, "met", a->ask, name);
		tell_ask(e, r, s, a, &(struct answer){ .ok = true });
	}
}

/* Somebody said it before: it is of this link from now on. */
static bool
said_before(struct engine *e, struct erun *r, struct share *s,
    const struct ask *from)
{
	size_t i;

	for (i = 0; i < s->n_asks; i++) {
		if (strcmp(s->asks[i].ask, from->ask) != 0)
			continue;
		if (s->asks[i].met)
			tell_ask(e, r, s, from, &(struct answer){
				.ok = true });
		else
			s->asks[i].agent = from->agent;
		return true;
	}
	return false;
}

void
share_asked(struct engine *e, struct erun *r, size_t agent,
    const struct fleet_ask *q)
{
	uint32_t group = r->plan->execs[q->id.execution - 1].group;
	struct share *s = group > 0 ? share_get(r, group, q->id.attempt) :
	    NULL;
	struct ask from = { .no = q->id.execution, .agent = agent,
		.ask = (char *)(uintptr_t)q->ask,
		.name = (char *)(uintptr_t)q->name };
	struct answer none = { .text = "it is no part of a together suite" };
	const char *value;

	if (s != NULL && s->n_asks >= SHARE_ASKS_MAX)
		none.text = "the parts have asked too often";
	if (s == NULL || s->n_asks >= SHARE_ASKS_MAX) {
		tell(e, r, agent, &q->id, q->ask, &none);
		return;
	}
	if (strcmp(q->op, "put") == 0) {
		take_put(e, r, s, &from, q->value != NULL ? q->value : "");
		return;
	}
	if (said_before(e, r, s, &from))
		return;
	from.get = strcmp(q->op, "get") == 0;
	value = from.get ? value_find(s, q->name) : NULL;
	if (value != NULL) {
		tell_ask(e, r, s, &from, &(struct answer){ .ok = true,
			.value = value });
		return;
	}
	(void)ask_add(s, &from);
	if (!from.get)
		meet(e, r, s, q->name);
}

void
share_unasked(struct erun *r, const char *ask)
{
	struct share *s;
	size_t i;

	for (s = r->shares; s != NULL; s = s->next)
		for (i = s->n_asks; i > 0; i--)
			if (!s->asks[i - 1].met &&
			    strcmp(s->asks[i - 1].ask, ask) == 0)
				ask_drop(s, i - 1);
}

/* ---- parts that are over ---- */

struct over {
	uint32_t n;
	uint32_t no;		/* one of them: the first that did not pass */
	enum exec_state state;
	bool bad;
};

static void
look_over(const struct engine *e, const struct erun *r,
    const struct share *s, struct over *ret)
{
	struct sched_view v;
	uint32_t i;
	bool bad;

	*ret = (struct over){ .n = 0 };
	for (i = 0; i < s->n; i++) {
		if (sched_exec_view(e->sched, r->handle, s->first + i, &v) < 0
		    || (v.attempt == s->round && (v.state == EXEC_ASSIGNED ||
		    v.state == EXEC_RUNNING)))
			continue;
		bad = v.state != EXEC_PASSED && v.state != EXEC_HEALED;
		if (ret->n++ > 0 && (ret->bad || !bad))
			continue;
		ret->no = s->first + i;
		ret->state = v.state;
		ret->bad = bad;
	}
}

static void
fail_asks(struct engine *e, struct erun *r, struct share *s)
{
	struct answer no = { .ok = false };
	struct over over;
	char *text;
	size_t i;

	look_over(e, r, s, &over);
	if (over.n == 0)
		return;
	text = str_fmt("its part %s (%s/%u) is over: %s",
	    r->live.executions[over.no - 1].test, r->live.id, over.no,
	    over.state == EXEC_WAITING ? "failed, to be tried again" :
	    exec_state_name(over.state));
	no.text = text;
	for (i = s->n_asks; i > 0; i--) {
		if (s->asks[i - 1].met || (s->asks[i - 1].get && !over.bad &&
		    over.n + 1 < s->n))
			continue;
		tell_ask(e, r, s, &s->asks[i - 1], &no);
		ask_drop(s, i - 1);
	}
	free(text);
}

void
shares_look(struct engine *e, struct erun *r)
{
	struct share *s;

	for (s = r->shares; s != NULL; s = s->next)
		fail_asks(e, r, s);
}

/* ---- after a resume ---- */

static int
restore_row(void *arg, const struct run_shared *row)
{
	struct erun *r = arg;
	struct share *s = share_get(r, row->group, row->round);
	struct ask met = { .met = true,
		.ask = (char *)(uintptr_t)row->name,
		.name = (char *)(uintptr_t)row->value };

	if (s == NULL || row->name == NULL || row->value == NULL)
		return 0;
	if (strcmp(row->kind, "put") == 0)
		value_set(s, row->name, row->value);
	else
		(void)ask_add(s, &met);
	return 0;
}

int
shares_restore(struct erun *r)
{
	uint32_t i;

	for (i = 0; i < r->plan->n_execs; i++)
		if (r->plan->execs[i].group > 0)
			return run_file_each_shared(r->file, restore_row, r);
	return 0;
}
