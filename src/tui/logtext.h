/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Output as lines: hostile bytes in, lines with mapped colours out. Only SGR
 * sequences are understood; everything else stays in the text and is escaped
 * when it is drawn. A carriage return starts the line anew, so a progress bar
 * is its last state. A capped ring: the oldest lines go.
 */
#ifndef YARDMASTER_TUI_LOGTEXT_H
#define YARDMASTER_TUI_LOGTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/surface.h"

#define LOG_MAX_BYTES (8u << 20)
#define LOG_MAX_LINES 100000u
#define LOG_MAX_LINE 16384u

struct log_span {
	uint32_t from;		/* byte where the style begins */
	struct style style;
};

struct log_line {
	char *text;		/* n bytes, not NUL-ended, no control meaning */
	uint32_t n, n_spans;
	struct log_span *spans;
	int64_t wall_us;	/* when it came here */
	bool gap;		/* ours: says what is missing */
	bool failure;		/* looks like one */
};

struct logtext;

struct logtext *logtext_new(void);
void logtext_free(struct logtext *lt);	/* NULL is fine */
/* Takes output; wall_us is stamped on the lines it begins. */
void logtext_feed(struct logtext *lt, const uint8_t *p, size_t n,
    int64_t wall_us);
/* Adds a line of ours. */
void logtext_gap(struct logtext *lt, const char *text, int64_t wall_us);
/* Lines are numbered from 0 on and keep their number; those from first to
 * end - 1 are there. The last one may still grow. */
uint64_t logtext_first(const struct logtext *lt);
uint64_t logtext_end(const struct logtext *lt);
const struct log_line *logtext_line(const struct logtext *lt, uint64_t no);

#endif
