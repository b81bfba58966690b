/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A state folder of a test and a small run in it. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "yardmaster/store/registry.h"
#include "yardmaster/store/run_file.h"

#define FIX_RUN "r0000000001"
#define FIX_EXECS 4

/* Makes an empty folder under the temporary one; the caller frees the name
 * with fix_dir_free(), which removes all of it. */
char *fix_dir(void);
void fix_dir_free(char *dir);
/* The same as set-up and clean-up of a cmocka test: *state is the folder. */
int fix_setup(void **state);
int fix_teardown(void **state);
/* The registry in it, which must open; the caller closes. */
struct registry *fix_registry(const char *dir);

/* Creates the run: executions 1 to 4 of suite "s", of 1, 2, 3, 4 steps
 * ("t1", ...); rows "a", targets "x" for even steps. */
int fix_create(const char *dir, struct run_file **ret);
int fix_create_as(const char *dir, const char *run, struct run_file **ret);

/* Puts attempt 1 of an execution as sent, commits nothing. */
int fix_send(struct run_file *f, uint32_t exec, uint32_t attempt);
/* An ended report of n passed steps; report_done() is the caller's. */
struct report fix_report(uint32_t exec, uint32_t attempt, uint32_t n);
/* How many results the file holds; negative: a failure. */
int fix_count_results(struct run_file *f);

#endif
