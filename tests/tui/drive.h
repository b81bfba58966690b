/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A console without a terminal over the fake engine, on a stopped clock. */
#ifndef TESTS_TUI_DRIVE_H
#define TESTS_TUI_DRIVE_H

#include "fake_engine.h"
#include "tui/console.h"

struct drive {
	struct engine *engine;
	struct tui_opts opts;
	struct strvec plans;
	struct tui tui;
};

/* Starts over an engine that the caller filled; w x h cells, UTF-8 off. */
void drive_open(struct drive *d, struct engine *e, int w, int h);
void drive_close(struct drive *d);
/* Presses keys by name, parted by blanks: "2 f Enter C-x". */
void drive_keys(struct drive *d, const char *keys);
/* Types every character of a text. */
void drive_type(struct drive *d, const char *text);
/* Lets time pass and takes in what changed. */
void drive_wait(struct drive *d, int64_t us);
/* Draws; fails unless some row holds want; that row, until the next call. */
const char *drive_expect(struct drive *d, const char *want);
/* Draws; fails when some row holds it. */
void drive_refuse(struct drive *d, const char *not);
/* Draws; row y, until the next call. */
const char *drive_row(struct drive *d, int y);

#endif
