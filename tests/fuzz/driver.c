/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a fuzz entry without libFuzzer: each seed, each of its prefixes, then
 * mutations of seeds by a fixed sequence of chance (FUZZ_RUNS of them). With
 * arguments it runs those files instead, to repeat a finding.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"

#define RUNS 20000
#define INPUT_MAX 4096

static uint32_t
chance(uint32_t *state, uint32_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state % below;
}

/* Copied to the heap, so that a read behind its end is seen. */
static void
feed(const void *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);

	if (copy == NULL)
		exit(70);
	if (n > 0)
		memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static size_t
count_seeds(void)
{
	size_t n = 0;

	while (fuzz_seeds[n].p != NULL)
		n++;
	return n;
}

static void
mutate(uint8_t *p, size_t *n, uint32_t *state)
{
	static const char tokens[] = "{}[]\",:/*\\\n\r\t\0\xff\x80\xc2\xe2 0-9.eE|#@!";
	size_t at = *n > 0 ? chance(state, (uint32_t)*n) : 0;
	size_t run;

	switch (chance(state, 5)) {
	case 0:
		if (*n > 0)
			p[at] ^= (uint8_t)(1u << chance(state, 8));
		break;
	case 1:
		if (*n > 0)
			p[at] = (uint8_t)tokens[chance(state,
			    sizeof(tokens) - 1)];
		break;
	case 2:			/* cut a piece out */
		run = chance(state, 16);
		if (at + run > *n)
			run = *n - at;
		memmove(p + at, p + at + run, *n - at - run);
		*n -= run;
		break;
	case 3:			/* double a piece */
		run = chance(state, 64);
		if (at + run > *n)
			run = *n - at;
		if (*n + run > INPUT_MAX)
			break;
		memmove(p + at + run, p + at, *n - at);
		*n += run;
		break;
	default:		/* put a byte in */
		if (*n == INPUT_MAX)
			break;
		memmove(p + at + 1, p + at, *n - at);
		p[at] = (uint8_t)chance(state, 256);
		++*n;
	}
}

static void
run_prefixes(void)
{
	const struct fuzz_seed *s;
	size_t i;

	for (s = fuzz_seeds; s->p != NULL; s++)
		for (i = 0; i <= s->n; i++)
			feed(s->p, i);
}

static void
run_mutations(uint32_t runs)
{
	uint8_t input[INPUT_MAX];
	uint32_t state = 2463534242u, i, k;
	const struct fuzz_seed *s;
	size_t n, seeds = count_seeds();

	for (i = 0; i < runs; i++) {
		s = &fuzz_seeds[chance(&state, (uint32_t)seeds)];
		n = s->n < INPUT_MAX ? s->n : INPUT_MAX;
		memcpy(input, s->p, n);
		for (k = chance(&state, 8) + 1; k > 0; k--)
			mutate(input, &n, &state);
		feed(input, n);
	}
}

static int
run_file(const char *path)
{
	struct buf b = BUF_INIT;
	size_t n;
	FILE *f;

	f = fopen(path, "rb");
	if (f == NULL) {
		perror(path);
		return 1;
	}
	while ((n = fread(buf_reserve(&b, 4096), 1, 4096, f)) > 0)
		buf_commit(&b, n);
	fclose(f);
	feed(buf_data(&b), buf_len(&b));
	buf_done(&b);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *runs = getenv("FUZZ_RUNS");
	int i, r = 0;

	if (argc > 1) {
		for (i = 1; i < argc; i++)
			r |= run_file(argv[i]);
		return r;
	}
	printf("1..2\n");
	run_prefixes();
	printf("ok 1 - seeds and their prefixes\n");
	run_mutations(runs != NULL ? (uint32_t)atoi(runs) : RUNS);
	printf("ok 2 - mutations\n");
	return 0;
}
