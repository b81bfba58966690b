/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which executions of a plan may share a process, as numbers. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/mem.h"

#include "engine/feed_batch.h"

struct batch_key_entry {
	UT_hash_handle hh;
	uint32_t number;
	uint8_t key[];
};

static uint32_t
intern(struct feed_batches *b, const struct buf *key)
{
	struct batch_key_entry *e;

	HASH_FIND(hh, b->by_key, buf_data(key), buf_len(key), e);
	if (e == NULL) {
		e = mem_zalloc(sizeof *e + buf_len(key));
		e->number = ++b->n;
		memcpy(e->key, buf_data(key), buf_len(key));
		HASH_ADD_KEYPTR(hh, b->by_key, e->key, buf_len(key), e);
	}
	return e->number;
}

uint32_t
feed_batch_of(struct feed_batches *b, const struct plan *p, uint32_t no)
{
	const struct plan_exec *x = &p->execs[no - 1];
	const struct plan_test *t = &p->tests[p->steps[x->first_step].test];
	struct buf key = BUF_INIT;

	if (!plan_is_batch(p, no))
		return 0;
	if (b->last != 0 && b->props == t->props && b->env == t->env &&
	    b->suite == x->suite)
		return b->last;
	plan_batch_key(p, no, &key);
	b->last = intern(b, &key);
	buf_done(&key);
	b->props = t->props;
	b->env = t->env;
	b->suite = x->suite;
	return b->last;
}

uint32_t
feed_batch_size(const struct plan *p, uint32_t no)
{
	struct buf name = BUF_INIT;
	size_t n;

	plan_batch_name(p, no, &name);
	n = buf_len(&name) + 1;
	buf_done(&name);
	return (uint32_t)n;
}

void
feed_batches_done(struct feed_batches *b)
{
	struct batch_key_entry *e, *next;

	HASH_ITER(hh, b->by_key, e, next) {
		HASH_DEL(b->by_key, e);
		free(e);
	}
}
