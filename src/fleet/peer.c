/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of one link.
 *
 * DOWN -> QUEUED (fleet_queue: first, its time came, or a person said so)
 *      -> CONNECTING (peer_connect) -> GREETING (on_phase: banner)
 *      -> UP (peer_up: welcome) -> DOWN (peer_fail; from every phase)
 *
 * While a question is open no deadline runs. A link that failed is tried
 * again after 1 s, doubling to 30 s, with jitter; at once after 30 s where
 * only a person can mend it, and not at all where one said no.
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

/* ---- what is shown ---- */

static enum agent_state
state_by_facts(const struct peer *p)
{
	const struct facts *facts = &p->agent.facts;

	if (facts->held.on)
		return AGENT_HELD;
	if (facts->draining.on)
		return AGENT_DRAINING;
	if (p->agent.benched)
		return AGENT_BENCHED;
	if (facts->busy == 0)
		return AGENT_IDLE;
	return facts->busy >= facts->max_workers ? AGENT_FULL : AGENT_BUSY;
}

static enum agent_state
state_of(const struct peer *p)
{
	const struct agent *a = &p->agent;
	int64_t now = loop_now_us(p->f->loop);

	if (a->link == LINK_STALE)
		return AGENT_STALE;
	if (a->link == LINK_UP)
		return state_by_facts(p);
	if (a->heard_us != 0 && now - a->heard_us >= p->f->timing.lost_us)
		return AGENT_LOST;
	/* A try after a failure is not news until it works. */
	if (a->link == LINK_ASKING || p->failures == 0)
		return AGENT_CONNECTING;
	return AGENT_OFFLINE;
}

void
peer_show(struct peer *p)
{
	p->agent.state = state_of(p);
	if (!p->f->closing && p->f->ops->changed != NULL)
		p->f->ops->changed(p->f->arg, p->index);
}

static void
set_link(struct peer *p, enum link_state link)
{
	if (p->agent.link != link)
		p->agent.link_since_us = loop_now_us(p->f->loop);
	p->agent.link = link;
}

static void
set_text(char **to, const char *text)
{
	char *copy = str_dup(text);

	free(*to);
	*to = copy;
}

/* ---- the end of a link ---- */

static int64_t
retry_delay(const struct peer *p, int code)
{
	const struct fleet_timing *t = &p->f->timing;
	int64_t delay = t->retry_us;
	unsigned i;
	uint16_t chance;

	for (i = 1; i < p->failures && delay < t->retry_max_us; i++)
		delay *= 2;
	/* Trying again soon mends none of these, and servers count them. */
	if (code == ERR_AUTH || code == ERR_HOST_KEY || code == ERR_NOT_FOUND ||
	    code == ERR_VERSION)
		delay = t->retry_max_us;
	if (delay > t->retry_max_us)
		delay = t->retry_max_us;
	random_bytes(&chance, sizeof(chance));
	return delay - delay / 4 + delay / 2 * chance / UINT16_MAX;
}

static void
on_timer(void *arg)
{
	struct peer *p = arg;

	if (p->phase == PEER_DOWN) {
		p->agent.next_try_us = 0;
		fleet_queue(p);
		peer_show(p);
	} else if (p->phase == PEER_CONNECTING) {
		peer_fail(p, ERR_TIMEOUT, "%s: no answer for %d s (%s)",
		    p->agent.name, (int)(p->f->timing.connect_us / US_PER_S),
		    link_phase_name(link_phase(p->link)));
	} else {
		peer_fail(p, ERR_TIMEOUT, "%s: no answer for %d s (the agent "
		    "did not say welcome)", p->agent.name,
		    (int)(p->f->timing.welcome_us / US_PER_S));
	}
}

static void
on_slot_timer(void *arg)
{
	fleet_release_slot(arg);
}

/* Forgets all that belonged to one link. */
static void
drop_link(struct peer *p, bool kill)
{
	if (kill)
		link_kill(p->link);
	else
		link_close(p->link);
	p->link = NULL;
	fleet_release_slot(p);
	timer_stop(p->slot_timer);
	timer_stop(p->timer);
	frame_reader_done(&p->reader);
	frame_reader_init(&p->reader);
	say_done(p);
	free(p->agent.question);
	free(p->agent.spool);
	p->agent.question = p->agent.spool = NULL;
	p->agent.rtt_us = p->agent.answer_us = 0;
	p->rtt_measured = false;
	p->read_only = false;
}

static void
plan_next(struct peer *p, int code)
{
	int64_t delay = retry_delay(p, code);

	p->agent.next_try_us = 0;
	if (p->refused)
		return;
	p->agent.next_try_us = loop_now_us(p->f->loop) + delay;
	timer_start(p->timer, delay);
}

/* An event has the name beside it. */
static const char *
without_name(const struct peer *p, const char *text)
{
	size_t n = strlen(p->agent.name);

	return strncmp(text, p->agent.name, n) == 0 &&
	    strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

void
peer_fail(struct peer *p, int code, const char *fmt, ...)
{
	bool was_up = p->phase == PEER_UP, news;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	news = was_up || p->agent.error == NULL ||
	    strcmp(p->agent.error, text) != 0;
	link_log_said(p);
	link_log(p, "%s", without_name(p, text));
	p->phase = PEER_DOWN;
	drop_link(p, code == ERR_TIMEOUT);
	set_link(p, LINK_DOWN);
	p->failures++;
	free(p->agent.error);
	p->agent.error = text;
	plan_next(p, code);
	if (was_up) {
		ask_drop(p);
		sent_clear(p);
		p->f->ops->down(p->f->arg, p->index);
	}
	if (news)
		fleet_event(p, EVENT_LINK, "%s", without_name(p, text));
	peer_show(p);
}

/* ---- its beginning ---- */

static void
on_data(void *arg, const uint8_t *bytes, size_t n)
{
	struct peer *p = arg;

	p->agent.heard_us = loop_now_us(p->f->loop);
	p->heard = true;
	p->missed = 0;
	if (p->agent.link == LINK_STALE) {
		set_link(p, LINK_UP);
		fleet_event(p, EVENT_LINK, "answers again");
		peer_show(p);
	}
	frame_feed(&p->reader, bytes, n);
	hear(p);
}

static void
on_phase(void *arg, enum link_phase phase)
{
	struct peer *p = arg;

	link_log(p, "%s", link_phase_name(phase));
	if (phase != LINK_PHASE_OPEN || p->phase != PEER_CONNECTING)
		return;
	p->phase = PEER_GREETING;
	p->greeted_us = clock_mono_us();
	timer_start(p->timer, p->f->timing.welcome_us);
}

static void
on_question(void *arg, enum link_question kind, const char *text)
{
	struct peer *p = arg;
	char *safe = text_safe(text);

	set_text(&p->agent.question, safe);
	link_log(p, "asks: %s", safe);
	free(safe);
	set_link(p, LINK_ASKING);
	timer_stop(p->timer);
	fleet_release_slot(p);
	peer_show(p);
}

static void
on_end(void *arg, int code, const char *text)
{
	peer_fail(arg, code, "%s", text);
}

static const struct link_ops link_ops = { .data = on_data, .phase = on_phase,
	.question = on_question, .end = on_end };

static enum link_via
via_of(enum transport t)
{
	static const enum link_via table[] = {
		[TRANSPORT_AUTO] = LINK_VIA_AUTO,
		[TRANSPORT_LIBSSH2] = LINK_VIA_LIBSSH2,
		[TRANSPORT_OPENSSH] = LINK_VIA_OPENSSH,
		[TRANSPORT_LOCAL] = LINK_VIA_LOCAL,
		[TRANSPORT_COMMAND] = LINK_VIA_COMMAND,
	};

	return table[t];
}

void
peer_connect(struct peer *p)
{
	const struct agent_spec *a = p->spec;
	int r;

	p->phase = PEER_CONNECTING;
	link_log(p, "connecting to %s (transport %s)", p->agent.host,
	    transport_name(a->transport));
	r = link_open(p->f->loop, &(struct link_spec){ .name = a->name,
	    .via = via_of(a->transport), .host = a->host, .port = a->port,
	    .user = a->user, .identity = a->identity,
	    .known_hosts = a->known_hosts, .agent_path = a->agent_path,
	    .instance = a->instance, .command = strvec_argv(&a->command),
	    .headless = !p->f->interactive, .nest = p->f->nest }, &link_ops, p, &p->link);
	if (r < 0) {
		peer_fail(p, r, "%s: its entry in the fleet file cannot be "
		    "used: %s", a->name, err_text(r));
		return;
	}
	set_link(p, LINK_CONNECTING);
	timer_start(p->timer, p->f->timing.connect_us);
	timer_start(p->slot_timer, p->f->timing.slot_us);
	say_hello(p);
	peer_show(p);
}

/* ---- while it lasts ---- */

static void
ping(struct peer *p, int64_t now)
{
	size_t pending = link_pending(p->link);

	/* While much is being sent the answer comes late; that it leaves is a
	 * sign of life too. */
	p->missed = p->heard || pending < p->pending ? 0 : p->missed + 1;
	p->pending = pending;
	if (p->missed >= p->f->timing.dead_pings) {
		peer_fail(p, ERR_TIMEOUT, "%s: no answer for %d s",
		    p->agent.name, (int)((now - p->agent.heard_us) / US_PER_S));
		return;
	}
	if (p->missed >= p->f->timing.stale_pings &&
	    p->agent.link == LINK_UP) {
		set_link(p, LINK_STALE);
		fleet_event(p, EVENT_LINK, "silent for %d s",
		    (int)((now - p->agent.heard_us) / US_PER_S));
		peer_show(p);
	}
	p->heard = false;
	p->ping_sent_us = clock_mono_us();
	p->next_ping_us = now + p->f->timing.ping_us;
	say_ping(p, MSG_PING, ++p->ping_n);
}

static void
tell_noise(struct peer *p)
{
	const char *noise = frame_noise(&p->reader);
	char *safe;

	if (*noise == '\0' || p->noisy)
		return;
	p->noisy = true;
	safe = str_ndup(noise, 200);
	fleet_event(p, EVENT_WARNING, "its login files print before the agent "
	    "can speak: %s", safe);
	free(safe);
}

void
peer_up(struct peer *p)
{
	struct fleet_tail *t;
	uint16_t chance;

	timer_stop(p->timer);
	timer_stop(p->slot_timer);
	fleet_release_slot(p);
	p->phase = PEER_UP;
	p->failures = 0;
	p->missed = 0;
	p->heard = true;
	free(p->agent.error);
	p->agent.error = NULL;
	set_link(p, LINK_UP);
	link_log(p, "up, agent %s", p->agent.facts.version);
	p->agent.rtt_us = clock_mono_us() - p->greeted_us;
	tell_noise(p);
	fleet_event(p, EVENT_LINK, "connected to %s (agent %s)",
	    p->agent.host, p->agent.facts.version);
	peer_show(p);
	/* One ping now, for the round trip; the next ones not all at once. */
	ping(p, loop_now_us(p->f->loop));
	random_bytes(&chance, sizeof(chance));
	p->next_ping_us -= p->f->timing.ping_us * chance / UINT16_MAX;
	ask_fleet_values(p);
	TAILQ_FOREACH(t, &p->tails, entry)
		tail_send(t);
	trees_offer(p);
	p->f->ops->up(p->f->arg, p->index);
}

void
peer_tick(struct peer *p)
{
	int64_t now = loop_now_us(p->f->loop);

	if (p->phase == PEER_UP && now >= p->next_ping_us)
		ping(p, now);
	else if (p->phase != PEER_UP && state_of(p) != p->agent.state)
		peer_show(p);
}

/* ---- its entry in the fleet changes ---- */

/* What is shown of an agent as its entry says it. */
static void
take_spec(struct peer *p, const struct agent_spec *spec)
{
	struct buf where = BUF_INIT;

	p->spec = spec;
	strvec_done(&p->agent.labels);
	strvec_done(&p->agent.targets);
	strvec_push_all(&p->agent.labels, &spec->labels);
	strvec_push_all(&p->agent.targets, &spec->targets);
	agent_spec_where(spec, &where);
	free(p->agent.host);
	p->agent.host = buf_steal(&where);
}

/* Down, whatever it was, with that text. */
static void
put_down(struct peer *p, const char *text)
{
	if (p->phase == PEER_QUEUED)
		TAILQ_REMOVE(&p->f->queue, p, entry);
	if (p->phase == PEER_QUEUED || p->phase == PEER_DOWN) {
		p->phase = PEER_DOWN;
		timer_stop(p->timer);
		p->agent.next_try_us = 0;
		set_text(&p->agent.error, text);
		peer_show(p);
	} else {
		peer_fail(p, ERR_CLOSED, "%s", text);
	}
}

void
peer_retire(struct peer *p)
{
	static const char text[] = "removed from the fleet";

	p->refused = true;
	if (p->phase != PEER_DOWN || p->agent.error == NULL ||
	    strcmp(p->agent.error, text) != 0)
		put_down(p, text);
}

void
peer_renew(struct peer *p, const struct agent_spec *spec, bool relink)
{
	bool back = p->agent.removed && !spec->removed;

	take_spec(p, spec);
	p->agent.removed = spec->removed;
	if (spec->removed)
		return;
	if (relink && p->phase != PEER_DOWN)
		put_down(p, "its entry in the fleet file was changed");
	if (relink || back)
		fleet_reconnect(p->f, p->index);
}

/* ---- memory ---- */

void
peer_init(struct peer *p, struct fleet *f, size_t index,
    const struct agent_spec *spec)
{
	p->f = f;
	p->index = index;
	strcpy(p->agent.name, spec->name);
	take_spec(p, spec);
	p->agent.link_since_us = loop_now_us(f->loop);
	p->timer = timer_new(f->loop, on_timer, p);
	p->slot_timer = timer_new(f->loop, on_slot_timer, p);
	frame_reader_init(&p->reader);
	buf_secret(&p->batch.body);
	buf_secret(&p->batch.secrets);
	buf_secret(&p->out);
	TAILQ_INIT(&p->calls);
	TAILQ_INIT(&p->tails);
	TAILQ_INIT(&p->trees);
	p->agent.state = state_of(p);
}

void
peer_done(struct peer *p)
{
	struct fleet_tail *t;

	say_flush(p);
	drop_link(p, false);
	p->phase = PEER_DOWN;
	ask_drop(p);
	sent_clear(p);
	trees_free(p);
	/* Tails outlive the fleet as empty shells until they are untailed. */
	while ((t = TAILQ_FIRST(&p->tails)) != NULL) {
		TAILQ_REMOVE(&p->tails, t, entry);
		t->peer = NULL;
	}
	timer_free(p->timer);
	timer_free(p->slot_timer);
	frame_reader_done(&p->reader);
	buf_done(&p->batch.body);
	buf_done(&p->batch.secrets);
	buf_done(&p->out);
	free(p->refusals);
	strvec_done(&p->agent.labels);
	strvec_done(&p->agent.targets);
	facts_done(&p->agent.facts);
	free(p->agent.host);
	free(p->agent.error);
	free(p->agent.errors);
	free(p->agent.question);
	link_log_done(p);
}
