/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A fleet of agents that are scripts (tests/lib/fake_agent.py) behind real
 * links of transport command, and what it told its engine.
 */
#ifndef TESTS_FLEET_LAB_H
#define TESTS_FLEET_LAB_H

#include "config.h"

#include "../lib/check.h"

#include "fleet/fleet_int.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"

#define AGENTS_MAX 40
#define PATIENCE_US (20 * US_PER_S)
#define RUN "r0123456789"

/* What the engine was told. */
struct seen {
	unsigned up, down, reports, ended, synced, returned;
	bool last_returned;
	char why[200], event[400];
	struct ident id;
	uint32_t epoch;
};

struct lab {
	struct loop *loop;
	struct fleet *fleet;
	struct fleet_spec spec;
	struct agent_spec agents[AGENTS_MAX];
	struct seen seen[AGENTS_MAX];
	char events[8192];
	char dir[64], log[80], once[80];
	/* of answers */
	unsigned answers;
	int code;
	char text[200];
	/* of tails */
	struct buf output;
	uint64_t next_offset;
	unsigned tail_ends;
	int tail_code;
};

/* Short times, but for pings: a busy machine is slow to answer. */
extern const struct fleet_timing quick;

struct lab *lab_new(void);
void lab_free(struct lab *lab);
/* Adds an agent of these words; options are key=value of fake_agent.py. */
struct agent_spec *add(struct lab *lab, const char *const *options);
#define OPTIONS(...) ((const char *const[]){ __VA_ARGS__, NULL })
void start(struct lab *lab);
void start_with(struct lab *lab, bool read_only,
    const struct fleet_timing *timing);

/* Turns the loop until condition holds; fails after PATIENCE_US. */
#define UNTIL(lab, condition) do { \
	int64_t until_ = clock_mono_us() + PATIENCE_US; \
	while (!(condition) && clock_mono_us() < until_) \
		loop_turn((lab)->loop, 50); \
	if (!(condition)) \
		fail_msg("never: %s\n%s", #condition, (lab)->events); \
} while (0)

const struct agent *agent(const struct lab *lab, size_t i);
/* How often these words stand in what the scripts were sent. */
unsigned logged(const struct lab *lab, const char *words);
/* One attempt of RUN, of epoch 3; the caller frees it. */
struct work some_work(uint32_t execution);
void start_work(struct lab *lab, size_t i, uint32_t execution);
/* A fleet_done_fn; arg is the lab. */
void on_done(void *arg, int code, const char *text);

#endif
