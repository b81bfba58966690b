/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A packed tree of a stranger: it may fail, and writes nothing outside. */
#include "config.h"

#include "fuzz.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/tree.h"

#define HEAD "yardmaster tree 1\n"

const struct fuzz_seed fuzz_seeds[] = {
	FUZZ_SEED(HEAD "e"),
	FUZZ_SEED(HEAD "d\1\355\0\1\0\0\0\0\0\0\0\0a"
	    "f\1\244\0\3\0\0\0\0\0\0\0\2a/bhi"
	    "l\1\377\0\3\0\0\0\0\0\0\0\4a/c../xe"),
	FUZZ_SEED(HEAD "l\1\377\0\1\0\0\0\0\0\0\0\1ld"
	    "d\1\355\0\1\0\0\0\0\0\0\0\0d"
	    "f\1\244\0\3\0\0\0\0\0\0\0\0l/xe"),
	FUZZ_SEED(HEAD "f\1\244\0\4\0\0\0\0\0\0\0\0../xe"),
	FUZZ_SEED(HEAD "l\1\377\0\1\0\0\0\0\0\0\0\2l..e"),
	{ NULL, 0 },
};

static size_t
count_entries(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	FUZZ_CHECK(d != NULL);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char dir[] = "/tmp/ym-fuzz-tree-XXXXXX", in[64];
	struct buf why = BUF_INIT;
	int fd = memfd_create("tree", MFD_CLOEXEC), r;

	FUZZ_CHECK(fd >= 0 && mkdtemp(dir) != NULL);
	strcpy(in, dir);
	strcat(in, "/in");
	FUZZ_CHECK(mkdir(in, 0700) == 0 && fd_write_all(fd, p, n) == 0);
	r = tree_unpack(fd, in, &why);
	FUZZ_CHECK((r < 0) == (buf_len(&why) > 0));
	/* "." and ".." and "in" */
	FUZZ_CHECK(count_entries(dir) == 3);
	FUZZ_CHECK(fs_remove_tree(dir) == 0);
	buf_done(&why);
	close(fd);
	return 0;
}
