/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The inside of a fleet: one peer for each agent. fleet.c holds them and
 * lets them connect in turn, peer.c is the life of one link, hear.c takes
 * what an agent says, say.c what is said to it, ask.c questions with an
 * answer, tail.c output.
 */
#ifndef FLEET_FLEET_INT_H
#define FLEET_FLEET_INT_H

#include <sys/queue.h>
#include <uthash.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/fleet/fleet.h"
#include "yardmaster/net/link.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/proto/msg.h"

/* Lengths of time; tests make them short. */
struct fleet_timing {
	int64_t tick_us;	/* look at all links this often */
	int64_t ping_us;	/* one ping for each link this often */
	unsigned stale_pings, dead_pings;	/* without any sign of life */
	int64_t connect_us;	/* process start to banner */
	int64_t welcome_us;	/* banner to welcome */
	int64_t slot_us;	/* a slower handshake counts no more */
	int64_t retry_us, retry_max_us;
	int64_t lost_us;	/* silent for so long: lost */
};
extern const struct fleet_timing fleet_timing_default;

#define HANDSHAKES_MAX 16	/* at once */
#define HANDSHAKES_PER_HOST 6

enum peer_phase {
	PEER_DOWN,		/* waits for the next try, or for a person */
	PEER_QUEUED,		/* waits for its turn to connect */
	PEER_CONNECTING,	/* the link's process runs */
	PEER_GREETING,		/* the banner came, the welcome did not */
	PEER_UP,
};

/* An attempt that was sent and not heard of yet. */
struct sent {
	struct ident id;	/* key; unused bytes are zero */
	int64_t at_us;
	UT_hash_handle hh;
};

/* A SET or MODE that was not answered yet. */
struct call {
	uint32_t tag;
	fleet_done_fn fn;
	void *arg;
	TAILQ_ENTRY(call) entry;
};
TAILQ_HEAD(call_list, call);

struct fleet_tail {
	struct peer *peer;
	uint32_t tag;
	struct ident id;
	int64_t offset;		/* negative: from the end, nothing came yet */
	char *file;		/* of FETCH; NULL: its output */
	int64_t max;		/* of FETCH: bytes in all, 0: no limit */
	bool follow, over;
	const struct fleet_tail_ops *ops;
	void *arg;
	TAILQ_ENTRY(fleet_tail) entry;
};
TAILQ_HEAD(tail_list, fleet_tail);

struct fleet_tree;
TAILQ_HEAD(tree_list, fleet_tree);

/* The message that is being put together; one kind, run and epoch. */
struct batch {
	unsigned number;	/* 0: none is open */
	char run[RUN_ID_SIZE];
	uint32_t epoch;
	int64_t grace_us;	/* of CANCEL */
	struct buf body;
	struct jw w;
	struct buf secrets;	/* of START: members, by attempt */
};

/* Work that cannot be sent; said at the end of the turn. */
struct refusal {
	struct ident id;
	const char *why;	/* borrowed for ever */
};

struct peer {
	struct fleet *f;
	size_t index;
	const struct agent_spec *spec;
	struct agent agent;
	bool read_only;

	enum peer_phase phase;
	struct link *link;
	struct frame_reader reader;
	bool slot;		/* counts as a handshake */
	bool marked;		/* in fleet.marked */
	bool refused;		/* a person said no: no new try by itself */
	bool noisy;		/* its login noise was told */
	bool values_sent;	/* those of the fleet file */
	unsigned failures;
	struct timer *timer;	/* deadline, or next try */
	struct timer *slot_timer;

	int64_t greeted_us;	/* when our hello left */
	bool rtt_measured;	/* by a ping; before, the welcome's time */
	int64_t next_ping_us, ping_sent_us;
	int64_t ping_n;
	unsigned missed;
	bool heard;		/* since the last ping */
	size_t pending;		/* bytes not sent at the last ping */

	struct batch batch;
	struct buf out;		/* whole frames for the end of the turn */
	struct refusal *refusals;
	size_t n_refusals, cap_refusals;
	struct sent *sent;
	struct call_list calls;
	struct tail_list tails;
	struct tree_list trees;
	TAILQ_ENTRY(peer) entry;	/* while PEER_QUEUED */
	TAILQ_ENTRY(peer) marked_entry;
};
TAILQ_HEAD(peer_list, peer);

struct fleet {
	struct loop *loop;
	char *who, *console;
	bool read_only, interactive, closing;
	struct fleet_timing timing;
	struct link_nest *nest;
	const struct fleet_ops *ops;
	void *arg;
	struct peer **peers;	/* n */
	size_t n, cap;
	struct peer_list queue;	/* wait for a handshake */
	struct peer_list marked;	/* have something for the end of the turn */
	struct peer *slots[HANDSHAKES_MAX];	/* handshakes under way, or NULL */
	struct timer *tick;
	uint32_t next_tag;
	struct buf scratch;
};

/* ---- fleet.c ---- */

/* As fleet_new(), with other lengths of time. */
int fleet_new_timed(struct loop *loop, const struct fleet_spec *spec,
    const char *who, bool read_only, const struct fleet_ops *ops, void *arg,
    const struct fleet_timing *timing, struct fleet **ret);
/* Puts a peer in line for a handshake; frees its place among them. */
void fleet_queue(struct peer *p);
void fleet_release_slot(struct peer *p);
/* It has something for the end of this turn. */
void fleet_mark(struct peer *p);
void fleet_event(struct peer *p, enum event_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- peer.c ---- */

void peer_init(struct peer *p, struct fleet *f, size_t index,
    const struct agent_spec *spec);
void peer_done(struct peer *p);
/* Its spec is another one, at another place too. */
void peer_renew(struct peer *p, const struct agent_spec *spec, bool relink);
/* Its link ends, and no other comes. */
void peer_retire(struct peer *p);
/* Starts the link now. */
void peer_connect(struct peer *p);
/* The link is of no more use: closes it and plans the next try. */
void peer_fail(struct peer *p, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The welcome came. */
void peer_up(struct peer *p);
/* Pings, staleness, loss: called every tick. */
void peer_tick(struct peer *p);
/* Derives the state that is shown from all else and tells of a change. */
void peer_show(struct peer *p);

/* ---- link_log.c ---- */

/* Adds a line to the log of its link; it is escaped. */
void link_log(struct peer *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for all that its process wrote on standard error. */
void link_log_said(struct peer *p);
void link_log_done(struct peer *p);

/* ---- hear.c ---- */

/* Takes all whole messages that came. May end the link. */
void hear(struct peer *p);

/* ---- say.c ---- */

/* Queues one message; nothing when the link is not up. */
void say(struct peer *p, unsigned number, const struct buf *body);
void say_ping(struct peer *p, unsigned number, int64_t n);
void say_hello(struct peer *p);
/* Writes what the turn queued to the link. */
void say_flush(struct peer *p);
/* Tells the engine what could not be sent. */
void say_refusals(struct peer *p);
void say_done(struct peer *p);
/* The attempt was heard of (or all: forgets them). */
void sent_forget(struct peer *p, const struct ident *id);
void sent_clear(struct peer *p);

/* ---- ask.c ---- */

/* Sends values of the fleet file that the agent lacks. */
void ask_fleet_values(struct peer *p);
void ask_answered(struct peer *p, const struct jval *v);
/* Ends all open questions: the link went down. */
void ask_drop(struct peer *p);

/* ---- tree.c ---- */

/* Offers all trees on a new link. */
void trees_offer(struct peer *p);
/* The agent says how far it is; false when that cannot be. */
bool tree_have(struct peer *p, const struct jval *v);
void trees_free(struct peer *p);

/* ---- tail.c ---- */

void tail_send(struct fleet_tail *t);
void tail_output(struct peer *p, const uint8_t *body, size_t n);
void tail_ended(struct peer *p, const struct jval *v);

#endif
