/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A short blocking talk with the daemon of this host, for commands. */
#ifndef AGENT_CLIENT_H
#define AGENT_CLIENT_H

#include "yardmaster/base/jval.h"
#include "yardmaster/proto/msg.h"

struct client {
	int fd;
	struct frame_reader reader;
	struct jval *body;	/* of the last message waited for */
};

/* Greets the daemon on fd (owned from now on) and waits for its welcome,
 * then in body. 0 or a code; client_done() is due in any case. */
int client_open(struct client *c, int fd);
/* Sends one message. */
int client_send(struct client *c, enum msg number, const struct buf *body);
/* Reads until a message of that number came; it is in body then. 0,
 * ERR_CLOSED, ERR_REFUSED (an ERROR came), ERR_PROTOCOL. */
int client_wait(struct client *c, enum msg number);
/* Waits for answers as long as it takes; pings are answered meanwhile. */
void client_patient(struct client *c);
void client_done(struct client *c);

#endif
