/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An engine of in-memory data for tests of the screen: it has all functions
 * of engine.h, remembers ops and answers, and does as they say at once.
 */
#ifndef TESTS_TUI_FAKE_ENGINE_H
#define TESTS_TUI_FAKE_ENGINE_H

#include "yardmaster/engine/engine.h"

/* An empty engine of the fleet "lab". Free with engine_free(). */
struct engine *fake_new(void);

/* Adds an agent that is up; busy of its workers run. Returns its index. */
size_t fake_agent(struct engine *e, const char *name, uint32_t max,
    uint32_t threshold, uint32_t busy);
/* The same agent, to be changed; fake_changed() tells the views. */
struct agent *fake_agent_at(struct engine *e, size_t i);
/* Adds a run of ours with n executions that wait ("suite/test1" ...). */
struct run *fake_run(struct engine *e, const char *id, const char *plan,
    uint32_t n);
/* Puts an execution into a state; keeps the counts right. */
void fake_state(struct run *r, uint32_t no, enum exec_state s);
/* Makes it wait for a reason. */
void fake_reason(struct run *r, uint32_t no, enum reason reason,
    const char *text, int64_t since_us);
void fake_event(struct engine *e, enum event_kind kind, const char *who,
    const char *object, const char *text);
/* Adds one; its strings are borrowed. */
void fake_schedule(struct engine *e, const struct scheduled *s);
void fake_changed(struct engine *e);
void fake_read_only(struct engine *e, bool on);
/* Ops that name this agent fail with this text; NULL: none. */
void fake_refuse(struct engine *e, const char *agent, const char *text);
/* Output that every tail gives. */
void fake_output(struct engine *e, const char *bytes, size_t n);

/* What was asked. */
size_t fake_ops(const struct engine *e);
const struct op *fake_op(const struct engine *e, size_t i);
const char *fake_answer(const struct engine *e);	/* "agent=answer" */

/* A fleet with some of everything, for looking at. */
void fake_populate(struct engine *e);

#endif
