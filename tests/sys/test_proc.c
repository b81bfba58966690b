/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proc.h: identity, starting, trees, daemons. */
#include "../lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/proc.h"

#define LIBC_SIGNALS 0x180000000ull	/* posix_spawn() ignores its own two */

static int
set_up(void **state)
{
	*state = str_dup("/tmp/ym-test-XXXXXX");
	return mkdtemp(*state) != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	int r = fs_remove_tree(*state);

	free(*state);
	return r;
}

/* Starts a shell; its standard output is read from *ret_out. */
static pid_t
start(const char *script, bool session, int niceness, int *ret_out)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	const char *envp[] = { "PATH=/usr/bin:/bin", NULL };
	struct proc_spawn spec = { .argv = (char *const *)argv,
		.envp = (char *const *)envp, .nice = niceness,
		.session = session };
	int out[2];
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	spec.in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	spec.out = out[1];
	spec.err = STDERR_FILENO;
	assert_int_equal(proc_spawn(&spec, &pid), 0);
	close(spec.in);
	close(out[1]);
	*ret_out = out[0];
	return pid;
}

static void
read_line(int fd, char *out, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && read(fd, out + n, 1) == 1 && out[n] != '\n')
		n++;
	out[n] = '\0';
}

static void
test_identity(void **state)
{
	struct proc_id id, other;
	siginfo_t info;
	pid_t pid;
	int out;

	assert_int_equal(proc_identify(getpid(), &id), 0);
	assert_true(proc_alive(&id));
	assert_int_equal(strlen(proc_boot_id()), BOOT_ID_SIZE - 1);
	assert_int_equal(proc_signal(&id, 0), 0);
	other = id;
	other.start_ticks++;
	assert_false(proc_alive(&other));
	assert_int_equal(proc_signal(&other, SIGKILL), -ESRCH);
	other = id;
	other.boot_id[0] = 'x';
	assert_false(proc_alive(&other));
	assert_int_equal(proc_identify(0, &other), ERR_NOT_FOUND);
	assert_int_equal(proc_identify(-1, &other), ERR_NOT_FOUND);

	pid = start("exec tail -f /dev/null", false, 0, &out);
	assert_int_equal(proc_identify(pid, &id), 0);
	assert_int_equal(proc_signal(&id, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_false(proc_alive(&id));		/* a zombie */
	assert_int_equal(proc_signal(&id, SIGKILL), -ESRCH);
	waitpid(pid, NULL, 0);
	assert_false(proc_alive(&id));
	close(out);
}

static void
check_spawn(int niceness)
{
	char line[200];
	int out, status;
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	pid = start("ls /proc/self/fd | tr '\\n' ' '; echo;"
	    "set -- $(cat /proc/$$/stat); echo $6 ${19};"
	    "grep SigIgn /proc/self/status; exit 127", true, niceness, &out);
	signal(SIGUSR1, SIG_DFL);
	read_line(out, line, sizeof(line));
	assert_string_equal(line, "0 1 2 3 ");
	read_line(out, line, sizeof(line));
	assert_int_equal(atoi(line), pid);
	assert_int_equal(atoi(strchr(line, ' ')),
	    getpriority(PRIO_PROCESS, 0) + niceness);
	read_line(out, line, sizeof(line));
	assert_int_equal(strtoull(line + 8, NULL, 16) & ~LIBC_SIGNALS, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 127);
	close(out);
}

static void
test_spawn(void **state)
{
	check_spawn(0);
	check_spawn(2);
}

/* All three streams exchanged: none is overwritten before it is copied. */
static void
test_spawn_shuffle(void **state)
{
	const char *argv[] = { "sh", "-c", "cat; echo err >&2", NULL };
	const char *envp[] = { NULL };
	struct proc_spawn spec = { .argv = (char *const *)argv,
		.envp = (char *const *)envp, .in = 1, .out = 2, .err = 0 };
	int saved[3], in[2], out[2], err[2], i, niceness;
	char got[10];
	pid_t pid;

	for (niceness = 0; niceness < 2; niceness++) {
		spec.nice = niceness;
		for (i = 0; i < 3; i++)
			saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 20);
		assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) |
		    pipe2(err, O_CLOEXEC), 0);
		dup2(in[0], 1);
		dup2(out[1], 2);
		dup2(err[1], 0);
		i = proc_spawn(&spec, &pid);
		dup2(saved[0], 0);
		dup2(saved[1], 1);
		dup2(saved[2], 2);
		assert_int_equal(i, 0);
		assert_int_equal(write(in[1], "data", 4), 4);
		close(in[1]);
		assert_int_equal(fd_read_all(out[0], got, 4), 0);
		assert_memory_equal(got, "data", 4);
		assert_int_equal(fd_read_all(err[0], got, 4), 0);
		assert_memory_equal(got, "err\n", 4);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		for (i = 0; i < 3; i++)
			close(saved[i]);
		close(in[0]);
		close(out[0]);
		close(out[1]);
		close(err[0]);
		close(err[1]);
	}
}

static void
test_spawn_errors(void **state)
{
	static const struct {
		const char *file, *path, *cwd;
		int error;
	} rows[] = {
		{ "no-such-program", "/bin", NULL, -ENOENT },
		{ "/etc/passwd", "/bin", NULL, -EACCES },
		{ "true", "/nonexistent:relative:", NULL, -ENOENT },
		{ "passwd", "/etc", NULL, -EACCES },
		{ "true", "/bin", "/nonexistent", -ENOENT },
		{ "true", "/bin", "/etc/passwd", -ENOTDIR },
		{ "", "/bin", NULL, -ENOENT },
		{ "true", "/nonexistent:/bin", NULL, 0 },
	};
	char path[100];
	const char *argv[] = { NULL, NULL }, *envp[] = { path, NULL };
	struct proc_spawn spec = { .argv = (char *const *)argv,
		.envp = (char *const *)envp, .in = 0, .out = 1, .err = 2 };
	pid_t pid;
	size_t i;

	if (under_valgrind())
		return;
	for (i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		argv[0] = rows[i / 2].file;
		spec.nice = i % 2;
		spec.cwd = rows[i / 2].cwd;
		snprintf(path, sizeof(path), "PATH=%s", rows[i / 2].path);
		assert_int_equal(proc_spawn(&spec, &pid), rows[i / 2].error);
		if (rows[i / 2].error == 0)
			waitpid(pid, NULL, 0);
	}
}

/* A tree with a process that left the session, and one that left the tree but
 * stayed in the session. */
static void
test_tree(void **state)
{
	int out, tries = 100000;
	char line[100];
	pid_t pid;

	pid = start("setsid sh -c 'echo away; exec tail -f /dev/null' &"
	    "(sh -c 'echo orphan; exec tail -f /dev/null' &) ;"
	    "sh -c 'echo child; exec tail -f /dev/null' & wait", true, 0, &out);
	read_line(out, line, sizeof(line));
	read_line(out, line, sizeof(line));
	read_line(out, line, sizeof(line));
	assert_true(proc_count_tree(pid, pid) >= 4);
	assert_int_equal(proc_count_tree(0, 0), 0);
	assert_int_equal(proc_count_tree(1, 1), 0);
	assert_int_equal(proc_signal_tree(0, 0, SIGKILL), 0);
	assert_true(proc_signal_tree(pid, pid, 0) >= 4);
	assert_true(proc_signal_tree(pid, pid, SIGKILL) >= 4);
	waitpid(pid, NULL, 0);
	/* The pipe ends when the last of them closes its files, a moment
	 * before it is gone. */
	assert_int_equal(read(out, line, 1), 0);
	while (proc_count_tree(pid, pid) > 0 && tries-- > 0)
		sched_yield();
	assert_true(tries > 0);
	close(out);
}

static void
test_subreaper(void **state)
{
	char line[100];
	pid_t pid, orphan;
	int out;

	assert_int_equal(proc_subreaper(), 0);
	pid = start("(sh -c 'echo $$; exec tail -f /dev/null' &)", true, 0, &out);
	read_line(out, line, sizeof(line));
	orphan = atoi(line);
	waitpid(pid, NULL, 0);
	assert_int_equal(proc_signal_tree(orphan, 0, SIGKILL), 1);
	assert_int_equal(waitpid(orphan, NULL, 0), orphan);
	close(out);
}

static void
test_daemonize(void **state)
{
	char *log = str_fmt("%s/log", (char *)*state);
	char *fifo = str_fmt("%s/fifo", (char *)*state);
	char *script = str_fmt("pwd; echo oops >&2; echo $$ > %s", fifo);
	const char *argv[] = { "sh", "-c", script, NULL };
	const char *envp[] = { "PATH=/usr/bin:/bin", NULL };
	struct buf b = BUF_INIT;
	char line[50];
	int fd;

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(proc_daemonize((char *const *)argv,
	    (char *const *)envp, log), 0);
	fd = open(fifo, O_RDONLY);
	read_line(fd, line, sizeof(line));
	close(fd);
	assert_true(atoi(line) > 0);
	assert_int_equal(fs_read(log, 100, &b), 0);
	assert_string_equal(buf_str(&b), "/\noops\n");
	argv[0] = "/nonexistent/daemon";
	if (!under_valgrind())
		assert_int_equal(proc_daemonize((char *const *)argv,
		    (char *const *)envp, NULL), -ENOENT);
	assert_int_equal(proc_daemonize((char *const *)argv,
	    (char *const *)envp, "/nonexistent/log"), -ENOENT);
	buf_done(&b);
	free(script);
	free(fifo);
	free(log);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_identity),
		T(test_spawn),
		T(test_spawn_shuffle),
		T(test_spawn_errors),
		T(test_tree),
		T(test_subreaper),
		T(test_daemonize),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
