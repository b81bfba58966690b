/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packed trees: received over links in pieces, each stored once per content
 * in trees/HASH, removed by age and size. One on its way is in HASH.part,
 * which is gone on with whichever link brings more.
 */
#ifndef AGENT_TREES_H
#define AGENT_TREES_H

#include "agent/console.h"

struct trees;

/* 0 or -errno. What a crash of the host may have spoilt goes. */
int trees_init(struct daemon *d);
void trees_free(struct daemon *d);
/* TREE and TREE_DATA. 0 or a code that ends the link. */
int tree_offered(struct link *l, const struct jval *v);
int tree_piece(struct link *l, const uint8_t *body, size_t n);
/* The link is gone. */
void trees_drop(const struct link *l);
/* It is here, whole. */
bool tree_is_here(const char *hash);
/* How many bytes of it came so far. */
uint64_t tree_progress(const struct daemon *d, const char *hash);
/* Removes what was stored for other runs when so many bytes to be unpacked
 * would find too little room. */
void trees_make_room(struct daemon *d, uint64_t bytes);
/* Removes what is too old, then what was not used for longest until at most
 * max_bytes are left; nothing that is needed. */
void trees_sweep(struct daemon *d, uint64_t max_bytes);

#endif
