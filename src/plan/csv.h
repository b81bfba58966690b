/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Data of tests: CSV files and inline rows. */
#ifndef PLAN_CSV_H
#define PLAN_CSV_H

#include "yardmaster/base/diag.h"
#include "yardmaster/plan/plan.h"

#define CSV_MAX_BYTES (16u << 20)
#define CSV_MAX_ROWS 1000000
#define CSV_MAX_COLUMNS 1000
#define CSV_MAX_CELL (64u << 10)

/*
 * Reads CSV text (RFC 4180; a byte-order mark and LF line ends are taken):
 * names in the first record, at least one more. 0 and data for
 * plan_data_free(), or ERR_INVALID with diagnostics that name file and line.
 */
int csv_parse(const char *file, const char *text, size_t len,
    struct diags *ds, struct plan_data **ret);

#endif
