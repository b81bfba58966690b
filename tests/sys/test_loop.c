/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop.h: turns, timers, hooks, streams, sockets, children, watches. */
#include "../lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/loop.h"

#define PATIENCE_MS 20000
#define LIBC_SIGNALS 0x180000000ull	/* posix_spawn() ignores its own two */

struct fixture {
	struct loop *l;
	char dir[64];
};

static int
set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/ym-test-XXXXXX");
	if (mkdtemp(f->dir) == NULL || loop_new(&f->l) < 0)
		return -1;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	loop_free(f->l);
	fs_remove_tree(f->dir);
	free(f);
	return 0;
}

/* Turns until *flag is at least n. */
static void
until(struct loop *l, const int *flag, int n)
{
	int64_t end = clock_mono_us() + PATIENCE_MS * US_PER_MS;

	while (*flag < n && clock_mono_us() < end)
		loop_turn(l, 1000);
	assert_true(*flag >= n);
}

/* ---- timers, hooks ---- */

struct tick {
	struct loop *l;
	struct timer *t;
	int n, limit;
	int64_t delay_us, at_us;
};

static void
on_tick(void *arg)
{
	struct tick *k = arg;

	k->n++;
	k->at_us = clock_mono_us();
	if (k->n < k->limit)
		timer_start(k->t, k->delay_us);
}

static void
count(void *arg)
{
	++*(int *)arg;
}

/* A timer of delay 0 that arms itself runs once a turn, not for ever. */
static void
test_timer_zero(void **state)
{
	struct fixture *f = *state;
	struct tick k = { .l = f->l, .limit = 5 };
	int hooks = 0;

	loop_hook(f->l, count, &hooks);
	k.t = timer_new(f->l, on_tick, &k);
	assert_false(timer_armed(k.t));
	timer_start(k.t, 0);
	assert_true(timer_armed(k.t));
	assert_int_equal(k.n, 0);
	loop_turn(f->l, -1);
	assert_int_equal(k.n, 1);
	loop_turn(f->l, -1);
	assert_int_equal(k.n, 2);
	assert_int_equal(hooks, 2);
	timer_stop(k.t);
	assert_false(timer_armed(k.t));
	loop_turn(f->l, 0);
	assert_int_equal(k.n, 2);
	loop_unhook(f->l, count, &hooks);
	loop_turn(f->l, 0);
	assert_int_equal(hooks, 3);
	timer_free(k.t);
	timer_free(NULL);
}

static void
test_timer_not_early(void **state)
{
	struct fixture *f = *state;
	struct tick k = { .l = f->l, .limit = 1 };
	int64_t from;
	int i;

	k.t = timer_new(f->l, on_tick, &k);
	for (i = 0; i < 5; i++) {
		k.n = 0;
		from = clock_mono_us();
		timer_start(k.t, 1500 + i * 700);
		until(f->l, &k.n, 1);
		assert_true(k.at_us - from >= 1500 + i * 700);
	}
	timer_start(k.t, CLOCK_NEVER);
	loop_turn(f->l, 1);
	assert_int_equal(k.n, 1);
	timer_free(k.t);
}

static void
free_itself(void *arg)
{
	struct tick *k = arg;

	k->n++;
	timer_free(k->t);
	loop_stop(k->l);
}

static void
test_timer_free_in_callback(void **state)
{
	struct fixture *f = *state;
	struct tick k = { .l = f->l };

	k.t = timer_new(f->l, free_itself, &k);
	timer_start(k.t, 0);
	assert_int_equal(loop_run(f->l), 0);
	k.t = timer_new(f->l, free_itself, &k);
	timer_start(k.t, 1000);
	assert_int_equal(loop_run(f->l), 0);
	assert_int_equal(k.n, 2);
}

struct hooker {
	struct loop *l;
	int n;
};

static void
hook_once(void *arg)
{
	struct hooker *h = arg;

	h->n++;
	loop_unhook(h->l, hook_once, h);
	loop_poke(h->l);
}

static void
test_hooks(void **state)
{
	struct fixture *f = *state;
	struct hooker h = { .l = f->l };
	int after = 0;

	loop_hook(f->l, hook_once, &h);
	loop_hook(f->l, count, &after);
	loop_poke(f->l);
	loop_turn(f->l, -1);	/* would wait for ever without the poke */
	loop_turn(f->l, -1);
	assert_int_equal(h.n, 1);
	assert_int_equal(after, 2);
	loop_unhook(f->l, count, &after);
}

/* ---- streams ---- */

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

/* ---- sockets ---- */

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

/* ---- children ---- */

struct ending {
	struct child *c;
	int n, code, signo;
	bool free_it;
};

static void
on_ending(void *arg, int code, int signo)
{
	struct ending *e = arg;

	e->n++;
	e->code = code;
	e->signo = signo;
	if (e->free_it)
		child_free(e->c);
}

static int
start(struct loop *l, struct ending *e, const char *script, int fds[3])
{
	const char *argv[] = { "sh", "-c", script, NULL };
	struct child_spec spec = { .file = "sh", .argv = (char *const *)argv,
		.in = CHILD_PIPE, .out = CHILD_PIPE, .err = CHILD_NULL,
		.fd3 = -1, .session = true };

	return child_start(l, &spec, on_ending, e, &e->c, fds);
}

static void
test_child(void **state)
{
	struct fixture *f = *state;
	struct ending e = { .n = 0 };
	char got[200];
	int fds[3];
	ssize_t n;

	assert_int_equal(start(f->l, &e, "read x; echo \"<$x>\"; exit 7", fds),
	    0);
	assert_true(child_pid(e.c) > 0);
	assert_int_equal(fds[2], -1);
	assert_int_equal(write(fds[0], "hi\n", 3), 3);
	n = read(fds[1], got, sizeof(got) - 1);
	assert_true(n == 5);
	assert_memory_equal(got, "<hi>\n", 5);
	until(f->l, &e.n, 1);
	assert_int_equal(e.code, 7);
	assert_int_equal(e.signo, 0);
	child_signal(e.c, SIGKILL);
	child_free(e.c);
	child_free(NULL);
	close(fds[0]);
	close(fds[1]);
}

static void
test_child_signal(void **state)
{
	struct fixture *f = *state;
	struct ending e = { .free_it = true };
	int fds[3];

	assert_int_equal(start(f->l, &e, "read x", fds), 0);
	child_signal(e.c, SIGTERM);
	until(f->l, &e.n, 1);
	assert_int_equal(e.code, -1);
	assert_int_equal(e.signo, SIGTERM);
	close(fds[0]);
	close(fds[1]);
}

/* No descriptor, ignored signal or mask of ours reaches a child. */
static void
test_child_clean(void **state)
{
	struct fixture *f = *state;
	struct ending e = { .n = 0 };
	struct buf b = BUF_INIT;
	const char *blocked, *ignored;
	int fds[3], leak, low[2];
	sigset_t set;
	ssize_t n;

	leak = open("/dev/null", O_RDONLY);
	assert_true(leak >= 0);
	assert_int_equal(dup2(leak, 57), 57);
	assert_int_equal(pipe(low), 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	assert_int_equal(start(f->l, &e, "ls /proc/self/fd | tr '\\n' ' ';"
	    "grep SigBlk /proc/self/status; grep SigIgn /proc/self/status",
	    fds), 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	while ((n = read(fds[1], buf_reserve(&b, 500), 500)) > 0)
		buf_commit(&b, (size_t)n);
	/* 3 is what ls itself opened */
	blocked = strstr(buf_str(&b), "SigBlk:");
	ignored = strstr(buf_str(&b), "SigIgn:");
	assert_memory_equal(buf_str(&b), "0 1 2 3 SigBlk:", 15);
	assert_int_equal(strtoull(blocked + 7, NULL, 16), 0);
	assert_int_equal(strtoull(ignored + 7, NULL, 16) & ~LIBC_SIGNALS, 0);
	until(f->l, &e.n, 1);
	child_free(e.c);
	close(fds[0]);
	close(fds[1]);
	close(leak);
	close(57);
	close(low[0]);
	close(low[1]);
	buf_done(&b);
}

static void
test_child_errors(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = { "x", NULL };
	struct child_spec spec = { .file = "/nonexistent/x",
		.argv = (char *const *)argv, .fd3 = -1 };
	struct ending e = { .n = 0 };
	int fds[3] = { -7, -7, -7 };

	assert_int_equal(child_start(f->l, &spec, on_ending, &e, &e.c, fds),
	    -ENOENT);
	spec.file = "no-such-program-anywhere";
	assert_int_equal(child_start(f->l, &spec, on_ending, &e, &e.c, fds),
	    -ENOENT);
	spec.file = "/etc/passwd";
	assert_int_equal(child_start(f->l, &spec, on_ending, &e, &e.c, fds),
	    -EACCES);
	spec.file = "/bin/true";
	spec.cwd = "/nonexistent";
	assert_int_equal(child_start(f->l, &spec, on_ending, &e, &e.c, fds),
	    -ENOENT);
	assert_int_equal(fds[0], -7);
	loop_turn(f->l, 0);
	assert_int_equal(e.n, 0);
}

/* Descriptor 3, and the environment and folder that were asked for. */
static void
test_child_fd3(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = { "sh", "-c", "echo $A$B $PWD >&3; ps -o sid= $$"
	    " >&3; echo $$ >&3", NULL };
	const char *envp[] = { "A=1", "PATH=/bin:/usr/bin", NULL };
	struct child_spec spec = { .file = "sh", .argv = (char *const *)argv,
		.envp = (char *const *)envp, .cwd = f->dir, .session = true };
	struct ending e = { .n = 0 };
	int pair[2], fds[3];
	char got[500], want[200];
	ssize_t n;

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	spec.fd3 = pair[1];
	assert_int_equal(child_start(f->l, &spec, on_ending, &e, &e.c, fds), 0);
	close(pair[1]);
	until(f->l, &e.n, 1);
	n = read(pair[0], got, sizeof(got) - 1);
	assert_true(n > 0);
	got[n] = '\0';
	snprintf(want, sizeof(want), "1 %s\n", f->dir);
	assert_memory_equal(got, want, strlen(want));
	child_free(e.c);
	close(pair[0]);
}

/* Many at once, some forgotten: each that is not is told of once. */
static void
test_children(void **state)
{
	struct fixture *f = *state;
	struct ending e[20];
	int fds[20][3], i, told;

	memset(e, 0, sizeof(e));
	for (i = 0; i < 20; i++) {
		assert_int_equal(start(f->l, &e[i], "read x; exit 3", fds[i]),
		    0);
		if (i % 4 == 0)
			child_free(e[i].c);
	}
	for (i = 0; i < 20; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
	for (i = 0; i < 20; i++)
		if (i % 4 != 0)
			until(f->l, &e[i].n, 1);
	for (i = told = 0; i < 20; i++) {
		told += e[i].n;
		if (i % 4 != 0)
			child_free(e[i].c);
	}
	assert_int_equal(told, 15);
}

/* ---- watches, signals ---- */

struct ready {
	int n;
	unsigned events;
	struct watch *w;
};

static void
on_fd(void *arg, unsigned events)
{
	struct ready *r = arg;

	r->n++;
	r->events = events;
	watch_set(r->w, 0);
}

static void
test_watch(void **state)
{
	struct fixture *f = *state;
	struct ready r = { .n = 0 };
	int fds[2], file;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(watch_new(f->l, fds[0], WATCH_READ, on_fd, &r, &r.w),
	    0);
	assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	loop_turn(f->l, 0);
	assert_int_equal(r.n, 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	until(f->l, &r.n, 1);
	assert_int_equal(r.events, WATCH_READ);
	loop_turn(f->l, 0);
	assert_int_equal(r.n, 1);
	close(fds[1]);
	watch_set(r.w, WATCH_READ);
	until(f->l, &r.n, 2);
	watch_free(r.w);
	watch_free(NULL);
	close(fds[0]);
	file = open(f->dir, O_RDONLY | O_TMPFILE | O_RDWR, 0600);
	if (file >= 0)
		assert_int_equal(watch_new(f->l, file, WATCH_READ, on_fd, &r,
		    &r.w), -EPERM);
	close(file);
	assert_int_equal(watch_new(f->l, 9999, WATCH_READ, on_fd, &r, &r.w),
	    -EBADF);
}

static void
on_signo(void *arg, int signo)
{
	*(int *)arg = signo;
}

static void
test_sigwatch(void **state)
{
	struct fixture *f = *state;
	struct sigwatch *s;
	int got = 0;

	assert_int_equal(sigwatch_new(f->l, SIGUSR2, on_signo, &got, &s), 0);
	raise(SIGUSR2);
	until(f->l, &got, SIGUSR2);
	sigwatch_free(s);
	sigwatch_free(NULL);
	assert_true(sigwatch_new(f->l, 0, on_signo, &got, &s) < 0);
	loop_turn(f->l, 0);
}

static int64_t
stepping(void)
{
	static int64_t now = 1000;

	return now++;
}

/* One time for all of a turn. */
static void
test_now(void **state)
{
	struct fixture *f = *state;
	int64_t a, b;

	clock_set_source(stepping, NULL);
	loop_turn(f->l, 0);
	a = loop_now_us(f->l);
	b = loop_now_us(f->l);
	loop_turn(f->l, 0);
	assert_true(a == b);
	assert_true(loop_now_us(f->l) > b);
	clock_set_source(NULL, NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_timer_zero), T(test_timer_not_early),
		T(test_timer_free_in_callback), T(test_hooks), T(test_stream),
		T(test_stream_large), T(test_stream_free_in_data),
		T(test_stream_last_words), T(test_stream_pipe),
		T(test_listener), T(test_listener_stale), T(test_child),
		T(test_child_signal), T(test_child_clean),
		T(test_child_errors), T(test_child_fd3), T(test_children),
		T(test_watch), T(test_sigwatch), T(test_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
