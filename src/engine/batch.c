/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which attempts share a process. A batch is remembered until its run is
 * forgotten: an agent that was silent for long may still tell its end.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#include "engine/batch.h"

static struct batch *
find(const struct erun *r, struct batch_id lead)
{
	struct batch *b;

	HASH_FIND(hh, r->batches, &lead, sizeof lead, b);
	return b;
}

struct batch *
batch_led_by(const struct erun *r, const struct ident *id)
{
	return find(r, (struct batch_id){ id->execution, id->attempt });
}

static struct batch *
make(struct engine *e, struct erun *r, struct batch_id lead)
{
	struct batch *b = mem_zalloc(sizeof *b);

	b->lead = lead;
	b->e = e;
	b->run = r;
	HASH_ADD(hh, r->batches, lead, sizeof b->lead, b);
	return b;
}

/* What views say of those that share a process. */
static void
show(struct erun *r, struct batch *b)
{
	struct buf label = BUF_INIT;
	uint32_t i;

	if (b->n > 1) {
		plan_exec_label(r->plan, b->lead.exec, &label);
		buf_putf(&label, " and %u more", b->n - 1);
		b->label = buf_steal(&label);
	}
	for (i = 0; i < b->n; i++)
		r->live.executions[b->members[i].exec - 1].batch = b->label;
}

void
batch_sent(struct engine *e, struct erun *r, const struct sched_decision *d)
{
	const struct sched_member *m = e->decisions.members + d->first_member;
	struct batch *b;
	uint32_t i;

	if (!plan_is_batch(r->plan, d->id.exec))
		return;
	b = make(e, r, (struct batch_id){ d->id.exec, d->id.attempt });
	b->members = mem_dup(m, d->n_members * sizeof *m);
	b->n = d->n_members;
	for (i = 0; i < b->n; i++)
		erun_put(r, run_file_put_member(r->file, &(struct run_member){
			.exec = m[i].exec, .attempt = m[i].attempt,
			.lead_exec = b->lead.exec,
			.lead_attempt = b->lead.attempt }));
	show(r, b);
}

struct restoring {
	struct engine *e;
	struct erun *r;
	struct feed_exec *v;
};

static int
restore_member(void *arg, const struct run_member *m)
{
	struct restoring *s = arg;
	struct batch_id lead = { m->lead_exec, m->lead_attempt };
	struct batch *b = find(s->r, lead);
	struct sched_member *to;

	if (m->exec == 0 || m->exec > s->r->live.n || lead.exec == 0 ||
	    lead.exec > s->r->live.n)
		return ERR_STORE;
	if (b == NULL)
		b = make(s->e, s->r, lead);
	b->members = mem_realloc(b->members, b->n + 1, sizeof *b->members);
	to = &b->members[b->n++];
	*to = (struct sched_member){ m->exec, m->attempt };
	return 0;
}

/* Those that are still at that attempt; the one that leads may be at
 * another, then the first of them stands for it. */
static void
restore_leads(const struct batch *b, struct feed_exec *v)
{
	uint32_t i, lead = 0;

	if (v[b->lead.exec - 1].attempt == b->lead.attempt)
		lead = b->lead.exec;
	for (i = 0; i < b->n; i++) {
		if (v[b->members[i].exec - 1].attempt != b->members[i].attempt)
			continue;
		if (lead == 0)
			lead = b->members[i].exec;
		v[b->members[i].exec - 1].lead = lead;
	}
}

int
batch_restore(struct engine *e, struct erun *r, struct feed_exec *v)
{
	struct restoring s = { e, r, v };
	struct batch *b, *next;
	int rc;

	if ((rc = run_file_each_member(r->file, 0, restore_member, &s)) < 0)
		return rc;
	HASH_ITER(hh, r->batches, b, next) {
		restore_leads(b, v);
		show(r, b);
	}
	return 0;
}

const struct sched_member *
batch_members(const struct erun *r, const struct ident *id,
    struct sched_member *one, uint32_t *ret_n)
{
	const struct batch *b = batch_led_by(r, id);

	*one = (struct sched_member){ id->execution, id->attempt };
	*ret_n = b != NULL ? b->n : 1;
	return b != NULL ? b->members : one;
}

struct sched_id
batch_voice(struct engine *e, const struct erun *r, const struct ident *id)
{
	struct sched_id lead = { r->handle, id->execution, id->attempt };
	struct sched_id other = lead;
	const struct sched_member *m;
	struct sched_member one;
	uint32_t i, n;

	m = batch_members(r, id, &one, &n);
	for (i = 0; i < n && n > 1; i++) {
		other.exec = m[i].exec;
		other.attempt = m[i].attempt;
		if (sched_holder(e->sched, other) != SCHED_NONE)
			return other;
	}
	return lead;
}

static bool
has_member(const struct batch *b, struct sched_id id)
{
	uint32_t i;

	for (i = 0; i < b->n; i++)
		if (b->members[i].exec == id.exec &&
		    b->members[i].attempt == id.attempt)
			return true;
	return false;
}

struct ident
batch_lead(const struct erun *r, struct sched_id id)
{
	struct ident out = { .execution = id.exec, .attempt = id.attempt };
	struct batch *b, *next;

	memcpy(out.run, r->live.id, sizeof out.run);
	if (r->batches == NULL || batch_led_by(r, &out) != NULL)
		return out;
	HASH_ITER(hh, r->batches, b, next)
		if (has_member(b, id)) {
			out.execution = b->lead.exec;
			out.attempt = b->lead.attempt;
		}
	return out;
}

void
batches_free(struct erun *r)
{
	struct batch *b, *next;

	HASH_ITER(hh, r->batches, b, next) {
		HASH_DEL(r->batches, b);
		fleet_untail(b->fetch);
		report_done(&b->report);
		buf_done(&b->file);
		free(b->members);
		free(b->label);
		free(b);
	}
	free(r->starts);
}
