/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work and reports: memory, copies, and what processes' ends mean. */
#include "config.h"

#include <stdlib.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/model/work.h"

static void
work_step_done(struct work_step *s)
{
	free(s->label);
	strvec_done(&s->argv);
	free(s->shell);
	strvec_done(&s->env);
	free(s->exits);
	free(s->results_at);
}

void
work_targets_free(struct work_target *v, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		free(v[i].name);
	free(v);
}

void
work_done(struct work *w)
{
	uint32_t i;

	for (i = 0; i < w->n_steps; i++)
		work_step_done(&w->steps[i]);
	free(w->steps);
	free(w->label);
	free(w->owner);
	free(w->cwd);
	free(w->instance);
	holds_free(w->holds, w->n_holds);
	work_targets_free(w->targets, w->n_targets);
	strvec_done(&w->env);
	work_prepare_done(&w->prepare);
	strvec_done(&w->artifacts);
	secrets_done(&w->secrets);
	*w = (struct work){ .label = NULL };
}

void
report_done(struct report *r)
{
	uint32_t i;

	for (i = 0; i < r->n_steps; i++)
		free(r->steps[i].text);
	free(r->steps);
	free(r->text);
	free(r->owner);
	free(r->label);
	artifacts_done(&r->artifacts);
	*r = (struct report){ .text = NULL };
}

void
report_copy(struct report *to, const struct report *from)
{
	uint32_t i;

	*to = *from;
	to->text = str_dup(from->text);
	to->owner = str_dup(from->owner);
	to->label = str_dup(from->label);
	artifacts_copy(&to->artifacts, &from->artifacts);
	if (from->n_steps == 0) {
		to->steps = NULL;
		return;
	}
	to->steps = mem_calloc(from->n_steps, sizeof(*to->steps));
	for (i = 0; i < from->n_steps; i++) {
		to->steps[i] = from->steps[i];
		to->steps[i].text = str_dup(from->steps[i].text);
	}
}

/* What the exit code means before expect_fail is considered. */
static enum outcome
plain_outcome(const struct work_step *step, int exit_code, int signo)
{
	uint32_t i;

	if (signo != 0)
		return OUTCOME_FAILED;
	for (i = 0; i < step->n_exits; i++)
		if (step->exits[i].code == exit_code)
			return step->exits[i].outcome;
	return exit_code == 0 ? OUTCOME_PASSED : OUTCOME_FAILED;
}

enum outcome
step_outcome(const struct work_step *step, int exit_code, int signo)
{
	enum outcome o = plain_outcome(step, exit_code, signo);

	if (step->expect_fail && o == OUTCOME_PASSED)
		return OUTCOME_FAILED;
	if (step->expect_fail && o == OUTCOME_FAILED)
		return OUTCOME_PASSED;
	return o;
}

enum outcome
steps_outcome(const struct step_result *steps, uint32_t n)
{
	enum outcome worst = OUTCOME_NONE;
	uint32_t i;

	for (i = 0; i < n; i++)
		worst = outcome_worst(worst, steps[i].outcome);
	return worst == OUTCOME_NONE ? OUTCOME_ERROR : worst;
}
