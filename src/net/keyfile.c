/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The head of a private key file: PEM armour, and inside OpenSSH's format the
 * fields in front of the secret part, which is never looked at. */
#include "config.h"

#include "net/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/base64.h"
#include "net/known_hosts.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#define KEYFILE_MAX 65536

/* Takes a string with its length in front from the bytes at *p. */
static int
take_string(const uint8_t **p, size_t *left, const uint8_t **ret, size_t *ret_n)
{
	size_t n;

	if (*left < 4)
		return ERR_SYNTAX;
	n = (size_t)(*p)[0] << 24 | (size_t)(*p)[1] << 16 |
	    (size_t)(*p)[2] << 8 | (*p)[3];
	if (n > *left - 4)
		return ERR_SYNTAX;
	*ret = *p + 4;
	*ret_n = n;
	*p += 4 + n;
	*left -= 4 + n;
	return 0;
}

/* "openssh-key-v1\0", cipher, kdf, kdf options, u32 number, public key... */
static int
parse_openssh(const uint8_t *p, size_t left, struct keyfile *k)
{
	static const char magic[] = "openssh-key-v1";
	const uint8_t *field;
	size_t n;
	int r, i;

	if (left < sizeof(magic) || memcmp(p, magic, sizeof(magic)) != 0)
		return ERR_SYNTAX;
	p += sizeof(magic);
	left -= sizeof(magic);
	if ((r = take_string(&p, &left, &field, &n)) < 0)
		return r;
	k->locked = n != 4 || memcmp(field, "none", 4) != 0;
	for (i = 0; i < 2; i++)
		if ((r = take_string(&p, &left, &field, &n)) < 0)
			return r;
	if (left < 4)
		return ERR_SYNTAX;
	p += 4;
	left -= 4;
	if ((r = take_string(&p, &left, &field, &n)) < 0)
		return r;
	if ((r = known_key_type(field, n, k->type, sizeof(k->type))) < 0)
		return r;
	buf_put(&k->blob, field, n);
	return 0;
}

static const struct armour {
	const char *label, *type;
	bool locked, openssh;
} armours[] = {
	{ "OPENSSH PRIVATE KEY", "", false, true },
	{ "RSA PRIVATE KEY", "ssh-rsa", false, false },
	{ "EC PRIVATE KEY", "ecdsa-sha2", false, false },
	{ "DSA PRIVATE KEY", "ssh-dss", false, false },
	{ "ENCRYPTED PRIVATE KEY", "", true, false },
	{ "PRIVATE KEY", "", false, false },
};
#define N_ARMOURS (sizeof(armours) / sizeof(armours[0]))

static int
parse_body(const struct armour *a, const char *body, struct keyfile *k)
{
	struct buf raw = BUF_INIT;
	const char *end = strstr(body, "-----END ");
	int r;

	strcpy(k->type, a->type);
	k->locked = a->locked || strstr(body, "Proc-Type: 4,ENCRYPTED") != NULL;
	if (!a->openssh)
		return 0;
	if (end == NULL)
		return ERR_SYNTAX;
	if ((r = base64_get(&raw, body, (size_t)(end - body))) == 0)
		r = parse_openssh(buf_data(&raw), buf_len(&raw), k);
	mem_wipe((void *)buf_data(&raw), buf_len(&raw));
	buf_done(&raw);
	return r;
}

int
keyfile_parse(const char *text, struct keyfile *ret)
{
	static const char begin[] = "-----BEGIN ";
	const char *label = strstr(text, begin), *end;
	size_t i, n;
	int r = ERR_SYNTAX;

	*ret = (struct keyfile){ .blob = BUF_INIT };
	if (label == NULL)
		return ERR_SYNTAX;
	label += sizeof(begin) - 1;
	if ((end = strstr(label, "-----")) == NULL)
		return ERR_SYNTAX;
	n = (size_t)(end - label);
	for (i = 0; i < N_ARMOURS; i++)
		if (strlen(armours[i].label) == n &&
		    memcmp(armours[i].label, label, n) == 0)
			break;
	if (i < N_ARMOURS)
		r = parse_body(&armours[i], end + 5, ret);
	if (r < 0)
		keyfile_done(ret);
	return r;
}

int
keyfile_read(const char *path, struct keyfile *ret)
{
	char *text;
	size_t n = 0;
	ssize_t got;
	int fd, r;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return -errno;
	text = mem_zalloc(KEYFILE_MAX + 1);
	while ((got = read(fd, text + n, KEYFILE_MAX - n)) > 0)
		n += (size_t)got;
	r = got < 0 ? -errno : keyfile_parse(text, ret);
	close(fd);
	mem_wipe(text, KEYFILE_MAX);
	free(text);
	return r;
}

void
keyfile_done(struct keyfile *k)
{
	buf_done(&k->blob);
	*k = (struct keyfile){ .blob = BUF_INIT };
}
