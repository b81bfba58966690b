/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The output of an attempt: its file, and how steps write there. Without a
 * cap they write to the file itself. With one they write to a pipe, and the
 * first and the last half of the cap are kept: the end holds the error, the
 * beginning what led to it.
 */
#ifndef AGENT_CAPTURE_H
#define AGENT_CAPTURE_H

#include <stdint.h>

#include "yardmaster/base/mask.h"
#include "yardmaster/sys/loop.h"

struct capture;

/* Opens path, made when new and emptied when not. cap 0: no cap. mask
 * (borrowed, may be NULL) hides secrets before anything is written: steps
 * write to a pipe then. 0 or -errno. */
int capture_open(struct loop *loop, const char *path, uint64_t cap,
    struct mask *mask, struct capture **ret);
/* What becomes output and error output of a step. */
int capture_fd(const struct capture *c);
/* Takes what is still in the pipe; due when a step has ended. */
void capture_drain(struct capture *c);
/* All bytes so far, also the dropped ones. */
uint64_t capture_bytes(const struct capture *c);
/*
 * After the last step: brings what was kept in order, with a line that says
 * what is missing. Returns how many bytes were dropped.
 */
uint64_t capture_finish(struct capture *c);
/* -errno of a write that failed, or 0. */
int capture_error(const struct capture *c);
void capture_free(struct capture *c);	/* NULL is fine */

#endif
