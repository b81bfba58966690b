/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Timelines as cells. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/mem.h"
#include "yardmaster/model/chart.h"

static int
compare_lanes(const void *pa, const void *pb)
{
	const struct chart_lane *a = pa, *b = pb;

	if (a->agent != b->agent)
		return a->agent < b->agent ? -1 : 1;
	return (a->worker > b->worker) - (a->worker < b->worker);
}

static struct chart_lane
lane_of(const struct chart *c, const struct chart_span *s)
{
	return (struct chart_lane){ s->agent, c->by_agent ? 0 : s->worker };
}

static void
find_lanes(struct chart *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->n; i++)
		c->lanes[i] = lane_of(c, &c->v[i]);
	if (c->n > 1)
		qsort(c->lanes, c->n, sizeof(*c->lanes), compare_lanes);
	for (i = 0; i < c->n; i++)
		if (n == 0 ||
		    compare_lanes(&c->lanes[n - 1], &c->lanes[i]) != 0)
			c->lanes[n++] = c->lanes[i];
	c->n_lanes = n;
}

void
chart_make(struct chart *ret, const struct chart_span *v, size_t n,
    size_t max_lanes, size_t cells, int64_t to_us)
{
	struct chart c = { .v = v, .n = n, .cells = cells, .to_us = to_us };
	size_t i;

	c.lanes = mem_calloc(n, sizeof(*c.lanes));
	c.from_us = n > 0 ? v[0].from_us : 0;
	for (i = 0; i < n; i++) {
		if (v[i].from_us < c.from_us)
			c.from_us = v[i].from_us;
		if (v[i].to_us > c.to_us)
			c.to_us = v[i].to_us;
	}
	find_lanes(&c);
	c.by_agent = c.n_lanes > max_lanes;
	if (c.by_agent)
		find_lanes(&c);
	*ret = c;
}

void
chart_done(struct chart *c)
{
	free(c->lanes);
	memset(c, 0, sizeof(*c));
}

size_t
chart_at(const struct chart *c, int64_t us)
{
	double span = (double)(c->to_us - c->from_us), at;

	if (span <= 0 || us <= c->from_us)
		return 0;
	at = (double)(us - c->from_us) * (double)c->cells / span;
	return at >= (double)c->cells ? c->cells - 1 : (size_t)at;
}

/* What ends where a cell begins is not in that cell, but each is in one. */
static size_t
last_cell(const struct chart *c, const struct chart_span *s)
{
	size_t first = chart_at(c, s->from_us), last;

	last = chart_at(c, s->to_us - 1);
	return last < first ? first : last;
}

void
chart_lane(const struct chart *c, size_t lane, struct chart_cell *out)
{
	struct chart_lane l;
	size_t i, k, first, last;

	memset(out, 0, c->cells * sizeof(*out));
	for (i = 0; i < c->n; i++) {
		l = lane_of(c, &c->v[i]);
		if (compare_lanes(&l, &c->lanes[lane]) != 0)
			continue;
		first = chart_at(c, c->v[i].from_us);
		last = last_cell(c, &c->v[i]);
		for (k = first; k <= last; k++) {
			out[k].span = (uint32_t)i + 1;
			out[k].begins = k == first;
			out[k].busy += out[k].busy < UINT16_MAX;
		}
	}
}
