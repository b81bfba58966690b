/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an operator writes to change a number of many agents at once: "6",
 * "+2", "-25%", "=advised"; for a threshold also "-2" (keep two free) and
 * "=max".
 */
#ifndef YARDMASTER_TUI_EDITEXPR_H
#define YARDMASTER_TUI_EDITEXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/model/facts.h"

struct edit {
	enum { EDIT_NUMBER, EDIT_ADD, EDIT_PERCENT, EDIT_ADVISED, EDIT_SPARE,
		EDIT_UNSET } kind;
	int32_t n;
};

/* Reads it. 0, or ERR_SYNTAX, ERR_RANGE with *ret_error a text that lives
 * for ever. */
int edit_parse(const char *text, bool threshold, struct edit *ret,
    const char **ret_error);
/* The new max workers: 1 to 1024. */
uint32_t edit_max(const struct edit *e, uint32_t old, uint32_t advised);
/* The new threshold of an agent with that effective one and max workers. */
struct threshold edit_threshold(const struct edit *e, uint32_t effective,
    uint32_t advised);

#endif
