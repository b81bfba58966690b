/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event loop: timers, byte streams, child processes, signals and Unix
 * sockets on one thread. Callbacks run from loop_run() only, never from the
 * call that registered them. After a _free or _close no callback of that
 * object runs any more. A turn is: timers that are due, then I/O, then the
 * turn hooks in the order they were added; a commit, a flush or a draw that
 * is due once per turn belongs in a hook.
 */
#ifndef YARDMASTER_SYS_LOOP_H
#define YARDMASTER_SYS_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct timer;
struct stream;
struct listener;
struct child;
struct watch;
struct sigwatch;
struct filewatch;
struct job;

/* Makes a loop, and has the process ignore SIGPIPE. 0 or -errno. */
int loop_new(struct loop **ret);
/* The version of the library behind it, for --version. Borrowed. */
const char *loop_library_version(void);
/* Frees the loop; everything on it must have been freed before. */
void loop_free(struct loop *l);
/* Runs until loop_stop(). 0 or a negative code. */
int loop_run(struct loop *l);
/* Makes loop_run() return at the end of this turn (hooks still run). */
void loop_stop(struct loop *l);
/* One turn, waiting at most timeout_ms (-1: until something comes). For
 * tests and for short waits at start. */
int loop_turn(struct loop *l, int timeout_ms);
/* The clock_mono_us() of this turn's start. */
int64_t loop_now_us(const struct loop *l);
/* Adds a hook for the end of each turn; there is no way to remove one but
 * loop_unhook() with the same fn and arg. */
void loop_hook(struct loop *l, void (*fn)(void *arg), void *arg);
void loop_unhook(struct loop *l, void (*fn)(void *arg), void *arg);
/* Makes a turn happen soon although nothing else is due. */
void loop_poke(struct loop *l);

/* A timer that is not armed. fn runs once per timer_start(). */
struct timer *timer_new(struct loop *l, void (*fn)(void *arg), void *arg);
/* Arms it for delay_us from now (0 = next turn), also when armed. */
void timer_start(struct timer *t, int64_t delay_us);
/* Disarms it; nothing when it is not armed. */
void timer_stop(struct timer *t);
bool timer_armed(const struct timer *t);
/* Disarms and frees, also from within fn. NULL is fine. */
void timer_free(struct timer *t);

struct stream_ops {
	/* n > 0 bytes came; the memory is valid during the call. */
	void (*data)(void *arg, const uint8_t *p, size_t n);
	/* Once: the other side ended (0) or it failed (-errno). No data after
	 * it; the stream still has to be freed. */
	void (*end)(void *arg, int error);
	/* All that was written has left (may be NULL). */
	void (*drained)(void *arg);
};

/*
 * A byte stream over rfd and wfd (equal for a socket; either may be -1). Owns
 * both from success on, makes them non-blocking and close-on-exec. ops is
 * kept, not copied. 0 or -errno.
 */
int stream_new(struct loop *l, int rfd, int wfd, const struct stream_ops *ops,
    void *arg, struct stream **ret);
/* Queues a copy of n bytes; written at the end of the turn. Ignored after
 * end() and stream_shutdown(). When the other side no longer reads, what is
 * queued is dropped, and end() comes after all that it still said. */
void stream_write(struct stream *s, const void *p, size_t n);
/* Bytes queued and not yet taken by the kernel. */
size_t stream_pending(const struct stream *s);
/* Stops and restarts reading (back-pressure). */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
/* Closes the writing side when all queued bytes are out. */
void stream_shutdown(struct stream *s);
/* Tries once to write what is queued, closes and frees. NULL is fine. */
void stream_free(struct stream *s);

/*
 * Listens on a Unix socket of mode 0600 at path, replacing a dead socket
 * file. Only peers of our user id are given to accept, which owns the
 * descriptor. 0, -errno, or ERR_LOCKED when a live process listens there.
 */
int listener_new(struct loop *l, const char *path,
    void (*accept)(void *arg, int fd), void *arg, struct listener **ret);
/* Closes and removes the socket file. NULL is fine. */
void listener_free(struct listener *ls);

/* Connects to such a socket (blocking, local) and checks that its owner has
 * our user id. 0 and a close-on-exec descriptor, or -errno. */
int usock_connect(const char *path, int *ret_fd);

enum child_io { CHILD_NULL, CHILD_INHERIT, CHILD_PIPE };
struct child_spec {
	const char *file;	/* looked up in PATH when without '/' */
	char *const *argv;
	char *const *envp;	/* NULL: ours */
	const char *cwd;	/* NULL: ours */
	enum child_io in, out, err;
	int fd3;		/* becomes descriptor 3 of the child, or -1 */
	bool session;		/* setsid() */
};
/*
 * Starts a child with SIGPIPE default, empty signal mask and no inherited
 * descriptors but 0-2 (and 3). fn runs once when it ended: code 0-255, or -1
 * and the signal (0 when something else in the process waited for it). Ends
 * of pipes are returned in ret_fds[3] (-1 where none) and owned by the caller.
 * 0 or -errno (also when exec failed).
 */
int child_start(struct loop *l, const struct child_spec *spec,
    void (*fn)(void *arg, int code, int signo), void *arg,
    struct child **ret, int ret_fds[3]);
/* Its number; once it ended, that may belong to another process. */
pid_t child_pid(const struct child *c);
/* Sends a signal; nothing when it ended. */
void child_signal(struct child *c, int signo);
/* Forgets the child; it is still reaped. NULL is fine. */
void child_free(struct child *c);

#define WATCH_READ 1
#define WATCH_WRITE 2
/* Calls fn with the events that are ready while fd (not owned, its flags are
 * left alone) is ready. A hung-up fd counts as ready. 0, or -errno (-EPERM for
 * a regular file). */
int watch_new(struct loop *l, int fd, unsigned events,
    void (*fn)(void *arg, unsigned events), void *arg, struct watch **ret);
/* Changes the events; 0 rests. */
void watch_set(struct watch *w, unsigned events);
void watch_free(struct watch *w);	/* NULL is fine */

/* Calls fn after somebody, this process too, changed the file at path, which
 * must exist; it is not opened. Several changes may be told once. 0 or
 * -errno. */
int filewatch_new(struct loop *l, const char *path, void (*fn)(void *arg),
    void *arg, struct filewatch **ret);
void filewatch_free(struct filewatch *w);	/* NULL is fine */

/*
 * Runs work on a thread of its own, then done from the loop. work must not
 * touch what anything else does until then, nor start processes. 0 or -errno.
 */
int job_start(struct loop *l, void (*work)(void *arg),
    void (*done)(void *arg), void *arg, struct job **ret);
/* Waits for the end of work, also from within done. NULL is fine. */
void job_free(struct job *j);

/* Calls fn when signo came (once for several in a row). 0 or -errno. */
int sigwatch_new(struct loop *l, int signo, void (*fn)(void *arg, int signo),
    void *arg, struct sigwatch **ret);
void sigwatch_free(struct sigwatch *s);	/* NULL is fine */

#endif
