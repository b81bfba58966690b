/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs that feed hostile bytes to one reader. Each has an entry for
 * libFuzzer (make fuzz) and, linked with driver.c, a short deterministic run
 * in make check.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_seed {
	const char *p;
	size_t n;
};
#define FUZZ_SEED(s) { s, sizeof(s) - 1 }

/* Good inputs to start from, ended by one with p NULL. */
extern const struct fuzz_seed fuzz_seeds[];

/* Reads n bytes; ends the process when a promise is broken. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A promise. */
#define FUZZ_CHECK(cond) \
	do { \
		if (!(cond)) \
			fuzz_broken(__FILE__, __LINE__, #cond); \
	} while (0)

/* Says which promise was broken and aborts. */
_Noreturn void fuzz_broken(const char *file, int line, const char *what);

#endif
