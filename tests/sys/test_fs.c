/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fs.h, paths.h and host.h. */
#include "../lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* A file of the shipped data is looked for in several places; here only the
 * first can be shown, the others in tests/cli/test_install.py. */
static void
test_data(void **state)
{
	char *want = str_fmt("%s/here.theme", (char *)*state);

	put(*state, "here.theme", "");
	setenv("YARDMASTER_DATA", *state, 1);
	check_path(0, paths_data("here.theme"), want);
	assert_null(paths_data("not-here.theme"));
	setenv("YARDMASTER_DATA", "", 1);
	assert_null(paths_data("here.theme"));
	unsetenv("YARDMASTER_DATA");
	assert_null(paths_data("here.theme"));
	free(want);
}

static void
test_link_program(void **state)
{
	char *p = NULL;
	int r;

	setenv("YARDMASTER_LINK", "/nonexistent/link", 1);
	r = paths_link_program(&p);
	check_path(r, p, "/nonexistent/link");
	unsetenv("YARDMASTER_LINK");
	if (!fs_exists(PKGLIBEXECDIR "/yardmaster-link"))
		assert_int_equal(paths_link_program(&p), ERR_NOT_FOUND);
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

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_folders),
		T(test_files),
		T(test_replace_fails),
		T(test_remove),
		T(test_free_space),
		T(test_fds),
		T(test_lock),
		T(test_path_words),
		T(test_paths),
		T(test_agent_program),
		T(test_data),
		T(test_link_program),
		T(test_host),
		T(test_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
