/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a row stands for. A row is remembered by its id, never by its place
 * or a pointer; the object behind it is looked up when it is needed and may
 * be gone.
 */
#ifndef YARDMASTER_TUI_OBJECT_H
#define YARDMASTER_TUI_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/model/live.h"

struct tui;
struct cause;
struct attention;

enum object_kind {
	OBJ_NONE, OBJ_AGENT, OBJ_WORKER, OBJ_EXEC, OBJ_RUN, OBJ_EVENT,
	OBJ_PLAN, OBJ_CAUSE, OBJ_ATTENTION
};

/* Exact, not a hash: kind and run in a, the number within in b. */
struct rowid {
	uint64_t a, b;
};

/* Only the members of its kind (and what it belongs to) are set; valid
 * until the next turn. */
struct object {
	enum object_kind kind;
	struct rowid id;
	const struct agent *agent;	/* agent, worker; of an execution: its */
	size_t agent_no;
	const struct worker *worker;
	const struct run *run;
	const struct execution *exec;
	const struct event *event;
	size_t plan;		/* index in the list of plan files */
	const struct cause *cause;
	const struct attention *attention;
};

struct rowid rowid_agent(size_t agent);
struct rowid rowid_worker(size_t agent, unsigned no);
struct rowid rowid_run(const char *run);
struct rowid rowid_exec(const char *run, uint32_t no);
/* Events (by seq), plans, causes (by reason), attention (by key). */
struct rowid rowid_plain(enum object_kind kind, uint64_t key);
bool rowid_equal(struct rowid a, struct rowid b);
enum object_kind rowid_kind(struct rowid id);

/* Looks up what id stands for; false (and kind OBJ_NONE) when it is gone. */
bool object_find(const struct tui *t, struct rowid id, struct object *ret);

/* Fill an object without a lookup. */
void object_agent(const struct tui *t, size_t agent, struct object *ret);
void object_exec(const struct tui *t, const struct execution *x,
    struct object *ret);
void object_run(const struct run *run, struct object *ret);
/* Makes ret, of the same run, stand for x; for loops over many. */
void object_set_exec(const struct tui *t, const struct execution *x,
    struct object *ret);

/* The execution that a worker or an execution row concerns. False when there
 * is none. */
bool object_ident(const struct object *o, struct ident *ret);
/* An execution by its number, also of a run that another process drives; NULL
 * when there is none. */
const struct execution *tui_execution(const struct tui *t, const char *run,
    uint64_t no);

#endif
