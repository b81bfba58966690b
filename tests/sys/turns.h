/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A loop and a scratch folder for each test, and waiting on the loop. */
#ifndef TESTS_SYS_TURNS_H
#define TESTS_SYS_TURNS_H

#include "../lib/check.h"

#include "yardmaster/sys/loop.h"

struct fixture {
	struct loop *l;
	char dir[64];
};

/* cmocka's set-up and tear-down: *state is a struct fixture. */
int set_up(void **state);
int tear_down(void **state);

/* Turns until *flag is at least n; fails the test after 20 s. */
void until(struct loop *l, const int *flag, int n);

#endif
