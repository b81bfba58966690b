/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Room on the disk kept for the journal: when the disk is full it is given
 * up, so that what ended can still be recorded. */
#ifndef AGENT_RESERVE_H
#define AGENT_RESERVE_H

#include <stdbool.h>

/* Takes the room unless it is there. In the spool. */
void reserve_make(void);
/* Gives it up; false when it was not there. */
bool reserve_spend(void);

#endif
