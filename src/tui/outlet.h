/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes on their way to the terminal. Writing never blocks, and does not make
 * the terminal non-blocking for the shell that shares it.
 */
#ifndef YARDMASTER_TUI_OUTLET_H
#define YARDMASTER_TUI_OUTLET_H

#include <stdbool.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/sys/loop.h"

struct outlet {
	int fd;			/* a description of our own */
	struct buf pending;	/* append here, then outlet_flush() */
	struct watch *writable;
	void (*ready)(void *arg);
	void *arg;
	bool gone;		/* the terminal has gone away */
};

/* Opens the terminal of standard output anew. ready runs when all has left
 * after some had to wait. 0 or -errno. */
int outlet_open(struct outlet *o, struct loop *loop,
    void (*ready)(void *arg), void *arg);
void outlet_close(struct outlet *o);
/* Writes what the terminal takes now; the rest follows by itself. */
void outlet_flush(struct outlet *o);
/* Writes all, waiting a moment for a slow terminal. False when it takes no
 * more, and what was left is dropped. */
bool outlet_drain(struct outlet *o);

#endif
