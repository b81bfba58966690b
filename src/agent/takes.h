/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workers that people take: recording, development and hold. A taking keeps
 * its workers busy until it is given back or expires; it is journaled before
 * it is answered, and outlives the daemon and the boot of the host.
 */
#ifndef AGENT_TAKES_H
#define AGENT_TAKES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/daemon.h"
#include "yardmaster/base/jval.h"

struct link;
struct takes;

struct take {
	uint32_t no;		/* from 1, never used again */
	enum worker_kind kind;
	uint16_t workers;
	struct stop_note stop;	/* who has them, why, since and until when */
	struct link *link;	/* who waits for them; NULL: they are taken */
	int64_t tag;		/* of that one's answer */
	int64_t for_us;		/* how long from then on; 0: no end */
	TAILQ_ENTRY(take) entry;
};

struct takes *takes_new(void);
void takes_free(struct takes *t);
/* Takes again what the journal says is taken. 0 or a code. */
int takes_load(struct daemon *d);
/* Writes all to the journal, inside its transaction. */
int takes_store(const struct daemon *d);
/* Whether they differ from the journal; they are written. */
bool takes_dirty(const struct takes *t);
void takes_stored(struct takes *t);
/* Gives what waits the workers that are free, in order of asking. Returns how
 * many workers are still waited for: nothing else may have them. */
uint32_t takes_turn(struct daemon *d);
/* Ends those that expired; true when one did. *ret_next gets no later than
 * when the next one will. */
bool takes_expire(struct daemon *d, int64_t now_wall_us, int64_t *ret_next);
/* Whether anything is taken. */
bool takes_any(const struct takes *t);
/* Nobody waits any more who asked through l. */
void takes_link_gone(struct daemon *d, const struct link *l);

/* TAKE: acts on it and answers. 0. */
int edit_take(struct link *l, const struct jval *v);

#endif
