/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fs.h, paths.h, host.h and proc.h. */
#include "../lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/cgroup.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/host.h"
#include "yardmaster/sys/paths.h"
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

static void
put(const char *dir, const char *name, const char *text)
{
	char *path = str_fmt("%s/%s", dir, name);
	char *parent = path_dir(path);

	assert_int_equal(fs_mkdirs(parent), 0);
	assert_int_equal(fs_replace(path, text, strlen(text), 0600), 0);
	free(parent);
	free(path);
}

static void
test_folders(void **state)
{
	char *a = str_fmt("%s/a//b/c/", (char *)*state);
	char *b = str_fmt("%s/a", (char *)*state);
	struct stat st;

	assert_int_equal(fs_mkdirs(a), 0);
	assert_int_equal(fs_mkdirs(a), 0);
	assert_int_equal(stat(b, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(chmod(b, 0755), 0);
	assert_int_equal(fs_private_dir(b), 0);
	assert_int_equal(stat(b, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	put(*state, "f", "x");
	free(a);
	a = str_fmt("%s/f/g", (char *)*state);
	assert_int_equal(fs_mkdirs(a), -ENOTDIR);
	assert_int_equal(fs_private_dir(a), -ENOTDIR);
	assert_int_equal(fs_mkdirs(""), -ENOENT);
	free(a);
	free(b);
}

static void
test_files(void **state)
{
	char *path = str_fmt("%s/f", (char *)*state);
	struct buf b = BUF_INIT;
	struct stat st;

	assert_false(fs_exists(path));
	assert_int_equal(fs_read(path, 10, &b), -ENOENT);
	assert_int_equal(fs_replace(path, "hello", 5, 0640), 0);
	assert_int_equal(fs_replace(path, "world!", 6, 0640), 0);
	assert_true(fs_exists(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	buf_puts(&b, ">");
	assert_int_equal(fs_read(path, 5, &b), ERR_TOO_LARGE);
	assert_string_equal(buf_str(&b), ">");
	assert_int_equal(fs_read(path, 6, &b), 0);
	assert_string_equal(buf_str(&b), ">world!");
	assert_int_equal(fs_read(*state, 6, &b), -EISDIR);
	assert_int_equal(fs_replace("/nonexistent/x", "", 0, 0600), -ENOENT);
	buf_done(&b);
	free(path);
}

/* The old contents stay when the new ones cannot be put in place, and no
 * temporary file is left. */
static void
test_replace_fails(void **state)
{
	char *path = str_fmt("%s/d", (char *)*state);
	char *inside = str_fmt("%s/d/keep", (char *)*state);

	put(*state, "d/keep", "x");
	assert_true(fs_replace(path, "new", 3, 0600) < 0);
	assert_true(fs_exists(inside));
	assert_int_equal(unlink(inside), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(*state), 0);	/* so it was empty */
	assert_int_equal(mkdir(*state, 0700), 0);
	free(inside);
	free(path);
}

static void
test_remove(void **state)
{
	char *tree = str_fmt("%s/t", (char *)*state);
	char *link_path = str_fmt("%s/t/x/link", (char *)*state);
	char *locked = str_fmt("%s/t/x", (char *)*state);
	char *kept = str_fmt("%s/kept/f", (char *)*state);

	put(*state, "kept/f", "1");
	put(*state, "t/x/y/z", "1");
	put(*state, "t/a", "1");
	assert_int_equal(symlink(kept, link_path), 0);
	assert_int_equal(chmod(locked, 0500), 0);
	assert_int_equal(fs_remove_tree(tree), 0);
	assert_false(fs_exists(tree));
	assert_true(fs_exists(kept));
	assert_int_equal(fs_remove_tree(tree), 0);
	assert_int_equal(symlink(*state, tree), 0);
	assert_int_equal(fs_remove_tree(tree), 0);
	assert_true(fs_exists(kept));
	free(tree);
	free(link_path);
	free(locked);
	free(kept);
}

static void
test_free_space(void **state)
{
	uint64_t bytes = 0, inodes = 0;

	assert_int_equal(fs_free(*state, &bytes, &inodes), 0);
	assert_true(bytes > 0);
	assert_true(inodes > 0);
	assert_int_equal(fs_free("/nonexistent", &bytes, &inodes), -ENOENT);
}

static void
test_fds(void **state)
{
	char got[4] = "";
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fd_write_all(fds[1], "abc", 3), 0);
	assert_int_equal(fd_read_all(fds[0], got, 2), 0);
	assert_string_equal(got, "ab");
	close(fds[1]);
	assert_int_equal(fd_read_all(fds[0], got, 2), ERR_CLOSED);
	close(fds[0]);
	assert_int_equal(fd_read_all(fds[0], got, 2), -EBADF);
	assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
}

static void
test_lock(void **state)
{
	char *path = str_fmt("%s/lock", (char *)*state);
	int fd, other, go[2], status;
	struct stat st;
	char c;
	pid_t pid;

	assert_false(file_lock_held(path));
	assert_int_equal(file_lock(path, &fd), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(file_lock_held(path));
	assert_int_equal(file_lock(path, &other), ERR_LOCKED);
	/* A descriptor that a child inherited holds it, too. */
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		_exit(read(go[0], &c, 1) < 0);
	}
	close(go[0]);
	close(fd);
	assert_true(file_lock_held(path));
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(file_lock_held(path));
	assert_int_equal(file_lock(path, &fd), 0);
	close(fd);
	free(path);
}

static void
test_path_words(void **state)
{
	static const struct {
		const char *path, *dir;
	} dirs[] = {
		{ "a", "." }, { "/a", "/" }, { "a/b", "a" }, { "/a/b/", "/a" },
		{ "/", "/" }, { "", "." }, { "a//b", "a" }, { "//a", "/" },
	};
	static const struct {
		const char *a, *b, *joined;
	} joins[] = {
		{ "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "a/", "/b", "a/b" },
		{ "/", "b", "/b" }, { "", "b", "b" }, { "", "/b", "/b" },
	};
	char *s;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		s = path_dir(dirs[i].path);
		assert_string_equal(s, dirs[i].dir);
		free(s);
	}
	for (i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {
		s = path_join(joins[i].a, joins[i].b);
		assert_string_equal(s, joins[i].joined);
		free(s);
	}
}

static void
check_path(int r, char *path, const char *want)
{
	assert_int_equal(r, 0);
	assert_string_equal(path, want);
	free(path);
}

static void
test_paths(void **state)
{
	char *p = NULL;
	int r;

	unsetenv("YARDMASTER_STATE");
	unsetenv("XDG_STATE_HOME");
	setenv("XDG_CONFIG_HOME", "relative", 1);
	setenv("HOME", "/h", 1);
	r = paths_state(&p);
	check_path(r, p, "/h/.local/state/yardmaster");
	r = paths_config(&p);
	check_path(r, p, "/h/.config/yardmaster");
	check_path(0, path_expand("~/x"), "/h/x");
	check_path(0, path_expand("~"), "/h");
	check_path(0, path_expand("~x"), "~x");
	check_path(0, path_expand("/~"), "/~");
	setenv("XDG_STATE_HOME", "/s/", 1);
	setenv("XDG_CONFIG_HOME", "/c", 1);
	r = paths_state(&p);
	check_path(r, p, "/s/yardmaster");
	r = paths_config(&p);
	check_path(r, p, "/c/yardmaster");
	setenv("YARDMASTER_STATE", "/y", 1);
	r = paths_agent("lab-1", &p);
	check_path(r, p, "/y/agent/lab-1");
	assert_int_equal(paths_agent("..", &p), ERR_INVALID);
	assert_int_equal(paths_agent("a/b", &p), ERR_INVALID);
	unsetenv("YARDMASTER_STATE");
	unsetenv("XDG_STATE_HOME");
	unsetenv("HOME");
	assert_int_equal(paths_state(&p), ERR_NOT_FOUND);
	setenv("HOME", "", 1);
	assert_int_equal(paths_state(&p), ERR_NOT_FOUND);
}

static void
test_agent_program(void **state)
{
	char *self = paths_self_dir(), *p = NULL, *want;
	int r;

	assert_non_null(self);
	assert_true(self[0] == '/');
	free(self);
	setenv("YARDMASTER_AGENT", "/nonexistent/agent", 1);
	assert_int_equal(paths_agent_program(&p), ERR_NOT_FOUND);
	setenv("YARDMASTER_AGENT", "/bin/true", 1);
	r = paths_agent_program(&p);
	check_path(r, p, "/bin/true");
	unsetenv("YARDMASTER_AGENT");
	put(*state, "yardmaster-agent", "#!/bin/sh\n");
	want = str_fmt("%s/yardmaster-agent", (char *)*state);
	setenv("PATH", *state, 1);
	if (!fs_exists(PKGLIBEXECDIR "/yardmaster-agent")) {
		assert_int_equal(paths_agent_program(&p), ERR_NOT_FOUND);
		assert_int_equal(chmod(want, 0700), 0);
		r = paths_agent_program(&p);
		check_path(r, p, want);
	}
	free(want);
	setenv("PATH", "/usr/bin:/bin", 1);
}

static void
test_host(void **state)
{
	struct host_facts f;

	assert_int_equal(host_read(&f), 0);
	assert_true(f.name[0] != '\0');
	assert_true(f.cpus >= 1);
	assert_true(f.memory_bytes > 0);
	assert_true(f.memory_free_bytes <= f.memory_bytes);
	assert_true(f.uptime_us > 0);
	assert_int_equal(host_advised_workers(0, 0), 1);
	assert_int_equal(host_advised_workers(16, UINT64_C(64) << 30), 8);
	assert_int_equal(host_advised_workers(16, UINT64_C(7) << 30), 3);
	assert_int_equal(host_advised_workers(3, UINT64_C(64) << 30), 1);
}

static void
test_cgroup(void **state)
{
	const char *root = *state;
	struct cgroup_limits l;

	cgroup_read(root, "/a/b", &l);
	assert_true(l.cpus == 0);
	assert_true(l.memory_max == UINT64_MAX);
	put(root, "a/cpu.max", "150000 100000\n");
	put(root, "a/b/cpu.max", "max 100000\n");
	put(root, "a/memory.max", "4000\n");
	put(root, "a/memory.current", "3500\n");
	put(root, "a/memory.stat", "anon 1\ninactive_file 1000\n");
	put(root, "a/b/memory.max", "5000\n");
	put(root, "a/b/memory.current", "100\n");
	cgroup_read(root, "/a/b", &l);
	assert_true(l.cpus == 1.5);
	assert_true(l.memory_max == 4000);
	assert_true(l.memory_free == 1500);
	put(root, "a/b/cpu.max", "50000 100000\n");
	put(root, "a/b/memory.max", "max\n");
	cgroup_read(root, "/a/b", &l);
	assert_true(l.cpus == 0.5);
	put(root, "a/b/cpu.max", "garbage");
	put(root, "a/memory.max", "");
	cgroup_read(root, "/a/b", &l);
	assert_true(l.cpus == 1.5);
	assert_true(l.memory_max == UINT64_MAX);
}

/* ---- processes ---- */

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

	pid = start("read x < /dev/zero", false, 0, &out);
	assert_int_equal(proc_identify(pid, &id), 0);
	assert_int_equal(proc_signal(&id, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
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
	char line[100];
	int out;
	pid_t pid;

	pid = start("setsid sh -c 'echo away; read x < /dev/zero' &"
	    "(sh -c 'echo orphan; read x < /dev/zero' &) ;"
	    "sh -c 'echo child; read x < /dev/zero' & wait", true, 0, &out);
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
	/* The pipe ends only when the last of them is gone. */
	assert_int_equal(read(out, line, 1), 0);
	assert_int_equal(proc_count_tree(pid, pid), 0);
	close(out);
}

static void
test_subreaper(void **state)
{
	char line[100];
	pid_t pid, orphan;
	int out;

	assert_int_equal(proc_subreaper(), 0);
	pid = start("(sh -c 'echo $$; read x < /dev/zero' &)", true, 0, &out);
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
		T(test_folders), T(test_files), T(test_replace_fails),
		T(test_remove), T(test_free_space), T(test_fds), T(test_lock),
		T(test_path_words), T(test_paths), T(test_agent_program),
		T(test_host), T(test_cgroup), T(test_identity), T(test_spawn),
		T(test_spawn_shuffle), T(test_spawn_errors), T(test_tree),
		T(test_daemonize), T(test_subreaper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
