/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What known_hosts files say of one host. Lines are read one by one: a bad or
 * an endless one loses only itself. Files are never rewritten; one line is
 * appended, under a lock.
 */
#ifndef NET_KNOWN_HOSTS_H
#define NET_KNOWN_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/strvec.h"

#define KNOWN_LINE_MAX (64u << 10)
#define KNOWN_NAME_MAX 320

struct known_key {
	const char *file;	/* borrowed from known_hosts.files */
	unsigned line;		/* from 1 */
	bool revoked;
	char *type;		/* "ssh-ed25519" */
	uint8_t *blob;		/* the key as in the wire */
	size_t len;
};

struct known_hosts {
	char name[KNOWN_NAME_MAX];	/* "host" or "[host]:port", lower case */
	struct strvec files;	/* those that were read */
	struct known_key *keys;	/* of this host, in order of the files */
	size_t n, cap;
	bool cert_authority;	/* a line names an authority for this host */
};

/* Prepares a look-up of host (checked by the caller); port 22 is plain. */
void known_hosts_init(struct known_hosts *kh, const char *host, uint16_t port);
void known_hosts_done(struct known_hosts *kh);
/* Adds what a file says. 0 (also when there is no such file) or -errno. */
int known_hosts_read(struct known_hosts *kh, const char *path);
/* The same for text in memory; file is its name. */
void known_hosts_parse(struct known_hosts *kh, const char *file,
    const void *text, size_t len);

enum known_result {
	KNOWN_OK,		/* this very key is stored */
	KNOWN_NEW,		/* nothing is stored for this host */
	KNOWN_OTHER_TYPE,	/* only keys of other types are */
	KNOWN_CHANGED,		/* another key of this type is */
	KNOWN_REVOKED,
};
/* Judges a key by its blob. ret_at is the line that decided, or NULL. */
enum known_result known_hosts_check(const struct known_hosts *kh,
    const uint8_t *blob, size_t len, const struct known_key **ret_at);

/* Appends the host-key methods to prefer, of the n that are supported: those
 * of stored keys first, then the others, separated by commas. */
void known_hosts_methods(const struct known_hosts *kh,
    const char *const *supported, size_t n, struct buf *out);

/* Copies the type that stands in front of a key blob into out (size bytes).
 * 0 or ERR_SYNTAX. */
int known_key_type(const uint8_t *blob, size_t len, char *out, size_t size);

/* Appends "NAME TYPE KEY" to path (created 0600 with its folder 0700) under a
 * lock, unless a line like it came meanwhile. 0 or a negative code. */
int known_hosts_append(const char *path, const char *host, uint16_t port,
    const uint8_t *blob, size_t len);

/* "SHA256:..." as ssh-keygen writes it, from the 32 bytes of the digest. */
#define KNOWN_FINGERPRINT 64
void known_fingerprint(const uint8_t digest[32], char out[KNOWN_FINGERPRINT]);

#endif
