/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The links to all agents of a fleet: connect, reconnect with backoff, hear,
 * ask, send. It keeps the struct agent of each (model/live.h) up to date and
 * tells the engine what agents said. It decides nothing about work. What is
 * queued for an agent is sent as few messages at the end of the turn; what
 * cannot be sent because the link is down is dropped: after a reconnect the
 * engine syncs and says again what still holds.
 */
#ifndef YARDMASTER_FLEET_FLEET_H
#define YARDMASTER_FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/model/live.h"
#include "yardmaster/model/work.h"
#include "yardmaster/plan/fleet_file.h"
#include "yardmaster/sys/loop.h"

struct fleet;

/* What a part that runs together asks; all borrowed. */
struct fleet_ask {
	struct ident id;
	const char *ask;	/* tells asks apart */
	const char *op;		/* "sync", "put", "get" */
	const char *name, *value;	/* value: of a put, else NULL */
};

struct fleet_ops {
	/* Something in struct agent changed. */
	void (*changed)(void *arg, size_t agent);
	/* The welcome came (first or again): time to sync runs. */
	void (*up)(void *arg, size_t agent);
	/* The link went down; what was sent may or may not have arrived. */
	void (*down)(void *arg, size_t agent);
	/* A state of an attempt, perhaps said before. Valid during the call. */
	void (*report)(void *arg, size_t agent, const struct report *r);
	/* All reports of that run were given since fleet_sync(). */
	void (*synced)(void *arg, size_t agent, const char *run, uint32_t epoch);
	/* Answer to a take-back, or a start that was refused (returned true and
	 * a text). False: it had already started. */
	void (*returned)(void *arg, size_t agent, const struct ident *id,
	    bool returned, const char *why);
	/* A start was refused as a target has as many there as may be; what
	 * agent.facts says is not older. NULL: returned() is told. */
	void (*full)(void *arg, size_t agent, const struct ident *id,
	    const char *why);
	/* A part asks, perhaps again; nobody waits for it any more. */
	void (*asked)(void *arg, size_t agent, const struct fleet_ask *q);
	void (*unasked)(void *arg, size_t agent, const struct ident *id,
	    const char *ask);
	/* Something happened that the Events pane should say. */
	void (*event)(void *arg, enum event_kind kind, const char *agent,
	    const char *text);
};

/* spec is borrowed for the life of the fleet. Connecting starts at the next
 * turn, at most 16 handshakes at a time. 0 or a code. */
int fleet_new(struct loop *loop, const struct fleet_spec *spec,
    const char *who, bool read_only, const struct fleet_ops *ops, void *arg,
    struct fleet **ret);
/* Flushes what is queued where that needs no waiting, ends all links. */
void fleet_free(struct fleet *f);

/*
 * The spec, which is the one of fleet_new(), was renewed (fleet_spec_renew()):
 * labels and targets are taken, what is new is linked, and what is reached in
 * another way (relink, by agent of before) is linked anew. Of what was removed
 * the link stays, until fleet_retire().
 */
void fleet_renew(struct fleet *f, const struct fleet_spec *spec,
    const bool *relink);
/* Ends the link of a removed agent for good; nothing when it has none. Not to
 * be called from what the fleet calls. */
void fleet_retire(struct fleet *f, size_t agent);

/* How many agents it has. */
size_t fleet_count(const struct fleet *f);
/* Borrowed; changes between turns. */
const struct agent *fleet_agent(const struct fleet *f, size_t agent);
/* The index of the agent of that name, or -1. */
int fleet_index(const struct fleet *f, const char *name);

/* Asks for all reports of a run and tells the agent its epoch. */
void fleet_sync(struct fleet *f, size_t agent, const char *run,
    uint32_t epoch);
/* Sends work (copied into the message at once). */
void fleet_start(struct fleet *f, size_t agent, const struct work *work);
void fleet_take_back(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch);
/* INT, after grace TERM, after grace again KILL; a queued one just ends. */
void fleet_cancel(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch, int64_t grace_us);
/* A prepared part starts. */
void fleet_go(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch);
/* One answer to an ask: the JSON of an element of "told" (copied). */
void fleet_tell(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch, const char *told);
/* The ended attempt is recorded here: the agent may forget it. */
void fleet_ack(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch);

/* Says that nothing more of the run will be sent: what was prepared for it is
 * torn down. */
void fleet_over(struct fleet *f, size_t agent, const char *run,
    uint32_t epoch);
/* The artifacts of the attempt came: they need not be kept. */
void fleet_ack_files(struct fleet *f, size_t agent, const struct ident *id,
    uint32_t epoch);
/* Brings the packed tree at path (of that hash and size) to the agent unless
 * it has it; again when the agent refused it before. Goes on through
 * reconnects. */
void fleet_offer(struct fleet *f, size_t agent, const char *hash,
    uint64_t size, const char *path);

typedef void (*fleet_done_fn)(void *arg, int code, const char *text);
struct fleet_set {
	const char *who;
	bool set_max, set_threshold;
	uint32_t max_workers, expect_max;
	struct threshold threshold, expect_threshold;
	unsigned set_guards;	/* bits: what changes; not given: default */
	struct guards guards, expect_guards;
};
/* Compare-and-set of values. fn is called once: 0, ERR_STALE (text says the
 * value found), ERR_CLOSED when the link is down or goes down, ... */
void fleet_set_values(struct fleet *f, size_t agent, const struct fleet_set *set,
    fleet_done_fn fn, void *arg);
/* mode: "drain", "undrain", "hold", "release". */
void fleet_set_mode(struct fleet *f, size_t agent, const char *mode,
    const char *who, const char *note, int64_t expires_wall_us,
    fleet_done_fn fn, void *arg);

struct fleet_take {
	const char *who, *note;	/* note may be NULL */
	enum worker_kind kind;
	uint32_t workers;	/* how many */
	int64_t for_us;		/* 0: until they are given back */
	uint32_t give_back;	/* the number of a taking that ends; 0: a new
				 * one begins */
};
/* Takes workers for a person, or gives back those of a taking. */
void fleet_take(struct fleet *f, size_t agent, const struct fleet_take *take,
    fleet_done_fn fn, void *arg);

struct fleet_tail;
struct fleet_tail_ops {
	void (*data)(void *arg, uint64_t offset, const uint8_t *p, size_t n);
	/* 0: the attempt ended and all was given; else code and text. */
	void (*end)(void *arg, int code, const char *text);
};
/* Follows output from offset (negative: from the end). Survives a reconnect:
 * it goes on at the offset reached. */
int fleet_tail(struct fleet *f, size_t agent, const struct ident *id,
    int64_t offset, bool follow, const struct fleet_tail_ops *ops, void *arg,
    struct fleet_tail **ret);
/* Brings the file of that name that an ended attempt left, from its first
 * byte, at most max bytes (0: all; hold the agent to it). Survives a
 * reconnect likewise; ended by fleet_untail(). */
int fleet_fetch(struct fleet *f, size_t agent, const struct ident *id,
    const char *file, int64_t max, const struct fleet_tail_ops *ops,
    void *arg, struct fleet_tail **ret);
void fleet_untail(struct fleet_tail *t);	/* NULL is fine */

/* Says whether a person is there to answer questions. Off at first: then an
 * unknown host key or a locked identity is an error that names the cure. */
void fleet_interactive(struct fleet *f, bool on);
/* Answers the question of a link ("yes" takes a host key; NULL refuses). The
 * caller wipes its copy; none is kept here. */
void fleet_answer(struct fleet *f, size_t agent, const char *answer);
/* Shows the agent as benched, or no longer; text: the evidence, also of one
 * that is not benched for another reason; NULL: there is none. */
void fleet_bench(struct fleet *f, size_t agent, bool on, const char *text);
/* Notes its learned speed factor in thousandths (0: unknown). */
void fleet_speed(struct fleet *f, size_t agent, uint32_t speed);
/* Tries again now. */
void fleet_reconnect(struct fleet *f, size_t agent);

#endif
