/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What of an earlier run runs again. Who belongs to it is read once, from
 * what was recorded: it does not change when files or history do.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/report/report.h"
#include "yardmaster/store/run_file.h"

#include "cli/owner_client.h"
#include "cli/rerun.h"

static bool
is_bad(enum exec_state s)
{
	return s == EXEC_FAILED || s == EXEC_TIMEOUT || s == EXEC_ERROR;
}

/* Whether a step of an execution that went wrong runs again. A sequential
 * suite does so as a whole. */
static bool
wanted(const struct plan *p, const struct report_run *r, uint32_t step,
    bool rows)
{
	const struct report_step *s = &r->steps[step];
	const struct plan_exec *x = &p->execs[s->exec - 1];

	if (!is_bad(r->execs[s->exec - 1].state))
		return false;
	return !rows || p->suites[x->suite].mode == MODE_SEQUENTIAL ||
	    (s->state != EXEC_PASSED && s->state != EXEC_HEALED);
}

static int
keep_bad(const struct cli *c, struct plan *p, const struct report_run *r,
    bool rows)
{
	struct diags ds = DIAGS_INIT;
	uint32_t i, n = 0;
	bool *keep;
	int rc;

	if (r->state != RUN_ENDED)
		return cli_fail(c, EXIT_USAGE, "%s has not ended; resume or "
		    "cancel it first", r->id);
	if (r->n_execs != p->n_execs || r->n_steps != p->n_steps)
		return cli_fail(c, EXIT_ERRORS, "%s: what was recorded does "
		    "not match its plan", r->id);
	keep = mem_calloc(p->n_steps, sizeof *keep);
	for (i = 0; i < p->n_steps; i++)
		n += keep[i] = wanted(p, r, i, rows);
	if (n == 0)
		rc = cli_fail(c, EXIT_USAGE, "%s: nothing failed, timed out "
		    "or erred", r->id);
	else
		rc = cli_diags(&ds, plan_keep(p, keep, &ds) < 0 ?
		    EXIT_ERRORS : 0);
	free(keep);
	return rc;
}

/* An amendment of the plan itself, or the taking back of one. */
static int
amend_one(void *arg, const struct run_amendment *a)
{
	struct plan *p = arg;
	const char *key, *value;
	struct jval *v = NULL;
	char *text = NULL;
	int r;

	if (strcmp(a->kind, op_name(OP_AMEND)) != 0)
		return 0;
	if (a->what == NULL || jval_parse(&v, (const uint8_t *)a->what,
	    strlen(a->what)) < 0)
		return ERR_STORE;
	key = jval_get_str(v, "key", NULL);
	value = jval_get_str(v, "new", NULL);
	r = key == NULL || value == NULL ? ERR_STORE :
	    plan_amend(p, key, value, &text, &text);
	free(text);
	jval_free(v);
	return r;
}

/* The plan as it was in the end. */
static int
load_plan(const char *state, const char *run, struct plan **ret)
{
	struct run_file *f = NULL;
	char *text = NULL;
	int r;

	if ((r = run_file_open(state, run, &f)) == 0 &&
	    (r = run_file_snapshot(f, &text)) == 0)
		r = plan_from_snapshot(text, strlen(text), ret);
	if (r == 0)
		r = run_file_each_amendment(f, amend_one, *ret);
	run_file_close(f);
	free(text);
	return r;
}

int
rerun_load(const struct cli *c, struct plan **ret)
{
	bool rows = cli_has(c, "failed-rows");
	struct plan *p = NULL;
	struct report_run report;
	char *state = NULL;
	struct ident id;
	int r;

	if ((r = cli_run_id(c, &id)) != 0)
		return r;
	if ((state = owner_state_dir(c)) == NULL)
		return EXIT_ERRORS;
	if ((r = load_plan(state, id.run, &p)) < 0) {
		r = cli_fail(c, r == ERR_NOT_FOUND ? EXIT_USAGE : EXIT_ERRORS,
		    "%s: %s", id.run, r == ERR_NOT_FOUND ? "no such run here; "
		    "yardmaster runs lists them" : err_text(r));
		goto out;
	}
	if (!rows && !cli_has(c, "failed"))
		goto out;
	if ((r = report_load(state, id.run, &report)) < 0) {
		r = cli_fail(c, EXIT_ERRORS, "%s: %s", id.run, err_text(r));
		goto out;
	}
	r = keep_bad(c, p, &report, rows);
	report_run_done(&report);
out:
	free(state);
	if (r == 0)
		*ret = p;
	else
		plan_free(p);
	return r;
}
