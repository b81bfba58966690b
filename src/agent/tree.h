/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All processes below this one, as a subreaper sees them: nothing that a
 * step started gets away by a new session or the death of its parent. */
#ifndef AGENT_TREE_H
#define AGENT_TREE_H

#include "yardmaster/base/ident.h"

/* Sends signo to every descendant of this process. Returns how many. */
int tree_signal(int signo);
/* Kills every process on the host whose environment says that it belongs to
 * this attempt (its worker is dead). Returns how many. */
int tree_kill_orphans(const struct ident *id);

#endif
