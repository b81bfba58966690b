/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cures by an edit of the fleet, for what no agent of it may run: the nearest
 * agent gets the labels and targets that it lacks, or another agent comes.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"

#include "engine/cures.h"

/* What an agent lacks, where an edit can give it. */
struct lack {
	struct strvec labels, targets;
	const char *name;	/* another agent that is asked for; NULL */
	bool hopeless;		/* something that no edit gives */
};

static void
lack_done(struct lack *l)
{
	strvec_done(&l->labels);
	strvec_done(&l->targets);
	*l = (struct lack){ .name = NULL };
}

static void
add(struct strvec *v, const char *s)
{
	if (strvec_find(v, s) < 0)
		strvec_push(v, s);
}

/* The first term that an edit can meet: a label, else a name. */
static void
lacks_agents(struct lack *l, const struct strvec *terms)
{
	const char *t, *name = NULL;
	size_t i;

	for (i = 0; i < terms->n; i++) {
		t = terms->v[i];
		if (t[0] == '@' && ident_is_agent_name(t + 1)) {
			add(&l->labels, t + 1);
			return;
		}
		if (name == NULL && ident_is_agent_name(t))
			name = t;
	}
	if (name != NULL && l->name == NULL)
		l->name = name;
	l->hopeless = true;
}

/* Beside an agent (NULL: none, all is lacking). */
static void
find_lack(const struct offering *o, const struct agent_spec *a,
    struct lack *l)
{
	const struct plan *p = o->r->plan;
	const struct plan_terms *t =
	    &p->terms[p->execs[o->id->execution - 1].terms];
	const struct plan_agents *list;
	const char *target;
	uint32_t i;

	*l = (struct lack){ .name = NULL };
	for (i = 0; i < t->n_agents; i++) {
		list = &p->agents[t->agents[i]];
		if (list->terms.n > 0 && (a == NULL || !selector_match(
		    list->selector, a->name, &a->labels)))
			lacks_agents(l, &list->terms);
	}
	for (i = 0; i < t->n_targets; i++) {
		target = p->targets[t->targets[i]].name;
		if (a != NULL && agent_spec_offers(a, target))
			continue;
		add(&l->targets, target);
		l->hopeless = l->hopeless || strchr(target, ',') != NULL;
	}
}

static void
put_list(struct buf *b, const char *key, const char *op,
    const struct strvec *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		buf_putf(b, "%s%s%s%s", i > 0 ? "," : buf_len(b) > 0 ? " " : "",
		    i > 0 ? "" : key, i > 0 ? "" : op, v->v[i]);
}

/* Words of it as a shell takes them. */
static char *
command(const struct offering *o, const char *what, const char *agent,
    const struct lack *l, const char *op)
{
	struct buf b = BUF_INIT, args = BUF_INIT;

	put_list(&args, "labels", op, &l->labels);
	put_list(&args, "targets", op, &l->targets);
	buf_putf(&b, "yardmaster %s %s%s%s%s", what, agent,
	    buf_len(&args) > 0 ? " " : "", buf_str(&args),
	    o->e->fleet_option);
	buf_done(&args);
	return buf_steal(&b);
}

/* Targets may have any name; a command is to work as it stands. */
static bool
is_plain(const struct lack *l)
{
	size_t i;

	for (i = 0; i < l->targets.n; i++)
		if (!ident_is_agent_name(l->targets.v[i]))
			return false;
	return true;
}

static void
offer_edit(struct offering *o, const struct agent_spec *a,
    const struct lack *l)
{
	struct cure_offer *c = cure_offer(o, CURE_AMEND_AGENT, OP_SET);
	struct buf key = BUF_INIT;

	put_list(&key, "labels", "+=", &l->labels);
	put_list(&key, "targets", "+=", &l->targets);
	c->key = buf_steal(&key);
	c->op.key = c->key;
	snprintf(c->op.agent, sizeof c->op.agent, "%s", a->name);
	c->command = command(o, "set", a->name, l, "+=");
}

void
cure_amend_agent(struct offering *o)
{
	const struct agent_spec *a, *best = NULL;
	struct lack l, least = { .name = NULL };
	size_t i;

	for (i = 0; o->e->spec->file != NULL && i < o->e->spec->n_agents;
	    i++) {
		a = &o->e->spec->agents[i];
		find_lack(o, a, &l);
		if (a->removed || l.hopeless || !is_plain(&l) ||
		    l.labels.n + l.targets.n == 0 || (best != NULL &&
		    l.labels.n + l.targets.n >=
		    least.labels.n + least.targets.n)) {
			lack_done(&l);
			continue;
		}
		lack_done(&least);
		least = l;
		best = a;
	}
	if (best != NULL)
		offer_edit(o, best, &least);
	lack_done(&least);
}

/* Where it is reached is for a person to say, unless it has its name. */
void
cure_add_agent(struct offering *o)
{
	struct cure_offer *c;
	struct buf key = BUF_INIT;
	struct lack l;

	find_lack(o, NULL, &l);
	if (o->e->spec->file != NULL && is_plain(&l) &&
	    (l.name == NULL || fleet_index(o->e->fleet, l.name) < 0 ||
	    o->e->spec->agents[fleet_index(o->e->fleet, l.name)].removed)) {
		c = cure_offer(o, CURE_ADD_AGENT, OP_ADD);
		put_list(&key, "labels", "=", &l.labels);
		put_list(&key, "targets", "=", &l.targets);
		c->op.key = c->key = buf_steal(&key);
		snprintf(c->op.agent, sizeof c->op.agent, "%s",
		    l.name != NULL ? l.name : "");
		c->command = command(o, "fleet add", l.name != NULL ? l.name :
		    "HOST", &l, "=");
	}
	lack_done(&l);
}
