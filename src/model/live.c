/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words for the states of a link. */
#include "config.h"

#include "model/names.h"
#include "yardmaster/model/live.h"

static const char *const link_states[] = {
	[LINK_DOWN] = "down", [LINK_CONNECTING] = "connecting",
	[LINK_ASKING] = "asking", [LINK_UP] = "up", [LINK_STALE] = "stale",
};

const char *
link_state_name(enum link_state s)
{
	return name_of(link_states,
	    sizeof(link_states) / sizeof(link_states[0]), (unsigned)s);
}
