/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A link: a child process that carries the protocol's bytes to one agent and
 * back. Host keys, passphrases and errors travel beside them, as questions
 * and words for an operator. A link knows nothing of messages; it only looks
 * for the banner, to tell an agent from a shell that found none.
 */
#ifndef YARDMASTER_NET_LINK_H
#define YARDMASTER_NET_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/sys/loop.h"

enum link_via {
	LINK_VIA_AUTO,		/* libssh2 */
	LINK_VIA_LIBSSH2,	/* a link process of ours for each host */
	LINK_VIA_OPENSSH,	/* a child ssh: jump hosts, certificates */
	LINK_VIA_LOCAL,		/* yardmaster-agent of this host and account */
	LINK_VIA_COMMAND,	/* any command that speaks the protocol */
};

/*
 * Where link processes come from: one process, started at the first need,
 * forks them, so that they share what libraries they loaded. Without a nest
 * each is started by itself, which takes three times the memory.
 */
struct link_nest;
int link_nest_new(struct loop *loop, struct link_nest **ret);
/* Its links must have been closed before. NULL is fine. */
void link_nest_free(struct link_nest *nest);

/* Strings are borrowed for the call of link_open(); NULL where not given. */
struct link_spec {
	const char *name;	/* of the agent; instance of transport local */
	enum link_via via;
	const char *host;	/* libssh2, openssh: name or address */
	uint16_t port;		/* 0: 22 */
	const char *user;	/* NULL: ours */
	const char *identity;	/* private key file; "~/" is expanded */
	const char *known_hosts;	/* file instead of the usual ones */
	const char *agent_path;	/* the far program; NULL: the usual places */
	const char *instance;	/* the far instance; NULL: its default */
	char *const *command;	/* transport command */
	bool headless;		/* nobody can answer: a question is a failure */
	bool shell;		/* run sh there instead of the agent; it speaks no
				 * protocol, so no banner is waited for. Not with
				 * transport command. */
	struct link_nest *nest;	/* for libssh2, or NULL */
};

enum link_phase {
	LINK_PHASE_CONNECTING,	/* the process was started */
	LINK_PHASE_CONNECTED,	/* there is a connection to the host */
	LINK_PHASE_AUTHENTICATED,
	LINK_PHASE_OPEN,	/* the far end's banner was seen */
};
/* The name in messages. */
const char *link_phase_name(enum link_phase p);

enum link_question {
	LINK_QUESTION_HOST_KEY,	/* answer "yes", or anything else for no */
	LINK_QUESTION_PASSPHRASE,	/* of a key file: do not echo */
	LINK_QUESTION_SECRET,	/* of the host (password, code): do not echo */
	LINK_QUESTION_TEXT,	/* of the host: may be echoed */
};

struct link_ops {
	/* n > 0 bytes from the far end, login noise and banner included. */
	void (*data)(void *arg, const uint8_t *p, size_t n);
	void (*phase)(void *arg, enum link_phase phase);
	/* Waits for link_answer(). The text may hold words of the far host:
	 * it is one line, escape it to show it. */
	void (*question)(void *arg, enum link_question kind, const char *text);
	/* Once, last, never from within link_open(): what ended it, as a code
	 * (ERR_AUTH, ERR_HOST_KEY, ERR_REFUSED, ERR_NOT_FOUND: no agent there,
	 * ERR_TIMEOUT, ERR_CLOSED, -errno) and one line of words. The link
	 * still has to be closed, which may be done here. */
	void (*end)(void *arg, int code, const char *text);
};

struct link;

/*
 * Starts a link. ops is kept, not copied. A child that cannot be started is
 * reported by end(). 0, or ERR_SYNTAX when a name of spec is not of its
 * grammar (then nothing was started).
 */
int link_open(struct loop *loop, const struct link_spec *spec,
    const struct link_ops *ops, void *arg, struct link **ret);
/* Queues n bytes for the far end (copied). They leave once its banner came;
 * ignored after end(). */
void link_write(struct link *l, const void *p, size_t n);
/* Bytes queued and not yet taken by the kernel. */
size_t link_pending(const struct link *l);
/* Stops and restarts data() (back-pressure). */
void link_pause(struct link *l);
void link_resume(struct link *l);
/* Answers the question; NULL refuses it. The text is not kept; the caller
 * wipes its own copy. Ignored when nothing was asked. */
void link_answer(struct link *l, const char *answer);
enum link_phase link_phase(const struct link *l);
/* The last 4 kB of what its process, or the far side, wrote on standard error:
 * hostile text. Borrowed until the next turn. */
const char *link_said(const struct link *l);
/* The process, for people; 0 when there is none. */
pid_t link_pid(const struct link *l);
/* Ends and frees the link; no callback any more. What was queued is tried
 * once, and a process that talks to an agent ends by itself when it has
 * delivered that. NULL is fine. */
void link_close(struct link *l);
/* The same for one that hangs: its process is killed. NULL is fine. */
void link_kill(struct link *l);

/* Asks the link program (blocking) for the versions of the libraries in it,
 * for --version: "libssh2 1.10.0, OpenSSL 3.0.15". 0 and a heap string. */
int link_library_versions(char **ret);

#endif
