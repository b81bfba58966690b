/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps the files of an ended attempt that its console wants back. */
#ifndef AGENT_GATHER_H
#define AGENT_GATHER_H

#include <stdbool.h>

#include "yardmaster/model/work.h"

/*
 * Copies the regular files below cwd that the patterns of the work match to
 * the kept files of the attempt (kept.h), as "artifact.0" and so on; what a
 * cap leaves out is counted. shared: the folder is not the attempt's own, so
 * that only what was written since its start is. Reads the times of r and
 * sets its artifacts.
 */
void gather(const struct work *work, const char *cwd, bool shared,
    struct report *r);

/* Whether the pattern of a plan matches a path relative to the folder: as a
 * shell would, and a leading "**" part stands for any folders. */
bool gather_matches(const char *pattern, const char *path);

#endif
