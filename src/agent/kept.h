/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that an attempt leaves for its console beside its output, each
 * under a name that both know. A console says the name; no path of a peer is
 * ever opened.
 */
#ifndef AGENT_KEPT_H
#define AGENT_KEPT_H

#include "yardmaster/base/ident.h"

#define KEPT_NAME_MAX 64
#define KEPT_ARTIFACT "artifact."	/* and its number in the report */
#define KEPT_RESULTS "results"	/* what a step writes at results_at */

/* Makes the folder of that attempt. 0 or -errno. */
int kept_make(const struct ident *id);
/* The path of a file there, below the spool; the caller frees. */
char *kept_path(const struct ident *id, const char *file);
/* Writes to the disk what is there: an end that is told survives the host. */
void kept_flush(const struct ident *id, const char *file);
/* Removes all that it left. */
void kept_drop(const struct ident *id);
/* Opens a regular file there for reading. A descriptor, or
 * ERR_SYNTAX for what is no name, ERR_NOT_FOUND, or -errno. */
int kept_open(const struct ident *id, const char *file);

#endif
