/* SPDX-License-Identifier: GPL-3.0-or-later */
/* loop.h: child processes. */
#include "turns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/sys/loop.h"

#define LIBC_SIGNALS 0x180000000ull	/* posix_spawn() ignores its own two */

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

	if (under_valgrind())
		return;
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

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_child),
		T(test_child_signal),
		T(test_child_clean),
		T(test_child_errors),
		T(test_child_fd3),
		T(test_children),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
