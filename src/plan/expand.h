/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the parts of the expansion share. */
#ifndef PLAN_EXPAND_H
#define PLAN_EXPAND_H

#include "plan/plan_private.h"

/* Decides about one step that could be; place counts all such steps. */
typedef bool (*keep_fn)(void *arg, const struct plan_step *s);

/*
 * Makes steps, executions and terms of all that keep lets through (NULL: all)
 * and that the base of a restored plan has. 0, or ERR_INVALID with
 * diagnostics.
 */
int expand_all(struct plan *p, keep_fn keep, void *arg, struct diags *ds);

/* ---- terms.c ---- */

struct terms_maker;
struct terms_maker *terms_maker_new(struct plan *p);
void terms_maker_free(struct terms_maker *m);
/* The index of the terms of an execution whose steps are made. */
uint32_t terms_make(struct terms_maker *m, const struct plan_exec *e);

/* ---- select.c ---- */

/* Sets what a launch replaces: parallel, order, parameters, agents. Resets
 * to the file first. select may be NULL. Faults are noted. */
void select_apply(struct plan *p, const struct plan_select *select,
    struct diags *ds);

struct chooser;
/* What --only, --not, --test and --target let through. Faults are noted.
 * NULL when everything is. */
struct chooser *chooser_new(const struct plan *p,
    const struct plan_select *select, struct diags *ds);
void chooser_free(struct chooser *c);
bool chooser_keeps(void *chooser, const struct plan_step *s);

#endif
