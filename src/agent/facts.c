/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the agent says of itself. */
#include "config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemon.h"
#include "agent/output.h"
#include "agent/ration.h"
#include "agent/takes.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/host.h"
#include "yardmaster/sys/proc.h"

static int64_t
output_age(const struct slot *s)
{
	char name[OUTPUT_NAME_SIZE];
	struct stat st;
	int64_t age;

	if (stat(output_worker_name(s->no, name), &st) == -1 ||
	    st.st_size == 0)
		return -1;
	age = clock_wall_us() - (int64_t)st.st_mtim.tv_sec * US_PER_S -
	    st.st_mtim.tv_nsec / 1000;
	return age > 0 ? age : 0;
}

/* What a person says of it stands where others have what they run. */
static void
taken_make(const struct take *k, struct worker *w)
{
	w->busy = true;
	w->kind = k->kind;
	w->label = str_dup(k->stop.note);
	w->owner = str_dup(k->stop.who);
	w->elapsed_us = clock_wall_us() - k->stop.since_wall_us;
	if (w->elapsed_us < 0)
		w->elapsed_us = 0;	/* that clock was set back */
	w->take = k->no;
	stop_note_copy(&w->taken, &k->stop);
}

static void
worker_make(const struct slot *s, struct worker *w)
{
	const struct attempt *a = s->attempt;

	*w = (struct worker){ .no = s->no, .pid = s->pid,
	    .output_age_us = -1 };
	if (s->take != NULL)
		taken_make(s->take, w);
	if (a == NULL)
		return;
	w->busy = true;
	w->kind = a->class == CLASS_ADHOC ? WORKER_JOB : WORKER_EXECUTION;
	w->attempt = a->id;
	w->label = str_dup(a->label);
	w->owner = str_dup(a->owner);
	w->progress = str_dup(a->progress);
	w->elapsed_us = clock_mono_us() - a->started_us;
	w->usual_us = a->usual_us;
	w->output_age_us = output_age(s);
	if (ident_equal(&s->usage.of, &a->id)) {
		w->cpu = s->usage.cpu;
		w->memory_bytes = s->usage.memory_bytes;
	}
}

/* Slots up to max workers, and those above that still are busy. */
static void
workers_make(const struct daemon *d, struct facts *f)
{
	uint32_t i, n = d->values.max_workers;

	for (i = n; i < d->n_slots; i++)
		if (!slot_is_free(d->slots[i]))
			n = i + 1;
	f->workers = mem_calloc(n, sizeof *f->workers);
	f->n_workers = n;
	for (i = 0; i < n; i++)
		if (i < d->n_slots)
			worker_make(d->slots[i], &f->workers[i]);
		else
			f->workers[i] = (struct worker){
			    .no = (uint16_t)(i + 1), .output_age_us = -1 };
}

static void
host_make(struct facts *f)
{
	struct host_facts host = { .cpus = 0 };
	uint64_t inodes;

	(void)host_read(&host);
	(void)fs_free(".", &f->disk_free_bytes, &inodes);
	f->host = str_dup(host.name);
	f->cpus = host.cpus;
	f->load1 = host.load1;
	f->memory_bytes = host.memory_bytes;
	f->memory_free_bytes = host.memory_free_bytes;
	f->uptime_us = host.uptime_us;
}

static void
holders_make(const struct daemon *d, struct facts *f)
{
	const struct attempt *a;
	struct holder *h;
	uint32_t i;

	f->all_holders = true;
	if (LIST_EMPTY(&d->queue.holders))
		return;
	f->holders = mem_calloc(FACTS_HOLDERS_MAX, sizeof *f->holders);
	LIST_FOREACH(a, &d->queue.holders, in_holders) {
		if (a->result != NULL || a->gone)
			continue;
		if (f->n_holders == FACTS_HOLDERS_MAX) {
			f->all_holders = false;
			return;
		}
		h = &f->holders[f->n_holders++];
		h->id = a->id;
		h->owner = str_dup(a->owner);
		h->n_holds = a->n_holds;
		h->holds = mem_calloc(a->n_holds, sizeof *h->holds);
		for (i = 0; i < a->n_holds; i++)
			hold_copy(&h->holds[i], &a->holds[i]);
	}
}

static void
runs_make(const struct daemon *d, struct facts *f)
{
	struct held_run *run, *next;

	HASH_ITER(hh, d->queue.runs, run, next)
		if (run->n_attempts > 0 && f->runs.n < FACTS_RUNS_MAX)
			strvec_push(&f->runs, run->id);
}

void
facts_make(struct daemon *d, struct facts *ret)
{
	const struct values *v = &d->values;

	*ret = (struct facts){
		.version = str_dup(PACKAGE_VERSION),
		.instance = str_dup(d->opt->instance),
		.boot = str_dup(proc_boot_id()),
		.max_workers = v->max_workers, .max_source = v->max_source,
		.advised = v->max.advised, .threshold = v->threshold,
		.effective = threshold_effective(&v->threshold,
		    v->max_workers),
		.busy = d->busy, .auto_running = d->auto_busy,
		.queued = d->queue.n, .root = geteuid() == 0,
		.virtual = v->max.virtual, .guard = str_dup(d->guard),
		.guards = v->guards,
		.guards_local = v->file_guards.given & ~v->guards_live,
		.warning = str_dup(d->warning),
	};
	stop_note_copy(&ret->draining, &v->draining);
	stop_note_copy(&ret->held, &v->held);
	host_make(ret);
	workers_make(d, ret);
	holders_make(d, ret);
	rations_facts(&d->queue, ret);
	runs_make(d, ret);
}

void
facts_put(struct daemon *d, struct jw *w)
{
	struct facts facts;

	facts_make(d, &facts);
	jw_key(w, "facts");
	facts_write(w, &facts);
	facts_done(&facts);
}
