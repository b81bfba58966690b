/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Preparing in a worker: unpack the tree, then the command of the plan.
 *
 *	(nothing) -> lock taken -> tree emptied and filled -> setup command
 *	          -> ready written -> lock freed
 *
 * Whoever dies on the way leaves no ready, and the next one begins anew, with
 * an empty folder: a setup command may run again after a crash, but never
 * beside itself. What was prepared before the host was started anew does not
 * count: a setup may have started processes.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/setup.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/proc.h"
#include "yardmaster/sys/tree.h"

#define READY_MAX 256
#define MB (1u << 20)
#define KEEP_INODES 64		/* as the guard has it */

char *
setup_name(const char *run, uint32_t no, const char *file,
    char out[WS_NAME_SIZE])
{
	snprintf(out, WS_NAME_SIZE, WS_DIR "/%s.%u%s%s", run, no,
	    file != NULL ? "/" : "", file != NULL ? file : "");
	return out;
}

char *
setup_tree_name(const char *hash, const char *suffix, char out[WS_NAME_SIZE])
{
	snprintf(out, WS_NAME_SIZE, TREES_DIR "/%s%s", hash, suffix);
	return out;
}

bool
setup_is_ready(const char *run, uint32_t no)
{
	char name[WS_NAME_SIZE];
	struct buf b = BUF_INIT;
	bool ready;

	setup_name(run, no, "ready", name);
	ready = fs_read(name, READY_MAX, &b) == 0 &&
	    strcmp(buf_str(&b), proc_boot_id()) == 0;
	buf_done(&b);
	return ready;
}

/* The disk may have filled since the tree came: each run unpacks anew. */
static int
check_room(int fd, uint64_t keep_free, struct buf *why)
{
	uint64_t bytes, inodes, want;
	struct tree_sum sum;
	int r;

	if ((r = tree_measure(fd, &sum, why)) < 0 ||
	    fs_free(".", &bytes, &inodes) < 0)
		return r;
	want = sum.bytes + keep_free;
	if (bytes < want)
		buf_putf(why, "it needs %llu MB of disk with what has to stay "
		    "free, and %llu MB are there", (unsigned long long)
		    ((want + MB - 1) / MB), (unsigned long long)(bytes / MB));
	else if (inodes < (uint64_t)sum.entries + KEEP_INODES)
		buf_putf(why, "it needs %llu inodes with what has to stay "
		    "free, and %llu are there", (unsigned long long)
		    sum.entries + KEEP_INODES, (unsigned long long)inodes);
	return buf_len(why) > 0 ? -ENOSPC : 0;
}

/* Fills the empty folder of the preparation. */
static int
fill(const struct work *w, uint64_t keep_free, const char *folder,
    struct buf *why)
{
	char name[WS_NAME_SIZE];
	int fd, r;

	if (w->prepare.tree[0] == '\0')
		return 0;
	setup_tree_name(w->prepare.tree, "", name);
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1) {
		r = -errno;
		buf_putf(why, "the tree is not here: %s", err_text(r));
		return r;
	}
	(void)futimens(fd, NULL);	/* used now: not the first to go */
	if ((r = check_room(fd, keep_free, why)) == 0)
		r = tree_unpack(fd, folder, why);
	close(fd);
	return r;
}

static int
prepare(const struct work *w, uint64_t keep_free, struct buf *why)
{
	char name[WS_NAME_SIZE];
	struct buf fault = BUF_INIT;
	int r;

	setup_name(w->id.run, w->prepare.no, "ready", name);
	(void)unlink(name);
	setup_name(w->id.run, w->prepare.no, "failed", name);
	(void)unlink(name);
	setup_name(w->id.run, w->prepare.no, "tree", name);
	if (fs_exists(name) && (r = fs_remove_tree(name)) < 0)
		buf_putf(&fault, "its folder cannot be emptied: %s",
		    err_text(r));
	else if (mkdir(name, 0700) == -1) {
		r = -errno;
		buf_putf(&fault, "its folder: %s", err_text(r));
	} else if ((r = fill(w, keep_free, name, &fault)) < 0) {
		(void)fs_remove_tree(name);
	}
	if (r < 0)
		buf_putf(why, "the workspace cannot be made: %s",
		    buf_str(&fault));
	buf_done(&fault);
	return r;
}

int
setup_begin(const struct work *w, uint64_t keep_free, int *ret_lock,
    struct buf *why)
{
	char name[WS_NAME_SIZE];
	int lock, r;

	if (setup_is_ready(w->id.run, w->prepare.no))
		return 1;
	setup_name(w->id.run, w->prepare.no, "lock", name);
	r = file_lock(name, &lock);
	if (r < 0) {
		if (r != ERR_LOCKED)
			buf_putf(why, "the workspace: %s", err_text(r));
		return r;
	}
	/* Who had the lock before may have made it ready. */
	if (setup_is_ready(w->id.run, w->prepare.no)) {
		close(lock);
		return 1;
	}
	if ((r = prepare(w, keep_free, why)) < 0) {
		(void)setup_end(w, lock, buf_str(why));
		return r;
	}
	*ret_lock = lock;
	return 0;
}

char *
setup_fault(const struct step_result *res)
{
	if (res->text != NULL)
		return str_fmt("setup: %s", res->text);
	if (res->signo != 0)
		return str_fmt("setup was ended by signal %d", res->signo);
	return str_fmt("setup failed: exit %d", res->exit_code);
}

int
setup_end(const struct work *w, int lock, const char *why)
{
	const char *text = why != NULL ? why : proc_boot_id();
	char name[WS_NAME_SIZE];
	int r;

	setup_name(w->id.run, w->prepare.no, why != NULL ? "failed" : "ready",
	    name);
	r = fs_replace(name, text, strlen(text), 0600);
	close(lock);
	return r;
}
