/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following a run that another process drives. */
#ifndef YARDMASTER_CLI_ATTACH_H
#define YARDMASTER_CLI_ATTACH_H

#include <stdbool.h>

#include "cli/cli_private.h"

/*
 * Follows a run by its file and its owner's socket, printing a line for each
 * execution that ends, until it has ended: 0 and its exit code. ERR_CLOSED
 * when no live process drives it (any more), ERR_NOT_FOUND, another code. A
 * signal ends the process: the run is not its own.
 */
int attach_follow(const struct cli *c, const char *run, bool quiet,
    int *ret_code);

#endif
