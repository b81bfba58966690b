/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A terminal without a window, for tests of the screen:
 *
 *	vt ROWS COLS -- COMMAND ARGS...
 *
 * runs COMMAND on a pty whose output libvterm draws into cells, and obeys one
 * command per line of standard input, answering on standard output. Rows and
 * columns count from 0; patterns are POSIX extended and match inside one row,
 * whose blanks at the end are cut.
 *
 *	keys TEXT	types; \n \r \t \e \\ \xNN	ok
 *	expect MS RE	until some row matches		ok ROW TEXT | timeout
 *	gone MS RE	until no row matches		ok | timeout
 *	quiet MS TOTAL	until silent for MS		ok | timeout
 *	exit MS		until the command ended		exit CODE | timeout
 *	dump		all rows			rows N, then N lines
 *	row N		one row				ok TEXT
 *	attrs N		a letter for each cell		ok LETTERS
 *	cursor						ok ROW COL
 *	resize R C					ok
 *	bytes		written since the last time	ok N
 *	kill SIG	a number or HUP INT TERM ...	ok
 *	pid						ok PID
 *
 * Letters: b bold, u underlined, r reverse, R reverse and bold, '.' none.
 * CODE is 128 and the number for a signal. Anything wrong is answered by
 * "error TEXT". What the command wrote is appended to the file $VT_LOG.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vterm.h>

#include "vt_rows.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"

#define LAST_WAIT_MS 3000	/* for a command to end once its pty closed */

struct vt {
	VTerm *vterm;
	VTermScreen *screen;
	int rows, cols;
	int pty;		/* -1: the command and all its children closed it */
	int pidfd;		/* -1: it ended */
	pid_t pid;
	int code;		/* of the command that ended */
	int log;		/* -1: none */
	size_t bytes;
	struct buf in;		/* of standard input, not obeyed yet */
	bool in_ended;
	struct buf keys;	/* for the pty */
	struct buf row;		/* text of a row */
};

static void
reply(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void
reply(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

static const char *
row_text(struct vt *vt, int row)
{
	return vt_row_text(vt->screen, row, vt->cols, &vt->row);
}

/* What the terminal answers to queries goes to the command like keys. */
static void
take_answers(struct vt *vt)
{
	char text[256];
	size_t n;

	while ((n = vterm_output_read(vt->vterm, text, sizeof(text))) > 0)
		buf_put(&vt->keys, text, n);
}

static void
read_pty(struct vt *vt)
{
	char text[65536];
	ssize_t n;

	n = read(vt->pty, text, sizeof(text));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {		/* EIO: nobody has it open any more */
		close(vt->pty);
		vt->pty = -1;
		return;
	}
	vt->bytes += (size_t)n;
	if (vt->log >= 0 && write(vt->log, text, (size_t)n) != n) {
		close(vt->log);
		vt->log = -1;
	}
	vterm_input_write(vt->vterm, text, (size_t)n);
	vterm_screen_flush_damage(vt->screen);
	take_answers(vt);
}

static void
write_keys(struct vt *vt)
{
	ssize_t n;

	n = write(vt->pty, buf_data(&vt->keys), buf_len(&vt->keys));
	if (n > 0)
		buf_consume(&vt->keys, (size_t)n);
}

static void
read_stdin(struct vt *vt)
{
	ssize_t n;

	n = read(STDIN_FILENO, buf_reserve(&vt->in, 4096), 4096);
	if (n > 0)
		buf_commit(&vt->in, (size_t)n);
	else if (n == 0 || errno != EINTR)
		vt->in_ended = true;
}

static void
reap(struct vt *vt)
{
	int status = 0;

	waitpid(vt->pid, &status, 0);
	vt->code = WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
	close(vt->pidfd);
	vt->pidfd = -1;
}

/* Waits for one event of the command, at most ms (-1: for ever); with
 * commands true also for standard input. False when the time is over, or when
 * nothing can come any more. */
static bool
pump(struct vt *vt, int64_t ms, bool commands)
{
	struct pollfd fds[3] = {
		{ .fd = vt->pty, .events = POLLIN },
		{ .fd = vt->pidfd, .events = POLLIN },
		{ .fd = commands ? STDIN_FILENO : -1, .events = POLLIN },
	};

	if (vt->pty < 0 && vt->pidfd < 0 && !commands)
		return false;
	if (vt->pty >= 0 && buf_len(&vt->keys) > 0)
		fds[0].events |= POLLOUT;
	if (poll(fds, 3, ms < 0 ? -1 : (int)ms) <= 0)
		return false;
	if ((fds[0].revents & POLLOUT) != 0)
		write_keys(vt);
	if ((fds[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		read_pty(vt);
	if (fds[1].revents != 0)
		reap(vt);
	if (fds[2].revents != 0)
		read_stdin(vt);
	return true;
}

static int64_t
left_ms(int64_t deadline_us)
{
	int64_t left = deadline_us - clock_mono_us();

	return left <= 0 ? 0 : (left + US_PER_MS - 1) / US_PER_MS;
}

/* The first row that matches, or -1. */
static int
find_row(struct vt *vt, const regex_t *re)
{
	int row;

	for (row = 0; row < vt->rows; row++)
		if (regexec(re, row_text(vt, row), 0, NULL, 0) == 0)
			return row;
	return -1;
}

/* Reads "MS REST"; *rest is behind the blank. */
static int64_t
take_ms(const char *args, const char **ret_rest)
{
	char *end;
	long ms = strtol(args, &end, 10);

	*ret_rest = *end == ' ' ? end + 1 : end;
	return clock_mono_us() + ms * US_PER_MS;
}

static void
wait_for_text(struct vt *vt, const char *args, bool present)
{
	const char *pattern;
	int64_t deadline = take_ms(args, &pattern);
	char text[200];
	regex_t re;
	int r, row;

	if ((r = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB)) != 0) {
		regerror(r, &re, text, sizeof(text));
		reply("error %s", text);
		return;
	}
	do {
		row = find_row(vt, &re);
	} while ((row >= 0) != present &&
	    pump(vt, left_ms(deadline), false));
	if ((row >= 0) != present)
		reply("timeout");
	else if (present)
		reply("ok %d %s", row, row_text(vt, row));
	else
		reply("ok");
	regfree(&re);
}

static void
do_expect(struct vt *vt, const char *args)
{
	wait_for_text(vt, args, true);
}

static void
do_gone(struct vt *vt, const char *args)
{
	wait_for_text(vt, args, false);
}

static void
do_quiet(struct vt *vt, const char *args)
{
	const char *total;
	int64_t silent_ms = atoi(args), start = clock_mono_us(), last = start;
	int64_t deadline, left;
	size_t before;

	take_ms(args, &total);
	deadline = start + atoi(total) * US_PER_MS;
	for (;;) {
		left = left_ms(last + silent_ms * US_PER_MS);
		if (left == 0 || (vt->pty < 0 && vt->pidfd < 0)) {
			reply("ok");
			return;
		}
		if (left_ms(deadline) == 0) {
			reply("timeout");
			return;
		}
		if (left > left_ms(deadline))
			left = left_ms(deadline);
		before = vt->bytes;
		pump(vt, left, false);
		if (vt->bytes != before)
			last = clock_mono_us();
	}
}

static void
do_exit(struct vt *vt, const char *args)
{
	const char *rest;
	int64_t deadline = take_ms(args, &rest);

	while (vt->pidfd >= 0 && pump(vt, left_ms(deadline), false))
		continue;
	if (vt->pidfd >= 0) {
		reply("timeout");
		return;
	}
	while (vt->pty >= 0 && pump(vt, 0, false))
		continue;	/* its last words */
	reply("exit %d", vt->code);
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = strchr(digits, c | 0x20);

	return c != '\0' && at != NULL && *at != '\0' ? (int)(at - digits) : -1;
}

static void
do_keys(struct vt *vt, const char *args)
{
	static const char from[] = "nrte\\", to[] = "\n\r\t\x1b\\";
	const char *p = args, *at;

	for (; *p != '\0'; p++) {
		at = p[0] == '\\' && p[1] != '\0' ? strchr(from, p[1]) : NULL;
		if (at != NULL) {
			buf_putc(&vt->keys, to[at - from]);
			p++;
		} else if (p[0] == '\\' && p[1] == 'x' &&
		    hex_digit(p[2]) >= 0 && hex_digit(p[3]) >= 0) {
			buf_putc(&vt->keys,
			    hex_digit(p[2]) * 16 + hex_digit(p[3]));
			p += 3;
		} else {
			buf_putc(&vt->keys, *p);
		}
	}
	while (vt->pty >= 0 && buf_len(&vt->keys) > 0 && pump(vt, -1, false))
		continue;
	reply("ok");
}

static void
do_dump(struct vt *vt, const char *args)
{
	int row;

	printf("rows %d\n", vt->rows);
	for (row = 0; row < vt->rows; row++)
		printf("%s\n", row_text(vt, row));
	fflush(stdout);
}

static bool
take_row(struct vt *vt, const char *args, int *ret)
{
	*ret = atoi(args);
	if (*ret >= 0 && *ret < vt->rows)
		return true;
	reply("error no such row");
	return false;
}

static void
do_row(struct vt *vt, const char *args)
{
	int row;

	if (take_row(vt, args, &row))
		reply("ok %s", row_text(vt, row));
}

static void
do_attrs(struct vt *vt, const char *args)
{
	int row;

	if (take_row(vt, args, &row))
		reply("ok %s", vt_row_attrs(vt->screen, row, vt->cols,
		    &vt->row));
}

static void
do_cursor(struct vt *vt, const char *args)
{
	VTermPos pos;

	vterm_state_get_cursorpos(vterm_obtain_state(vt->vterm), &pos);
	reply("ok %d %d", pos.row, pos.col);
}

static void
do_resize(struct vt *vt, const char *args)
{
	struct winsize size = { .ws_row = 0 };
	int rows, cols;

	if (sscanf(args, "%d %d", &rows, &cols) != 2 || rows < 1 || cols < 1 ||
	    rows > 1000 || cols > 1000) {
		reply("error no such size");
		return;
	}
	vt->rows = rows;
	vt->cols = cols;
	vterm_set_size(vt->vterm, rows, cols);
	size.ws_row = (unsigned short)rows;
	size.ws_col = (unsigned short)cols;
	if (vt->pty >= 0)
		ioctl(vt->pty, TIOCSWINSZ, &size);
	reply("ok");
}

static void
do_bytes(struct vt *vt, const char *args)
{
	while (pump(vt, 0, false))
		continue;
	reply("ok %zu", vt->bytes);
	vt->bytes = 0;
}

static void
do_kill(struct vt *vt, const char *args)
{
	static const struct {
		const char *name;
		int signo;
	} names[] = {
		{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT },
		{ "KILL", SIGKILL }, { "TERM", SIGTERM }, { "STOP", SIGSTOP },
		{ "CONT", SIGCONT }, { "TSTP", SIGTSTP }, { "USR1", SIGUSR1 },
		{ "WINCH", SIGWINCH },
	};
	int signo = atoi(args);
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, args) == 0)
			signo = names[i].signo;
	if (vt->pidfd < 0 || signo <= 0 || kill(vt->pid, signo) < 0)
		reply("error no such process or signal");
	else
		reply("ok");
}

static void
do_pid(struct vt *vt, const char *args)
{
	reply("ok %d", (int)vt->pid);
}

static void
obey(struct vt *vt, char *line)
{
	static const struct {
		const char *name;
		void (*fn)(struct vt *vt, const char *args);
	} table[] = {
		{ "keys", do_keys }, { "expect", do_expect },
		{ "gone", do_gone }, { "quiet", do_quiet },
		{ "exit", do_exit }, { "dump", do_dump }, { "row", do_row },
		{ "attrs", do_attrs }, { "cursor", do_cursor },
		{ "resize", do_resize }, { "bytes", do_bytes },
		{ "kill", do_kill }, { "pid", do_pid },
	};
	char *args = strchrnul(line, ' ');
	size_t i;

	if (*args != '\0')
		*args++ = '\0';
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(table[i].name, line) == 0) {
			table[i].fn(vt, args);
			return;
		}
	reply("error no such command");
}

/* Obeys the whole lines that have come. */
static void
obey_all(struct vt *vt)
{
	char *line, *end;
	size_t n;

	for (;;) {
		end = memchr(buf_data(&vt->in), '\n', buf_len(&vt->in));
		if (end == NULL)
			return;
		n = (size_t)((uint8_t *)end - buf_data(&vt->in));
		line = strndup(buf_str(&vt->in), n);
		if (line == NULL)
			return;
		buf_consume(&vt->in, n + 1);
		obey(vt, line);
		free(line);
	}
}

static int
start(struct vt *vt, char **argv)
{
	struct winsize size = { .ws_row = (unsigned short)vt->rows,
		.ws_col = (unsigned short)vt->cols };
	const char *log = getenv("VT_LOG");

	vt->log = log == NULL ? -1 : open(log, O_WRONLY | O_APPEND | O_CREAT |
	    O_CLOEXEC, 0600);
	vt->pid = forkpty(&vt->pty, NULL, NULL, &size);
	if (vt->pid < 0)
		return -errno;
	if (vt->pid == 0) {
		setenv("TERM", "xterm-256color", 0);
		unsetenv("LINES");
		unsetenv("COLUMNS");
		execvp(argv[0], argv);
		fprintf(stderr, "vt: %s: %s\n", argv[0], strerror(errno));
		_exit(127);
	}
	fcntl(vt->pty, F_SETFL, O_NONBLOCK);
	fcntl(vt->pty, F_SETFD, FD_CLOEXEC);
	vt->pidfd = (int)syscall(SYS_pidfd_open, vt->pid, 0);
	return vt->pidfd < 0 ? -errno : 0;
}

/* The terminal goes away; a command that outlives that is killed. */
static void
finish(struct vt *vt)
{
	int64_t deadline = clock_mono_us() + LAST_WAIT_MS * US_PER_MS;

	if (vt->pty >= 0)
		close(vt->pty);
	vt->pty = -1;
	while (vt->pidfd >= 0 && pump(vt, left_ms(deadline), false))
		continue;
	if (vt->pidfd >= 0) {
		kill(vt->pid, SIGKILL);
		reap(vt);
	}
	if (vt->log >= 0)
		close(vt->log);
	buf_done(&vt->in);
	buf_done(&vt->keys);
	buf_done(&vt->row);
	vterm_free(vt->vterm);
}

int
main(int argc, char **argv)
{
	struct vt vt = { .pty = -1, .pidfd = -1 };
	int r;

	if (argc < 5 || strcmp(argv[3], "--") != 0 || atoi(argv[1]) < 1 ||
	    atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: vt ROWS COLS -- COMMAND ARGS...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_DFL);
	vt.rows = atoi(argv[1]);
	vt.cols = atoi(argv[2]);
	vt.vterm = vterm_new(vt.rows, vt.cols);
	vterm_set_utf8(vt.vterm, 1);
	vt.screen = vterm_obtain_screen(vt.vterm);
	vterm_screen_enable_altscreen(vt.screen, 1);
	vterm_screen_reset(vt.screen, 1);
	if ((r = start(&vt, argv + 4)) < 0) {
		fprintf(stderr, "vt: %s\n", strerror(-r));
		return 1;
	}
	while (!vt.in_ended) {
		obey_all(&vt);
		pump(&vt, -1, true);
	}
	obey_all(&vt);
	finish(&vt);
	return 0;
}
