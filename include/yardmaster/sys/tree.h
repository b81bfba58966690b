/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tree of files as one stream of bytes that depends on nothing but its
 * content: names, kinds, modes and bytes, in order of name. Regular files,
 * folders, and symbolic links that stay inside. What is read is hostile until
 * it was checked: nothing is written outside the folder it is unpacked into.
 *
 *	"yardmaster tree 1\n", then for each entry, numbers in network order:
 *	u8 kind ('d', 'f', 'l'), u16 mode, u16 length of the name, u64 length
 *	of the content (bytes of a file, target of a link), name, content
 *	and 'e' at the end.
 */
#ifndef YARDMASTER_SYS_TREE_H
#define YARDMASTER_SYS_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/sha256.h"
#include "yardmaster/base/strvec.h"

#define TREE_ENTRIES_MAX 1000000
#define TREE_DEPTH_MAX 64
#define TREE_NAME_MAX 4000

/* What a packed tree is. */
struct tree_sum {
	char hash[SHA256_TEXT];
	uint64_t bytes;		/* packed */
	uint32_t entries;
};

/* How far packing is: for another thread than that which packs. */
struct tree_progress {
	_Atomic uint64_t done, total;	/* bytes; total 0: not known yet */
	atomic_bool stop;	/* set: it ends soon, by ERR_CANCELLED */
};

/*
 * Packs the folder dir to out_fd, at most max bytes. progress (may be NULL):
 * what is done is added to it. exclude: shell patterns;
 * one without a slash is held against each name, one with a slash against the
 * whole path. 0, or a code with words in why: what can be neither packed nor
 * was excluded, a file that changed meanwhile, ERR_TOO_LARGE.
 */
int tree_pack(const char *dir, const struct strvec *exclude, int out_fd,
    uint64_t max, struct tree_progress *progress, struct tree_sum *ret,
    struct buf *why);
/* What fd, a packed tree read from its beginning, takes when it is unpacked:
 * bytes, by blocks of a disk, and entries; the hash is not made. Not all of it
 * is checked. 0, or a code with words in why. */
int tree_measure(int fd, struct tree_sum *ret, struct buf *why);
/* Unpacks fd, from its beginning, into the empty folder dir. 0, or ERR_SYNTAX
 * (no such stream), ERR_TOO_LARGE, -errno, with words in why; what was
 * written until then stays. */
int tree_unpack(int fd, const char *dir, struct buf *why);

/* True for a relative path without empty, "." and ".." parts that is neither
 * too long nor too deep. */
bool tree_name_ok(const char *name, size_t n);
/* True when a link of that (good) name with that target stays inside. */
bool tree_link_ok(const char *name, const char *target, size_t n);

#endif
