/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Executions that share a process: which may, and what they are called. */
#include "config.h"

#include <string.h>

#include "plan/data.h"
#include "plan/plan_private.h"
#include "plan/subst.h"
#include "plan/work.h"

/* The longest that an agent puts in for {results}, {agent} or {instance}. */
#define PATH_ROOM 4096

static const struct plan_step *
step_of(const struct plan *p, uint32_t no)
{
	return &p->steps[p->execs[no - 1].first_step];
}

bool
plan_is_batch(const struct plan *p, uint32_t no)
{
	const struct plan_props *props = p->tests[step_of(p, no)->test].props;

	return props->batch && props->command != NULL &&
	    props->results_name != NULL && props->shards == 0 &&
	    p->suites[p->execs[no - 1].suite].mode != MODE_SEQUENTIAL;
}

/* Each with its end, so that no two lists look the same. */
static void
put_list(struct buf *out, const struct strvec *list)
{
	uint32_t n = list != NULL ? (uint32_t)list->n : 0, i;

	buf_put(out, &n, sizeof n);
	for (i = 0; i < n; i++)
		buf_put(out, list->v[i], strlen(list->v[i]) + 1);
}

void
plan_batch_key(const struct plan *p, uint32_t no, struct buf *out)
{
	const struct plan_test *t = &p->tests[step_of(p, no)->test];
	uint32_t i, suite = p->execs[no - 1].suite;

	buf_put(out, &suite, sizeof suite);
	put_list(out, t->props->command);
	put_list(out, t->props->env);
	put_list(out, t->env);
	buf_put(out, t->props->secrets, t->props->n_secrets *
	    sizeof *t->props->secrets);
	buf_putc(out, '\n');
	for (i = 0; i < t->props->n_exits; i++) {
		buf_putc(out, t->props->exits[i].code);
		buf_putc(out, (char)t->props->exits[i].outcome);
	}
}

void
plan_batch_name(const struct plan *p, uint32_t no, struct buf *out)
{
	const struct plan_step *s = step_of(p, no);
	char number[16];

	buf_puts(out, p->tests[s->test].name);
	if (s->row != PLAN_NONE)
		buf_putf(out, "[%s]", plan_row_name(p, s, number));
}

bool
plan_batch_inverted(const struct plan *p, uint32_t no)
{
	const struct plan_step *s = step_of(p, no);
	const struct plan_data *d = p->tests[s->test].props->data;

	return s->row != PLAN_NONE && d->expect_column >= 0 &&
	    data_truth(d->cells[(size_t)s->row * d->columns.n +
	    (size_t)d->expect_column]) > 0;
}

struct measure {
	const struct plan *p;
	const struct plan_step *s;
	size_t more;		/* beyond what is in the text */
};

static void
measure_piece(void *arg, const struct piece *piece, struct buf *out)
{
	struct measure *m = arg;

	if (piece->kind == PH_RESULTS || piece->kind == PH_AGENT ||
	    piece->kind == PH_INSTANCE)
		m->more += PATH_ROOM;
	else if (piece->kind != PH_TESTS)
		work_piece(m->p, m->s, piece, out);
}

uint32_t
plan_batch_room(const struct plan *p, uint32_t no)
{
	struct measure m = { .p = p, .s = step_of(p, no) };
	const struct strvec *command = p->tests[m.s->test].props->command;
	struct buf b = BUF_INIT;
	size_t i, used = 0;

	for (i = 0; i < command->n; i++, used++)
		subst_text(command->v[i], measure_piece, &m, &b);
	used += buf_len(&b) + m.more;
	buf_done(&b);
	return used < PLAN_BATCH_ARGV ? (uint32_t)(PLAN_BATCH_ARGV - used) : 1;
}
