/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an agent says, checked: number and phase by the message table, bodies
 * by the readers of model/. What cannot be right ends the link.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

/* One message; false when it ended the link. */
typedef bool (*hear_fn)(struct peer *p, const struct jval *v);

/* Says why, so that the other side's log has it too, and ends the link. */
static bool
broken(struct peer *p, const char *name)
{
	peer_fail(p, ERR_PROTOCOL, "%s: its agent sent a %s that cannot be "
	    "read", p->agent.name, name);
	return false;
}

/* Callbacks may have ended the link (fleet calls from within). */
static bool
still_up(const struct peer *p)
{
	return p->phase == PEER_UP;
}

static bool
take_facts(struct peer *p, const struct jval *v)
{
	struct facts facts;

	if (facts_read(v, &facts) < 0)
		return false;
	facts_done(&p->agent.facts);
	p->agent.facts = facts;
	p->agent.facts_us = clock_mono_us();
	p->agent.known = true;
	return true;
}

static bool
has_feature(const struct jval *v, const char *name)
{
	const struct jval *list = jval_get(v, "features");
	size_t i;

	for (i = 0; i < jval_count(list); i++)
		if (strcmp(jval_str(jval_at(list, i), ""), name) == 0)
			return true;
	return false;
}

static bool
hear_welcome(struct peer *p, const struct jval *v)
{
	int64_t protocol = jval_get_int(v, "protocol", 0);

	if (protocol != PROTO_VERSION) {
		peer_fail(p, ERR_VERSION, "%s: its agent speaks protocol %lld, "
		    "this console %d; install the same version on both",
		    p->agent.name, (long long)protocol, PROTO_VERSION);
		return false;
	}
	if (!take_facts(p, jval_get(v, "facts")))
		return broken(p, "welcome");
	p->read_only = jval_get_bool(v, "read_only", false);
	p->agent.takes_secrets = has_feature(v, "secrets");
	free(p->agent.spool);
	p->agent.spool = str_dup(jval_get_str(v, "spool", NULL));
	peer_up(p);
	return still_up(p);
}

static bool
hear_ping(struct peer *p, const struct jval *v)
{
	say_ping(p, MSG_PONG, jval_get_int(v, "n", 0));
	return true;
}

static bool
hear_pong(struct peer *p, const struct jval *v)
{
	int64_t rtt = clock_mono_us() - p->ping_sent_us;
	bool first = p->agent.rtt_us == 0;

	if (jval_get_int(v, "n", 0) != p->ping_n || p->ping_sent_us == 0)
		return true;
	p->ping_sent_us = 0;
	p->agent.rtt_us = !p->rtt_measured ? rtt :
	    p->agent.rtt_us + (rtt - p->agent.rtt_us) / 8;
	p->rtt_measured = true;
	if (first)
		peer_show(p);
	return true;
}

static bool
hear_report(struct peer *p, const struct jval *v)
{
	const struct jval *reports = jval_get(v, "reports");
	struct report r;
	size_t i;

	if (jval_type(reports) != JVAL_ARRAY)
		return broken(p, "report");
	for (i = 0; i < jval_count(reports); i++) {
		if (report_read(jval_at(reports, i), &r) < 0)
			return broken(p, "report");
		sent_forget(p, &r.id);
		p->f->ops->report(p->f->arg, p->index, &r);
		report_done(&r);
		if (!still_up(p))
			return false;
	}
	peer_show(p);
	return true;
}

static bool
read_run(const struct jval *v, char run[RUN_ID_SIZE], uint32_t *ret_epoch)
{
	const char *text = jval_get_str(v, "run", "");
	int64_t epoch = jval_get_int(v, "epoch", -1);
	struct ident id;

	if (ident_parse(text, &id) < 0 || id.execution != 0 || epoch < 0 ||
	    epoch > UINT32_MAX)
		return false;
	strcpy(run, id.run);
	*ret_epoch = (uint32_t)epoch;
	return true;
}

static bool
hear_synced(struct peer *p, const struct jval *v)
{
	char run[RUN_ID_SIZE];
	uint32_t epoch;

	if (!read_run(v, run, &epoch))
		return broken(p, "synced");
	p->f->ops->synced(p->f->arg, p->index, run, epoch);
	return still_up(p);
}

static void
tell_returned(struct peer *p, const struct ident *id, const struct jval *item)
{
	const char *why = jval_get_str(item, "why", "");

	if (jval_get_bool(item, "full", false) && p->f->ops->full != NULL)
		p->f->ops->full(p->f->arg, p->index, id, why);
	else
		p->f->ops->returned(p->f->arg, p->index, id,
		    jval_get_bool(item, "returned", false), why);
}

static bool
hear_returned(struct peer *p, const struct jval *v)
{
	const struct jval *items = jval_get(v, "items"), *item;
	struct ident id;
	size_t i;

	if (jval_type(items) != JVAL_ARRAY)
		return broken(p, "returned");
	for (i = 0; i < jval_count(items); i++) {
		item = jval_at(items, i);
		if (ident_parse(jval_get_str(item, "id", ""), &id) < 0 ||
		    id.attempt == 0)
			return broken(p, "returned");
		sent_forget(p, &id);
		tell_returned(p, &id, item);
		if (!still_up(p))
			return false;
	}
	peer_show(p);
	return true;
}

#define ASK_MAX 64		/* bytes of what tells asks apart */
#define ASK_NAME_MAX 255
#define ASK_VALUE_MAX 65536

/* True when it is one that an agent may give on. */
static bool
read_ask(const struct jval *v, struct fleet_ask *ret)
{
	*ret = (struct fleet_ask){
		.ask = jval_get_str(v, "ask", ""),
		.op = jval_get_str(v, "op", ""),
		.name = jval_get_str(v, "name", ""),
		.value = jval_get_str(v, "value", NULL),
	};
	return ident_parse(jval_get_str(v, "id", ""), &ret->id) == 0 &&
	    ret->id.attempt > 0 && *ret->ask != '\0' &&
	    strlen(ret->ask) <= ASK_MAX &&
	    strlen(ret->name) <= ASK_NAME_MAX && (ret->value == NULL ||
	    strlen(ret->value) <= ASK_VALUE_MAX);
}

static bool
hear_asks(struct peer *p, const struct jval *v, bool withdrawn)
{
	const struct jval *asks = jval_get(v, "asks");
	struct fleet_ask q;
	size_t i;

	if (jval_type(asks) != JVAL_ARRAY)
		return broken(p, "ask");
	for (i = 0; i < jval_count(asks); i++) {
		if (!read_ask(jval_at(asks, i), &q))
			return broken(p, "ask");
		if (withdrawn)
			p->f->ops->unasked(p->f->arg, p->index, &q.id, q.ask);
		else
			p->f->ops->asked(p->f->arg, p->index, &q);
		if (!still_up(p))
			return false;
	}
	return true;
}

static bool
hear_ask(struct peer *p, const struct jval *v)
{
	return hear_asks(p, v, false);
}

static bool
hear_unask(struct peer *p, const struct jval *v)
{
	return hear_asks(p, v, true);
}

static bool
hear_facts(struct peer *p, const struct jval *v)
{
	if (!take_facts(p, v))
		return broken(p, "facts message");
	peer_show(p);
	return true;
}

static bool
hear_answer(struct peer *p, const struct jval *v)
{
	if (jval_get(v, "facts") != NULL && !take_facts(p,
	    jval_get(v, "facts")))
		return broken(p, "answer");
	ask_answered(p, v);
	if (!still_up(p))
		return false;
	peer_show(p);
	return true;
}

static bool
hear_output_end(struct peer *p, const struct jval *v)
{
	tail_ended(p, v);
	return still_up(p);
}

static bool
hear_have(struct peer *p, const struct jval *v)
{
	return tree_have(p, v) ? still_up(p) : broken(p, "word on a tree");
}

static bool
hear_error(struct peer *p, const struct jval *v)
{
	char *text = text_safe(jval_get_str(v, "text", "no reason given"));
	int64_t code = jval_get_int(v, "code", 0);

	peer_fail(p, code < 0 && code > -20000 ? (int)code : ERR_CLOSED,
	    "%s: its agent ended the link: %s", p->agent.name, text);
	free(text);
	return false;
}

static const struct {
	enum msg number;
	hear_fn fn;
} table[] = {
	{ MSG_WELCOME, hear_welcome },
	{ MSG_PING, hear_ping },
	{ MSG_PONG, hear_pong },
	{ MSG_REPORT, hear_report },
	{ MSG_SYNCED, hear_synced },
	{ MSG_RETURNED, hear_returned },
	{ MSG_ASK, hear_ask },
	{ MSG_UNASK, hear_unask },
	{ MSG_FACTS, hear_facts },
	{ MSG_ANSWER, hear_answer },
	{ MSG_OUTPUT_END, hear_output_end },
	{ MSG_HAVE, hear_have },
	{ MSG_ERROR, hear_error },
};

static bool
hear_json(struct peer *p, unsigned number, const uint8_t *body, size_t n)
{
	const struct msg_info *info = msg_info(number);
	struct jval *v = NULL;
	bool goes_on;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].number == number)
			break;
	if (i == sizeof(table) / sizeof(table[0]) ||
	    jval_parse(&v, body, n) < 0)
		return broken(p, info->name);
	goes_on = jval_type(v) == JVAL_OBJECT ? table[i].fn(p, v) :
	    broken(p, info->name);
	jval_free(v);
	return goes_on;
}

static bool
hear_message(struct peer *p, unsigned number, const uint8_t *body, size_t n)
{
	enum msg_phase phase = p->phase == PEER_UP ? PHASE_OPEN :
	    PHASE_GREETING;

	if (msg_check(number, FROM_AGENT, phase) < 0) {
		peer_fail(p, ERR_PROTOCOL, "%s: its agent sent message %u out "
		    "of turn", p->agent.name, number);
		return false;
	}
	if (number == MSG_OUTPUT) {
		tail_output(p, body, n);
		return still_up(p);
	}
	return hear_json(p, number, body, n);
}

void
hear(struct peer *p)
{
	const uint8_t *body;
	unsigned number;
	size_t n;
	int r;

	while ((r = frame_next(&p->reader, &number, &body, &n)) == 1)
		if (!hear_message(p, number, body, n))
			return;
	if (r == ERR_VERSION)
		peer_fail(p, r, "%s: its agent speaks another protocol than "
		    "this console (%d); install the same version on both",
		    p->agent.name, PROTO_VERSION);
	else if (r < 0 && p->reader.noise > BANNER_NOISE_MAX)
		peer_fail(p, r, "%s: its login files print more than %u kB "
		    "before the agent can speak", p->agent.name,
		    BANNER_NOISE_MAX / 1024);
	else if (r < 0)
		peer_fail(p, r, "%s: its agent does not keep to the protocol "
		    "(%s)", p->agent.name, err_text(r));
}
