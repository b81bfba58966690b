/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a run prepares on this agent, as files: trees/HASH is a packed tree,
 * ws/RUN.N the folder of preparation N of a run. In it: tree, where the
 * commands work; ready, written once all is prepared; lock, held while it is
 * being prepared; failed, why that did not go well; prepare.json (prepare.h).
 * This part works in worker processes.
 */
#ifndef AGENT_SETUP_H
#define AGENT_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/model/work.h"

#define TREES_DIR "trees"
#define WS_DIR "ws"
#define WS_NAME_SIZE 96		/* of the names below */

/* "ws/RUN.N" and, with a file, "ws/RUN.N/FILE". Returns out. */
char *setup_name(const char *run, uint32_t no, const char *file,
    char out[WS_NAME_SIZE]);
/* "trees/HASH" + suffix ("" or ".part"). Returns out. */
char *setup_tree_name(const char *hash, const char *suffix,
    char out[WS_NAME_SIZE]);

/* True when it is prepared since the last boot of the host. */
bool setup_is_ready(const char *run, uint32_t no);

/*
 * Begins to prepare: takes the lock, empties and fills the folder, when it
 * leaves keep_free bytes and some inodes of the disk. 0: now the setup command
 * is due, then setup_end(); 1: it is ready already; ERR_LOCKED: somebody else
 * is at it; or a code with words in why, which are kept for those who wait;
 * nothing is left in the folder then. *ret_lock is a descriptor on 0 only.
 */
int setup_begin(const struct work *w, uint64_t keep_free, int *ret_lock,
    struct buf *why);
/* How a setup command went that did not pass, in words; the caller frees. */
char *setup_fault(const struct step_result *res);
/* It ended: why NULL says well. Frees the lock. 0 or -errno. */
int setup_end(const struct work *w, int lock, const char *why);

#endif
