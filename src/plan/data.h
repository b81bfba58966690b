/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The data of a suite or test: which rows there are. */
#ifndef PLAN_DATA_H
#define PLAN_DATA_H

#include "plan/check.h"
#include "yardmaster/plan/plan.h"

/*
 * Reads the value of "data" (at the place at hand), a file below dir or inline
 * rows. Faults are noted. NULL when there is no usable data; else the caller
 * frees by plan_data_free().
 */
struct plan_data *data_load(struct check *c, const struct jval *v,
    const char *dir);

/* True when a cell of "_expect_fail" says yes; -1 when it says neither. */
int data_truth(const char *cell);

#endif
