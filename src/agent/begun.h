/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a worker began last, as it notes in its lock file before it starts
 * anything: so that of an attempt whose worker is gone it is known whether it
 * ever ran. Outlives processes, not a crash of the host.
 */
#ifndef AGENT_BEGUN_H
#define AGENT_BEGUN_H

#include <stdbool.h>

#include "yardmaster/base/ident.h"

/* Notes in the lock file of a worker that it begins id; NULL: nothing yet. 0
 * or -errno. */
int begun_note(int lock_fd, const struct ident *id);
/* True unless the note of that worker says that it never began id, or there
 * has been no such worker. */
bool begun(unsigned worker, const struct ident *id);

#endif
