/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the output of attempts lies in the spool, and how long. While an
 * attempt runs it is in the file of its worker, which takes the attempt's
 * name at the end, unless it is empty: to make and remove a file for each
 * attempt would cost more than all else about it.
 */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/ident.h"

#define OUTPUT_NAME_SIZE 64

/* "out/RUN.EXECUTION.ATTEMPT", and the same in "work", "home" and "files",
 * from the spool; out has OUTPUT_NAME_SIZE bytes. Returns out. */
char *output_file_name(const struct ident *id, char *out);
char *output_work_name(const struct ident *id, char *out);
char *output_home_name(const struct ident *id, char *out);
char *output_kept_name(const struct ident *id, char *out);

/* "out/worker-N" */
char *output_worker_name(unsigned worker, char *out);
/* Gives what is in the file of the worker to the attempt. True when there
 * was something. */
bool output_claim(const struct ident *id, unsigned worker);

/*
 * Removes what is older than age_us, then the oldest until what is left takes
 * at most max_bytes; files and folders for which keep() is true stay.
 */
void output_sweep(uint64_t max_bytes, int64_t age_us,
    int (*keep)(void *arg, const struct ident *id), void *arg);

#endif
