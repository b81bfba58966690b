/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The two static splits of pytest-split, for comparison and for CI matrices. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "sched/sched_private.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/split.h"

static const char *const rule_names[SPLIT_RULES] = {
	[SPLIT_CHUNKS] = "chunks",
	[SPLIT_LEAST] = "least",
};

const char *
split_rule_name(enum split_rule rule)
{
	return rule_names[rule];
}

int
split_rule_parse(const char *name)
{
	int i;

	for (i = 0; i < SPLIT_RULES; i++)
		if (strcmp(name, rule_names[i]) == 0)
			return i;
	return -1;
}

void
split_fill_unknown(double *seconds, uint32_t n)
{
	double sum = 0, mean;
	uint32_t i, known = 0;

	for (i = 0; i < n; i++)
		if (seconds[i] >= 0) {
			sum += seconds[i];
			known++;
		}
	mean = known > 0 ? sum / known : 1;
	for (i = 0; i < n; i++)
		if (!(seconds[i] >= 0))
			seconds[i] = mean;
}

static void
split_chunks(struct split_test *tests, uint32_t n, uint32_t groups)
{
	double sum = 0, has = 0;
	uint32_t i, group = 0;

	for (i = 0; i < n; i++)
		sum += tests[i].seconds;
	for (i = 0; i < n; i++) {
		if (has >= sum / groups && group + 1 < groups) {
			group++;
			has = 0;
		}
		tests[i].group = group;
		has += tests[i].seconds;
	}
}

static int
cmp_longest(const void *a, const void *b)
{
	const struct split_test *x = *(struct split_test *const *)a;
	const struct split_test *y = *(struct split_test *const *)b;
	int by_name;

	if (x->seconds != y->seconds)
		return x->seconds > y->seconds ? -1 : 1;
	by_name = strcmp(x->name, y->name);
	return by_name != 0 ? by_name : (x > y) - (x < y);
}

/* The order of numbers from 0 is that of their bits. */
static uint64_t
key_of(double seconds)
{
	uint64_t bits;

	memcpy(&bits, &seconds, sizeof(bits));
	return bits;
}

static void
split_least(struct split_test *tests, uint32_t n, uint32_t groups)
{
	struct split_test **by_length = mem_calloc(n, sizeof(*by_length));
	double *has = mem_calloc(groups, sizeof(*has));
	struct heap least = { .n = 0 };
	uint32_t i, group;

	for (i = 0; i < groups; i++)
		heap_push(&least, (struct heap_key){ .id = i });
	for (i = 0; i < n; i++)
		by_length[i] = &tests[i];
	qsort(by_length, n, sizeof(*by_length), cmp_longest);
	for (i = 0; i < n; i++) {
		group = least.v[0].id;
		heap_pop(&least);
		by_length[i]->group = group;
		has[group] += by_length[i]->seconds;
		heap_push(&least, (struct heap_key){
			.a = key_of(has[group]), .id = group });
	}
	heap_done(&least);
	free(has);
	free(by_length);
}

void
split(enum split_rule rule, struct split_test *tests, uint32_t n,
    uint32_t groups)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		tests[i].group = UINT32_MAX;
	if (rule == SPLIT_CHUNKS)
		split_chunks(tests, n, groups);
	else
		split_least(tests, n, groups);
}

bool
split_is_whole(const struct split_test *tests, uint32_t n, uint32_t groups)
{
	uint32_t i;

	for (i = 0; i < n && tests[i].group < groups; i++)
		;
	return i == n;
}
