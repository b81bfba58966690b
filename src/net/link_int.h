/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a link in the console: link.c moves bytes, link_spawn.c
 * starts the child, link_end.c finds words for its end. */
#ifndef NET_LINK_INT_H
#define NET_LINK_INT_H

#include <uthash.h>

#include "net/banner.h"
#include "net/ctl.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/net/link.h"

#define LINK_HOLD_MAX (8u << 20)

struct link {
	struct loop *loop;
	const struct link_ops *ops;
	void *arg;
	char *name, *host;
	enum link_via via;

	struct strvec argv;
	/* openssh without a given agent_path: what to try when this one is
	 * not found, or NULL. */
	char *second_command;
	struct buf parameters;	/* libssh2: for the side channel */

	struct child *child;	/* its process, or: */
	struct link_nest *nest;	/* where that comes from */
	uint32_t nest_id;
	pid_t nest_pid;		/* 0: not known yet */
	bool in_nest;		/* known there under nest_id */
	UT_hash_handle hh;	/* of the nest, by nest_id */
	bool exited;
	int exit_code, exit_signo;
	struct stream *io, *err, *ctl;	/* NULL where there is none */
	bool io_end, err_end, ctl_end;
	int ctl_fd;		/* owned by ctl */
	struct timer *timer;	/* end of a child that does not end well */

	struct banner banner;
	enum link_phase phase;
	struct buf hold;	/* written before the banner came */
	bool paused;

	bool asking;
	char *question;
	struct buf ctl_in;
	struct buf err_text;	/* the far side's complaints, capped */
	int code;		/* from the link process, or of the start */
	char *reason;

	unsigned depth;		/* callbacks being run */
	bool closed, ended;
};

/* ---- link_spawn.c ---- */

/* Fills argv, parameters and second_command. 0 or a code, with reason. */
int link_prepare(struct link *l, const struct link_spec *spec);
/* Starts the process; ret_fds are the ends of its standard streams (the first
 * two may be one socket) and its side channel, -1 where there is none. */
int link_spawn(struct link *l, void (*exited)(void *arg, int code, int signo),
    int ret_fds[4]);

/* Fills the environment of a link process: nothing it does not need. */
void link_environment(struct strvec *env);

/* ---- link_nest.c ---- */

/* Lets the nest start a process over these descriptors, which are the
 * caller's still. 0 or a code. */
int nest_start(struct link *l, int bytes, int side);
void nest_signal(struct link *l, int signo);
/* No word of this link's process any more. */
void nest_forget(struct link *l);

/* ---- link.c ---- */

/* The link's process ended: code 0-255, or -1 and the signal. */
void link_exited(struct link *l, int code, int signo);

/* ---- link_end.c ---- */

/* What ended a link, once its child is gone: a code, and words in *ret_text
 * (heap). */
int link_verdict(const struct link *l, char **ret_text);
/* The child found no agent under the name it tried. */
bool link_not_found(const struct link *l);

#endif
