/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fleet: its peers, whose turn it is to connect, and the calls that concern
 * one agent's link. At most HANDSHAKES_MAX links are being made at once, and
 * HANDSHAKES_PER_HOST to one sshd, which turns away a crowd. A slow handshake
 * gives its place away, so a host that hangs delays nobody.
 */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fleet/fleet_int.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/host.h"

const struct fleet_timing fleet_timing_default = {
	.tick_us = US_PER_S,
	.ping_us = 5 * US_PER_S,
	.stale_pings = 2,
	.dead_pings = 6,
	.connect_us = 30 * US_PER_S,
	.welcome_us = 10 * US_PER_S,
	.slot_us = 2 * US_PER_S,
	.retry_us = US_PER_S,
	.retry_max_us = 30 * US_PER_S,
	.lost_us = 120 * US_PER_S,
};

void
fleet_event(struct peer *p, enum event_kind kind, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	if (p->f->ops->event != NULL)
		p->f->ops->event(p->f->arg, kind, p->agent.name, text);
	free(text);
}

/* ---- who may connect ---- */

static bool
same_sshd(const struct agent_spec *a, const struct agent_spec *b)
{
	return a->host != NULL && b->host != NULL && a->port == b->port &&
	    strcmp(a->host, b->host) == 0;
}

/* A free place for a handshake of p, or NULL. */
static struct peer **
free_slot(struct fleet *f, const struct peer *p)
{
	struct peer **found = NULL;
	unsigned same = 0;
	size_t i;

	for (i = 0; i < HANDSHAKES_MAX; i++)
		if (f->slots[i] == NULL)
			found = &f->slots[i];
		else if (same_sshd(f->slots[i]->spec, p->spec))
			same++;
	return same < HANDSHAKES_PER_HOST ? found : NULL;
}

static void
fill_slots(struct fleet *f)
{
	struct peer *p, *next, **slot;

	for (p = TAILQ_FIRST(&f->queue); p != NULL; p = next) {
		next = TAILQ_NEXT(p, entry);
		if ((slot = free_slot(f, p)) == NULL)
			continue;
		TAILQ_REMOVE(&f->queue, p, entry);
		*slot = p;
		p->slot = true;
		peer_connect(p);
	}
}

void
fleet_queue(struct peer *p)
{
	p->phase = PEER_QUEUED;
	TAILQ_INSERT_TAIL(&p->f->queue, p, entry);
	loop_poke(p->f->loop);
}

void
fleet_release_slot(struct peer *p)
{
	size_t i;

	if (!p->slot)
		return;
	p->slot = false;
	for (i = 0; i < HANDSHAKES_MAX; i++)
		if (p->f->slots[i] == p)
			p->f->slots[i] = NULL;
	loop_poke(p->f->loop);
}

void
fleet_mark(struct peer *p)
{
	if (p->marked)
		return;
	p->marked = true;
	TAILQ_INSERT_TAIL(&p->f->marked, p, marked_entry);
	loop_poke(p->f->loop);
}

/* ---- each turn, each tick ---- */

static void
on_turn(void *arg)
{
	struct fleet *f = arg;
	struct peer *p;

	fill_slots(f);
	while ((p = TAILQ_FIRST(&f->marked)) != NULL) {
		TAILQ_REMOVE(&f->marked, p, marked_entry);
		p->marked = false;
		say_flush(p);
		say_refusals(p);
	}
}

static void
on_tick(void *arg)
{
	struct fleet *f = arg;
	size_t i;

	for (i = 0; i < f->n; i++)
		peer_tick(f->peers[i]);
	timer_start(f->tick, f->timing.tick_us);
}

/* ---- the whole ---- */

static char *
console_name(void)
{
	struct host_facts host;

	if (host_read(&host) < 0)
		return str_fmt("?/%ld", (long)getpid());
	return str_fmt("%s/%ld", host.name, (long)getpid());
}

/* Two descriptors a link, three for a child of its own, and those of others:
 * a large fleet needs more than the usual 1,024. */
static void
allow_files(size_t agents)
{
	rlim_t want = 256 + 4 * (rlim_t)agents;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0 || l.rlim_cur >= want)
		return;
	l.rlim_cur = want < l.rlim_max ? want : l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
}

static void
add_peer(struct fleet *f, const struct agent_spec *spec)
{
	struct peer *p = mem_zalloc(sizeof(*p));

	f->peers = mem_grow(f->peers, &f->cap, f->n + 1, sizeof(*f->peers));
	peer_init(p, f, f->n, spec);
	f->peers[f->n++] = p;
	fleet_queue(p);
}

int
fleet_new_timed(struct loop *loop, const struct fleet_spec *spec,
    const char *who, bool read_only, const struct fleet_ops *ops, void *arg,
    const struct fleet_timing *timing, struct fleet **ret)
{
	struct fleet *f = mem_zalloc(sizeof(*f));
	size_t i;
	int r;

	if ((r = link_nest_new(loop, &f->nest)) < 0) {
		free(f);
		return r;
	}
	f->loop = loop;
	f->who = str_dup(who);
	f->console = console_name();
	f->read_only = read_only;
	f->ops = ops;
	f->arg = arg;
	f->timing = *timing;
	allow_files(spec->n_agents);
	TAILQ_INIT(&f->queue);
	TAILQ_INIT(&f->marked);
	for (i = 0; i < spec->n_agents; i++)
		add_peer(f, &spec->agents[i]);
	f->tick = timer_new(loop, on_tick, f);
	timer_start(f->tick, f->timing.tick_us);
	loop_hook(loop, on_turn, f);
	*ret = f;
	return 0;
}

int
fleet_new(struct loop *loop, const struct fleet_spec *spec, const char *who,
    bool read_only, const struct fleet_ops *ops, void *arg, struct fleet **ret)
{
	return fleet_new_timed(loop, spec, who, read_only, ops, arg,
	    &fleet_timing_default, ret);
}

void
fleet_free(struct fleet *f)
{
	size_t i;

	if (f == NULL)
		return;
	f->closing = true;
	loop_unhook(f->loop, on_turn, f);
	timer_free(f->tick);
	for (i = 0; i < f->n; i++) {
		peer_done(f->peers[i]);
		free(f->peers[i]);
	}
	link_nest_free(f->nest);
	buf_done(&f->scratch);
	free(f->peers);
	free(f->who);
	free(f->console);
	free(f);
}

size_t
fleet_count(const struct fleet *f)
{
	return f->n;
}

const struct agent *
fleet_agent(const struct fleet *f, size_t agent)
{
	return &f->peers[agent]->agent;
}

int
fleet_index(const struct fleet *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->peers[i]->agent.name, name) == 0)
			return (int)i;
	return -1;
}

/* ---- what a person does to a link ---- */

void
fleet_interactive(struct fleet *f, bool on)
{
	size_t i;

	if (f->interactive == on)
		return;
	f->interactive = on;
	/* What failed because nobody was there may be asked now. */
	for (i = 0; on && i < f->n; i++)
		if (f->peers[i]->phase == PEER_DOWN)
			fleet_reconnect(f, i);
}

void
fleet_answer(struct fleet *f, size_t agent, const char *answer)
{
	struct peer *p = f->peers[agent];

	if (p->agent.question == NULL || p->link == NULL)
		return;
	free(p->agent.question);
	p->agent.question = NULL;
	p->refused = answer == NULL;
	link_log(p, answer != NULL ? "answered" : "refused");
	p->agent.link = LINK_CONNECTING;
	timer_start(p->timer, f->timing.connect_us);
	link_answer(p->link, answer);
	peer_show(p);
}

void
fleet_bench(struct fleet *f, size_t agent, bool on, const char *text)
{
	struct peer *p = f->peers[agent];

	p->agent.benched = on;
	free(p->agent.errors);
	p->agent.errors = str_dup(text);
	peer_show(p);
}

void
fleet_speed(struct fleet *f, size_t agent, uint32_t speed)
{
	f->peers[agent]->agent.speed = speed;
}

void
fleet_reconnect(struct fleet *f, size_t agent)
{
	struct peer *p = f->peers[agent];

	if (p->phase != PEER_DOWN || p->spec->removed)
		return;
	timer_stop(p->timer);
	p->failures = 0;
	p->refused = false;
	free(p->agent.error);
	p->agent.error = NULL;
	p->agent.next_try_us = 0;
	fleet_queue(p);
	peer_show(p);
}

/* ---- the fleet becomes another one ---- */

void
fleet_renew(struct fleet *f, const struct fleet_spec *spec,
    const bool *relink)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		peer_renew(f->peers[i], &spec->agents[i], relink[i]);
	allow_files(spec->n_agents);
	while (f->n < spec->n_agents)
		add_peer(f, &spec->agents[f->n]);
}

void
fleet_retire(struct fleet *f, size_t agent)
{
	peer_retire(f->peers[agent]);
}
