/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A plan on a fleet in made-up time, by the real scheduler: what "plan
 * simulate", "plan order" and "run --dry-run" show. The agents come from a
 * fleet file, or from what live agents say of themselves.
 */
#ifndef YARDMASTER_ENGINE_SIMULATE_H
#define YARDMASTER_ENGINE_SIMULATE_H

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/plan/plan.h"

struct simulate_opts {
	/* Objects of seconds by key (the keys of history; may be NULL): what
	 * the scheduler believes, and what happens. */
	const struct jval *history, *actual;
	const struct jval *fails;	/* likelihood to fail, in thousandths,
					 * by the same keys (may be NULL) */
	int64_t startup_us;	/* of each process */
	int64_t at_wall_us;	/* the wall clock at its begin, for a plan
				 * whose schedules are fixed; 0: none is */
	double fail;		/* chance of a step to fail, 0 to 1 */
	uint64_t seed;
};

/* One that takes part; up, and nothing else runs on it. */
struct simulate_agent {
	const struct agent_spec *spec;	/* borrowed; name, labels, targets,
					 * instances, speed */
	uint32_t max_workers;
	uint32_t threshold;	/* effective */
	int64_t rtt_us;
};

struct simulation;

/*
 * Simulates the expanded plan (borrowed while *ret lives) on n agents.
 * Without an actual length a step takes what history says, else its
 * estimate, else 60 s. 0, or ERR_RANGE.
 */
int simulate(const struct plan *p, const struct simulate_agent *agents,
    uint32_t n, const struct simulate_opts *opts, struct simulation **ret);
/* The same on all agents of a fleet file, with one round trip to each. */
int simulate_fleet(const struct plan *p, const struct fleet_spec *fleet,
    int64_t rtt_us, const struct simulate_opts *opts,
    struct simulation **ret);
/* NULL is fine. */
void simulation_free(struct simulation *s);

/* Plays it again without each thing that may have made it longer, and
 * without its deadline; for the texts and the JSON that say so. 0, or
 * ERR_RANGE. */
int simulation_explain(struct simulation *s);

/* What came of it. */
struct simulated {
	int64_t makespan_us, bound_us;
	uint32_t executions, attempts;
	uint32_t never;		/* executions that never start */
	uint32_t unknown;	/* executions of which no length is known */
	enum order order;	/* in which it was: never ORDER_AUTO */
};
void simulation_sum(const struct simulation *s, struct simulated *ret);

/* What agent i (as given) did. */
struct simulated_agent {
	uint32_t attempts;
	int64_t busy_us;	/* of all its workers together */
	int64_t end_us;		/* of the last attempt; 0 none */
};
void simulation_agent(const struct simulation *s, uint32_t i,
    struct simulated_agent *ret);

/* Where a chart is shown: cells, lines for workers, and what may be drawn. */
struct chart_look {
	uint16_t width, lines;
	bool utf8;
};

/* Appends the timeline as JSON (man yardmaster: plan simulate). */
void simulate_json(const struct simulation *s, struct buf *out);
/* Writes members of an object: timeline (the rows; key: its name), and
 * ratio, causes and deadline as simulation_explain() found them. */
void simulate_write_rows(const struct simulation *s, const char *key,
    struct jw *w);
void simulate_write_facts(const struct simulation *s, struct jw *w);
/* Appends a line for each worker, or for each agent where they do not fit;
 * nothing when nothing ran. */
void simulate_chart(const struct simulation *s, const struct chart_look *look,
    struct buf *out);
/* Appends what made it as long as it is, largest first, and what the deadline
 * comes to, a line each. */
void simulate_reasons(const struct simulation *s, struct buf *out);
/* Appends the executions in the order of their start, as JSON or as one line
 * each. */
void simulate_order_json(const struct simulation *s, struct buf *out);
void simulate_order_text(const struct simulation *s, struct buf *out);

#endif
