/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `connect`: the daemon's socket on standard input and output. */
#ifndef AGENT_BRIDGE_H
#define AGENT_BRIDGE_H

#include "agent/start.h"

/* Starts the daemon when none runs; pumps until either side ends or nothing
 * comes from the console for 60 s. Returns the exit code. */
int bridge_main(const struct start_options *o);

#endif
