/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the console knows right now, as the panes and lists show it: agents,
 * runs, executions, events. Written by the engine (agents: by fleet), read
 * by everybody above. Times without "wall" are monotonic.
 */
#ifndef YARDMASTER_MODEL_LIVE_H
#define YARDMASTER_MODEL_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/ident.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/model/facts.h"
#include "yardmaster/model/reason.h"
#include "yardmaster/model/state.h"

enum link_state {
	LINK_DOWN,		/* not tried, or waiting for the next try */
	LINK_CONNECTING,	/* process started, nothing heard */
	LINK_ASKING,		/* waits for an answer of a person */
	LINK_UP,		/* welcome received */
	LINK_STALE,		/* up, but silent for longer than it should */
};
/* The name in JSON and on the screen. */
const char *link_state_name(enum link_state s);

#define LINK_LOG_LINES 40

/* What an agent's link went through last, oldest first; safe to show. */
struct link_log {
	struct link_line {
		int64_t wall_us;
		char *text;
	} v[LINK_LOG_LINES];
	unsigned n;
};

struct agent {
	char name[AGENT_NAME_SIZE];
	char *host;		/* for people: "user@host:port", or "local" */
	struct strvec labels, targets;
	enum agent_state state;	/* what is shown */
	bool removed;		/* from the fleet, while this process goes on */
	enum link_state link;
	char *error;		/* last fault of the link in words, or NULL */
	char *question;		/* what the link asks, or NULL */
	struct link_log log;	/* of its link */
	char *spool;		/* its folder on its host, or NULL */
	int64_t link_since_us;	/* when link took its value */
	int64_t heard_us;	/* last sign of life; 0 never */
	int64_t next_try_us;	/* of a reconnect; 0 none */
	int64_t rtt_us;		/* smoothed round trip; 0 unknown */
	int64_t answer_us;	/* smoothed, from sending work to hearing of
				 * it: the round trip and what both sides
				 * take to write it down; 0 unknown */
	bool known;		/* facts are valid (perhaps old) */
	bool takes_secrets;	/* its version can be sent such work */
	struct facts facts;
	int64_t facts_us;	/* when they came */
	uint32_t sent;		/* attempts sent, not yet reported */
	bool benched;
	char *errors;		/* evidence: why it is benched, or why it is
				 * not though errors pile up; else NULL */
	uint32_t speed;		/* learned factor, in thousandths; 0 unknown */
};

struct run;

struct execution {
	struct run *run;
	uint32_t no;		/* from 1 in its run */
	const char *suite;	/* borrowed from the run */
	const char *test;	/* first step's test, or the suite when several */
	const char *row;	/* row name, or NULL */
	const char *target;	/* or NULL */
	uint32_t n_steps;
	enum exec_state state;
	bool unknown;		/* its agent is silent: shown with "?" */
	uint32_t attempt;	/* number of the current or last one, 0 none */
	uint32_t tries;		/* how many attempts ended, and counted */
	int agent;		/* index in the fleet, -1 none */
	uint16_t worker;	/* 0 none */
	enum tier tier;
	int64_t since_us;	/* when state took its value */
	int64_t elapsed_us;	/* of the last attempt, once ended */
	int64_t estimate_us;	/* 0 unknown */
	enum reason reason;	/* headline while not running, else NONE */
	const char *reason_text;	/* facts of the headline; may be NULL */
	int64_t reason_since_us;
	int64_t next_us;	/* predicted or fixed start; 0 unknown */
	const char *text;	/* why it ended as it did, or NULL */
	const char *batch;	/* what its last process was shared by, as
				 * "unit/t1 and 37 more"; NULL: by nobody */
};

struct run {
	char id[RUN_ID_SIZE];
	char *plan;
	enum run_state state;
	char *owner;		/* "login@host pid N", or NULL */
	bool ours;		/* this process drives it */
	bool adopted;		/* by resume */
	int64_t started_wall_us, ended_wall_us;
	int64_t started_us;	/* 0 when not started in this boot's view */
	int64_t predicted_end_us;	/* 0 unknown */
	int64_t deadline_wall_us;	/* 0 none */
	uint32_t enough;	/* workers that meet it; 0: all are used */
	struct counts counts;
	struct stop_note held;
	uint32_t workers;	/* busy for it now */
	struct execution *executions;	/* n, by no; NULL when not loaded */
	uint32_t n;
};

/* A plan that is launched by itself. */
struct scheduled {
	const char *name;
	const char *plan;	/* path, absolute */
	const char *when;	/* as it was written */
	bool ours;		/* of the fleet of this console */
	int64_t next_wall_us;	/* 0: not again */
	const char *run;	/* the last one launched, or NULL */
	const char *trouble;	/* what a person should know of the last time,
				 * or NULL */
	int64_t trouble_wall_us;	/* the instant that it is about */
};

/* What happened, for the Events pane and "events". */
struct event {
	uint64_t seq;		/* from 1 in this process */
	int64_t wall_us;
	enum event_kind { EVENT_INFO, EVENT_EDIT, EVENT_RESULT, EVENT_LINK,
		EVENT_WARNING, EVENT_ERROR } kind;
	char *who;		/* login@host, "scheduler" or "agent NAME" */
	char *text;
	char *object;		/* agent name or id concerned, or NULL */
};

#endif
