/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times that tests wait for: loaded (part of load.h), fixed when the plan is
 * launched, and kept in a snapshot as they were fixed (part of snapshot.h).
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "plan/snapshot.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"

static struct plan_schedule *
add(struct plan *p, const char *text, const struct when *when)
{
	struct plan_schedule *s;

	p->schedules = mem_grow(p->schedules, &p->priv->cap_schedules,
	    p->n_schedules + 1, sizeof *p->schedules);
	s = &p->schedules[p->n_schedules++];
	*s = (struct plan_schedule){ .text = str_dup(text), .when = *when };
	return s;
}

uint32_t
load_schedule(struct loader *l, const struct jval *v)
{
	const char *text = jval_str(v, "");
	struct plan_schedule *s;
	char *error = NULL;
	struct when when;
	uint32_t i;

	for (i = 0; i < l->p->n_schedules; i++)
		if (strcmp(l->p->schedules[i].text, text) == 0)
			return i + 1;
	if (when_parse(text, &when, &error) < 0) {
		diag_set_hint(check_fault(&l->c, "%s", error), WHEN_FORMS);
		free(error);
		return 0;
	}
	s = add(l->p, text, &when);
	s->path = str_dup(buf_str(&l->c.path));
	s->doc = l->c.doc;
	return l->p->n_schedules;
}

void
plan_schedules_done(struct plan *p)
{
	uint32_t i;

	for (i = 0; i < p->n_schedules; i++) {
		free(p->schedules[i].text);
		free(p->schedules[i].path);
	}
	free(p->schedules);
}

void
plan_fix_schedules(struct plan *p, int64_t launched_us, const char *by,
    struct diags *ds)
{
	struct plan_schedule *s;
	char text[WHEN_TEXT];
	uint32_t i;

	for (i = 0; i < p->n_schedules; i++) {
		s = &p->schedules[i];
		s->at_us = by != NULL && strcmp(by, s->text) == 0 ?
		    launched_us : when_first(&s->when, launched_us);
		if (s->at_us >= launched_us)
			continue;
		diag_set_hint(plan_fault(p, s->doc, ds, DIAG_WARNING, s->path,
		    "this instant has passed: nothing waits for it"),
		    "it was %s", when_format(s->at_us, text));
	}
}

void
plan_unfix_schedules(struct plan *p)
{
	uint32_t i;

	for (i = 0; i < p->n_schedules; i++)
		p->schedules[i].at_us = 0;
}

/* That of a step, or NULL. */
static const struct plan_schedule *
schedule_of(const struct plan *p, uint32_t step)
{
	uint32_t i = p->tests[p->steps[step].test].props->schedule;

	return i > 0 ? &p->schedules[i - 1] : NULL;
}

int64_t
plan_exec_at(const struct plan *p, uint32_t no)
{
	const struct plan_exec *x = &p->execs[no - 1];
	const struct plan_schedule *s;
	int64_t at_us = 0;
	uint32_t i;

	for (i = 0; p->n_schedules > 0 && i < x->n_steps; i++) {
		s = schedule_of(p, x->first_step + i);
		if (s != NULL && s->at_us > at_us)
			at_us = s->at_us;
	}
	return at_us;
}

void
plan_exec_schedules(const struct plan *p, uint32_t no, struct strvec *out)
{
	const struct plan_exec *x = &p->execs[no - 1];
	const struct plan_schedule *s;
	uint32_t i;

	for (i = 0; p->n_schedules > 0 && i < x->n_steps; i++) {
		s = schedule_of(p, x->first_step + i);
		if (s != NULL && strvec_find(out, s->text) < 0)
			strvec_push(out, s->text);
	}
}

/* ---- in a snapshot ---- */

void
snapshot_write_schedules(struct jw *w, const struct plan *p)
{
	uint32_t i;

	if (p->n_schedules == 0)
		return;
	jw_key(w, "schedules");
	jw_array(w);
	for (i = 0; i < p->n_schedules; i++) {
		jw_object(w);
		jw_kv_str(w, "when", p->schedules[i].text);
		jw_kv_int(w, "at_us", p->schedules[i].at_us);
		jw_object_end(w);
	}
	jw_array_end(w);
}

bool
snapshot_read_schedules(const struct jval *root, struct plan *p)
{
	const struct jval *list = jval_get(root, "schedules"), *v;
	const char *text;
	char *error = NULL;
	struct when when;
	size_t i;

	for (i = 0; i < jval_count(list); i++) {
		v = jval_at(list, i);
		text = jval_get_str(v, "when", "");
		if (when_parse(text, &when, &error) < 0) {
			free(error);
			return false;
		}
		add(p, text, &when)->at_us = jval_get_int(v, "at_us", 0);
	}
	return true;
}
