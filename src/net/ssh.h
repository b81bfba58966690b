/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Inside the link program: one host, one session, one channel at a time,
 * straight-line code over a non-blocking session. What it knows of the
 * console is descriptors 0, 1 and 3. A failure is said once, in words, and
 * ends it.
 */
#ifndef NET_SSH_H
#define NET_SSH_H

#include <stdbool.h>
#include <stdint.h>

#include <libssh2.h>

#include "net/ctl.h"
#include "yardmaster/base/buf.h"

#define SSH_CTL_FD 3
#define SSH_CONNECT_S 10
#define SSH_HANDSHAKE_S 10
#define SSH_AUTH_S 20
#define SSH_OPEN_S 10
#define SSH_STALL_S 30
#define SSH_LEAVE_S 2
/* For calls that block: the process ends by SIGALRM. */
#define SSH_BLOCKED_S 30

struct ssh {
	/* what the console said; "" where not given */
	char name[256], host[256], user[256], agent_path[1024], instance[256];
	char identity[4096], known_hosts[4096];
	uint16_t port;
	bool headless, shell;

	char line[CTL_LINE_MAX];	/* of the side channel; wiped after use */
	int sock;
	char address[80];	/* "127.0.0.1:22", "[::1]:22" */
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *channel;
	int64_t deadline_us;
	int limit_s;		/* length of the deadline, for its text */
	const char *doing;	/* what the deadline is for: "key exchange" */

	bool leaving;		/* the console is gone; what it wrote is sent */
	int code;		/* 0, or why all ends */
	char *reason;
};

/* ---- ssh_main.c: one link from parameters to end; an exit code ---- */
int ssh_main(void);

/* ---- ssh_nest.c: serves the console until it is gone; an exit code ---- */
int ssh_nest(void);

/* ---- ssh_ctl.c: the side channel ---- */

/* Reads what to do. 0 or a code (then the console is gone or broken). */
int ssh_ctl_begin(struct ssh *s);
void ssh_say(struct ssh *s, const char *word, const char *text);
void ssh_sayn(struct ssh *s, const char *word, const void *text, size_t n);
/* Asks and waits without limit. 0 and the answer, which lies in s until
 * ssh_forget(); ERR_REFUSED, or ERR_CLOSED. kind is "host-key", "passphrase",
 * "secret" or "text". */
int ssh_ask(struct ssh *s, const char *kind, const char *text,
    const char **ret_answer);
void ssh_forget(struct ssh *s);
/* Notes why all ends (the first one stays). Returns code. */
int ssh_fail(struct ssh *s, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with the library's own words behind, in brackets. */
int ssh_fail_library(struct ssh *s, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- ssh_connect.c ---- */

/* Starts the clock for what follows. */
void ssh_deadline(struct ssh *s, int seconds, const char *doing);
/*
 * For "do r = libssh2_x(...); while (ssh_again(s, r));": when r is EAGAIN
 * waits until the session can go on and returns true. False: the call ended,
 * or the deadline passed (then s->code is set).
 */
bool ssh_again(struct ssh *s, long r);
/* Address look-up, TCP. 0 or a code. */
int ssh_connect(struct ssh *s);

/* ---- ssh_hostkey.c: key exchange and whether to trust the host ---- */
int ssh_handshake(struct ssh *s);

/* ---- ssh_auth.c ---- */
int ssh_auth(struct ssh *s);

/* ---- ssh_exec.c: the channel and its bytes; returns when all ended ---- */
int ssh_run(struct ssh *s);

#endif
