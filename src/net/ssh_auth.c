/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who we are: the identity of the fleet file (from the ssh-agent where it
 * holds it, so that no passphrase is needed), the ssh-agent's other keys,
 * the usual key files, then what the host asks. Servers allow about six
 * tries, so keys that cannot work here are not offered.
 */
#include "config.h"

#include "net/ssh.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/keyfile.h"
#include "net/known_hosts.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#define AGENT_KEYS_MAX 10
#define PASSPHRASE_TRIES 3

/* What was tried, for the words of a refusal. */
struct tried {
	unsigned files, agent_keys;
	bool agent;		/* an ssh-agent answered */
	struct buf notes;	/* "; FILE is an RSA key ..." */
	struct buf refused;	/* public key of a file that was refused */
};

/* 1.10 signs RSA keys with SHA-1 only, which sshd refuses since 8.8. */
static bool
rsa_works(void)
{
	return libssh2_version(0x010b00) != NULL;
}

static bool
type_works(const char *type)
{
	return strcmp(type, "ssh-ed25519") == 0 ||
	    strncmp(type, "ecdsa-sha2", 10) == 0 || *type == '\0' ||
	    (strcmp(type, "ssh-rsa") == 0 && rsa_works());
}

/* Turns the answer of an authentication call into 1 accepted, 0 refused, or
 * a code when the session is of no more use. */
static int
verdict(struct ssh *s, int r)
{
	if (s->code < 0)
		return s->code;
	if (r == 0)
		return 1;
	if (r == LIBSSH2_ERROR_SOCKET_DISCONNECT ||
	    r == LIBSSH2_ERROR_SOCKET_RECV || r == LIBSSH2_ERROR_SOCKET_SEND)
		return ssh_fail_library(s, ERR_AUTH,
		    "permission denied: %s closed the connection while %s@%s "
		    "was authenticating (too many keys tried?)", s->name,
		    s->user, s->host);
	return 0;
}

/* ---- key files ---- */

static int
try_file(struct ssh *s, const char *path, const char *passphrase)
{
	int r;

	do
		r = libssh2_userauth_publickey_fromfile_ex(s->session, s->user,
		    (unsigned)strlen(s->user), NULL, path, passphrase);
	while (ssh_again(s, r));
	return r;
}

/* 1, 0 or a code; a wrong passphrase is asked for again. */
static int
try_locked_file(struct ssh *s, const char *path, struct tried *t)
{
	const char *answer;
	char *text;
	int i, r;

	if (s->headless) {
		buf_putf(&t->notes, "; %s is locked by a passphrase and nobody "
		    "is there to give it (ssh-add it)", path);
		return 0;
	}
	for (i = 0; i < PASSPHRASE_TRIES; i++) {
		text = str_fmt("%sPassphrase of %s for %s",
		    i > 0 ? "Not the passphrase. " : "", path, s->name);
		r = ssh_ask(s, "passphrase", text, &answer);
		free(text);
		if (r < 0)
			break;
		ssh_deadline(s, SSH_AUTH_S, "authentication");
		r = try_file(s, path, answer);
		ssh_forget(s);
		if (r != LIBSSH2_ERROR_FILE &&
		    r != LIBSSH2_ERROR_KEYFILE_AUTH_FAILED) {
			t->files++;
			return verdict(s, r);
		}
	}
	buf_putf(&t->notes, "; the passphrase of %s was not given", path);
	return 0;
}

static int
try_identity_file(struct ssh *s, const char *path, struct keyfile *k,
    struct tried *t)
{
	int r;

	if (!type_works(k->type)) {
		buf_putf(&t->notes, "; %s is of type %s, which libssh2 %s "
		    "cannot use: take transport openssh", path, k->type,
		    libssh2_version(0));
		return 0;
	}
	if (buf_len(&k->blob) > 0 && buf_len(&k->blob) ==
	    buf_len(&t->refused) && memcmp(buf_data(&k->blob),
	    buf_data(&t->refused), buf_len(&k->blob)) == 0)
		return 0;
	if (k->locked)
		return try_locked_file(s, path, t);
	r = try_file(s, path, "");
	if (r == LIBSSH2_ERROR_FILE && s->code == 0) {
		buf_putf(&t->notes, "; %s could not be used as a key", path);
		return 0;
	}
	t->files++;
	return verdict(s, r);
}

static int
try_usual_files(struct ssh *s, struct tried *t)
{
	static const char *const names[] = { "id_ed25519", "id_ecdsa",
		"id_rsa" };
	const char *home = getenv("HOME");
	struct keyfile k;
	char *path;
	size_t i;
	int r = 0;

	for (i = 0; home != NULL && r == 0 && i < 3; i++) {
		path = str_fmt("%s/.ssh/%s", home, names[i]);
		if (keyfile_read(path, &k) == 0) {
			r = try_identity_file(s, path, &k, t);
			keyfile_done(&k);
		}
		free(path);
	}
	return r;
}

/* ---- ssh-agent ---- */

static bool
agent_key_is(const struct libssh2_agent_publickey *key, const struct buf *blob)
{
	return key->blob_len == buf_len(blob) &&
	    memcmp(key->blob, buf_data(blob), key->blob_len) == 0;
}

static int
try_agent_key(struct ssh *s, LIBSSH2_AGENT *agent,
    struct libssh2_agent_publickey *key, struct tried *t)
{
	char type[64];
	int r;

	if (known_key_type(key->blob, key->blob_len, type, sizeof(type)) < 0 ||
	    !type_works(type)) {
		buf_putf(&t->notes, "; a key of the ssh-agent of type %.40s was "
		    "not offered", type);
		return 0;
	}
	t->agent_keys++;
	/* A person may have to confirm the use of the key. */
	alarm(SSH_BLOCKED_S);
	do
		r = libssh2_agent_userauth(agent, s->user, key);
	while (ssh_again(s, r));
	alarm(0);
	return verdict(s, r);
}

/* Offers the one key that is only (when not empty), or all others. */
static int
try_agent_keys(struct ssh *s, LIBSSH2_AGENT *agent, const struct buf *wanted,
    bool others, struct tried *t)
{
	struct libssh2_agent_publickey *key, *prev = NULL;
	int r;

	while (t->agent_keys < AGENT_KEYS_MAX &&
	    libssh2_agent_get_identity(agent, &key, prev) == 0) {
		prev = key;
		if (agent_key_is(key, wanted) == others)
			continue;
		if ((r = try_agent_key(s, agent, key, t)) != 0)
			return r;
		if (!others)
			buf_put(&t->refused, key->blob, key->blob_len);
	}
	return 0;
}

/* NULL when there is none or it does not answer. */
static LIBSSH2_AGENT *
open_agent(struct ssh *s, struct tried *t)
{
	LIBSSH2_AGENT *agent;
	int r;

	if (getenv("SSH_AUTH_SOCK") == NULL ||
	    (agent = libssh2_agent_init(s->session)) == NULL)
		return NULL;
	alarm(SSH_BLOCKED_S);
	r = libssh2_agent_connect(agent);
	if (r == 0)
		r = libssh2_agent_list_identities(agent);
	alarm(0);
	if (r != 0) {
		libssh2_agent_free(agent);
		return NULL;
	}
	t->agent = true;
	return agent;
}

/* ---- the order of all ---- */

static int
try_given_identity(struct ssh *s, LIBSSH2_AGENT *agent, struct keyfile *k,
    struct tried *t)
{
	int r;

	if ((r = keyfile_read(s->identity, k)) < 0) {
		buf_putf(&t->notes, "; identity %s: %s", s->identity,
		    r == ERR_SYNTAX ? "not a private key" : err_text(r));
		return 0;
	}
	if (agent != NULL && buf_len(&k->blob) > 0 &&
	    (r = try_agent_keys(s, agent, &k->blob, false, t)) != 0)
		return r;
	return try_identity_file(s, s->identity, k, t);
}

static int
try_keys(struct ssh *s, struct tried *t)
{
	struct keyfile k = { .blob = BUF_INIT };
	LIBSSH2_AGENT *agent = open_agent(s, t);
	int r = 0;

	if (s->identity[0] != '\0')
		r = try_given_identity(s, agent, &k, t);
	if (r == 0 && agent != NULL)
		r = try_agent_keys(s, agent, &k.blob, true, t);
	if (r == 0 && s->identity[0] == '\0')
		r = try_usual_files(s, t);
	keyfile_done(&k);
	if (agent != NULL) {
		libssh2_agent_disconnect(agent);
		libssh2_agent_free(agent);
	}
	return r;
}

/* Called by the library with all prompts of one round. */
static void
answer_prompts(const char *name, int name_len, const char *instruction,
    int instruction_len, int n, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
    LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
	struct ssh *s = *abstract;
	const char *answer;
	char *text;
	int i;

	for (i = 0; i < n; i++) {
		text = str_fmt("%s asks: %.*s", s->name,
		    (int)prompts[i].length, prompts[i].text);
		if (ssh_ask(s, prompts[i].echo ? "text" : "secret", text,
		    &answer) < 0)
			ssh_fail(s, ERR_AUTH, "permission denied: a question "
			    "of %s was not answered", s->name);
		else
			responses[i].text = str_dup(answer);
		responses[i].length = s->code < 0 ? 0 :
		    (unsigned)strlen(responses[i].text);
		ssh_forget(s);
		free(text);
		if (s->code < 0)
			return;
	}
	ssh_deadline(s, SSH_AUTH_S, "authentication");
}

static int
try_keyboard(struct ssh *s)
{
	int r;

	do
		r = libssh2_userauth_keyboard_interactive_ex(s->session,
		    s->user, (unsigned)strlen(s->user), answer_prompts);
	while (ssh_again(s, r));
	return verdict(s, r);
}

static int
list_methods(struct ssh *s, const char **ret)
{
	int r;

	do {
		*ret = libssh2_userauth_list(s->session, s->user,
		    (unsigned)strlen(s->user));
		r = *ret != NULL ? 0 : libssh2_session_last_errno(s->session);
	} while (ssh_again(s, r));
	return verdict(s, r);
}

static char *
tried_words(const struct tried *t)
{
	const char *files = t->files == 1 ? "" : "s";

	if (t->agent)
		return str_fmt("none of %u key file%s and %u key%s of the "
		    "ssh-agent was accepted", t->files, files, t->agent_keys,
		    t->agent_keys == 1 ? "" : "s");
	if (t->files == 0)
		return str_dup("there was no key to offer, and no ssh-agent");
	return str_fmt("none of %u key file%s was accepted, and there is no "
	    "ssh-agent", t->files, files);
}

static int
denied(struct ssh *s, const struct tried *t)
{
	char *words = tried_words(t);
	int r;

	r = ssh_fail(s, ERR_AUTH, "permission denied for %s@%s: %s%s", s->user,
	    s->host, words, buf_str(&t->notes));
	free(words);
	return r;
}

int
ssh_auth(struct ssh *s)
{
	struct tried t = { .notes = BUF_INIT, .refused = BUF_INIT };
	const char *methods = NULL;
	int r;

	ssh_deadline(s, SSH_AUTH_S, "authentication");
	if ((r = list_methods(s, &methods)) < 0)
		goto out;
	if (methods == NULL && libssh2_userauth_authenticated(s->session))
		goto out;
	r = 0;
	if (methods != NULL && strstr(methods, "publickey") != NULL)
		r = try_keys(s, &t);
	if (r == 0 && !s->headless && methods != NULL &&
	    strstr(methods, "keyboard-interactive") != NULL)
		r = try_keyboard(s);
	if (r == 0)
		r = denied(s, &t);
out:
	buf_done(&t.notes);
	buf_done(&t.refused);
	if (r < 0)
		return r;
	ssh_say(s, "phase", "authenticated");
	return 0;
}
