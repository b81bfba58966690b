/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two halves of scheduled launches share: schedule.c decides what is
 * due and takes it, schedule_fire.c has it loaded and launched. */
#ifndef YARDMASTER_ENGINE_SCHEDULE_H
#define YARDMASTER_ENGINE_SCHEDULE_H

#include "yardmaster/base/when.h"
#include "yardmaster/store/schedules.h"

#include "engine/engine_private.h"

/* One row of the registry, as it was read last. */
struct entry {
	struct schedule row;	/* its strings are in texts */
	struct strvec texts;
	struct when when;
	struct scheduled shown;
	char *trouble;		/* of shown */
};

/* An occurrence that is ours, until its run is launched or will not be. */
struct firing;
TAILQ_HEAD(firings, firing);

struct schedules {
	struct engine *e;
	char *fleet;		/* as rows name it */
	bool serves;		/* else they are only shown */
	bool adopts;		/* runs that lost their owner, too */
	bool failed;		/* a claim could not be recorded: said */
	struct serving *serving;
	struct entry *v;
	size_t n, cap;
	struct firings firings;
	int64_t runs_us;	/* when runs are looked at again */
	struct strvec orphans;	/* runs that could not be taken over: said */
	struct timer *timer;	/* when the next is due, or may be */
	struct timer *soon;	/* the registry changed */
	struct filewatch *watch;
};

/* Has the plan of an entry loaded, then launched as run id for the instant
 * at_us; what comes of it is recorded and said. */
void schedule_fire(struct schedules *s, const struct entry *en,
    const char *run, int64_t at_us);
/* True while the plan of that schedule is being loaded here. */
bool schedule_is_firing(const struct schedules *s, const char *name);
/* Gives up what is being loaded, and records that. */
void schedule_give_up(struct schedules *s);

#endif
