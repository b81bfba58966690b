/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells that several panes show in the same way. */
#ifndef YARDMASTER_TUI_CELLS_H
#define YARDMASTER_TUI_CELLS_H

#include "tui/console.h"
#include "tui/lines.h"
#include "tui/table.h"

/* Glyph and word of a state, in its look. */
void cell_state(const struct tui *t, struct cellout *out,
    enum look_kind kind, unsigned state);
/* A bar of cells cells: used of total, a mark behind limit (0: none). */
void cell_gauge(const struct tui *t, struct cellout *out, unsigned cells,
    uint32_t used, uint32_t limit, uint32_t total);
/* A length; nothing for 0. */
void cell_duration(struct cellout *out, int64_t us);
/* "12G", "840M". */
void cell_bytes(struct buf *b, uint64_t bytes);
/* "row/target", either part may be missing. */
void cell_row_target(const struct execution *x, struct buf *b);
/* "in 3m" of a predicted start; nothing when unknown. */
void cell_next(const struct tui *t, const struct execution *x,
    struct buf *b);
/* Reason and its facts, in the look of how it clears. */
void cell_reason(const struct execution *x, struct cellout *out);
/* Time a worker has been busy until now. */
int64_t worker_elapsed_us(const struct tui *t, const struct object *o);
/* Since the last output, until now; -1 when there was none. */
int64_t worker_silent_us(const struct tui *t, const struct object *o);
/* How link, latency and age of an agent are said. */
void cell_link(const struct tui *t, const struct agent *a,
    struct cellout *out);
/* A list of words with ", " between, appended. */
void cell_list(struct buf *b, const struct strvec *v);

/* Facts of objects that several panes show. */
void detail_agent(struct tui *t, const struct object *o, struct lines *out);
void detail_exec(struct tui *t, const struct object *o, struct lines *out);

extern const struct pane pane_attention, pane_agents, pane_queue,
    pane_workers, pane_plans, pane_runs, pane_execs, pane_events,
    pane_causes;

/* A page with one table over a scope; the pane itself without one. */
struct view *table_view_new(struct tui *t, const struct pane *pane,
    const struct scope *scope);
/* The pane with agents, workers and queue. */
struct view *overview_new(struct tui *t);
/* Opens the log of an execution (log_view.c). fail: at the first failure. */
void log_open(struct tui *t, const struct ident *id, const char *name,
    bool fail);
/* The pane that shows the last opened log. */
struct view *log_view_new(struct tui *t);
/* Every blocker of an execution. */
void why_open(struct tui *t, const struct object *o);

#endif
