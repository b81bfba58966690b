/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Workers that people take. They are one value of the journal, because they
 * are few and change seldom. */
#include "config.h"

#include <stdlib.h>

#include "agent/console.h"
#include "agent/takes.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"

#define VALUE_KEY "takes"
#define NAMED 4			/* holders that a refusal names */
#define NOTE_MAX 1024
#define FOR_MAX_S (366.0 * 86400)

TAILQ_HEAD(take_list, take);

struct takes {
	struct take_list held, waiting;
	uint32_t last;		/* number given last */
	bool dirty;
};

struct takes *
takes_new(void)
{
	struct takes *t = mem_zalloc(sizeof *t);

	TAILQ_INIT(&t->held);
	TAILQ_INIT(&t->waiting);
	return t;
}

static void
take_free(struct take_list *list, struct take *k)
{
	TAILQ_REMOVE(list, k, entry);
	stop_note_done(&k->stop);
	free(k);
}

void
takes_free(struct takes *t)
{
	struct take *k;

	if (t == NULL)
		return;
	while ((k = TAILQ_FIRST(&t->held)) != NULL)
		take_free(&t->held, k);
	while ((k = TAILQ_FIRST(&t->waiting)) != NULL)
		take_free(&t->waiting, k);
	free(t);
}

bool
takes_any(const struct takes *t)
{
	return !TAILQ_EMPTY(&t->held) || !TAILQ_EMPTY(&t->waiting);
}

bool
takes_dirty(const struct takes *t)
{
	return t->dirty;
}

void
takes_stored(struct takes *t)
{
	t->dirty = false;
}

/* ---- the journal ---- */

static void
write_take(struct jw *w, const struct daemon *d, const struct take *k)
{
	uint32_t i;

	jw_object(w);
	jw_kv_int(w, "take", k->no);
	jw_kv_str(w, "kind", worker_kind_name(k->kind));
	jw_key(w, "stop");
	stop_note_write(w, &k->stop);
	jw_key(w, "workers");
	jw_array(w);
	for (i = 0; i < d->n_slots; i++)
		if (d->slots[i]->take == k)
			jw_int(w, d->slots[i]->no);
	jw_array_end(w);
	jw_object_end(w);
}

int
takes_store(const struct daemon *d)
{
	struct buf b = BUF_INIT;
	const struct take *k;
	struct jw w;
	int r;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "last", d->takes->last);
	jw_key(&w, "takes");
	jw_array(&w);
	TAILQ_FOREACH(k, &d->takes->held, entry)
		write_take(&w, d, k);
	jw_array_end(&w);
	jw_object_end(&w);
	r = journal_put_value(d->journal, VALUE_KEY, buf_str(&b));
	buf_done(&b);
	return r;
}

static void
load_take(struct daemon *d, const struct jval *v)
{
	const struct jval *nos = jval_get(v, "workers");
	int kind = worker_kind_parse(jval_get_str(v, "kind", ""));
	struct take *k = mem_zalloc(sizeof *k);
	int64_t no;
	size_t i;

	k->no = (uint32_t)jval_get_int(v, "take", 0);
	k->kind = kind >= 0 ? (enum worker_kind)kind : WORKER_HOLD;
	if (stop_note_read(jval_get(v, "stop"), &k->stop) < 0)
		log_warn("taking %u: who has it cannot be read", k->no);
	for (i = 0; i < jval_count(nos); i++) {
		no = jval_int(jval_at(nos, i), 0);
		if (no < 1 || no > MAX_WORKERS_LIMIT)
			continue;
		k->workers++;
		slots_take_for(d, k, (uint16_t)no);
	}
	TAILQ_INSERT_TAIL(&d->takes->held, k, entry);
}

int
takes_load(struct daemon *d)
{
	char *text = journal_value(d->journal, VALUE_KEY);
	const struct jval *list;
	struct jval *v = NULL;
	size_t i;
	int r = 0;

	if (text != NULL && (r = jval_parse(&v, text, strlen(text))) == 0) {
		d->takes->last = (uint32_t)jval_get_int(v, "last", 0);
		list = jval_get(v, "takes");
		for (i = 0; i < jval_count(list); i++)
			load_take(d, jval_at(list, i));
	}
	jval_free(v);
	free(text);
	return r;
}

/* ---- taking and giving back ---- */

static uint32_t
free_workers(const struct daemon *d)
{
	return d->busy < d->values.max_workers ?
	    d->values.max_workers - d->busy : 0;
}

static void
begin(struct daemon *d, struct take *k)
{
	uint16_t i;

	d->takes->last = k->no = d->takes->last + 1;
	k->stop.since_wall_us = clock_wall_us();
	if (k->for_us > 0)
		k->stop.expires_wall_us = k->stop.since_wall_us + k->for_us;
	for (i = 0; i < k->workers; i++)
		slots_take_for(d, k, 0);
	TAILQ_INSERT_TAIL(&d->takes->held, k, entry);
	d->takes->dirty = true;
	edit_note(d, k->stop.who, "takes %u of its workers (%s, taking %u)",
	    k->workers, worker_kind_name(k->kind), k->no);
	timer_start(d->expire_timer, 0);
	turn_facts(d, true);
}

static void
finish(struct daemon *d, struct take *k, const char *who, const char *how)
{
	slots_give_back(d, k);
	edit_note(d, who, "taking %u (%s) %s", k->no,
	    worker_kind_name(k->kind), how);
	take_free(&d->takes->held, k);
	d->takes->dirty = true;
	turn_facts(d, true);
}

uint32_t
takes_turn(struct daemon *d)
{
	struct take_list *waiting = &d->takes->waiting;
	struct link *l;
	struct take *k;
	uint32_t n = 0;

	while ((k = TAILQ_FIRST(waiting)) != NULL &&
	    k->workers <= free_workers(d)) {
		TAILQ_REMOVE(waiting, k, entry);
		l = k->link;
		k->link = NULL;
		begin(d, k);
		edit_answer(l, k->tag, 0, "", k->no);
	}
	TAILQ_FOREACH(k, waiting, entry)
		n += k->workers;
	return n;
}

bool
takes_expire(struct daemon *d, int64_t now_wall_us, int64_t *ret_next)
{
	struct take *k, *next;
	bool any = false;

	for (k = TAILQ_FIRST(&d->takes->held); k != NULL; k = next) {
		next = TAILQ_NEXT(k, entry);
		if (k->stop.expires_wall_us == 0)
			continue;
		if (k->stop.expires_wall_us <= now_wall_us) {
			finish(d, k, k->stop.who != NULL ? k->stop.who : "?",
			    "expired");
			any = true;
		} else if (k->stop.expires_wall_us < *ret_next) {
			*ret_next = k->stop.expires_wall_us;
		}
	}
	return any;
}

void
takes_link_gone(struct daemon *d, const struct link *l)
{
	struct take *k, *next;

	for (k = TAILQ_FIRST(&d->takes->waiting); k != NULL; k = next) {
		next = TAILQ_NEXT(k, entry);
		if (k->link == l)
			take_free(&d->takes->waiting, k);
	}
}

/* ---- TAKE ---- */

/* Who keeps the workers busy, for who gets none. */
static void
put_holders(struct daemon *d, struct buf *text)
{
	const struct worker *w;
	char elapsed[DURATION_TEXT];
	uint32_t i, named = 0;
	struct facts f;

	facts_make(d, &f);
	for (i = 0; i < f.n_workers && named < NAMED; i++) {
		w = &f.workers[i];
		if (!w->busy)
			continue;
		buf_putf(text, "%s%u: %s", named++ == 0 ? ": " : ", ", w->no,
		    worker_kind_name(w->kind));
		if (w->label != NULL)
			buf_putf(text, " %s", w->label);
		if (w->owner != NULL)
			buf_putf(text, " of %s", w->owner);
		buf_putf(text, " for %s", duration_format(w->elapsed_us,
		    elapsed));
		if (w->taken.expires_wall_us > 0)
			buf_putf(text, ", %s more", duration_format(
			    w->taken.expires_wall_us - clock_wall_us(),
			    elapsed));
	}
	if (d->busy > named)
		buf_putf(text, " and %u more", d->busy - named);
	facts_done(&f);
}

static int
give_back(struct link *l, const struct jval *v, struct buf *text)
{
	int64_t no = jval_get_int(v, "give_back", 0);
	struct take *k;

	TAILQ_FOREACH(k, &l->d->takes->held, entry)
		if (k->no == no)
			break;
	if (k == NULL) {
		buf_putf(text, "there is no taking %lld", (long long)no);
		return ERR_NOT_FOUND;
	}
	finish(l->d, k, jval_get_str(v, "who", l->who), "given back");
	loop_poke(l->d->loop);
	return 0;
}

/* What was asked for; NULL with words when that cannot be. */
static struct take *
read_take(struct link *l, const struct jval *v, struct buf *text)
{
	int kind = worker_kind_parse(jval_get_str(v, "kind", ""));
	int64_t n = jval_get_int(v, "workers", 1);
	const char *note = jval_get_str(v, "note", NULL);
	double for_s = jval_get_real(v, "for_s", 0);
	struct take *k;

	if (kind != WORKER_RECORDING && kind != WORKER_DEVELOPMENT &&
	    kind != WORKER_HOLD)
		buf_puts(text, "kind is recording, development or hold");
	else if (n < 1 || n > l->d->values.max_workers)
		buf_putf(text, "workers is from 1 to %u, its max workers",
		    l->d->values.max_workers);
	else if (!(for_s >= 0 && for_s <= FOR_MAX_S))
		buf_puts(text, "a worker is taken for at most a year");
	if (buf_len(text) > 0)
		return NULL;
	k = mem_zalloc(sizeof *k);
	k->kind = (enum worker_kind)kind;
	k->workers = (uint16_t)n;
	k->for_us = (int64_t)(for_s * (double)US_PER_S);
	k->tag = jval_get_int(v, "tag", 0);
	k->stop.on = true;
	k->stop.who = str_ndup(jval_get_str(v, "who", l->who), 255);
	k->stop.note = note != NULL ? str_ndup(note, NOTE_MAX) : NULL;
	return k;
}

int
edit_take(struct link *l, const struct jval *v)
{
	struct daemon *d = l->d;
	struct buf text = BUF_INIT;
	int64_t tag = jval_get_int(v, "tag", 0);
	struct take *k = NULL;
	int r = 0;

	if (l->read_only) {
		buf_puts(&text, "this link may look and not touch");
		r = ERR_REFUSED;
	} else if (jval_get(v, "give_back") != NULL) {
		r = give_back(l, v, &text);
	} else if ((k = read_take(l, v, &text)) == NULL) {
		r = ERR_RANGE;
	}
	if (k == NULL) {
		edit_answer(l, tag, r, buf_str(&text), 0);
	} else if (TAILQ_EMPTY(&d->takes->waiting) &&
	    k->workers <= free_workers(d)) {
		begin(d, k);
		edit_answer(l, tag, 0, "", k->no);
	} else {
		k->link = l;
		TAILQ_INSERT_TAIL(&d->takes->waiting, k, entry);
		if (!jval_get_bool(v, "wait", false)) {
			buf_puts(&text, "too few workers are free");
			put_holders(d, &text);
			edit_answer(l, tag, ERR_STATE, buf_str(&text), 0);
			take_free(&d->takes->waiting, k);
		}
	}
	buf_done(&text);
	return 0;
}
