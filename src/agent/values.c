/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which max workers, threshold and guards count. A value given locally (environment,
 * agent.json) is read at a full start only and then journaled, so that a
 * restart or a crash changes nothing; a console's edit counts over it until
 * the next start of any kind, and for good where nothing is given locally.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/values.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"

uint32_t
max_decide(const struct max_sources *s, enum value_source *ret)
{
	bool local = s->environment > 0 || s->file > 0;
	const struct {
		bool counts;
		uint32_t n;
		enum value_source source;
	} order[] = {
		{ s->virtual, 1, SOURCE_VIRTUAL },
		{ s->console > 0 && s->console_live && local, s->console,
		    SOURCE_CONSOLE_UNTIL_RESTART },
		{ s->environment > 0, s->environment, SOURCE_ENVIRONMENT },
		{ s->file > 0, s->file, SOURCE_FILE },
		{ s->console > 0, s->console, SOURCE_CONSOLE },
		{ true, s->advised > 0 ? s->advised : 1, SOURCE_ADVISED },
	};
	size_t i = 0;

	while (!order[i].counts)
		i++;
	*ret = order[i].source;
	return order[i].n;
}

static int
parse_max(const char *text, uint32_t *ret)
{
	char *end;
	long n;

	n = strtol(text, &end, 10);
	if (end == text || *end != '\0')
		return ERR_SYNTAX;
	if (n < 1 || n > MAX_WORKERS_LIMIT)
		return ERR_RANGE;
	*ret = (uint32_t)n;
	return 0;
}

static uint32_t
load_max(struct journal *j, const char *key)
{
	char *text = journal_value(j, key);
	uint32_t n = 0;

	if (text != NULL)
		(void)parse_max(text, &n);
	free(text);
	return n;
}

static bool
load_threshold(struct journal *j, const char *key, struct threshold *ret)
{
	char *text = journal_value(j, key);
	bool found = text != NULL && threshold_parse(text, ret) == 0;

	free(text);
	return found;
}

static void
load_stop(struct journal *j, const char *key, struct stop_note *ret)
{
	char *text = journal_value(j, key);
	struct jval *v = NULL;

	if (text != NULL && jval_parse(&v, text, strlen(text)) == 0)
		(void)stop_note_read(v, ret);
	jval_free(v);
	free(text);
}

static void
load_guards(struct journal *j, const char *key, struct guards *ret)
{
	char *text = journal_value(j, key);
	struct jval *v = NULL;

	if (text != NULL && jval_parse(&v, text, strlen(text)) == 0)
		(void)guards_read(v, ret, NULL);
	jval_free(v);
	free(text);
}

void
values_load(struct values *v, struct journal *j)
{
	char *virtual = journal_value(j, "virtual");

	v->max.virtual = virtual != NULL;
	free(virtual);
	v->max.environment = load_max(j, "max.environment");
	v->max.file = load_max(j, "max.file");
	v->max.console = load_max(j, "max.console");
	v->has_file_threshold = load_threshold(j, "threshold.file",
	    &v->file_threshold);
	v->has_console_threshold = load_threshold(j, "threshold.console",
	    &v->console_threshold);
	load_guards(j, "guards.file", &v->file_guards);
	load_guards(j, "guards.console", &v->console_guards);
	load_stop(j, "draining", &v->draining);
	load_stop(j, "held", &v->held);
	values_decide(v);
}

int
values_full_start(struct values *v, const struct agent_file *file,
    const char *environment)
{
	uint32_t n = 0;
	int r;

	if (environment != NULL && *environment != '\0' &&
	    (r = parse_max(environment, &n)) < 0)
		return r;
	v->max.virtual = file->virtual;
	v->max.environment = n;
	v->max.file = file->max_workers;
	v->has_file_threshold = file->has_threshold;
	v->file_threshold = file->threshold;
	v->file_guards = file->guards;
	v->dirty = true;
	values_decide(v);
	return 0;
}

static void
decide_guards(struct values *v)
{
	struct guards now = { .free_disk = GUARD_FREE_DISK };
	unsigned file = v->file_guards.given & ~v->guards_live;
	int g;

	for (g = 0; g < GUARDS; g++)
		if ((file & GUARD_BIT(g)) != 0)
			guard_copy(&now, &v->file_guards, g);
		else if ((v->console_guards.given & GUARD_BIT(g)) != 0)
			guard_copy(&now, &v->console_guards, g);
	v->guards = now;
}

void
values_decide(struct values *v)
{
	decide_guards(v);
	v->max_workers = max_decide(&v->max, &v->max_source);
	if (v->has_file_threshold && !v->threshold_live)
		v->threshold = v->file_threshold;
	else if (v->has_console_threshold)
		v->threshold = v->console_threshold;
	else
		v->threshold = (struct threshold){ THRESHOLD_UNSET, 0 };
}

void
values_set_max(struct values *v, uint32_t n)
{
	v->max.console = n;
	v->max.console_live = true;
	v->dirty = true;
	values_decide(v);
}

void
values_set_threshold(struct values *v, const struct threshold *t)
{
	v->console_threshold = *t;
	v->has_console_threshold = true;
	v->threshold_live = true;
	v->dirty = true;
	values_decide(v);
}

void
values_set_guards(struct values *v, const struct guards *g, unsigned which)
{
	int i;

	for (i = 0; i < GUARDS; i++)
		if ((which & GUARD_BIT(i)) != 0)
			guard_copy(&v->console_guards, g, i);
	v->guards_live |= which & g->given;
	v->guards_live &= ~(which & ~g->given);
	v->dirty = true;
	values_decide(v);
}

static bool
expire(struct stop_note *s, int64_t now, int64_t *next)
{
	if (!s->on || s->expires_wall_us == 0)
		return false;
	if (s->expires_wall_us <= now) {
		stop_note_set(s, NULL, NULL, 0, 0);
		return true;
	}
	if (s->expires_wall_us < *next)
		*next = s->expires_wall_us;
	return false;
}

bool
values_expire(struct values *v, int64_t now_wall_us, int64_t *ret_next)
{
	bool did;

	*ret_next = CLOCK_NEVER;
	did = expire(&v->draining, now_wall_us, ret_next);
	did |= expire(&v->held, now_wall_us, ret_next);
	v->dirty |= did;
	return did;
}

static int
store_number(struct journal *j, const char *key, uint32_t n)
{
	char text[16];

	snprintf(text, sizeof text, "%u", n);
	return journal_put_value(j, key, n > 0 ? text : NULL);
}

static int
store_threshold(struct journal *j, const char *key, bool has,
    const struct threshold *t)
{
	char text[16];

	return journal_put_value(j, key,
	    has ? threshold_format(t, text) : NULL);
}

static int
store_guards(struct journal *j, const char *key, const struct guards *g)
{
	struct buf b = BUF_INIT;
	struct jw w;
	int r;

	jw_init(&w, &b);
	guards_write(&w, g, g->given);
	r = journal_put_value(j, key, g->given != 0 ? buf_str(&b) : NULL);
	buf_done(&b);
	return r;
}

static int
store_stop(struct journal *j, const char *key, const struct stop_note *s)
{
	struct buf b = BUF_INIT;
	struct jw w;
	int r;

	jw_init(&w, &b);
	stop_note_write(&w, s);
	r = journal_put_value(j, key, s->on ? buf_str(&b) : NULL);
	buf_done(&b);
	return r;
}

int
values_store(const struct values *v, struct journal *j)
{
	int r;

	if ((r = store_number(j, "max.environment", v->max.environment)) < 0 ||
	    (r = store_number(j, "max.file", v->max.file)) < 0 ||
	    (r = store_number(j, "max.console", v->max.console)) < 0 ||
	    (r = journal_put_value(j, "virtual",
	    v->max.virtual ? "yes" : NULL)) < 0 ||
	    (r = store_threshold(j, "threshold.file", v->has_file_threshold,
	    &v->file_threshold)) < 0 ||
	    (r = store_threshold(j, "threshold.console",
	    v->has_console_threshold, &v->console_threshold)) < 0 ||
	    (r = store_guards(j, "guards.file", &v->file_guards)) < 0 ||
	    (r = store_guards(j, "guards.console", &v->console_guards)) < 0 ||
	    (r = store_stop(j, "draining", &v->draining)) < 0)
		return r;
	return store_stop(j, "held", &v->held);
}

void
values_done(struct values *v)
{
	stop_note_done(&v->draining);
	stop_note_done(&v->held);
}
