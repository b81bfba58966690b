/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a console says, message by message. A run is changed only through the
 * link that synced it last and under the highest epoch seen, so that words
 * still on their way in an older link cannot start or end anything.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "agent/ask.h"
#include "agent/console.h"
#include "agent/kept.h"
#include "agent/prepare.h"
#include "agent/ration.h"
#include "agent/takes.h"
#include "agent/trees.h"
#include "agent/guard.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/host.h"
#include "yardmaster/sys/proc.h"

#define IDS_MAX 1000000
#define GRACE_MAX_S 3600

static void
say_welcome(struct link *l)
{
	static const char *const features[] = AGENT_FEATURES;
	struct buf b = BUF_INIT;
	struct host_facts host;
	struct jw w;
	size_t i;

	memset(&host, 0, sizeof host);
	(void)host_read(&host);
	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "protocol", PROTO_VERSION);
	jw_kv_str(&w, "version", PACKAGE_VERSION);
	jw_key(&w, "features");
	jw_array(&w);
	for (i = 0; i < sizeof features / sizeof *features; i++)
		jw_str(&w, features[i]);
	jw_array_end(&w);
	jw_kv_str(&w, "instance", l->d->opt->instance);
	jw_kv_str(&w, "host", host.name);
	jw_kv_str(&w, "spool", l->d->spool);
	jw_kv_str(&w, "boot", proc_boot_id());
	jw_kv_bool(&w, "read_only", l->read_only);
	facts_put(l->d, &w);
	jw_object_end(&w);
	link_send(l, MSG_WELCOME, &b);
	buf_done(&b);
}

static int
on_hello(struct link *l, const struct jval *v)
{
	if (jval_get_int(v, "protocol", 0) != PROTO_VERSION) {
		link_fail(l, ERR_VERSION, "this agent speaks protocol 1");
		return 0;
	}
	l->read_only |= jval_get_bool(v, "read_only", false);
	l->who = str_ndup(jval_get_str(v, "who", "?"), 255);
	l->phase = PHASE_OPEN;
	say_welcome(l);
	log_info("link of %s%s", l->who, l->read_only ? ", read only" : "");
	return 0;
}

static int
on_ping(struct link *l, const struct jval *v)
{
	struct buf b = BUF_INIT;
	struct jw w;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "n", jval_get_int(v, "n", 0));
	jw_object_end(&w);
	link_send(l, MSG_PONG, &b);
	buf_done(&b);
	return 0;
}

static int
on_pong(struct link *l, const struct jval *v)
{
	return 0;
}

/* The run and epoch that a message names. */
static int
read_run(const struct jval *v, struct ident *ret_run, uint32_t *ret_epoch)
{
	int64_t epoch = jval_get_int(v, "epoch", -1);

	if (ident_parse(jval_get_str(v, "run", ""), ret_run) < 0 ||
	    ret_run->execution != 0 || epoch < 0 || epoch > UINT32_MAX)
		return ERR_PROTOCOL;
	*ret_epoch = (uint32_t)epoch;
	return 0;
}

/* Parts that were prepared when their driver was lost are so again; what
 * cannot start without its secrets is given back. */
static void
line_up(struct link *l, const struct held_run *run)
{
	struct attempt *a, *next;

	HASH_ITER(hh, l->d->queue.all, a, next) {
		if (a->run != run || !attempt_waits(a))
			continue;
		if (attempt_lacks(a))
			link_give_back(l, a);
		else if (!a->in_line && !a->prepared)
			queue_enter(&l->d->queue, a);
	}
}

static int
on_sync(struct link *l, const struct jval *v)
{
	struct daemon *d = l->d;
	const char *owner = jval_get_str(v, "owner", NULL);
	struct held_run *run;
	struct ident id;
	uint32_t epoch;
	int r;

	if (read_run(v, &id, &epoch) < 0)
		return ERR_PROTOCOL;
	run = queue_run(&d->queue, id.run);
	if (epoch < run->epoch) {
		link_synced(l, id.run, run->epoch, false);
		return 0;
	}
	link_watch(l, run);
	if (!l->read_only && jval_get_bool(v, "over", false) &&
	    (r = preps_over(d, id.run)) < 0)
		return r;
	if (!l->read_only) {
		run->driver = l->serial;
		line_up(l, run);
		asks_linked(l, run);
		run->dirty |= run->epoch != epoch || run->owner == NULL;
		run->epoch = epoch;
		d->runs_dirty |= run->dirty;
		if (owner != NULL) {
			free(run->owner);
			run->owner = str_ndup(owner, 255);
		}
	}
	sync_begin(l, run, epoch);
	return 0;
}

/* Why what l says of this run is not to be followed, or NULL. */
static const char *
refused(const struct link *l, const struct held_run *run, uint32_t epoch)
{
	if (epoch < run->epoch)
		return "a newer owner drives this run";
	if (run->driver != l->serial)
		return "this link has not synced the run last";
	return NULL;
}

/* Why the daemon takes no new work, or NULL. */
static const char *
takes_none(struct daemon *d)
{
	if (d->values.draining.on)
		return "draining";
	if (d->store_failing)
		return "the journal of the agent cannot be written";
	if (!guard_disk_low(d))
		return NULL;
	/* Who is told at once does not try again before there is room. */
	if (d->guard == NULL) {
		guard_check(d);
		turn_facts(d, true);
	}
	return "the disk of the spool is nearly full";
}

static void
accept_work(struct link *l, struct held_run *run, uint32_t epoch,
    struct work *work)
{
	struct daemon *d = l->d;
	struct attempt *a = queue_add(&d->queue, &work->id);
	struct buf b = BUF_INIT;
	struct jw w;
	int r;

	work->epoch = epoch;
	a->epoch = epoch;
	a->queued_wall_us = clock_wall_us();
	jw_init(&w, &b);
	work_write(&w, work);
	a->work_len = buf_len(&b);
	a->work = buf_steal(&b);
	attempt_describe(&d->queue, a, work);
	if ((r = prep_join(d, a, work)) < 0) {
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_ERROR, err_text(r));
		return;
	}
	queue_enter(&d->queue, a);
	turn_touch(d, a, DUE_STORE | DUE_REPORT);
}

/* A work with what goes beside it. */
static int
read_work(const struct link *l, const struct jval *v,
    const struct jval *secrets, struct work *ret)
{
	char text[IDENT_TEXT];
	int r;

	if ((r = work_read(v, ret)) < 0)
		return r;
	r = secrets_read(jval_get(secrets, ident_format(&ret->id, text)),
	    &l->apart, &ret->secrets);
	if (r == 0 && ret->secret != (ret->secrets.n > 0))
		r = ERR_SYNTAX;
	if (r < 0)
		work_done(ret);
	return r;
}

static void
start_one(struct link *l, struct held_run *run, uint32_t epoch,
    const struct jval *v, const struct jval *secrets, const char *why)
{
	struct daemon *d = l->d;
	struct buf full = BUF_INIT;
	struct attempt *a;
	struct ident id;
	struct work work;
	int r;

	if (ident_parse(jval_get_str(v, "id", ""), &id) < 0 ||
	    id.attempt == 0 || strcmp(id.run, run->id) != 0 ||
	    prep_is_own(&id))
		return;
	if ((a = queue_find(&d->queue, &id)) != NULL && !a->gone) {
		turn_touch(d, a, DUE_REPORT);
		return;
	}
	if (why == NULL && a != NULL)
		why = "it was just taken back";
	if (why == NULL && (r = read_work(l, v, secrets, &work)) < 0)
		why = err_text(r);
	if (why != NULL) {
		link_returned(l, &id, true, why);
		return;
	}
	if (rations_refuse(&d->queue, run, &work, &full))
		link_full(l, &id, buf_str(&full));
	else
		accept_work(l, run, epoch, &work);
	work_done(&work);
	buf_done(&full);
}

static int
on_start(struct link *l, const struct jval *v)
{
	const struct jval *works = jval_get(v, "works");
	struct held_run *run;
	const char *why;
	struct ident id;
	uint32_t epoch;
	size_t i, n = jval_count(works);

	if (read_run(v, &id, &epoch) < 0 || jval_type(works) != JVAL_ARRAY)
		return ERR_PROTOCOL;
	run = queue_run(&l->d->queue, id.run);
	why = refused(l, run, epoch);
	if (why == NULL)
		why = takes_none(l->d);
	for (i = 0; i < n; i++)
		start_one(l, run, epoch, jval_at(works, i),
		    jval_get(v, "secrets"), why);
	/* Who has what it did not get is said before that it did not. */
	if (l->full)
		link_facts(l);
	l->full = false;
	turn_facts(l->d, false);
	return 0;
}

/* Calls fn for each id of the message that is of the run, unless what l says
 * of the run is not to be followed; then why is given. */
static int
each_id(struct link *l, const struct jval *v,
    void (*fn)(struct link *l, const struct ident *id, struct attempt *a,
    const char *why, double grace_s))
{
	const struct jval *ids = jval_get(v, "ids");
	double grace_s = jval_get_real(v, "grace_s", 5);
	struct held_run *run;
	const char *why;
	struct ident id;
	struct attempt *a;
	uint32_t epoch;
	size_t i, n = jval_count(ids);

	if (read_run(v, &id, &epoch) < 0 || jval_type(ids) != JVAL_ARRAY ||
	    n > IDS_MAX || !(grace_s >= 0 && grace_s <= GRACE_MAX_S))
		return ERR_PROTOCOL;
	run = queue_run(&l->d->queue, id.run);
	why = refused(l, run, epoch);
	for (i = 0; i < n; i++) {
		if (ident_parse(jval_str(jval_at(ids, i), ""), &id) < 0 ||
		    id.attempt == 0 || prep_is_own(&id) || strcmp(id.run, run->id) != 0)
			return ERR_PROTOCOL;
		a = queue_find(&l->d->queue, &id);
		fn(l, &id, a != NULL && a->gone ? NULL : a, why, grace_s);
	}
	turn_facts(l->d, false);
	return 0;
}

static void
take_back_one(struct link *l, const struct ident *id, struct attempt *a,
    const char *why, double grace_s)
{
	if (why != NULL) {
		link_returned(l, id, false, why);
	} else if (a == NULL) {
		link_returned(l, id, true, "not known here");
	} else if (!attempt_waits(a)) {
		link_returned(l, id, false, "already started");
	} else {
		link_returned(l, id, true, "taken back");
		turn_forget(l->d, a);
	}
}

static int
on_take_back(struct link *l, const struct jval *v)
{
	return each_id(l, v, take_back_one);
}

static void
cancel_one(struct link *l, const struct ident *id, struct attempt *a,
    const char *why, double grace_s)
{
	struct daemon *d = l->d;

	if (why != NULL)
		return;
	if (a == NULL) {
		link_returned(l, id, true, "not known here");
	} else if (attempt_waits(a)) {
		turn_unprepare(d, a);
		queue_leave(&d->queue, a);
		turn_fail(d, a, ATTEMPT_ENDED, OUTCOME_CANCELLED, NULL);
	} else if (a->state == ATTEMPT_RUNNING) {
		a->state = ATTEMPT_ENDING;
		slot_cancel(d, a, grace_s);
		turn_touch(d, a, DUE_STORE | DUE_REPORT);
	} else {
		turn_touch(d, a, DUE_REPORT);
	}
}

static int
on_cancel(struct link *l, const struct jval *v)
{
	return each_id(l, v, cancel_one);
}

static void
go_one(struct link *l, const struct ident *id, struct attempt *a,
    const char *why, double grace_s)
{
	if (why == NULL && a != NULL)
		turn_go(l->d, a);
}

static int
on_go(struct link *l, const struct jval *v)
{
	return each_id(l, v, go_one);
}

static void
ack_one(struct link *l, const struct ident *id, struct attempt *a,
    const char *why, double grace_s)
{
	if (why == NULL && a != NULL && a->result != NULL)
		turn_forget(l->d, a);
}

/* Its files came: they need not be kept, whether it is known or not. */
static void
drop_files(struct link *l, const struct ident *id, struct attempt *a,
    const char *why, double grace_s)
{
	if (why == NULL && (a == NULL || a->result != NULL))
		kept_drop(id);
}

static int
on_ack(struct link *l, const struct jval *v)
{
	return each_id(l, v, jval_get_bool(v, "files", false) ? drop_files :
	    ack_one);
}

static int
on_tail(struct link *l, const struct jval *v)
{
	tail_start(l, v);
	return 0;
}

static int
on_fetch(struct link *l, const struct jval *v)
{
	tail_fetch(l, v);
	return 0;
}

static int
on_untail(struct link *l, const struct jval *v)
{
	tail_stop(l, (uint32_t)jval_get_int(v, "tag", 0));
	return 0;
}

static int
on_error(struct link *l, const struct jval *v)
{
	log_warn("%s says: %s", l->who != NULL ? l->who : "a console",
	    jval_get_str(v, "text", "?"));
	l->ended = true;
	return 0;
}

static const struct handler {
	enum msg number;
	int (*fn)(struct link *l, const struct jval *v);
	bool changes;		/* ends a read-only link */
} handlers[] = {
	{ MSG_HELLO, on_hello, false },
	{ MSG_PING, on_ping, false },
	{ MSG_PONG, on_pong, false },
	{ MSG_SYNC, on_sync, false },
	{ MSG_START, on_start, true },
	{ MSG_TAKE_BACK, on_take_back, true },
	{ MSG_CANCEL, on_cancel, true },
	{ MSG_ACK, on_ack, true },
	{ MSG_GO, on_go, true },
	{ MSG_TOLD, asks_told, true },
	{ MSG_SET, edit_set, false },
	{ MSG_MODE, edit_mode, false },
	{ MSG_TAKE, edit_take, false },
	{ MSG_TAIL, on_tail, false },
	{ MSG_UNTAIL, on_untail, false },
	{ MSG_FETCH, on_fetch, false },
	{ MSG_TREE, tree_offered, true },
	{ MSG_ERROR, on_error, false },
};

int
handle_message(struct link *l, unsigned number, const uint8_t *body, size_t n)
{
	const struct handler *h = handlers;
	const struct handler *end = h + sizeof handlers / sizeof *handlers;
	struct jval *v = NULL;
	int r;

	if (number == MSG_TREE_DATA && !l->read_only)
		return tree_piece(l, body, n);
	while (h < end && (unsigned)h->number != number)
		h++;
	if (h == end)
		return ERR_PROTOCOL;
	if (h->changes && l->read_only) {
		link_fail(l, ERR_REFUSED, "this link may look and not touch");
		return 0;
	}
	if (number == MSG_START && memmem(body, n, "\"secrets\"", 9) != NULL) {
		proc_dumpable(false);
		r = jval_parse_apart(&v, body, n, SECRET_KEY, &l->apart);
	} else {
		r = jval_parse(&v, body, n);
	}
	if (r == 0)
		r = jval_type(v) == JVAL_OBJECT ? h->fn(l, v) : ERR_PROTOCOL;
	jval_free(v);
	apart_done(&l->apart);
	return r;
}
