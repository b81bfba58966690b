/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who owns a run. The kernel's lock on RUN.lock alone decides whether an
 * owner lives; what is written in the file only says who it is, and counts
 * for nothing once the lock is free.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/run.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define LOCK_TEXT_MAX 4096

char *
run_path(const char *state_dir, const char *run, const char *suffix)
{
	return str_fmt("%s/runs/%s%s", state_dir, run, suffix);
}

int
run_folder(const char *state_dir)
{
	char *path = path_join(state_dir, "runs");
	int r;

	if ((r = fs_mkdirs(path)) == 0)
		r = fs_private_dir(path);
	free(path);
	return r;
}

/* Writes who we are into the lock file, for people and for hand-over. */
static int
write_owner(int fd, const char *who)
{
	struct buf b = BUF_INIT;
	struct proc_id id;
	struct jw w;
	int r;

	if ((r = proc_identify(getpid(), &id)) < 0)
		return r;
	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "pid", id.pid);
	jw_kv_int(&w, "start_ticks", (int64_t)id.start_ticks);
	jw_kv_str(&w, "boot_id", id.boot_id);
	jw_kv_str(&w, "who", who);
	jw_object_end(&w);
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	else
		r = fd_write_all(fd, buf_data(&b), buf_len(&b));
	buf_done(&b);
	return r;
}

int
run_lock(const char *state_dir, const char *run, const char *who,
    int *ret_fd)
{
	char *path = run_path(state_dir, run, ".lock");
	int fd = -1, r;

	if ((r = file_lock(path, &fd)) < 0)
		goto out;
	if ((r = write_owner(fd, who)) < 0)
		close(fd);
	else
		*ret_fd = fd;
out:
	free(path);
	return r;
}

void
run_owner_done(struct run_owner *o)
{
	free(o->who);
	*o = (struct run_owner){ .who = NULL };
}

static void
parse_owner(const struct buf *text, struct run_owner *o)
{
	struct jval *v = NULL;
	const char *boot, *who;
	int64_t n;

	if (jval_parse(&v, buf_data(text), buf_len(text)) < 0)
		return;		/* it is just being written */
	n = jval_get_int(v, "pid", 0);
	o->process.pid = n > 0 && n <= INT32_MAX ? (pid_t)n : 0;
	n = jval_get_int(v, "start_ticks", 0);
	o->process.start_ticks = n > 0 ? (uint64_t)n : 0;
	boot = jval_get_str(v, "boot_id", "");
	if (strlen(boot) < sizeof(o->process.boot_id))
		strcpy(o->process.boot_id, boot);
	who = jval_get_str(v, "who", NULL);
	o->who = str_dup(who);
	jval_free(v);
}

int
run_owner_read(const char *state_dir, const char *run, struct run_owner *ret)
{
	char *path = run_path(state_dir, run, ".lock");
	struct run_owner o = { .who = NULL };
	struct buf text = BUF_INIT;
	int r = ERR_NOT_FOUND;

	if (!file_lock_held(path))
		goto out;
	if (fs_read(path, LOCK_TEXT_MAX, &text) == 0)
		parse_owner(&text, &o);
	*ret = o;
	r = 0;
out:
	buf_done(&text);
	free(path);
	return r;
}

char *
run_owner_text(const struct run_owner *o)
{
	const char *who = o->who != NULL ? o->who : "another process";

	if (o->process.pid == 0)
		return str_dup(who);
	return str_fmt("%s pid %ld", who, (long)o->process.pid);
}
