/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is left of a run and who works on it, as a prediction sees it. */
#ifndef SCHED_OUTLOOK_H
#define SCHED_OUTLOOK_H

#include "sched/sched_private.h"

/* A worker, from when it is free; times are from now. */
struct slot {
	double free_us, speed;
	bool own;		/* it works for the run */
	bool idle;		/* so does nobody on its agent, and of these
				 * workers it is the first */
};

struct outlook {
	const struct sched *s;
	const struct run *r;
	struct slot *v;		/* the caller frees */
	size_t n, cap;
	double queue_us;	/* work that waits */
	double last_us;		/* when the last of what runs ends */
	double late_us, due_us;	/* work done by those of its own that run
				 * longer than predicted, and predicted */
	int64_t now_us;
};

/* predict.c: fills in the workers that may work for the run, and what waits
 * on their agents. */
void outlook_slots(struct outlook *o);
/* How long limits take to let through what waits for them, however many
 * workers there are. */
double outlook_limited(const struct outlook *o);
/* What the starts of batches still cost each worker. */
double outlook_starts(const struct run *r);

#endif
