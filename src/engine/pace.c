/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Speed factors of agents, learned anew from what the registry keeps. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/sched/speed.h"

#include "engine/engine_private.h"

struct runner {
	UT_hash_handle hh;
	uint32_t index;
	char name[AGENT_NAME_SIZE];
};

struct paces {
	struct speed_sample *v;
	size_t n, cap;
	char *key;		/* of the last one */
	uint32_t tests, agents;
	struct runner *by_name;
};

/* Agents of other fleets count as well: they ran the same tests. */
static uint32_t
runner_index(struct paces *p, const char *name)
{
	struct runner *r;

	HASH_FIND_STR(p->by_name, name, r);
	if (r == NULL) {
		r = mem_zalloc(sizeof *r);
		strncpy(r->name, name, sizeof r->name - 1);
		r->index = p->agents++;
		HASH_ADD_STR(p->by_name, name, r);
	}
	return r->index;
}

static int
add_pace(void *arg, const char *key, const char *agent, int64_t elapsed_us)
{
	struct paces *p = arg;

	if (!ident_is_agent_name(agent))
		return 0;
	if (p->key == NULL || strcmp(p->key, key) != 0) {
		free(p->key);
		p->key = str_dup(key);
		p->tests++;
	}
	p->v = mem_grow(p->v, &p->cap, p->n + 1, sizeof *p->v);
	p->v[p->n++] = (struct speed_sample){
		.test = p->tests,
		.agent = runner_index(p, agent),
		.elapsed_us = elapsed_us,
	};
	return 0;
}

static void
tell_agents(struct engine *e, const struct paces *p, const uint32_t *speeds)
{
	const struct runner *r;
	size_t i;

	for (i = 0; i < fleet_count(e->fleet); i++) {
		HASH_FIND_STR(p->by_name, fleet_agent(e->fleet, i)->name, r);
		if (r == NULL || speeds[r->index] ==
		    fleet_agent(e->fleet, i)->speed)
			continue;
		fleet_speed(e->fleet, i, speeds[r->index]);
		feed_agent(e, i);
	}
}

void
engine_learn_speeds(struct engine *e)
{
	struct paces p = { NULL };
	struct runner *r, *next;
	uint32_t *speeds;

	if (history_each_pace(e->registry, add_pace, &p) == 0) {
		speeds = mem_calloc(p.agents, sizeof *speeds);
		speed_learn(p.v, p.n, speeds, p.agents);
		tell_agents(e, &p, speeds);
		free(speeds);
	}
	HASH_ITER(hh, p.by_name, r, next) {
		HASH_DEL(p.by_name, r);
		free(r);
	}
	free(p.key);
	free(p.v);
}

int64_t
engine_usual_on(const struct engine *e, size_t agent, int64_t usual_us)
{
	uint32_t speed = fleet_agent(e->fleet, agent)->speed;

	return speed == 0 ? usual_us :
	    (int64_t)((double)usual_us * 1000 / speed);
}
