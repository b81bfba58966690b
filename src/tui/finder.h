/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filter and search of one table or output: two expressions, compiled. */
#ifndef YARDMASTER_TUI_FINDER_H
#define YARDMASTER_TUI_FINDER_H

#include <stdbool.h>

#include "yardmaster/filter/filter.h"

struct expression {
	char *text;		/* NULL: none */
	struct filter *filter;	/* NULL: none */
	char *error;		/* why text does not compile, or NULL */
};

struct finder {
	const char *const *columns;	/* NULL-ended, borrowed */
	struct expression filter, search;
};

void finder_init(struct finder *f, const char *const *columns);
void finder_done(struct finder *f);
/* Compiles text (NULL or "": none) into e. A text that does not compile keeps
 * the filter that was and sets error. */
void finder_set(struct finder *f, struct expression *e, const char *text);
/* True when a row passes; none passes everything. */
bool expression_match(const struct expression *e, filter_cell_fn cell,
    void *arg);
/* True when there is something to match. */
bool expression_on(const struct expression *e);

#endif
