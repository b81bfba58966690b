/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands for a placeholder of a command, and parts of work. */
#ifndef PLAN_WORK_H
#define PLAN_WORK_H

#include "plan/subst.h"
#include "yardmaster/plan/plan.h"

/* Appends what stands for piece in the command of a step; nothing for what is
 * known only when an attempt is sent. */
void work_piece(const struct plan *p, const struct plan_step *s,
    const struct piece *piece, struct buf *out);

/* Fills what a suite needs prepared; value() as for subst_text(). Nothing when
 * it needs nothing. (load_prepare.c) */
void work_prepare_fill(const struct plan *p, uint32_t suite,
    void (*value)(void *arg, const struct piece *piece, struct buf *out),
    void *arg, struct work_prepare *ret);

#endif
