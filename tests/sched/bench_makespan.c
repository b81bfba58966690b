/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How near to the lower bound runs end, beside the rules of others on the same
 * suites: the two static splits of pytest-split, the "load" and "worksteal"
 * distributions of pytest-xdist (by their documentation: one process for each
 * worker, which keeps one test beyond the one that runs), and plain guided
 * batches (each a share of what waits). Figures, not a test.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "suites.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sched/split.h"

#define SEEDS 5

static const struct suite_fleet fleets[] = {
	{ "8", 1, { 8 }, { 1000 } },
	{ "32", 1, { 32 }, { 1000 } },
};
static const struct suite_fleet mixes[] = {
	{ "8: 0.5 1 1.5 2", 4, { 2, 2, 2, 2 }, { 500, 1000, 1500, 2000 } },
	{ "32: 0.5 1 1.5 2", 4, { 8, 8, 8, 8 }, { 500, 1000, 1500, 2000 } },
	{ "8: 2 1 1 0.5", 4, { 2, 2, 2, 2 }, { 2000, 1000, 1000, 500 } },
	{ "32: 0.5 0.5 0.5 2", 4, { 8, 8, 8, 8 }, { 500, 500, 500, 2000 } },
	{ "32: 2 2 2 0.5", 4, { 8, 8, 8, 8 }, { 2000, 2000, 2000, 500 } },
};

/* One try: a suite, what is believed of it, so many workers. */
struct trial {
	const struct suite *u;
	const int64_t *belief_us;
	const struct suite_fleet *fleet;
	uint64_t seed;
	uint32_t workers;
};

static int64_t
ours(const struct trial *t)
{
	struct sim_result res;
	int64_t us;

	suite_run(&(struct suite_try){ .suite = t->u, .fleet = t->fleet,
		.seed = t->seed, .told = true }, &res);
	us = res.makespan_us;
	sim_result_done(&res);
	return us;
}

static int64_t
static_split(const struct trial *t, enum split_rule rule)
{
	struct split_test *v = mem_calloc(t->u->n, sizeof(*v));
	double *seconds = mem_calloc(t->u->n, sizeof(*seconds));
	char (*names)[12] = mem_calloc(t->u->n, sizeof(*names));
	int64_t *sum = mem_calloc(t->workers, sizeof(*sum)), most = 0;
	uint32_t i;

	for (i = 0; i < t->u->n; i++)
		seconds[i] = t->belief_us[i] > 0 ?
		    (double)t->belief_us[i] / 1e6 : -1;
	split_fill_unknown(seconds, t->u->n);
	for (i = 0; i < t->u->n; i++) {
		snprintf(names[i], sizeof(names[i]), "%08u", i);
		v[i] = (struct split_test){ names[i], seconds[i], 0 };
	}
	split(rule, v, t->u->n, t->workers);
	for (i = 0; i < t->u->n; i++)
		sum[v[i].group] += t->u->us[i];
	for (i = 0; i < t->workers; i++)
		most = sum[i] > most ? sum[i] : most;
	free(v);
	free(seconds);
	free(names);
	free(sum);
	return most + SUITES_STARTUP_US;
}

static int64_t
chunks(const struct trial *t)
{
	return static_split(t, SPLIT_CHUNKS);
}

static int64_t
least(const struct trial *t)
{
	return static_split(t, SPLIT_LEAST);
}

/* ---- guided batches ------------------------------------------------------------- */

static uint32_t
first_free(const int64_t *free_us, uint32_t n)
{
	uint32_t i, best = 0;

	for (i = 1; i < n; i++)
		if (free_us[i] < free_us[best])
			best = i;
	return best;
}

struct place {
	int64_t us;		/* INT64_MAX: unknown, first */
	uint32_t test;
};

static int
by_length(const void *pa, const void *pb)
{
	const struct place *a = pa, *b = pb;

	if (a->us != b->us)
		return a->us > b->us ? -1 : 1;
	return a->test < b->test ? -1 : a->test > b->test;
}

static int64_t
guided(const struct trial *t)
{
	struct place *order = mem_calloc(t->u->n, sizeof(*order));
	int64_t *free_us = mem_calloc(t->workers, sizeof(*free_us));
	int64_t most = 0, known = 0, left = 0, share, sum, est;
	uint32_t n_known = 0, i, w;

	for (i = 0; i < t->u->n; i++) {
		order[i] = (struct place){ t->belief_us[i] > 0 ?
			t->belief_us[i] : INT64_MAX, i };
		known += t->belief_us[i] > 0 ? t->belief_us[i] : 0;
		n_known += t->belief_us[i] > 0;
	}
	known /= n_known > 0 ? n_known : 1;
	for (i = 0; i < t->u->n; i++)
		left += t->belief_us[i] > 0 ? t->belief_us[i] : known;
	qsort(order, t->u->n, sizeof(*order), by_length);
	for (i = 0; i < t->u->n;) {
		w = first_free(free_us, t->workers);
		share = left / t->workers / 2;
		if (share < 2 * SUITES_STARTUP_US)
			share = 2 * SUITES_STARTUP_US;
		free_us[w] += SUITES_STARTUP_US;
		for (sum = 0; i < t->u->n && sum < share; i++) {
			est = order[i].us < INT64_MAX ? order[i].us : known;
			sum += est;
			left -= est;
			free_us[w] += t->u->us[order[i].test];
		}
		most = free_us[w] > most ? free_us[w] : most;
	}
	free(order);
	free(free_us);
	return most;
}

/* ---- processes that are given tests ------------------------------------------ */

/* Tests first to end - 1 are given to it and not begun. */
struct node {
	uint32_t *v;
	uint32_t first, end;
	int64_t free_us;
	bool last;		/* nothing more comes: it runs its last one */
};

struct nodes {
	const struct trial *t;
	struct node *v;
	uint32_t next;		/* the first test that nobody has */
};

static void
give(struct nodes *p, struct node *n, uint32_t many)
{
	while (many-- > 0 && p->next < p->t->u->n)
		n->v[n->end++] = p->next++;
}

/* The node that begins a test next, or NULL: it needs one behind it. */
static struct node *
begins(struct nodes *p)
{
	struct node *n, *best = NULL;
	uint32_t i;

	for (i = 0; i < p->t->workers; i++) {
		n = &p->v[i];
		if (n->end - n->first >= (n->last ? 1 : 2) &&
		    (best == NULL || n->free_us < best->free_us))
			best = n;
	}
	return best;
}

static uint32_t
most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void
load_more(struct nodes *p, struct node *n, int64_t took_us)
{
	uint32_t left = p->t->u->n - p->next, has = n->end - n->first;
	uint32_t low = most(2, left / p->t->workers / 4);
	uint32_t high = most(2, left / p->t->workers / 2);

	if (left == 0)
		n->last = true;
	else if (has < low && !(took_us >= 100000 && has >= 2))
		give(p, n, high > has ? high - has : 0);
}

/* Half of the longest queue, from its end, goes to who has too few. */
static void
steal(struct nodes *p, struct node *n)
{
	struct node *from = &p->v[0];
	uint32_t i, many, has;

	if (n->end - n->first >= 2)
		return;
	for (i = 1; i < p->t->workers; i++)
		if (p->v[i].end - p->v[i].first > from->end - from->first)
			from = &p->v[i];
	has = from->end - from->first;
	many = has / 2;
	if (has < 2 || many > has - 2)
		many = has < 2 ? 0 : has - 2;
	if (many == 0 || from == n) {
		n->last = true;
		return;
	}
	for (from->end -= many, i = 0; i < many; i++)
		n->v[n->end++] = from->v[from->end + i];
}

static int64_t
play(const struct trial *t, bool stealing)
{
	struct nodes p = { .t = t };
	struct node *n;
	uint32_t i, each = t->u->n / t->workers;
	int64_t took, end = 0;

	p.v = mem_calloc(t->workers, sizeof(*p.v));
	for (i = 0; i < t->workers; i++) {
		p.v[i].v = mem_calloc(4 * (size_t)t->u->n, sizeof(uint32_t));
		p.v[i].free_us = SUITES_STARTUP_US;
		give(&p, &p.v[i], stealing ? (t->u->n - p.next) /
		    (t->workers - i) : most(each / 4, 2));
	}
	while ((n = begins(&p)) != NULL) {
		took = t->u->us[n->v[n->first++]];
		n->free_us += took;
		end = n->free_us > end ? n->free_us : end;
		if (stealing)
			steal(&p, n);
		else
			load_more(&p, n, took);
		for (i = 0; begins(&p) == NULL && i < t->workers; i++)
			p.v[i].last = true;
	}
	for (i = 0; i < t->workers; i++)
		free(p.v[i].v);
	free(p.v);
	return end;
}

static int64_t
load(const struct trial *t)
{
	return play(t, false);
}

static int64_t
worksteal(const struct trial *t)
{
	return play(t, true);
}

/* ---- the table ------------------------------------------------------------------ */

struct rule {
	const char *name;
	int64_t (*play)(const struct trial *t);
};

static const struct rule rules[] = {
	{ "yardmaster", ours }, { "guided", guided }, { "least", least },
	{ "chunks", chunks }, { "worksteal", worksteal }, { "load", load },
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

static int64_t
bound(const struct suite *u, const struct suite_fleet *f)
{
	struct sim_agent v[4];
	uint32_t i;

	for (i = 0; i < f->n; i++)
		v[i] = (struct sim_agent){ .facts = { .max_workers =
			f->workers[i], .threshold = f->workers[i] },
			.speed = f->speed[i] };
	return sim_bound_us(v, f->n, u->us, NULL, u->n, SUITES_STARTUP_US);
}

/* One line: each rule's makespan by the bound, over the seeds. */
static void
line(const char *name, const struct suite_fleet *f, size_t n_rules,
    double *sums)
{
	struct trial t = { .fleet = f };
	double sum[RULES] = { 0 };
	struct suite u;
	int64_t *beliefs;
	uint32_t i;
	size_t k;

	if (!suite_load(&u, name)) {
		printf("  %s: cannot be read (YM_SRCDIR: the source)\n", name);
		exit(1);
	}
	t.u = &u;
	for (i = 0; i < f->n; i++)
		t.workers += f->workers[i];
	for (t.seed = 1; t.seed <= SEEDS; t.seed++) {
		t.belief_us = beliefs = suite_beliefs(&u, t.seed);
		for (k = 0; k < n_rules; k++)
			sum[k] += log((double)rules[k].play(&t) /
			    (double)bound(&u, f)) / SEEDS;
		free(beliefs);
	}
	printf("  %-14s %-18s", name, f->name);
	for (k = 0; k < n_rules; k++) {
		printf(" %10.3f", exp(sum[k]));
		sums[k] += sum[k];
	}
	putchar('\n');
	suite_done(&u);
}

static void
block(const char *title, const char *const *names,
    const struct suite_fleet *f, size_t n_fleets, size_t n_rules)
{
	double sums[RULES] = { 0 };
	size_t i, k, n = 0;

	printf("%s\n  %-14s %-18s", title, "suite", "workers");
	for (k = 0; k < n_rules; k++)
		printf(" %10s", rules[k].name);
	putchar('\n');
	for (i = 0; names[i] != NULL; i++)
		for (k = 0; k < n_fleets; k++, n++)
			line(names[i], &f[k], n_rules, sums);
	printf("  %-33s", "geometric mean");
	for (k = 0; k < n_rules; k++)
		printf(" %10.3f", exp(sums[k] / (double)n));
	putchar('\n');
}

int
main(void)
{
	printf("makespan by the lower bound: noise 30%%, 5%% unknown, 2 s to "
	    "start a process, %d ms round trip (yardmaster only), %d seeds\n",
	    SUITES_RTT_US / 1000, SEEDS);
	block("real suites (goal 1.03)", suites_real, fleets, 2, RULES);
	block("made suites", suites_made, fleets, 2, RULES);
	block("real suites, four agents of these speeds (goal 1.10)",
	    suites_real, mixes, 5, 1);
	return 0;
}
