/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a link in the console: link.c moves bytes, link_spawn.c
 * starts the child, link_end.c finds words for its end. */
#ifndef NET_LINK_INT_H
#define NET_LINK_INT_H

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

	struct child *child;
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
/* Starts the child; fds are its three pipes, and the side channel or -1. */
int link_spawn(struct link *l, void (*exited)(void *arg, int code, int signo),
    int ret_fds[4]);

/* ---- link_end.c ---- */

/* What ended a link, once its child is gone: a code, and words in *ret_text
 * (heap). */
int link_verdict(const struct link *l, char **ret_text);
/* The child found no agent under the name it tried. */
bool link_not_found(const struct link *l);

#endif
