/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tree.h: what is packed comes out again, and nothing else does. */
#include "../lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/tree.h"

static int
set_up(void **state)
{
	char from[] = "in", to[] = "out";

	*state = str_dup("/tmp/ym-tree-XXXXXX");
	return mkdtemp(*state) != NULL && chdir(*state) == 0 &&
	    mkdir(from, 0700) == 0 && mkdir(to, 0700) == 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	int r = chdir("/") == 0 ? fs_remove_tree(*state) : -1;

	free(*state);
	return r;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int
pack(const char *pattern, uint64_t max, struct tree_sum *ret, int *ret_fd)
{
	struct strvec exclude = STRVEC_INIT;
	struct buf why = BUF_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC), r;

	assert_true(fd >= 0);
	if (pattern != NULL)
		strvec_push(&exclude, pattern);
	r = tree_pack("in", &exclude, fd, max, NULL, ret, &why);
	assert_int_equal(r < 0, buf_len(&why) > 0);
	strvec_done(&exclude);
	buf_done(&why);
	if (ret_fd != NULL)
		*ret_fd = fd;
	else
		close(fd);
	return r;
}

static void
make_tree(void)
{
	assert_int_equal(mkdir("in/.git", 0755), 0);
	assert_int_equal(mkdir("in/d", 0755), 0);
	assert_int_equal(mkdir("in/d/ro", 0755), 0);
	assert_int_equal(mkdir("in/empty", 0700), 0);
	put("in/.git/x", "secret", 0600);
	put("in/a b\nc*\xff", "odd", 0644);
	put("in/-rf", "", 0600);
	put("in/d/run.sh", "#!/bin/sh\n", 0755);
	put("in/d/ro/f", "x", 0444);
	put("in/d/x.o", "object", 0644);
	assert_int_equal(chmod("in/d/ro", 0555), 0);
	assert_int_equal(symlink("../a b\nc*\xff", "in/d/link"), 0);
	assert_int_equal(symlink("nowhere/yet", "in/dangling"), 0);
}

static void
check_file(const char *path, const char *text, mode_t mode)
{
	struct buf b = BUF_INIT;
	struct stat st;

	assert_int_equal(fs_read(path, 1000, &b), 0);
	assert_string_equal(buf_str(&b), text);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	buf_done(&b);
}

static void
test_round(void **state)
{
	struct buf why = BUF_INIT;
	struct tree_sum sum, again, room;
	struct stat st;
	char link[100] = "";
	int fd;

	make_tree();
	assert_int_equal(pack(".git", 1 << 20, &sum, &fd), 0);
	assert_int_equal(tree_measure(fd, &room, &why), 0);
	assert_int_equal(room.entries, sum.entries);
	assert_int_equal(room.bytes, sum.entries * 4096);
	assert_int_equal(tree_unpack(fd, "out", &why), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, sum.bytes);
	check_file("out/a b\nc*\xff", "odd", 0644);
	check_file("out/-rf", "", 0600);
	check_file("out/d/run.sh", "#!/bin/sh\n", 0755);
	check_file("out/d/link", "odd", 0644);
	check_file("out/d/ro/f", "x", 0444);
	assert_true(readlink("out/dangling", link, sizeof link - 1) > 0);
	assert_string_equal(link, "nowhere/yet");
	assert_int_equal(stat("out/empty", &st), 0);
	assert_false(fs_exists("out/.git"));
	assert_int_equal(sum.entries, 10);
	/* Once more: there is something already. */
	assert_int_equal(tree_unpack(fd, "out", &why), -EEXIST);
	assert_true(buf_len(&why) > 0);
	buf_done(&why);
	close(fd);
	/* Equal contents, equal hash; a mode or a byte makes another. */
	assert_int_equal(pack(".git", 1 << 20, &again, NULL), 0);
	assert_string_equal(sum.hash, again.hash);
	assert_int_equal(chmod("in/-rf", 0644), 0);
	assert_int_equal(pack(".git", 1 << 20, &again, NULL), 0);
	assert_string_not_equal(sum.hash, again.hash);
	assert_int_equal(chmod("in/d/ro", 0755), 0);
	assert_int_equal(pack("d/*.o", 1 << 20, &again, NULL), 0);
	assert_int_equal(again.entries, 11);
	assert_int_equal(pack("*.o", 1 << 20, &again, NULL), 0);
	assert_int_equal(again.entries, 11);
}

/* Changes its own tree: what is removed again lets the next be seen. */
static void
test_refused(void **state)
{
	struct tree_sum sum;

	assert_int_equal(mkfifo("in/p", 0600), 0);
	assert_int_equal(pack(NULL, 1 << 20, &sum, NULL), ERR_UNSUPPORTED);
	assert_int_equal(pack("p", 1 << 20, &sum, NULL), 0);
	assert_int_equal(unlink("in/p"), 0);
	assert_int_equal(symlink("/etc/passwd", "in/l"), 0);
	assert_int_equal(pack(NULL, 1 << 20, &sum, NULL), ERR_UNSUPPORTED);
	assert_int_equal(unlink("in/l"), 0);
	put("in/big", "0123456789", 0600);
	assert_int_equal(pack(NULL, 40, &sum, NULL), ERR_TOO_LARGE);
	assert_int_equal(pack(NULL, 100, &sum, NULL), 0);
}

static void
test_names(void **state)
{
	static const char *const good[] = { "a", "a/b", "...", "..a", "a ..",
		"-", ".git/x", "\n" };
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
		"..", "a/..", "../a", "a/./b", "./a" };
	static const struct {
		const char *name, *target;
		bool ok;
	} links[] = {
		{ "a", "b", true }, { "a", ".", true }, { "a", "b/", true },
		{ "d/a", "..", true }, { "d/a", "../", true },
		{ "d/e/a", "../../x/y", true },
		{ "a", "..", false }, { "d/a", "../..", false },
		{ "a", "/etc", false }, { "a", "", false },
		{ "d/a", "x/../..", false }, { "d/a", "x/..", false },
		{ "d/a", "..//..", false }, { "d/a", ".././..", false },
		{ "a", "/", false }, { "a", "b//", false },
	};
	char *deep = mem_zalloc(2 * TREE_DEPTH_MAX + 2);
	size_t i;

	for (i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(tree_name_ok(good[i], strlen(good[i])));
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(tree_name_ok(bad[i], strlen(bad[i])));
	assert_false(tree_name_ok("a\0b", 3));
	for (i = 0; i < sizeof links / sizeof *links; i++)
		assert_int_equal(tree_link_ok(links[i].name, links[i].target,
		    strlen(links[i].target)), links[i].ok);
	for (i = 0; i < TREE_DEPTH_MAX; i++)
		memcpy(deep + 2 * i, "a/", 2);
	assert_true(tree_name_ok(deep, 2 * TREE_DEPTH_MAX - 1));
	assert_false(tree_name_ok(deep, 2 * TREE_DEPTH_MAX));
	memcpy(deep + 2 * TREE_DEPTH_MAX, "a", 1);
	assert_false(tree_name_ok(deep, 2 * TREE_DEPTH_MAX + 1));
	free(deep);
}

/* Appends an entry as a stranger may. */
static void
entry(struct buf *b, char kind, const char *name, const char *content)
{
	size_t n = strlen(name), len = strlen(content);
	uint8_t h[13] = { (uint8_t)kind, 06, 0777 & 255, 0, (uint8_t)n,
	    0, 0, 0, 0, 0, 0, 0, (uint8_t)len };

	buf_put(b, h, sizeof h);
	buf_puts(b, name);
	buf_puts(b, content);
}

static int
unpack(struct buf *entries)
{
	struct buf b = BUF_INIT, why = BUF_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC), r;

	assert_true(fd >= 0);
	buf_puts(&b, "yardmaster tree 1\n");
	buf_put(&b, buf_data(entries), buf_len(entries));
	buf_putc(&b, 'e');
	assert_int_equal(fd_write_all(fd, buf_data(&b), buf_len(&b)), 0);
	r = tree_unpack(fd, "out", &why);
	assert_int_equal(r < 0, buf_len(&why) > 0);
	close(fd);
	buf_done(&b);
	buf_done(&why);
	buf_clear(entries);
	return r;
}

static void
test_hostile(void **state)
{
	struct buf b = BUF_INIT;
	struct stat st;

	entry(&b, 'f', "../evil", "x");
	assert_int_equal(unpack(&b), ERR_SYNTAX);
	entry(&b, 'f', "/tmp/ym-evil", "x");
	assert_int_equal(unpack(&b), ERR_SYNTAX);
	entry(&b, 'l', "up", "..");
	assert_int_equal(unpack(&b), ERR_SYNTAX);
	/* The way through a link is not gone, even through one that is fine. */
	assert_int_equal(mkdir("out/real", 0700), 0);
	entry(&b, 'l', "to", "real");
	entry(&b, 'f', "to/x", "x");
	assert_true(unpack(&b) < 0);
	assert_false(fs_exists("out/real/x"));
	/* Nor is what is there written to. */
	entry(&b, 'f', "to", "x");
	assert_int_equal(unpack(&b), -EEXIST);
	entry(&b, 's', "socket", "");
	assert_int_equal(unpack(&b), ERR_SYNTAX);
	entry(&b, 'd', "with", "content");
	assert_int_equal(unpack(&b), ERR_SYNTAX);
	entry(&b, 'f', "", "");
	assert_int_equal(unpack(&b), ERR_SYNTAX);
	/* No bits beyond those of rights. */
	entry(&b, 'f', "set", "");
	assert_int_equal(unpack(&b), 0);
	assert_int_equal(stat("out/set", &st), 0);
	assert_int_equal(st.st_mode & 07000, 0);
	assert_false(fs_exists("evil"));
	buf_done(&b);
}

static void
test_progress(void **state)
{
	struct strvec none = STRVEC_INIT;
	struct tree_progress progress = { .done = 100, .total = 200 };
	struct buf why = BUF_INIT;
	struct tree_sum sum;
	int fd = memfd_create("tree", MFD_CLOEXEC);

	make_tree();
	assert_int_equal(tree_pack("in", &none, fd, 1 << 20, &progress, &sum,
	    &why), 0);
	assert_int_equal(progress.done, 100 + sum.bytes);
	assert_int_equal(progress.total, 200 + sum.bytes);
	progress.stop = true;
	assert_int_equal(tree_pack("in", &none, fd, 1 << 20, &progress, &sum,
	    &why), ERR_CANCELLED);
	/* What does not fit is known before anything is written, by name. */
	buf_clear(&why);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	put("in/d/z", "0123456789", 0600);
	progress.stop = false;
	assert_int_equal(tree_pack("in", &none, fd, sum.bytes, &progress,
	    &sum, &why), ERR_TOO_LARGE);
	assert_true(strncmp(buf_str(&why), "in/", 3) == 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	/* Nor does it go on without a disk to write to. */
	buf_clear(&why);
	assert_int_equal(tree_pack("in", &none, -1, 1 << 20, NULL, &sum,
	    &why), -EBADF);
	assert_non_null(strstr(buf_str(&why), "cannot be written"));
	buf_done(&why);
	close(fd);
}

struct writing {
	atomic_bool over;
	int fd;
};

static void *
write_on(void *arg)
{
	struct writing *w = arg;

	while (!w->over)
		if (pwrite(w->fd, "x", 1, 0) != 1)
			return NULL;
	return arg;
}

/* A file that somebody writes while it is read is never packed as it never
 * was. */
static void
test_changing(void **state)
{
	struct tree_sum sum;
	struct writing w = { .over = false };
	pthread_t thread;
	void *ok = NULL;
	int r;

	put("in/big", "", 0600);
	w.fd = open("in/big", O_WRONLY | O_CLOEXEC);
	assert_true(w.fd >= 0);
	assert_int_equal(ftruncate(w.fd, 20 << 20), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &w), 0);
	r = pack(NULL, 100 << 20, &sum, NULL);
	w.over = true;
	assert_int_equal(pthread_join(thread, &ok), 0);
	assert_non_null(ok);
	assert_int_equal(r, ERR_STALE);
	assert_int_equal(pack(NULL, 100 << 20, &sum, NULL), 0);
	close(w.fd);
}

/* However it is cut off, it says so. */
static void
test_cut(void **state)
{
	static uint8_t all[4096];
	struct buf why = BUF_INIT;
	struct tree_sum sum;
	ssize_t n, i;
	int fd, cut;

	put("in/f", "content", 0600);
	assert_int_equal(pack(NULL, 1 << 20, &sum, &fd), 0);
	n = pread(fd, all, sizeof all, 0);
	assert_int_equal(n, sum.bytes);
	for (i = 0; i < n; i++) {
		cut = memfd_create("cut", MFD_CLOEXEC);
		assert_int_equal(fd_write_all(cut, all, (size_t)i), 0);
		assert_int_equal(tree_unpack(cut, "out", &why), ERR_SYNTAX);
		buf_clear(&why);
		assert_int_equal(tree_measure(cut, &sum, &why), ERR_SYNTAX);
		assert_true(buf_len(&why) > 0);
		close(cut);
		(void)unlink("out/f");
	}
	close(fd);
	buf_done(&why);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused, set_up,
		    tear_down),
		cmocka_unit_test(test_names),
		cmocka_unit_test_setup_teardown(test_hostile, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_progress, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_changing, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(test_cut, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
