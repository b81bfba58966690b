/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's side of the protocol, as small as commands need it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent/client.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/sys/fs.h"

#define ANSWER_WAIT_S 10

int
client_send(struct client *c, enum msg number, const struct buf *body)
{
	struct buf b = BUF_INIT;
	int r;

	if ((r = frame_put(&b, number, buf_data(body), buf_len(body))) == 0)
		r = fd_write_all(c->fd, buf_data(&b), buf_len(&b));
	buf_done(&b);
	return r;
}

static int
take(struct client *c, unsigned number, const uint8_t *body, size_t n,
    enum msg wanted)
{
	struct buf pong = BUF_INIT;
	int r;

	if (number == MSG_PING) {
		buf_put(&pong, body, n);
		r = client_send(c, MSG_PONG, &pong);
		buf_done(&pong);
		return r;
	}
	if (number != (unsigned)wanted && number != MSG_ERROR)
		return 0;
	jval_free(c->body);
	c->body = NULL;
	if (jval_parse(&c->body, body, n) < 0)
		return ERR_PROTOCOL;
	return number == MSG_ERROR ? ERR_REFUSED : 1;
}

int
client_wait(struct client *c, enum msg wanted)
{
	const uint8_t *body;
	uint8_t piece[4096];
	unsigned number;
	ssize_t got;
	size_t n;
	int r;

	for (;;) {
		while ((r = frame_next(&c->reader, &number, &body, &n)) > 0)
			if ((r = take(c, number, body, n, wanted)) != 0)
				return r < 0 ? r : 0;
		if (r < 0)
			return r;
		if ((got = read(c->fd, piece, sizeof piece)) <= 0)
			return got == 0 ? ERR_CLOSED : ERR_TIMEOUT;
		frame_feed(&c->reader, piece, (size_t)got);
	}
}

int
client_open(struct client *c, int fd)
{
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	const char *user = getenv("USER");
	struct buf b = BUF_INIT;
	struct jw w;
	int r;

	memset(c, 0, sizeof *c);
	c->fd = fd;
	frame_reader_init(&c->reader);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_int(&w, "protocol", PROTO_VERSION);
	jw_kv_str(&w, "version", PACKAGE_VERSION);
	jw_kv_str(&w, "who", user != NULL ? user : "host");
	jw_object_end(&w);
	r = fd_write_all(fd, PROTO_BANNER, strlen(PROTO_BANNER));
	if (r == 0)
		r = client_send(c, MSG_HELLO, &b);
	if (r == 0)
		r = client_wait(c, MSG_WELCOME);
	buf_done(&b);
	return r;
}

void
client_patient(struct client *c)
{
	struct timeval wait = { .tv_sec = 0 };

	(void)setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
}

void
client_done(struct client *c)
{
	jval_free(c->body);
	frame_reader_done(&c->reader);
	if (c->fd >= 0)
		close(c->fd);
}
