/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Key exchange, and whether the key the host shows is the one we know. No
 * byte of ours, not even a user name, is sent before this said yes. */
#include "config.h"

#include "net/ssh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/known_hosts.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

/* The key the host showed. */
struct shown {
	const uint8_t *blob;
	size_t len;
	const char *kind;	/* "ED25519" */
	char fingerprint[KNOWN_FINGERPRINT];
};

static const struct kind {
	const char *type, *name;
} kinds[] = {
	{ "ssh-ed25519", "ED25519" },
	{ "ecdsa-sha2-nistp256", "ECDSA" },
	{ "ecdsa-sha2-nistp384", "ECDSA" },
	{ "ecdsa-sha2-nistp521", "ECDSA" },
	{ "ssh-rsa", "RSA" },
};

static const char *
kind_name(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].name;
	return "unknown";
}

static char *
home_file(const char *name)
{
	const char *home = getenv("HOME");

	return home == NULL ? NULL : str_fmt("%s/.ssh/%s", home, name);
}

/* The file new keys are appended to; NULL without HOME. */
static char *
user_file(const struct ssh *s)
{
	return s->known_hosts[0] != '\0' ? str_dup(s->known_hosts) :
	    home_file("known_hosts");
}

static int
read_file(struct ssh *s, struct known_hosts *kh, const char *path)
{
	int r = path == NULL ? 0 : known_hosts_read(kh, path);

	/* Not to read a file might be not to see a revoked key. */
	return r == 0 ? 0 : ssh_fail(s, r, "%s: cannot read %s: %s", s->name,
	    path, err_text(r));
}

static int
read_files(struct ssh *s, struct known_hosts *kh)
{
	char *user = user_file(s), *user2 = home_file("known_hosts2");
	int r;

	if ((r = read_file(s, kh, user)) < 0)
		goto out;
	if (s->known_hosts[0] != '\0')
		goto out;
	if ((r = read_file(s, kh, user2)) < 0 ||
	    (r = read_file(s, kh, "/etc/ssh/ssh_known_hosts")) < 0)
		goto out;
	r = read_file(s, kh, "/etc/ssh/ssh_known_hosts2");
out:
	free(user);
	free(user2);
	return r;
}

/* Only what the library has is named to it: 1.10 drops other names by a copy
 * of memory onto itself. */
static int
prefer_known_types(struct ssh *s, const struct known_hosts *kh)
{
	struct buf list = BUF_INIT;
	const char **supported = NULL;
	int n, r = 0;

	n = libssh2_session_supported_algs(s->session, LIBSSH2_METHOD_HOSTKEY,
	    &supported);
	if (n > 0) {
		known_hosts_methods(kh, supported, (size_t)n, &list);
		libssh2_free(s->session, supported);
		r = libssh2_session_method_pref(s->session,
		    LIBSSH2_METHOD_HOSTKEY, buf_str(&list));
	}
	buf_done(&list);
	return n > 0 && r == 0 ? 0 : ssh_fail_library(s, ERR_UNSUPPORTED,
	    "%s: no host key method", s->name);
}

static int
handshake_failed(struct ssh *s, int r)
{
	if (r == LIBSSH2_ERROR_KEX_FAILURE)
		return ssh_fail(s, ERR_UNSUPPORTED,
		    "%s: no method in common between sshd at %s and libssh2 "
		    "%s; a host with only an RSA key needs transport openssh",
		    s->name, s->address, libssh2_version(0));
	if (r == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
	    r == LIBSSH2_ERROR_SOCKET_RECV || r == LIBSSH2_ERROR_BANNER_RECV)
		return ssh_fail(s, ERR_CLOSED,
		    "%s: %s closed the connection before the key exchange "
		    "(no sshd there, or too many connections)", s->name,
		    s->address);
	return ssh_fail_library(s, ERR_PROTOCOL, "%s: key exchange failed",
	    s->name);
}

static int
append(struct ssh *s, const struct shown *k)
{
	char *path = user_file(s);
	int r = path == NULL ? ERR_NOT_FOUND :
	    known_hosts_append(path, s->host, s->port, k->blob, k->len);

	/* The person said yes: the link goes on, and asks again next time. */
	if (r < 0)
		ssh_say(s, "stderr", "the host key could not be stored\n");
	free(path);
	return 0;
}

static int
ask(struct ssh *s, const struct known_hosts *kh, const struct shown *k,
    const struct known_key *other)
{
	const char *answer;
	char *text, *more;
	int r;

	more = other == NULL ? str_dup("") :
	    str_fmt("; %s line %u knows it by an %s key", other->file,
	    other->line, kind_name(other->type));
	if (s->headless) {
		r = ssh_fail(s, ERR_HOST_KEY,
		    "host key of %s is not known: %s %s (%s)%s%s; check it and "
		    "say: yardmaster fleet trust %s", s->name, k->kind,
		    k->fingerprint, kh->name, more, kh->cert_authority ?
		    "; certificates need transport openssh" : "", s->name);
		free(more);
		return r;
	}
	text = str_fmt("%s (%s) shows an unknown host key: %s %s%s. Trust it?",
	    s->name, kh->name, k->kind, k->fingerprint, more);
	free(more);
	r = ssh_ask(s, "host-key", text, &answer);
	free(text);
	if (r == 0 && strcmp(answer, "yes") == 0)
		return append(s, k);
	return ssh_fail(s, ERR_HOST_KEY, "host key of %s (%s %s) was not "
	    "accepted", s->name, k->kind, k->fingerprint);
}

static int
judge(struct ssh *s, const struct known_hosts *kh, const struct shown *k)
{
	const struct known_key *at;

	switch (known_hosts_check(kh, k->blob, k->len, &at)) {
	case KNOWN_OK:
		return 0;
	case KNOWN_REVOKED:
		return ssh_fail(s, ERR_HOST_KEY, "host key of %s (%s %s) is "
		    "revoked, refused; see %s line %u", s->name, k->kind,
		    k->fingerprint, at->file, at->line);
	case KNOWN_CHANGED:
		return ssh_fail(s, ERR_HOST_KEY, "host key of %s changed (now "
		    "%s %s), refused; see %s line %u", s->name, k->kind,
		    k->fingerprint, at->file, at->line);
	case KNOWN_NEW:
	case KNOWN_OTHER_TYPE:
		break;
	}
	return ask(s, kh, k, at);
}

static int
check_key(struct ssh *s, const struct known_hosts *kh)
{
	const char *digest, *blob;
	char type[64];
	struct shown k;
	size_t len;
	int unused;

	blob = libssh2_session_hostkey(s->session, &len, &unused);
	digest = libssh2_hostkey_hash(s->session,
	    LIBSSH2_HOSTKEY_HASH_SHA256);
	if (blob == NULL || digest == NULL || known_key_type(
	    (const uint8_t *)blob, len, type, sizeof(type)) < 0)
		return ssh_fail(s, ERR_HOST_KEY, "%s: no host key was shown",
		    s->name);
	k = (struct shown){ .blob = (const uint8_t *)blob, .len = len,
		.kind = kind_name(type) };
	known_fingerprint((const uint8_t *)digest, k.fingerprint);
	return judge(s, kh, &k);
}

int
ssh_handshake(struct ssh *s)
{
	struct known_hosts kh;
	int r;

	known_hosts_init(&kh, s->host, s->port);
	if ((r = read_files(s, &kh)) < 0 ||
	    (r = prefer_known_types(s, &kh)) < 0)
		goto out;
	ssh_deadline(s, SSH_HANDSHAKE_S, "key exchange");
	do
		r = libssh2_session_handshake(s->session, s->sock);
	while (ssh_again(s, r));
	if (r < 0) {
		r = handshake_failed(s, r);
		goto out;
	}
	r = check_key(s, &kh);
out:
	known_hosts_done(&kh);
	return r < 0 ? r : s->code;
}
