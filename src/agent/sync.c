/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer to SYNC: a report of all that is held of a run, then SYNCED. An
 * agent may hold more than a link takes at once, so what there was is noted,
 * and told as the link drains. What changes meanwhile is reported as ever.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "agent/console.h"
#include "agent/prepare.h"
#include "yardmaster/base/mem.h"

#define WINDOW (1u << 20)	/* bytes on their way to one link */

struct sync {
	char run[RUN_ID_SIZE];
	uint32_t epoch;
	struct ident *ids;
	size_t n, at;
	STAILQ_ENTRY(sync) entry;
};

static void
sync_free(struct link *l, struct sync *s)
{
	STAILQ_REMOVE(&l->syncs, s, sync, entry);
	free(s->ids);
	free(s);
}

void
syncs_drop(struct link *l)
{
	while (!STAILQ_EMPTY(&l->syncs))
		sync_free(l, STAILQ_FIRST(&l->syncs));
}

static bool
is_full(const struct link *l)
{
	return buf_len(&l->reports) + buf_len(&l->out) +
	    stream_pending(l->stream) > WINDOW;
}

void
syncs_pump(struct link *l)
{
	struct buf b = BUF_INIT;
	const struct attempt *a;
	struct sync *s;

	while ((s = STAILQ_FIRST(&l->syncs)) != NULL && !is_full(l)) {
		if (s->at == s->n) {
			link_synced(l, s->run, s->epoch, true);
			sync_free(l, s);
			continue;
		}
		a = queue_find(&l->d->queue, &s->ids[s->at++]);
		if (a == NULL || a->gone)
			continue;
		buf_clear(&b);
		turn_report(a, &b);
		link_report(l, buf_str(&b), buf_len(&b));
	}
	buf_done(&b);
}

void
sync_begin(struct link *l, const struct held_run *run, uint32_t epoch)
{
	struct sync *s = mem_zalloc(sizeof *s);
	struct attempt *a, *next;

	memcpy(s->run, run->id, sizeof s->run);
	s->epoch = epoch;
	s->ids = mem_calloc(run->n_attempts, sizeof *s->ids);
	HASH_ITER(hh, l->d->queue.all, a, next)
		if (a->run == run && s->n < run->n_attempts &&
		    !prep_is_own(&a->id))
			s->ids[s->n++] = a->id;
	STAILQ_INSERT_TAIL(&l->syncs, s, entry);
	queue_count_places(&l->d->queue);
	syncs_pump(l);
}
