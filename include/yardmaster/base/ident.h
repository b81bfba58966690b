/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names and ids of the outside contract, with their grammar. */
#ifndef YARDMASTER_BASE_IDENT_H
#define YARDMASTER_BASE_IDENT_H

#include <stdbool.h>
#include <stdint.h>

#define RUN_ID_SIZE 12		/* "r", 10 base-32 digits, NUL */
#define AGENT_NAME_SIZE 65

/* RUN, RUN/EXECUTION or RUN/EXECUTION/ATTEMPT; numbers from 1, 0 = absent. */
struct ident {
	char run[RUN_ID_SIZE];
	uint32_t execution;
	uint32_t attempt;
};
#define IDENT_TEXT 40

/* A new run id: 6 digits of time, 4 of chance; sorts by time. */
void ident_new_run(char out[RUN_ID_SIZE]);

/* Reads an id of any of the three forms. 0 or ERR_SYNTAX. */
int ident_parse(const char *text, struct ident *ret);

/* Writes it in its shortest form into out (IDENT_TEXT bytes); returns out. */
char *ident_format(const struct ident *id, char *out);

/* True when both name the same thing. */
bool ident_equal(const struct ident *a, const struct ident *b);

/* [A-Za-z0-9._-]{1,64}, but not "." or ".." */
bool ident_is_agent_name(const char *s);
/* [A-Za-z0-9._:-]{1,255}, not starting with '-' (a host or a user) */
bool ident_is_host(const char *s);
/* words of [A-Za-z0-9_./-] with single spaces between (a far command) */
bool ident_is_far_command(const char *s);

/* n random bytes from the kernel. */
void random_bytes(void *out, unsigned n);

#endif
