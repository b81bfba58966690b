/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting the daemon from a bridge. Bridges that come at once take turns
 * (start.lock); the daemon says through a FIFO that it listens, or why it
 * cannot.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/start.h"
#include "agent/step_env.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/loop.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/service.h"

#define READY_WAIT_MS 20000
#define LOG_MAX (1 << 20)

int
spool_enter(const char *instance, char **ret, struct buf *why)
{
	char *spool = NULL;
	int r;

	if ((r = paths_agent(instance, &spool)) < 0) {
		buf_puts(why, "HOME is not set");
		return r;
	}
	if ((r = fs_mkdirs(spool)) == 0)
		r = fs_private_dir(spool);
	if (r == 0 && chdir(spool) == -1)
		r = -errno;
	if (r == ERR_UNSUPPORTED)
		buf_putf(why, "%s is on a network file system; set "
		    "YARDMASTER_STATE to a folder of this host", spool);
	else if (r < 0)
		buf_putf(why, "%s: %s", spool, err_text(r));
	if (r == 0 && ret != NULL)
		*ret = spool;
	else
		free(spool);
	return r;
}

int
lock_note_write(int fd, bool local, int64_t idle_us)
{
	struct proc_id id;
	char text[128];
	int n, r;

	if ((r = proc_identify(getpid(), &id)) < 0)
		return r;
	n = snprintf(text, sizeof text, "%d %" PRIu64 " %s %d %" PRId64 "\n",
	    (int)id.pid, id.start_ticks,
	    id.boot_id[0] != '\0' ? id.boot_id : "-", local, idle_us);
	if (ftruncate(fd, 0) == -1 || pwrite(fd, text, (size_t)n, 0) != n)
		return -errno;
	return 0;
}

int
lock_note_read(struct lock_note *ret)
{
	struct buf b = BUF_INIT;
	int pid, local, r;

	memset(ret, 0, sizeof *ret);
	r = fs_read(LOCK_NAME, 4096, &b);
	if (r == 0 && sscanf(buf_str(&b), "%d %" SCNu64 " %36s %d %" SCNd64,
	    &pid, &ret->id.start_ticks, ret->id.boot_id, &local,
	    &ret->idle_us) != 5)
		r = ERR_NOT_FOUND;
	if (r == 0) {
		ret->id.pid = pid;
		ret->local = local != 0;
		if (strcmp(ret->id.boot_id, "-") == 0)
			ret->id.boot_id[0] = '\0';
	}
	buf_done(&b);
	return r;
}

void
agent_ready(const char *fifo, const char *text)
{
	int fd;

	if (strcmp(text, "ok") == 0)
		service_ready();
	if (fifo == NULL)
		return;
	fd = open(fifo, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd == -1)
		return;		/* who asked has gone */
	(void)fd_write_all(fd, text, strlen(text));
	close(fd);
}

static void
log_line(void *arg, enum log_level level, const char *line)
{
	static const char *const words[] = { "error", "warning", "info",
	    "debug" };
	struct buf b = BUF_INIT;
	char time[CLOCK_TEXT];

	buf_putf(&b, "%s %s: %s\n", clock_format(clock_wall_us(), time),
	    words[level], line);
	(void)fd_write_all(STDERR_FILENO, buf_data(&b), buf_len(&b));
	buf_done(&b);
}

void
agent_log(void)
{
	log_set_level(LOG_INFO);
	log_to(log_line, NULL);
}

/* Waits for the words of the daemon. 0 when it is ready. */
static int
wait_ready(int fd, struct buf *why)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct buf said = BUF_INIT;
	char piece[512];
	ssize_t n = -1;
	int r;

	while (poll(&p, 1, READY_WAIT_MS) > 0 &&
	    (n = read(fd, piece, sizeof piece)) > 0 &&
	    buf_len(&said) < 65536)
		buf_put(&said, piece, (size_t)n);
	r = strcmp(buf_str(&said), "ok") == 0 ? 0 : ERR_REFUSED;
	if (r < 0 && buf_len(&said) > 0)
		buf_puts(why, buf_str(&said));
	else if (r < 0)
		buf_puts(why, "the agent did not start; see agent.log");
	buf_done(&said);
	return r;
}

static int
launch(const struct start_options *o, const char *fifo)
{
	struct strvec argv = STRVEC_INIT, env = STRVEC_INIT;
	struct stat st;
	char *self;
	int r;

	self = realpath("/proc/self/exe", NULL);
	if (self == NULL)
		return -errno;
	strvec_push_owned(&argv, self);
	strvec_push(&argv, "serve");
	strvec_push(&argv, "--instance");
	strvec_push(&argv, o->instance);
	strvec_push(&argv, "--ready");
	strvec_push(&argv, fifo);
	if (o->local)
		strvec_push(&argv, "--local");
	if (o->idle_us >= 0)
		strvec_pushf(&argv, "--idle=%g",
		    (double)o->idle_us / (double)US_PER_S);
	step_env_daemon(&env);
	if (stat(LOG_NAME, &st) == 0 && st.st_size > LOG_MAX)
		(void)rename(LOG_NAME, LOG_NAME ".1");
	r = proc_daemonize(strvec_argv(&argv), strvec_argv(&env), LOG_NAME);
	strvec_done(&argv);
	strvec_done(&env);
	return r;
}

/* Below the user's systemd, where that lasts and has a unit for this very
 * program. False when it did not start there, for whatever reason: then it
 * is started here, which gives the words. */
static bool
start_unit(const struct start_options *o)
{
	char *self = realpath("/proc/self/exe", NULL);
	const char *home = getenv("HOME");
	bool started;

	started = self != NULL && home != NULL && !o->local &&
	    o->idle_us < 0 && step_env_is_usual() &&
	    service_has_unit("", home, PACKAGE "-agent", self) &&
	    service_start(PACKAGE "-agent", o->instance) == 0;
	free(self);
	return started;
}

int
agent_start(const struct start_options *o, struct buf *why)
{
	char name[32], *cwd, *fifo;
	int fd = -1, r = 0;

	if (start_unit(o))
		return 0;
	cwd = getcwd(NULL, 0);
	snprintf(name, sizeof name, "ready.%d", (int)getpid());
	(void)unlink(name);
	fifo = path_join(cwd != NULL ? cwd : ".", name);
	if (mkfifo(name, 0600) == -1 ||
	    (fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) == -1)
		r = -errno;
	if (r == 0)
		r = launch(o, fifo);
	if (r < 0)
		buf_putf(why, "cannot start the agent: %s", err_text(r));
	else
		r = wait_ready(fd, why);
	if (fd >= 0)
		close(fd);
	(void)unlink(name);
	free(fifo);
	free(cwd);
	return r;
}

int
agent_reach(const struct start_options *o, int *ret_fd, struct buf *why)
{
	const char *name = o->read_only ? LOOK_SOCKET_NAME : SOCKET_NAME;
	int lock, r;

	if ((r = spool_enter(o->instance, NULL, why)) < 0)
		return r;
	if (usock_connect(name, ret_fd) == 0)
		return 0;
	lock = open("start.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (lock == -1 || flock(lock, LOCK_EX) == -1) {
		r = -errno;
		buf_putf(why, "start.lock: %s", err_text(r));
		goto out;
	}
	if (usock_connect(name, ret_fd) == 0)
		goto out;
	if ((r = agent_start(o, why)) == 0 &&
	    (r = usock_connect(name, ret_fd)) < 0)
		buf_putf(why, "%s: %s", name, err_text(r));
out:
	if (lock >= 0)
		close(lock);
	return r;
}
