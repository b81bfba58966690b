/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A timeline as cells: a lane for each worker, or, where these do not fit,
 * for each agent; what is busy when, and what is idle. It knows no screen.
 */
#ifndef YARDMASTER_MODEL_CHART_H
#define YARDMASTER_MODEL_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Something that occupies a worker. */
struct chart_span {
	uint32_t agent;
	uint16_t worker;	/* from 1 */
	uint32_t what;		/* the caller's own */
	int64_t from_us, to_us;
};

struct chart_lane {
	uint32_t agent;
	uint16_t worker;	/* 0: the whole agent */
};

struct chart {
	const struct chart_span *v;	/* borrowed; sorted by the caller's
					 * order, later ones drawn over */
	size_t n;
	struct chart_lane *lanes;
	size_t n_lanes;
	bool by_agent;
	int64_t from_us, to_us;
	size_t cells;
};

/* A cell of a lane. */
struct chart_cell {
	uint32_t span;		/* 1 + index of the last one in it; 0: idle */
	uint16_t busy;		/* how many: of a whole agent, its workers */
	bool begins;		/* that one begins here */
};

/*
 * Lanes of what spans name, sorted by agent and worker; by agent when there
 * are more than max_lanes. Reaches from the earliest to the latest instant,
 * and to to_us when that is later. cells is above 0.
 */
void chart_make(struct chart *ret, const struct chart_span *v, size_t n,
    size_t max_lanes, size_t cells, int64_t to_us);
void chart_done(struct chart *c);

/* The cell of an instant, clamped to the chart. */
size_t chart_at(const struct chart *c, int64_t us);

/* Fills in the cells of a lane; out has c->cells members. */
void chart_lane(const struct chart *c, size_t lane, struct chart_cell *out);

#endif
