/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting processes, by vfork(): posix_spawn() knows no niceness, and makes a
 * stack and asks for each signal every time.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/spawn.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/proc.h"

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define FIRST_REALTIME 32
#define FIRST_SAFE_FD 10	/* above all that a child is given */

extern char **environ;

static const char *
find_path(char *const *envp)
{
	if (envp == NULL)
		envp = environ;
	for (; *envp != NULL; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return DEFAULT_PATH;
}

/* 0 when path is a file that we may execute. */
static int
executable(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int
spawn_find(const char *file, char *const *envp, char **ret)
{
	const char *p = find_path(envp), *end;
	int r, worst = -ENOENT;
	char *path;

	if (strchr(file, '/') != NULL) {
		*ret = str_dup(file);
		return 0;
	}
	if (*file == '\0')
		return -ENOENT;
	for (;; p = end + 1) {
		end = strchrnul(p, ':');
		/* The current folder may be foreign ground: "" and "." out. */
		if (*p == '/') {
			path = str_fmt("%.*s/%s", (int)(end - p), p, file);
			if ((r = executable(path)) == 0) {
				*ret = path;
				return 0;
			}
			free(path);
			if (r == -EACCES)
				worst = r;
		}
		if (*end == '\0')
			return worst;
	}
}

/*
 * Copies those descriptors out of the way that stand where another has to go,
 * so that they can be put in place one after the other.
 */
static int
clear_the_way(const int fds[4], int clear[4])
{
	int i;

	for (i = 0; i < 4; i++)
		clear[i] = fds[i];
	for (i = 0; i < 4; i++) {
		if (fds[i] < 0 || fds[i] > 3 || fds[i] == i)
			continue;
		clear[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
		if (clear[i] < 0)
			return -errno;
	}
	return 0;
}

static void
close_copies(const int fds[4], const int clear[4])
{
	int i;

	for (i = 0; i < 4; i++)
		if (clear[i] >= 0 && clear[i] != fds[i])
			close(clear[i]);
}

/* Signals as a fresh process expects them. Nobody here handles or ignores
 * those of real time, and each costs a system call. */
static void
reset_signals(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t none;
	int signo;

	for (signo = 1; signo < FIRST_REALTIME; signo++)
		sigaction(signo, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * fork(), after which the child has default signals. None reaches it before
 * that: a handler of ours would run in it and write to pipes it shares.
 */
static pid_t
fork_quietly(void)
{
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0)
		reset_signals();
	else
		sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

/* Marks all descriptors from first on to be closed by exec. */
static void
cloexec_from(int first)
{
	int fd, max;

	if (close_range((unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return;
	max = (int)sysconf(_SC_OPEN_MAX);
	for (fd = first; fd < max; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* Puts the descriptors of a child in place. */
static int
place_fds(const int fds[4])
{
	int i;

	for (i = 0; i < 4 && fds[i] >= 0; i++)
		if (fds[i] == i ? fcntl(i, F_SETFD, 0) < 0 :
		    dup2(fds[i], i) < 0)
			return -errno;
	cloexec_from(i);
	return 0;
}

/* A limit above the one that we are under ourselves cannot be had. */
static int
set_limits(const struct proc_limit *limits, unsigned n)
{
	struct rlimit now;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (getrlimit(limits[i].resource, &now) < 0)
			return -errno;
		if (limits[i].value < now.rlim_max)
			now.rlim_max = limits[i].value;
		now.rlim_cur = now.rlim_max;
		if (setrlimit(limits[i].resource, &now) < 0)
			return -errno;
	}
	return 0;
}

/* In the child of vfork(): becomes the program, or says in the memory of the
 * parent why not. */
static _Noreturn void
become(const struct spawn_plan *plan, const char *path, const int fds[4],
    volatile int *ret_code)
{
	int r = 0;

	reset_signals();
	if (plan->session && setsid() < 0)
		r = -errno;
	if (r == 0)
		r = place_fds(fds);
	if (r == 0 && plan->cwd != NULL && chdir(plan->cwd) < 0)
		r = -errno;
	errno = 0;
	if (r == 0 && plan->nice != 0 && nice(plan->nice) == -1 && errno != 0)
		r = -errno;
	if (r == 0)
		r = set_limits(plan->limits, plan->n_limits);
	if (r == 0) {
		execve(path, plan->argv,
		    plan->envp != NULL ? plan->envp : environ);
		r = -errno;
	}
	*ret_code = r;
	_exit(127);
}

/* A pipe whose writing end, out of any child's way, is closed by exec. */
static int
report_pipe(int fds[2])
{
	int safe, r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	safe = fcntl(fds[1], F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
	r = safe < 0 ? -errno : 0;
	close(fds[1]);
	fds[1] = safe;
	if (r < 0)
		close(fds[0]);
	return r;
}

/* What the child reports: 0 when the pipe just closed, which exec does. */
static int
read_report(int fd)
{
	int r, code = 0;

	r = fd_read_all(fd, &code, sizeof(code));
	return r == 0 ? code : r == ERR_CLOSED ? 0 : r;
}

/*
 * The child borrows our memory until exec, so that no page tables are copied
 * and an error needs no pipe. All signals are blocked until it has default
 * ones: a handler of ours that ran there would run on our data.
 */
static int
start(const struct spawn_plan *plan, const char *path, const int fds[4],
    pid_t *ret)
{
	volatile int code = 0;
	sigset_t all, old;
	pid_t pid;
	int r;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = vfork();
	if (pid == 0)
		become(plan, path, fds, &code);
	r = pid < 0 ? -errno : code;
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (r == 0)
		*ret = pid;
	else if (pid > 0)
		waitpid(pid, NULL, 0);
	return r;
}

int
spawn_start(const struct spawn_plan *plan, pid_t *ret)
{
	int fds[4] = { -1, -1, -1, -1 }, r;
	char *path;

	if ((r = spawn_find(plan->file, plan->envp, &path)) < 0)
		return r;
	r = clear_the_way(plan->fds, fds);
	if (r == 0)
		r = start(plan, path, fds, ret);
	close_copies(plan->fds, fds);
	free(path);
	return r;
}

int
proc_spawn(const struct proc_spawn *spec, pid_t *ret)
{
	struct spawn_plan plan = {
		.file = spec->argv[0],
		.argv = spec->argv,
		.envp = spec->envp,
		.cwd = spec->cwd,
		.fds = { spec->in, spec->out, spec->err, -1 },
		.nice = spec->nice,
		.session = spec->session,
		.limits = spec->limits,
		.n_limits = spec->n_limits,
	};

	return spawn_start(&plan, ret);
}

/* The middle process of a daemon: starts the real one in a new session, tells
 * how that went and ends, so that the daemon belongs to nobody. */
static _Noreturn void
start_daemon(const struct spawn_plan *plan, int report)
{
	pid_t pid;
	int r;

	setsid();
	r = spawn_start(plan, &pid);
	fd_write_all(report, &r, sizeof(r));
	_exit(0);
}

static int
open_streams(const char *log_path, int fds[4])
{
	fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (log_path != NULL)
		fds[1] = open(log_path, O_WRONLY | O_APPEND | O_CREAT |
		    O_CLOEXEC | O_NOCTTY, 0600);
	else
		fds[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	fds[2] = fds[1];
	return fds[0] < 0 || fds[1] < 0 ? -errno : 0;
}

int
proc_daemonize(char *const *argv, char *const *envp, const char *log_path)
{
	struct spawn_plan plan = { .file = argv[0], .argv = argv, .envp = envp,
		.cwd = "/", .fds = { -1, -1, -1, -1 }, .session = true };
	int report[2] = { -1, -1 }, r;
	pid_t pid = -1;

	if ((r = open_streams(log_path, plan.fds)) < 0 ||
	    (r = report_pipe(report)) < 0)
		goto out;
	pid = fork_quietly();
	if (pid == 0)
		start_daemon(&plan, report[1]);
	r = pid < 0 ? -errno : 0;
	close(report[1]);
	if (r == 0)
		r = read_report(report[0]);
	close(report[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
out:
	if (plan.fds[0] >= 0)
		close(plan.fds[0]);
	if (plan.fds[1] >= 0)
		close(plan.fds[1]);
	return r;
}
