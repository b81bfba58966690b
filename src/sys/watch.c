/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Descriptors of others, files and signals on the loop. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "sys/loop_priv.h"
#include "yardmaster/base/mem.h"

struct watch {
	uv_poll_t uv;
	unsigned events;
	void (*fn)(void *arg, unsigned events);
	void *arg;
};

struct filewatch {
	uv_fs_event_t uv;
	void (*fn)(void *arg);
	void *arg;
};

struct sigwatch {
	uv_signal_t uv;
	void (*fn)(void *arg, int signo);
	void *arg;
};

static void
on_poll(uv_poll_t *h, int status, int events)
{
	struct watch *w = h->data;
	unsigned ready = 0;

	if (status < 0) {	/* libuv stopped it; the owner's read will tell */
		ready = w->events;
		watch_set(w, w->events);
	}
	if ((events & (UV_READABLE | UV_DISCONNECT)) != 0)
		ready |= w->events & WATCH_READ;
	if ((events & UV_WRITABLE) != 0)
		ready |= w->events & WATCH_WRITE;
	if (ready != 0)
		w->fn(w->arg, ready);
}

int
watch_new(struct loop *l, int fd, unsigned events,
    void (*fn)(void *arg, unsigned events), void *arg, struct watch **ret)
{
	struct watch *w = mem_zalloc(sizeof(*w));
	int flags = fcntl(fd, F_GETFL), r;

	w->fn = fn;
	w->arg = arg;
	r = flags < 0 ? -errno : uv_poll_init(&l->uv, &w->uv, fd);
	if (r < 0) {
		free(w);
		return r;
	}
	/* libuv made it non-blocking, which a terminal's other users, the
	 * drawing among them, do not expect. */
	fcntl(fd, F_SETFL, flags);
	w->uv.data = w;
	watch_set(w, events);
	*ret = w;
	return 0;
}

void
watch_set(struct watch *w, unsigned events)
{
	int mask = 0;

	w->events = events;
	if ((events & WATCH_READ) != 0)
		mask |= UV_READABLE;
	if ((events & WATCH_WRITE) != 0)
		mask |= UV_WRITABLE;
	if (mask == 0)
		uv_poll_stop(&w->uv);
	else
		uv_poll_start(&w->uv, mask, on_poll);
}

static void
free_data(uv_handle_t *h)
{
	free(h->data);
}

void
watch_free(struct watch *w)
{
	if (w != NULL)
		uv_close((uv_handle_t *)&w->uv, free_data);
}

static void
on_change(uv_fs_event_t *h, const char *name, int events, int status)
{
	struct filewatch *w = h->data;

	if (status == 0)
		w->fn(w->arg);
}

int
filewatch_new(struct loop *l, const char *path, void (*fn)(void *arg),
    void *arg, struct filewatch **ret)
{
	struct filewatch *w = mem_zalloc(sizeof(*w));
	int r;

	w->fn = fn;
	w->arg = arg;
	w->uv.data = w;
	if ((r = uv_fs_event_init(&l->uv, &w->uv)) < 0) {
		free(w);
		return r;
	}
	if ((r = uv_fs_event_start(&w->uv, on_change, path, 0)) < 0) {
		uv_close((uv_handle_t *)&w->uv, free_data);
		return r;
	}
	*ret = w;
	return 0;
}

void
filewatch_free(struct filewatch *w)
{
	if (w != NULL)
		uv_close((uv_handle_t *)&w->uv, free_data);
}

static void
on_signal(uv_signal_t *h, int signo)
{
	struct sigwatch *s = h->data;

	s->fn(s->arg, signo);
}

int
sigwatch_new(struct loop *l, int signo, void (*fn)(void *arg, int signo),
    void *arg, struct sigwatch **ret)
{
	struct sigwatch *s = mem_zalloc(sizeof(*s));
	int r;

	s->fn = fn;
	s->arg = arg;
	s->uv.data = s;
	if ((r = uv_signal_init(&l->uv, &s->uv)) < 0) {
		free(s);
		return r;
	}
	if ((r = uv_signal_start(&s->uv, on_signal, signo)) < 0) {
		uv_close((uv_handle_t *)&s->uv, free_data);
		return r;
	}
	*ret = s;
	return 0;
}

void
sigwatch_free(struct sigwatch *s)
{
	if (s != NULL)
		uv_close((uv_handle_t *)&s->uv, free_data);
}
