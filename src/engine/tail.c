/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Output of an attempt: which agent has it, and the fleet's tail of it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/engine_private.h"

struct tail {
	struct fleet_tail *inner;
	size_t agent;
	const struct tail_ops *ops;
	void *arg;
};

static void
tail_data(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
	struct tail *t = arg;

	t->ops->data(t->arg, offset, p, n);
}

static void
tail_end(void *arg, int code, const char *text)
{
	struct tail *t = arg;

	t->ops->end(t->arg, code, text);
}

static const struct fleet_tail_ops inner_ops = {
	.data = tail_data,
	.end = tail_end,
};

/* Where an attempt of a run that is not ours ran, by its file. */
struct lookup {
	uint32_t attempt;	/* 0: the last one */
	uint32_t found;
	struct run_member lead;	/* whose output it shares; exec 0: its own */
	char agent[AGENT_NAME_SIZE];
};

static int
look(void *arg, const struct run_attempt *a)
{
	struct lookup *l = arg;

	if (a->agent == NULL || (l->attempt != 0 && a->attempt != l->attempt))
		return 0;
	l->found = a->attempt;
	snprintf(l->agent, sizeof l->agent, "%s", a->agent);
	return 0;
}

static int
look_lead(void *arg, const struct run_member *m)
{
	struct lookup *l = arg;

	if (m->attempt == l->found)
		l->lead = *m;
	return 0;
}

static int
look_all(struct run_file *f, uint32_t exec, struct lookup *l)
{
	int rc;

	if ((rc = run_file_each_attempt(f, exec, look, l)) == 0)
		rc = run_file_each_member(f, exec, look_lead, l);
	return rc;
}

static int
where(struct engine *e, const struct ident *id, struct lookup *l)
{
	struct erun *r = erun_find(e, id->run);
	struct run_file *f = NULL;
	int rc;

	l->attempt = id->attempt;
	if (r != NULL && r->file != NULL)
		return look_all(r->file, id->execution, l);
	if ((rc = run_file_open(e->state_dir, id->run, &f)) < 0)
		return rc;
	rc = look_all(f, id->execution, l);
	run_file_close(f);
	return rc;
}

/* Follows the output of the attempt that id names, where l found one. */
static int
tail_new(struct engine *e, const struct lookup *l, const struct ident *id,
    int64_t offset, bool follow, const struct tail_ops *ops, void *arg,
    struct tail **ret)
{
	struct tail *t;
	int agent, rc;

	if (l->found == 0 || (agent = fleet_index(e->fleet, l->agent)) < 0)
		return ERR_NOT_FOUND;
	t = mem_zalloc(sizeof *t);
	t->agent = (size_t)agent;
	t->ops = ops;
	t->arg = arg;
	rc = fleet_tail(e->fleet, (size_t)agent, id, offset, follow,
	    &inner_ops, t, &t->inner);
	if (rc < 0) {
		free(t);
		return rc;
	}
	*ret = t;
	return 0;
}

int
engine_tail(struct engine *e, const struct ident *id, int64_t offset,
    bool follow, const struct tail_ops *ops, void *arg, struct tail **ret)
{
	struct lookup l = { 0 };
	struct ident full = *id;
	int rc;

	if ((rc = where(e, id, &l)) < 0)
		return rc;
	full.attempt = l.found;
	if (l.lead.exec != 0) {
		full.execution = l.lead.lead_exec;
		full.attempt = l.lead.lead_attempt;
	}
	return tail_new(e, &l, &full, offset, follow, ops, arg, ret);
}

/* The preparation that an execution of a recorded run needs, or 0. */
static int
prepare_no(struct engine *e, const struct ident *id, uint32_t *ret)
{
	struct run_file *f = NULL;
	struct plan *p = NULL;
	int rc;

	*ret = 0;
	if ((rc = run_file_open(e->state_dir, id->run, &f)) == 0 &&
	    (rc = run_plan_load(f, &p)) == 0 && id->execution <= p->n_execs)
		*ret = plan_prepare_no(p,
		    p->execs[id->execution - 1].suite);
	plan_free(p);
	run_file_close(f);
	return rc;
}

int
engine_tail_teardown(struct engine *e, const struct ident *id,
    const struct tail_ops *ops, void *arg, struct tail **ret)
{
	struct ident full = { .attempt = 1 };
	struct lookup l = { 0 };
	uint32_t no;
	int rc;

	if ((rc = where(e, id, &l)) < 0 || (rc = prepare_no(e, id, &no)) < 0)
		return rc;
	if (no == 0)
		return ERR_NOT_FOUND;
	memcpy(full.run, id->run, sizeof full.run);
	full.execution = PREPARE_TEARDOWN + no;
	return tail_new(e, &l, &full, 0, false, ops, arg, ret);
}

size_t
engine_tail_agent(const struct tail *t)
{
	return t->agent;
}

void
engine_untail(struct tail *t)
{
	if (t == NULL)
		return;
	fleet_untail(t->inner);
	free(t);
}
