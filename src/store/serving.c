/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which processes launch what is scheduled: STATE/serving/PID, locked while
 * its process lives. The lock alone says so; the text is for people, and says
 * for which fleet.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/store/schedules.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define TEXT_MAX 8192

struct serving {
	char *path;
	const char *name;	/* within path */
	int fd;
};

static char *
path_of(const char *state_dir, const char *name)
{
	return str_fmt("%s/serving/%s", state_dir, name);
}

static int
write_text(int fd, const char *who, const char *fleet)
{
	struct buf b = BUF_INIT;
	struct jw w;
	int r;

	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "who", who);
	jw_kv_str(&w, "fleet", fleet);
	jw_object_end(&w);
	r = ftruncate(fd, 0) < 0 ? -errno :
	    fd_write_all(fd, buf_data(&b), buf_len(&b));
	buf_done(&b);
	return r;
}

int
serving_open(const char *state_dir, const char *who, const char *fleet,
    struct serving **ret)
{
	char *dir = path_join(state_dir, "serving"), name[24];
	char *text = str_fmt("%s pid %ld", who, (long)getpid());
	struct serving *s = mem_zalloc(sizeof *s);
	int r;

	snprintf(name, sizeof name, "%ld", (long)getpid());
	s->path = path_of(state_dir, name);
	s->name = strrchr(s->path, '/') + 1;
	s->fd = -1;
	if ((r = fs_mkdirs(dir)) == 0 && (r = fs_private_dir(dir)) == 0 &&
	    (r = file_lock(s->path, &s->fd)) == 0 &&
	    (r = write_text(s->fd, text, fleet)) == 0)
		*ret = s;
	else
		serving_close(s);
	free(text);
	free(dir);
	return r;
}

const char *
serving_name(const struct serving *s)
{
	return s->name;
}

void
serving_close(struct serving *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0) {
		(void)unlink(s->path);
		close(s->fd);
	}
	free(s->path);
	free(s);
}

bool
serving_lives(const char *state_dir, const char *name)
{
	char *path = path_of(state_dir, name);
	bool lives = strchr(name, '/') == NULL && file_lock_held(path);

	free(path);
	return lives;
}

/* What a process that was killed left; who opens the file meanwhile sees that
 * it went. */
static void
sweep(const char *path)
{
	int fd = -1;

	if (file_lock(path, &fd) < 0)
		return;
	(void)unlink(path);
	close(fd);
}

static int
tell(const char *path, int (*fn)(void *arg, const char *who,
    const char *fleet), void *arg)
{
	struct buf text = BUF_INIT;
	struct jval *v = NULL;
	const char *who;
	int got = 0;

	if (!file_lock_held(path)) {
		sweep(path);
		return 0;
	}
	/* Without a text it is just being written. */
	if (fs_read(path, TEXT_MAX, &text) == 0 &&
	    jval_parse(&v, buf_data(&text), buf_len(&text)) == 0 &&
	    (who = jval_get_str(v, "who", NULL)) != NULL)
		got = fn(arg, who, jval_get_str(v, "fleet", ""));
	jval_free(v);
	buf_done(&text);
	return got;
}

int
serving_each(const char *state_dir,
    int (*fn)(void *arg, const char *who, const char *fleet), void *arg)
{
	char *dir_name = path_join(state_dir, "serving"), *path;
	DIR *dir = opendir(dir_name);
	struct dirent *d;
	int r = 0;

	while (dir != NULL && r == 0 && (d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		path = path_of(state_dir, d->d_name);
		r = tell(path, fn, arg);
		free(path);
	}
	if (dir != NULL)
		closedir(dir);
	free(dir_name);
	return r;
}
