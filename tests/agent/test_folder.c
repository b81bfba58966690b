/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work folders that are used again: only while nobody has touched them. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/folder.h"
#include "../lib/check.h"
#include "yardmaster/sys/fs.h"

static int
enter(void **state)
{
	char *dir = strdup("/tmp/ym-folder.XXXXXX");

	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return -1;
	*state = dir;
	return 0;
}

static int
leave(void **state)
{
	int r = chdir("/") == -1 ? -1 : fs_remove_tree(*state);

	free(*state);
	return r;
}

static ino_t
inode(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void
test_untouched_is_used_again(void **state)
{
	struct folders f = { NULL };
	ino_t first;

	assert_int_equal(folder_make(&f, "a"), 0);
	first = inode("a");
	folder_drop(&f, "a");
	assert_int_equal(folder_make(&f, "b"), 0);
	assert_int_equal(inode("b"), first);
	assert_false(fs_exists("a"));
	folder_drop(&f, "b");
	assert_int_equal(folder_make(&f, "c"), 0);
	assert_int_equal(inode("c"), first);
	folder_drop(&f, "c");
	folders_done(&f);
	assert_false(fs_exists("c"));
}

static void
test_used_is_removed(void **state)
{
	struct folders f = { NULL };

	assert_int_equal(folder_make(&f, "a"), 0);
	make_file("a/left");
	folder_drop(&f, "a");
	assert_null(f.spare);
	assert_false(fs_exists("a"));
	/* Empty again, but somebody was there. */
	assert_int_equal(folder_make(&f, "b"), 0);
	assert_int_equal(mkdir("b/sub", 0700), 0);
	assert_int_equal(rmdir("b/sub"), 0);
	f.made.st_ctim.tv_nsec ^= 1;
	folder_drop(&f, "b");
	assert_null(f.spare);
	assert_false(fs_exists("b"));
	assert_int_equal(folder_make(&f, "c"), 0);
	assert_int_equal(chmod("c", 0755), 0);
	folder_drop(&f, "c");
	assert_null(f.spare);
	assert_false(fs_exists("c"));
}

static void
test_another_in_its_place(void **state)
{
	struct folders f = { NULL };

	assert_int_equal(folder_make(&f, "a"), 0);
	assert_int_equal(rename("a", "moved"), 0);
	assert_int_equal(symlink("moved", "a"), 0);
	folder_drop(&f, "a");
	assert_null(f.spare);
	assert_false(fs_exists("a"));
	assert_true(fs_exists("moved"));
}

static void
test_spare_is_gone(void **state)
{
	struct folders f = { NULL };
	struct stat st;

	assert_int_equal(folder_make(&f, "a"), 0);
	folder_drop(&f, "a");
	assert_int_equal(rmdir("a"), 0);
	assert_int_equal(folder_make(&f, "b"), 0);
	assert_int_equal(stat("b", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* What is there already is taken as it is. */
	assert_int_equal(folder_make(&f, "b"), 0);
	assert_int_equal(folder_make(&f, "no/such"), -ENOENT);
	folders_done(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_untouched_is_used_again,
		    enter, leave),
		cmocka_unit_test_setup_teardown(test_used_is_removed, enter,
		    leave),
		cmocka_unit_test_setup_teardown(test_another_in_its_place,
		    enter, leave),
		cmocka_unit_test_setup_teardown(test_spare_is_gone, enter,
		    leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
