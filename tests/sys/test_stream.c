/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop.h: streams and Unix sockets. */
#include "turns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/loop.h"

struct end {
	struct stream *s;
	struct buf got;
	int ended, error, drained, free_at;
	bool pause_once;
};

static void
on_data(void *arg, const uint8_t *p, size_t n)
{
	struct end *e = arg;

	assert_int_equal(e->ended, 0);
	buf_put(&e->got, p, n);
	if (e->free_at > 0 && buf_len(&e->got) >= (size_t)e->free_at) {
		stream_free(e->s);
		e->s = NULL;
		e->ended = 1;
	}
	if (e->pause_once) {
		e->pause_once = false;
		stream_pause(e->s);
	}
}

static void
on_end(void *arg, int error)
{
	struct end *e = arg;

	e->ended++;
	e->error = error;
}

static void
on_drained(void *arg)
{
	struct end *e = arg;

	e->drained++;
}

static const struct stream_ops ops = { on_data, on_end, on_drained };

static void
make_pair(struct loop *l, struct end *a, struct end *b)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	memset(a, 0, sizeof(*a));
	memset(b, 0, sizeof(*b));
	assert_int_equal(stream_new(l, fds[0], fds[0], &ops, a, &a->s), 0);
	assert_int_equal(stream_new(l, fds[1], fds[1], &ops, b, &b->s), 0);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
}

static void
end_pair(struct end *a, struct end *b)
{
	stream_free(a->s);
	stream_free(b->s);
	buf_done(&a->got);
	buf_done(&b->got);
}

static void
test_stream(void **state)
{
	struct fixture *f = *state;
	struct end a, b;

	make_pair(f->l, &a, &b);
	stream_write(a.s, "hel", 3);
	stream_write(a.s, "lo", 2);
	assert_int_equal(stream_pending(a.s), 5);	/* not before the turn ends */
	while (buf_len(&b.got) < 5)
		loop_turn(f->l, 1000);
	assert_string_equal(buf_str(&b.got), "hello");
	assert_int_equal(a.drained, 1);
	assert_int_equal(stream_pending(a.s), 0);
	stream_shutdown(a.s);
	stream_write(a.s, "late", 4);
	until(f->l, &b.ended, 1);
	assert_int_equal(b.error, 0);
	assert_string_equal(buf_str(&b.got), "hello");
	assert_int_equal(a.ended, 0);
	end_pair(&a, &b);
	stream_free(NULL);
}

/* Far more than a socket holds, read in pieces, order kept. */
static void
test_stream_large(void **state)
{
	const size_t n = 3u << 20;
	struct fixture *f = *state;
	uint8_t *bytes = mem_calloc(n, 1);
	struct end a, b;
	size_t i;

	for (i = 0; i < n; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	make_pair(f->l, &a, &b);
	b.pause_once = true;
	stream_write(a.s, bytes, n);
	assert_true(stream_pending(a.s) < n);	/* a lot is tried at once */
	assert_true(stream_pending(a.s) > 0);
	for (i = 0; i < 20; i++)
		loop_turn(f->l, 0);
	assert_true(buf_len(&b.got) <= 65536);	/* paused after the first */
	assert_int_equal(a.drained, 0);
	stream_resume(b.s);
	stream_shutdown(a.s);
	until(f->l, &b.ended, 1);
	assert_int_equal(a.drained, 1);
	assert_int_equal(buf_len(&b.got), n);
	assert_memory_equal(buf_data(&b.got), bytes, n);
	end_pair(&a, &b);
	free(bytes);
}

static void
test_stream_free_in_data(void **state)
{
	struct fixture *f = *state;
	struct end a, b;

	make_pair(f->l, &a, &b);
	b.free_at = 1;
	stream_write(a.s, "x", 1);
	until(f->l, &b.ended, 1);
	until(f->l, &a.ended, 1);
	end_pair(&a, &b);
}

struct self {
	struct stream *s;
	int n;
};

static void
free_at_end(void *arg, int error)
{
	struct self *self = arg;

	stream_free(self->s);
	self->n++;
}

static void
free_at_drain(void *arg)
{
	free_at_end(arg, 0);
}

static void
never(void *arg, const uint8_t *p, size_t n)
{
	fail();
}

static void
test_stream_free_in_callbacks(void **state)
{
	static const struct stream_ops freeing = { never, free_at_end,
		free_at_drain };
	struct fixture *f = *state;
	struct self a = { .n = 0 }, b = { .n = 0 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(stream_new(f->l, fds[0], fds[0], &freeing, &a, &a.s),
	    0);
	stream_write(a.s, "x", 1);
	until(f->l, &a.n, 1);
	close(fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(stream_new(f->l, fds[0], fds[0], &freeing, &b, &b.s),
	    0);
	close(fds[1]);
	until(f->l, &b.n, 1);
	loop_turn(f->l, 0);
	assert_int_equal(a.n + b.n, 2);
}

/* What the other side said before it went is read, then the end; the write
 * that nobody takes is no reason to lose it. */
static void
test_stream_last_words(void **state)
{
	struct fixture *f = *state;
	struct end a, b;

	make_pair(f->l, &a, &b);
	stream_write(a.s, "bye", 3);
	stream_free(a.s);
	a.s = NULL;
	stream_write(b.s, "hello?", 6);
	until(f->l, &b.ended, 1);
	assert_string_equal(buf_str(&b.got), "bye");
	stream_write(b.s, "more", 4);
	loop_turn(f->l, 0);
	assert_int_equal(b.ended, 1);
	end_pair(&a, &b);
}

static void
test_stream_pipe(void **state)
{
	struct fixture *f = *state;
	struct end a = { .s = NULL }, b = { .s = NULL };
	int fds[2], fd;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(stream_new(f->l, -1, fds[1], &ops, &a, &a.s), 0);
	assert_int_equal(stream_new(f->l, fds[0], -1, &ops, &b, &b.s), 0);
	stream_write(a.s, "x", 1);
	stream_shutdown(a.s);
	until(f->l, &b.ended, 1);
	assert_string_equal(buf_str(&b.got), "x");
	end_pair(&a, &b);

	memset(&a, 0, sizeof(a));
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(stream_new(f->l, -1, fds[1], &ops, &a, &a.s), 0);
	close(fds[0]);
	stream_write(a.s, "x", 1);
	until(f->l, &a.ended, 1);
	assert_int_equal(a.error, -EPIPE);
	assert_int_equal(a.drained, 0);
	end_pair(&a, &a);

	fd = open("/proc/self/stat", O_RDONLY);
	assert_true(stream_new(f->l, -2, -3, &ops, &a, &a.s) == 0);
	stream_free(a.s);
	assert_int_equal(stream_new(f->l, 9999, 9999, &ops, &a, &a.s), -EBADF);
	close(fd);
}

struct visit {
	int n, fd;
};

static void
on_accept(void *arg, int fd)
{
	struct visit *v = arg;

	v->n++;
	v->fd = fd;
}

static void
check_listener(struct loop *l, const char *path)
{
	struct visit v = { .n = 0 };
	struct listener *ls, *other;
	struct stat st;
	int fd, again;

	assert_int_equal(usock_connect(path, &fd), -ENOENT);
	assert_int_equal(listener_new(l, path, on_accept, &v, &ls), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(listener_new(l, path, on_accept, &v, &other),
	    ERR_LOCKED);
	assert_int_equal(usock_connect(path, &fd), 0);
	until(l, &v.n, 1);
	assert_int_equal(write(v.fd, "k", 1), 1);
	close(v.fd);
	close(fd);
	while (v.n < 2)		/* the probe of the second listener counts */
		loop_turn(l, 1000);
	close(v.fd);
	fd = dup(0);
	listener_free(ls);
	assert_int_equal(usock_connect(path, &again), -ENOENT);
	close(fd);
}

static void
test_listener(void **state)
{
	struct fixture *f = *state;
	char name[100], *path, *deep;

	path = str_fmt("%s/sock", f->dir);
	check_listener(f->l, path);
	free(path);
	memset(name, 'd', 90);
	name[90] = '\0';
	deep = str_fmt("%s/%s", f->dir, name);
	assert_int_equal(fs_mkdirs(deep), 0);
	path = str_fmt("%s/sock", deep);
	assert_true(strlen(path) > 108);
	check_listener(f->l, path);
	free(path);
	free(deep);
	listener_free(NULL);
}

/* Out of descriptors: who knocks is let in once there are some again. */
static void
test_listener_no_fds(void **state)
{
	struct fixture *f = *state;
	char *path = str_fmt("%s/sock", f->dir);
	struct visit v = { .n = 0 };
	struct rlimit limit, none;
	struct listener *ls;
	int fd, i;

	assert_int_equal(listener_new(f->l, path, on_accept, &v, &ls), 0);
	assert_int_equal(usock_connect(path, &fd), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)dup(0);
	close((int)none.rlim_cur);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (i = 0; i < 10; i++)
		loop_turn(f->l, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(v.n, 0);
	until(f->l, &v.n, 1);
	close(v.fd);
	close(fd);
	listener_free(ls);
	free(path);
}

/* A socket file without listener is replaced; another file is not. */
static void
test_listener_stale(void **state)
{
	struct fixture *f = *state;
	char *path = str_fmt("%s/sock", f->dir);
	struct visit v = { .n = 0 };
	struct listener *ls;
	char *spare;

	spare = str_fmt("%s/spare", f->dir);
	assert_int_equal(listener_new(f->l, path, on_accept, &v, &ls), 0);
	assert_int_equal(link(path, spare), 0);
	listener_free(ls);
	assert_int_equal(rename(spare, path), 0);
	assert_int_equal(listener_new(f->l, path, on_accept, &v, &ls), 0);
	listener_free(ls);
	assert_int_equal(fs_replace(path, "x", 1, 0600), 0);
	assert_int_equal(listener_new(f->l, path, on_accept, &v, &ls), -EEXIST);
	free(spare);
	free(path);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	struct CMUnitTest tests[] = {
		T(test_stream),
		T(test_stream_large),
		T(test_stream_free_in_data),
		T(test_stream_free_in_callbacks),
		T(test_stream_last_words),
		T(test_stream_pipe),
		T(test_listener),
		T(test_listener_stale),
		T(test_listener_no_fds),
	};

	/* Valgrind takes the descriptors that it then may not give us. */
	if (under_valgrind()) {
		print_message("# left out: test_listener_no_fds\n");
		tests[sizeof(tests) / sizeof(*tests) - 1].name = NULL;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
