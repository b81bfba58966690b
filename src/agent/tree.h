/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All processes below this one, as a subreaper sees them: nothing that a
 * step started gets away by a new session or the death of its parent. */
#ifndef AGENT_TREE_H
#define AGENT_TREE_H

#include "yardmaster/base/ident.h"

/* Sends signo to every descendant of this process. Returns how many. */
int tree_signal(int signo);
/* Kills every process on the host that belongs to this attempt of a worker
 * that is dead: all in the worker's group where it had one, and those whose
 * environment names the attempt and this spool, which has to be the working
 * folder. Returns how many of the latter. */
int tree_kill_orphans(unsigned worker, const struct ident *id);
/* Gives this process, a worker, a group of its own where the host allows it,
 * and notes in the spool where: its path (heap), or NULL. */
char *tree_group(unsigned worker);
/* Removes the group at path; NULL: where the spool says that it is. */
void tree_ungroup(unsigned worker, const char *path);

#endif
