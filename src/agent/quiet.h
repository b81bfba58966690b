/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Watches that a step still writes something. */
#ifndef AGENT_QUIET_H
#define AGENT_QUIET_H

#include <stdint.h>

#include "agent/capture.h"
#include "yardmaster/sys/loop.h"

struct quiet;

/* Calls fn(arg), from the loop, once nothing came to out for silence_us (more
 * than 0; at most an eighth later). out is borrowed. */
struct quiet *quiet_new(struct loop *loop, const struct capture *out,
    int64_t silence_us, void (*fn)(void *arg), void *arg);
void quiet_free(struct quiet *q);	/* NULL is fine */

#endif
