/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The link of one console, seen from the daemon. */
#ifndef AGENT_CONSOLE_H
#define AGENT_CONSOLE_H

#include <sys/queue.h>

#include "agent/daemon.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/proto/msg.h"

struct sync;
STAILQ_HEAD(sync_list, sync);
struct tail;
LIST_HEAD(tail_list, tail);

struct link {
	struct daemon *d;
	uint64_t serial;
	struct stream *stream;
	struct frame_reader reader;
	enum msg_phase phase;
	bool read_only;
	bool ended;		/* to be freed at the end of the turn */
	char *who;
	int64_t heard_us;
	bool pinged;
	struct held_run **runs;	/* it watches these */
	size_t n_runs, cap_runs;
	/* What may leave only after the commit of this turn. */
	struct buf out;		/* whole frames */
	struct buf reports, returned;	/* elements of a list in the making */
	struct apart apart;	/* strings of the message that is looked at */
	bool full;		/* link_full() was said in this message */
	struct buf synced;	/* frames that come after the reports */
	struct sync_list syncs;	/* begun and not ended */
	struct tail_list tails;
	LIST_ENTRY(link) entry;
};

struct console {
	LIST_HEAD(, link) links;
	size_t n;
};

void consoles_init(struct daemon *d);
void consoles_free(struct daemon *d);
/* A console connected on fd (owned). */
void console_accept(struct daemon *d, int fd, bool read_only);

/* Sends a message at once: for what promises nothing. */
void link_send(struct link *l, enum msg number, const struct buf *body);
/* Sends it after the commit of this turn. */
void link_later(struct link *l, enum msg number, const struct buf *body);
/* Says why, and ends the link at the end of the turn. */
void link_fail(struct link *l, int code, const char *text);
/* These leave after the commit of this turn, in the order reports, returned,
 * synced. */
void link_report(struct link *l, const char *json, size_t n);
void link_returned(struct link *l, const struct ident *id, bool returned,
    const char *why);
/* Given back as a target of it has as many as may be: facts say who. */
void link_full(struct link *l, const struct ident *id, const char *why);
/* What waits and lacks its secrets, to be sent once more. */
void link_give_back(struct link *l, struct attempt *a);
void link_synced(struct link *l, const char *run, uint32_t epoch, bool ok);
/* From now on l hears of the attempts of run. */
void link_watch(struct link *l, struct held_run *run);
/* Sends what may leave now that it is committed. */
void consoles_flush(struct daemon *d);
/* Frees the links that ended. */
void consoles_reap(struct daemon *d);
/* Sends facts, before all that waits for a commit; to all. */
void link_facts(struct link *l);
void consoles_facts(struct daemon *d);
/* Pings silent links, ends dead ones. */
void consoles_tick(struct daemon *d);

/* handle.c: acts on one message. 0 or a code that ends the link. */
int handle_message(struct link *l, unsigned number, const uint8_t *body,
    size_t n);

/* sync.c */
/* Tells l all that is held of run, then SYNCED. */
void sync_begin(struct link *l, const struct held_run *run, uint32_t epoch);
/* Goes on with what is due, as much as l takes. */
void syncs_pump(struct link *l);
void syncs_drop(struct link *l);

/* edit.c: SET and MODE. */
int edit_set(struct link *l, const struct jval *v);
int edit_mode(struct link *l, const struct jval *v);
/* Answers with the facts as they are; take: number of a taking, or 0. */
void edit_answer(struct link *l, int64_t tag, int code, const char *text,
    uint32_t take);
/* Notes who changed what, for the journal. */
void edit_note(struct daemon *d, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* tail.c */
int tails_init(struct daemon *d);
void tails_free(struct daemon *d);
void tail_start(struct link *l, const struct jval *v);
/* Sends a file that an attempt left. */
void tail_fetch(struct link *l, const struct jval *v);
void tail_stop(struct link *l, uint32_t tag);
/* Sends what there is and fits. */
void tails_pump(struct link *l);
void tails_drop(struct link *l);
/* That attempt has a worker now. */
void tails_started(struct daemon *d, const struct ident *id);
/* Its output is complete. */
void tails_ended(struct daemon *d, const struct ident *id);

#endif
