/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a private key file says without its passphrase: the type, whether it
 * is locked, and (OpenSSH's own format) the public key. */
#ifndef NET_KEYFILE_H
#define NET_KEYFILE_H

#include <stdbool.h>
#include <stddef.h>

#include "yardmaster/base/buf.h"

struct keyfile {
	char type[64];		/* "ssh-ed25519"; "" unknown */
	bool locked;		/* by a passphrase */
	struct buf blob;	/* the public key; empty when unknown */
};

/* Reads path. 0, -errno, or ERR_SYNTAX for what is no private key. */
int keyfile_read(const char *path, struct keyfile *ret);
/* The same for text in memory, NUL-ended. */
int keyfile_parse(const char *text, struct keyfile *ret);
void keyfile_done(struct keyfile *k);

#endif
