/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scripts as agents, and a note of every call the fleet makes. */
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

/* ---- what the fleet calls ---- */

static void
on_changed(void *arg, size_t agent)
{
}

static void
on_up(void *arg, size_t agent)
{
	((struct lab *)arg)->seen[agent].up++;
}

static void
on_down(void *arg, size_t agent)
{
	((struct lab *)arg)->seen[agent].down++;
}

static void
on_report(void *arg, size_t agent, const struct report *r)
{
	struct seen *s = &((struct lab *)arg)->seen[agent];

	s->reports++;
	s->ended += r->state == ATTEMPT_ENDED;
	s->id = r->id;
	s->epoch = r->epoch;
}

static void
on_synced(void *arg, size_t agent, const char *run, uint32_t epoch)
{
	struct seen *s = &((struct lab *)arg)->seen[agent];

	assert_string_equal(run, RUN);
	s->synced++;
	s->epoch = epoch;
}

static void
on_returned(void *arg, size_t agent, const struct ident *id, bool returned,
    const char *why)
{
	struct seen *s = &((struct lab *)arg)->seen[agent];

	s->returned++;
	s->last_returned = returned;
	s->id = *id;
	snprintf(s->why, sizeof(s->why), "%s", why);
}

static void
on_event(void *arg, enum event_kind kind, const char *agent, const char *text)
{
	struct lab *lab = arg;
	size_t n = strlen(lab->events);

	snprintf(lab->events + n, sizeof(lab->events) - n, "%s: %s\n", agent,
	    text);
}

static const struct fleet_ops ops = { .changed = on_changed, .up = on_up,
	.down = on_down, .report = on_report, .synced = on_synced,
	.returned = on_returned, .event = on_event };

void
on_done(void *arg, int code, const char *text)
{
	struct lab *lab = arg;

	lab->answers++;
	lab->code = code;
	snprintf(lab->text, sizeof(lab->text), "%s", text);
}

/* ---- a fleet of scripts ---- */

struct lab *
lab_new(void)
{
	struct lab *lab = mem_zalloc(sizeof(*lab));

	strcpy(lab->dir, "/tmp/ym-fleet.XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	snprintf(lab->log, sizeof(lab->log), "%s/log", lab->dir);
	snprintf(lab->once, sizeof(lab->once), "%s/once", lab->dir);
	lab->spec.agents = lab->agents;
	lab->spec.name = (char *)"lab";
	assert_int_equal(loop_new(&lab->loop), 0);
	return lab;
}

struct agent_spec *
add(struct lab *lab, const char *const *options)
{
	struct agent_spec *a = &lab->agents[lab->spec.n_agents++];
	const char *top = getenv("YM_SRCDIR"), *python = getenv("PYTHON3");

	a->name = str_fmt("lab-%zu", lab->spec.n_agents);
	a->transport = TRANSPORT_COMMAND;
	/* The one that the tests were configured for: what is found by its
	 * name may be a script that looks for it. */
	strvec_push(&a->command, python != NULL ? python : "python3");
	strvec_push(&a->command, "-B");
	strvec_pushf(&a->command, "%s/tests/lib/fake_agent.py",
	    top != NULL ? top : ".");
	strvec_pushf(&a->command, "log=%s", lab->log);
	strvec_pushf(&a->command, "once=%s", lab->once);
	for (; options != NULL && *options != NULL; options++)
		strvec_push(&a->command, *options);
	return a;
}

const struct fleet_timing quick = {
	.tick_us = 20 * US_PER_MS, .ping_us = 2 * US_PER_S,
	.stale_pings = 2, .dead_pings = 6, .connect_us = 10 * US_PER_S,
	.welcome_us = 3 * US_PER_S, .slot_us = 500 * US_PER_MS,
	.retry_us = 20 * US_PER_MS, .retry_max_us = 200 * US_PER_MS,
	.lost_us = 1500 * US_PER_MS,
};

void
start_with(struct lab *lab, bool read_only, const struct fleet_timing *timing)
{
	assert_int_equal(fleet_new_timed(lab->loop, &lab->spec, "ann@desk",
	    read_only, &ops, lab, timing, &lab->fleet), 0);
}

void
start(struct lab *lab)
{
	start_with(lab, false, &quick);
}

void
lab_free(struct lab *lab)
{
	size_t i;

	fleet_free(lab->fleet);
	loop_free(lab->loop);
	for (i = 0; i < lab->spec.n_agents; i++) {
		free(lab->agents[i].name);
		free(lab->agents[i].host);
		strvec_done(&lab->agents[i].command);
		strvec_done(&lab->agents[i].labels);
	}
	buf_done(&lab->output);
	fs_remove_tree(lab->dir);
	free(lab);
}

const struct agent *
agent(const struct lab *lab, size_t i)
{
	return fleet_agent(lab->fleet, i);
}

unsigned
logged(const struct lab *lab, const char *words)
{
	struct buf b = BUF_INIT;
	const char *p;
	unsigned n = 0;

	(void)fs_read(lab->log, 1u << 20, &b);
	for (p = buf_str(&b); (p = strstr(p, words)) != NULL; p++)
		n++;
	buf_done(&b);
	return n;
}

struct work
some_work(uint32_t execution)
{
	struct work w = { .epoch = 3, .class = CLASS_AUTO, .workers = 1,
		.n_steps = 1 };

	strcpy(w.id.run, RUN);
	w.id.execution = execution;
	w.id.attempt = 1;
	w.steps = mem_zalloc(sizeof(*w.steps));
	w.steps[0].label = str_dup("t");
	strvec_push(&w.steps[0].argv, "true");
	return w;
}

void
start_work(struct lab *lab, size_t i, uint32_t execution)
{
	struct work w = some_work(execution);

	fleet_start(lab->fleet, i, &w);
	work_done(&w);
}
