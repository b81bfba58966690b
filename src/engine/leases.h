/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two files about leases share. */
#ifndef ENGINE_LEASES_H
#define ENGINE_LEASES_H

#include <uthash.h>

#include "engine/engine_private.h"

/* A lease of this process: the scheduler knows of it. */
struct own {
	struct ident id;	/* the key: zero behind the text */
	bool freed;		/* its rows are to go */
	UT_hash_handle hh;
};

/* An attempt with leases that no scheduler knows of. */
struct orphan {
	struct ident id;
	int64_t since_us;	/* when that was first seen */
	bool seen;		/* at this look */
	UT_hash_handle hh;
};

struct leases {
	struct engine *e;
	struct own *own;
	struct orphan *orphans;
	struct filewatch *watch;	/* of the registry's file */
	struct timer *timer;
	bool *dead;		/* by agent: declared dead since it was heard */
	bool *foreign;		/* by agent: speaks of what others hold */
	bool open;		/* a transaction of the registry */
	bool freed;		/* some of own are */
	bool stale;		/* what is held elsewhere is to be read again */
	int put_failed;		/* code of a put in this transaction, or 0 */
	int failed;		/* of a transaction, until it was seen that they
				 * can be written again */
	int64_t until_us;	/* so long it waits for agents; 0: no more */
	size_t n_elsewhere;	/* held by others at the last look */
};

/* An id with nothing undefined behind its text. */
struct ident leases_key(const struct ident *id);

#endif
