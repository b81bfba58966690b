/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the agent holds, and who may start next. Auto attempts and the others
 * wait in two lines, so that neither has to be searched for the other. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "agent/queue.h"
#include "agent/ration.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/model/prepare.h"

#define PASSES_MAX 16
#define KEYS_MAX 4096

void
queue_init(struct queue *q)
{
	*q = (struct queue){ .all = NULL };
	TAILQ_INIT(&q->autos);
	TAILQ_INIT(&q->others);
	TAILQ_INIT(&q->parked);
}

static void
attempt_free(struct attempt *a)
{
	free(a->label);
	free(a->owner);
	free(a->progress);
	free(a->work);
	free(a->result);
	free(a->keys);
	holds_free(a->holds, a->n_holds);
	secrets_done(&a->secrets);
	free(a);
}

void
queue_done(struct queue *q)
{
	struct attempt *a, *next;
	struct held_run *run, *next_run;

	HASH_ITER(hh, q->all, a, next) {
		HASH_DEL(q->all, a);
		rations_leave(q, a);
		attempt_free(a);
	}
	HASH_ITER(hh, q->runs, run, next_run) {
		HASH_DEL(q->runs, run);
		free(run->owner);
		free(run->watchers);
		free(run);
	}
}

struct held_run *
queue_run(struct queue *q, const char *id)
{
	struct held_run *run;

	HASH_FIND_STR(q->runs, id, run);
	if (run != NULL)
		return run;
	run = mem_zalloc(sizeof *run);
	memcpy(run->id, id, strnlen(id, sizeof run->id - 1));
	HASH_ADD_STR(q->runs, id, run);
	return run;
}

/* An id with nothing undefined behind its text: the key of the hash. */
static struct ident
key_of(const struct ident *id)
{
	struct ident key;

	memset(&key, 0, sizeof key);
	memcpy(key.run, id->run, strnlen(id->run, sizeof key.run - 1));
	key.execution = id->execution;
	key.attempt = id->attempt;
	return key;
}

struct attempt *
queue_find(const struct queue *q, const struct ident *id)
{
	struct ident key = key_of(id);
	struct attempt *a;

	HASH_FIND(hh, q->all, &key, sizeof key, a);
	return a;
}

struct attempt *
queue_add(struct queue *q, const struct ident *id)
{
	struct attempt *a = mem_zalloc(sizeof *a);

	a->id = key_of(id);
	a->run = queue_run(q, id->run);
	a->run->n_attempts++;
	a->workers = 1;
	a->state = ATTEMPT_QUEUED;
	HASH_ADD(hh, q->all, id, sizeof a->id, a);
	return a;
}

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t
key_of_label(const char *p)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (*p != '\0')
		h = (h ^ (uint8_t)*p++) * UINT64_C(0x100000001b3);
	return h;
}

static int
by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of one with very many steps only the first are looked at. */
static void
keys_make(struct attempt *a, const struct work *work)
{
	uint32_t i, n = work->n_steps < KEYS_MAX ? work->n_steps : KEYS_MAX;

	if (work->beside_itself || work->class == CLASS_ADHOC)
		return;
	a->keys = mem_calloc(n, sizeof *a->keys);
	for (i = 0; i < n; i++)
		if (work->steps[i].label != NULL)
			a->keys[a->n_keys++] =
			    key_of_label(work->steps[i].label);
	qsort(a->keys, a->n_keys, sizeof *a->keys, by_key);
}

bool
attempts_meet(const struct attempt *a, const struct attempt *b)
{
	uint32_t i = 0, k = 0;

	while (i < a->n_keys && k < b->n_keys) {
		if (a->keys[i] == b->keys[k])
			return true;
		if (a->keys[i] < b->keys[k])
			i++;
		else
			k++;
	}
	return false;
}

void
attempt_describe(struct queue *q, struct attempt *a, struct work *work)
{
	keys_make(a, work);
	a->holds = work->holds;
	a->n_holds = work->n_holds;
	work->holds = NULL;
	work->n_holds = 0;
	if (a->n_holds > 0)
		LIST_INSERT_HEAD(&q->holders, a, in_holders);
	rations_join(q, a, work->targets, work->n_targets);
	a->class = work->class;
	a->workers = work->workers;
	a->together = work->together;
	a->secret = work->secret;
	a->secrets = work->secrets;
	work->secrets = (struct secrets){ .v = NULL };
	a->usual_us = work->usual_us;
	a->label = str_dup(work->label);
	a->owner = str_dup(work->owner);
}

void
queue_drop(struct queue *q, struct attempt *a)
{
	HASH_DEL(q->all, a);
	a->run->n_attempts--;
	if (a->n_holds > 0)
		LIST_REMOVE(a, in_holders);
	rations_leave(q, a);
	attempt_free(a);
}

static struct attempts *
line_of(struct queue *q, const struct attempt *a)
{
	if (a->parked)
		return &q->parked;
	return a->class == CLASS_AUTO ? &q->autos : &q->others;
}

void
queue_enter(struct queue *q, struct attempt *a)
{
	struct attempts *line = line_of(q, a);
	struct attempt *at;

	if (a->seq == 0)
		a->seq = ++q->next_seq;
	else if (a->seq > q->next_seq)
		q->next_seq = a->seq;
	TAILQ_FOREACH_REVERSE(at, line, attempts, in_queue)
		if (at->seq < a->seq)
			break;
	if (at != NULL)
		TAILQ_INSERT_AFTER(line, at, a, in_queue);
	else
		TAILQ_INSERT_HEAD(line, a, in_queue);
	a->in_line = true;
	a->state = ATTEMPT_QUEUED;
	a->place = ++q->n;
}

void
queue_leave(struct queue *q, struct attempt *a)
{
	if (!a->in_line)
		return;
	a->in_line = false;
	TAILQ_REMOVE(line_of(q, a), a, in_queue);
	q->n--;
	a->place = 0;
}

bool
attempt_waits(const struct attempt *a)
{
	return a->state == ATTEMPT_QUEUED && !a->gone;
}

bool
attempt_lacks(const struct attempt *a)
{
	return a->secret && a->secrets.n == 0 && attempt_waits(a);
}

/* The earlier of two heads of line; either may be NULL. */
static struct attempt *
earlier(struct attempt *a, struct attempt *b)
{
	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return a->seq < b->seq ? a : b;
}

/* The next one in order of arrival after *a and *b, the places in both lines
 * (either may be NULL); moves past it. */
static struct attempt *
step(struct attempt **a, struct attempt **b)
{
	struct attempt *first = earlier(*a, *b);

	if (first == NULL)
		return NULL;
	if (first == *a)
		*a = TAILQ_NEXT(first, in_queue);
	else
		*b = TAILQ_NEXT(first, in_queue);
	return first;
}

void
queue_count_places(struct queue *q)
{
	struct attempt *a = TAILQ_FIRST(&q->autos);
	struct attempt *b = TAILQ_FIRST(&q->others), *at;
	uint32_t n = 0;

	while ((at = step(&a, &b)) != NULL)
		at->place = ++n;
}

/* Enough are free, or all are and there will never be more. */
static bool
fits(const struct attempt *a, const struct queue_limits *l)
{
	return a->workers <= l->max_workers - l->busy ||
	    (a->workers > l->max_workers && l->busy == 0);
}

static bool
waits(const struct attempt *a, const struct queue_limits *l)
{
	return l->waits != NULL && a->n_keys + a->n_uses > 0 &&
	    l->waits(l->arg, a);
}

/* The first that cleans up after a run: it starts no test. */
static struct attempt *
next_teardown(struct queue *q)
{
	struct attempt *a;

	TAILQ_FOREACH(a, &q->others, in_queue)
		if (a->id.execution >= PREPARE_TEARDOWN)
			break;
	return a;
}

struct attempt *
queue_next(struct queue *q, const struct queue_limits *l)
{
	struct attempt *a = NULL, *b, *head_a, *head_b, *found, *passed;

	if (l->busy >= l->max_workers)
		return NULL;
	if (l->stopped)
		return next_teardown(q);
	if (l->auto_busy < l->threshold)
		a = TAILQ_FIRST(&q->autos);
	b = TAILQ_FIRST(&q->others);
	head_a = a;
	head_b = b;
	while ((found = step(&a, &b)) != NULL && (waits(found, l) ||
	    !fits(found, l)))
		if (found->passes >= PASSES_MAX && !waits(found, l))
			return NULL;
	if (found == NULL)
		return NULL;
	while ((passed = step(&head_a, &head_b)) != found)
		passed->passes++;
	return found;
}
