/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The matcher of known_hosts. It follows what sshd(8) says of the format:
 * lists of patterns with negation, hashed names, ports, markers. Authorities
 * are noted, not used: a link of ours checks no certificates.
 */
#include "config.h"

#include "net/known_hosts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/base64.h"
#include "net/sha1.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#define KNOWN_KEYS_MAX 1000

/* A part of a line: not NUL-ended. */
struct word {
	const char *s;
	size_t n;
};

static void
host_name(char *out, const char *host, uint16_t port)
{
	char *p;

	if (port == 22)
		snprintf(out, KNOWN_NAME_MAX, "%s", host);
	else
		snprintf(out, KNOWN_NAME_MAX, "[%s]:%u", host, port);
	for (p = out; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}

void
known_hosts_init(struct known_hosts *kh, const char *host, uint16_t port)
{
	memset(kh, 0, sizeof(*kh));
	strvec_init(&kh->files);
	host_name(kh->name, host, port);
}

void
known_hosts_done(struct known_hosts *kh)
{
	size_t i;

	for (i = 0; i < kh->n; i++) {
		free(kh->keys[i].type);
		free(kh->keys[i].blob);
	}
	free(kh->keys);
	strvec_done(&kh->files);
	memset(kh, 0, sizeof(*kh));
}

/* ---- does a line speak of this host ---- */

/* A pattern with '*' and '?' against the whole of name; no recursion. */
static bool
match_pattern(struct word pattern, const char *name)
{
	size_t p = 0, star = SIZE_MAX;
	const char *s = name, *mark = NULL;

	while (*s != '\0') {
		if (p < pattern.n && pattern.s[p] == '*') {
			star = p++;
			mark = s;
		} else if (p < pattern.n && (pattern.s[p] == '?' ||
		    tolower((unsigned char)pattern.s[p]) == *s)) {
			p++;
			s++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			s = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.s[p] == '*')
		p++;
	return p == pattern.n;
}

/* A list of patterns; one negated match spoils the whole line. */
static bool
match_list(struct word list, const char *name)
{
	struct word w;
	const char *end;
	bool found = false, not;

	while (list.n > 0) {
		end = memchr(list.s, ',', list.n);
		w = (struct word){ list.s,
			end == NULL ? list.n : (size_t)(end - list.s) };
		list.s += w.n;
		list.n -= w.n;
		if (list.n > 0) {
			list.s++;
			list.n--;
		}
		not = w.n > 0 && w.s[0] == '!';
		if (not)
			w = (struct word){ w.s + 1, w.n - 1 };
		if (w.n == 0 || !match_pattern(w, name))
			continue;
		if (not)
			return false;
		found = true;
	}
	return found;
}

/* "|1|salt|hash": the hash is the HMAC-SHA1 of the name under the salt. */
static bool
match_hashed(struct word w, const char *name)
{
	struct buf salt = BUF_INIT, hash = BUF_INIT;
	uint8_t mac[SHA1_SIZE];
	const char *bar;
	bool found = false;

	if (w.n < 3 || memcmp(w.s, "|1|", 3) != 0)
		return false;
	w = (struct word){ w.s + 3, w.n - 3 };
	if ((bar = memchr(w.s, '|', w.n)) == NULL)
		return false;
	if (base64_get(&salt, w.s, (size_t)(bar - w.s)) < 0 ||
	    base64_get(&hash, bar + 1, w.n - (size_t)(bar + 1 - w.s)) < 0)
		goto out;
	if (buf_len(&hash) != SHA1_SIZE)
		goto out;
	sha1_hmac(buf_data(&salt), buf_len(&salt), name, strlen(name), mac);
	found = memcmp(mac, buf_data(&hash), SHA1_SIZE) == 0;
out:
	buf_done(&salt);
	buf_done(&hash);
	return found;
}

/* ---- lines ---- */

static struct word
next_word(struct word *rest)
{
	struct word w;

	while (rest->n > 0 && (*rest->s == ' ' || *rest->s == '\t')) {
		rest->s++;
		rest->n--;
	}
	w = (struct word){ rest->s, 0 };
	while (rest->n > 0 && *rest->s != ' ' && *rest->s != '\t') {
		rest->s++;
		rest->n--;
		w.n++;
	}
	return w;
}

static bool
word_is(struct word w, const char *s)
{
	return w.n == strlen(s) && memcmp(w.s, s, w.n) == 0;
}

int
known_key_type(const uint8_t *blob, size_t len, char *out, size_t size)
{
	size_t n, i;

	if (len < 4)
		return ERR_SYNTAX;
	n = (size_t)blob[0] << 24 | (size_t)blob[1] << 16 |
	    (size_t)blob[2] << 8 | blob[3];
	if (n == 0 || n > len - 4 || n >= size)
		return ERR_SYNTAX;
	for (i = 0; i < n; i++)
		if (!isgraph(blob[4 + i]))
			return ERR_SYNTAX;
	memcpy(out, blob + 4, n);
	out[n] = '\0';
	return 0;
}

static void
keep_key(struct known_hosts *kh, const char *file, unsigned line,
    struct word type, struct word key, bool revoked)
{
	struct buf blob = BUF_INIT;
	char name[64];

	if (kh->n >= KNOWN_KEYS_MAX ||
	    base64_get(&blob, key.s, key.n) < 0 ||
	    known_key_type(buf_data(&blob), buf_len(&blob), name,
	    sizeof(name)) < 0 || !word_is(type, name)) {
		buf_done(&blob);
		return;
	}
	kh->keys = mem_grow(kh->keys, &kh->cap, kh->n + 1, sizeof(*kh->keys));
	kh->keys[kh->n++] = (struct known_key){
		.file = file, .line = line, .revoked = revoked,
		.type = str_dup(name), .len = buf_len(&blob),
		.blob = mem_dup(buf_data(&blob), buf_len(&blob)),
	};
	buf_done(&blob);
}

static void
parse_line(struct known_hosts *kh, const char *file, unsigned line,
    struct word text)
{
	struct word marker = { "", 0 }, hosts, type, key;

	if (text.n > 0 && text.s[text.n - 1] == '\r')
		text.n--;
	hosts = next_word(&text);
	if (hosts.n == 0 || hosts.s[0] == '#')
		return;
	if (hosts.s[0] == '@') {
		marker = hosts;
		hosts = next_word(&text);
	}
	type = next_word(&text);
	key = next_word(&text);
	if (key.n == 0 || memchr(hosts.s, '\0', hosts.n) != NULL)
		return;
	if (hosts.s[0] == '|' ? !match_hashed(hosts, kh->name) :
	    !match_list(hosts, kh->name))
		return;
	if (word_is(marker, "@cert-authority"))
		kh->cert_authority = true;
	else if (marker.n == 0 || word_is(marker, "@revoked"))
		keep_key(kh, file, line, type, key, marker.n > 0);
}

/* Finds lines in pieces of a file; too long a line is skipped, counted. */
struct line_reader {
	struct known_hosts *kh;
	const char *file;
	struct buf part;
	unsigned line;
	bool skip;
};

static void
reader_line(struct line_reader *r)
{
	r->line++;
	if (!r->skip)
		parse_line(r->kh, r->file, r->line,
		    (struct word){ buf_str(&r->part), buf_len(&r->part) });
	r->skip = false;
	buf_clear(&r->part);
}

static void
reader_feed(struct line_reader *r, const char *p, size_t n)
{
	const char *end;
	size_t take;

	while (n > 0) {
		end = memchr(p, '\n', n);
		take = end == NULL ? n : (size_t)(end - p);
		if (buf_len(&r->part) + take > KNOWN_LINE_MAX)
			r->skip = true;
		if (!r->skip)
			buf_put(&r->part, p, take);
		if (end == NULL)
			return;
		reader_line(r);
		p += take + 1;
		n -= take + 1;
	}
}

static void
reader_end(struct line_reader *r)
{
	if (r->skip || buf_len(&r->part) > 0)
		reader_line(r);
	buf_done(&r->part);
}

static void
reader_init(struct line_reader *r, struct known_hosts *kh, const char *file)
{
	strvec_push(&kh->files, file);
	*r = (struct line_reader){ .kh = kh, .part = BUF_INIT,
		.file = kh->files.v[kh->files.n - 1] };
}

void
known_hosts_parse(struct known_hosts *kh, const char *file, const void *text,
    size_t len)
{
	struct line_reader r;

	reader_init(&r, kh, file);
	reader_feed(&r, text, len);
	reader_end(&r);
}

static int
read_fd(struct known_hosts *kh, const char *path, int fd)
{
	struct line_reader r;
	char piece[4096];
	ssize_t n;
	int error = 0;

	reader_init(&r, kh, path);
	while ((n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			error = -errno;
			break;
		}
		reader_feed(&r, piece, (size_t)n);
	}
	reader_end(&r);
	return error;
}

int
known_hosts_read(struct known_hosts *kh, const char *path)
{
	struct stat st;
	int fd, r;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISCHR(st.st_mode) ? 0 : -EINVAL;	/* /dev/null: empty */
	else
		r = read_fd(kh, path, fd);
	close(fd);
	return r;
}

/* ---- judging ---- */

/* What one line alone says of a key. */
static enum known_result
judge(const struct known_key *k, const char *type, const uint8_t *blob,
    size_t len)
{
	if (k->len == len && memcmp(k->blob, blob, len) == 0)
		return k->revoked ? KNOWN_REVOKED : KNOWN_OK;
	if (k->revoked)
		return KNOWN_NEW;
	return strcmp(k->type, type) == 0 ? KNOWN_CHANGED : KNOWN_OTHER_TYPE;
}

enum known_result
known_hosts_check(const struct known_hosts *kh, const uint8_t *blob,
    size_t len, const struct known_key **ret_at)
{
	static const uint8_t weight[] = { [KNOWN_NEW] = 0,
		[KNOWN_OTHER_TYPE] = 1, [KNOWN_CHANGED] = 2, [KNOWN_OK] = 3,
		[KNOWN_REVOKED] = 4 };
	enum known_result result = KNOWN_NEW, here;
	const struct known_key *at = NULL;
	char type[64] = "";
	size_t i;

	(void)known_key_type(blob, len, type, sizeof(type));
	for (i = 0; i < kh->n; i++) {
		here = judge(&kh->keys[i], type, blob, len);
		if (weight[here] > weight[result]) {
			result = here;
			at = &kh->keys[i];
		}
	}
	*ret_at = at;
	return result;
}

/* One key type may be used by several methods, the best one first. */
static const struct method {
	const char *type;	/* of a stored key */
	const char *name;
} methods[] = {
	{ "ssh-ed25519", "ssh-ed25519" },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256" },
	{ "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384" },
	{ "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521" },
	{ "ssh-rsa", "rsa-sha2-512" },
	{ "ssh-rsa", "rsa-sha2-256" },
	{ "ssh-rsa", "ssh-rsa" },
};
#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

static bool
stored_type(const struct known_hosts *kh, const char *type)
{
	size_t i;

	for (i = 0; i < kh->n; i++)
		if (!kh->keys[i].revoked &&
		    strcmp(kh->keys[i].type, type) == 0)
			return true;
	return false;
}

static bool
is_among(const char *name, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

void
known_hosts_methods(const struct known_hosts *kh,
    const char *const *supported, size_t n, struct buf *out)
{
	const struct method *m;
	size_t i;
	int pass;

	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < N_METHODS; i++) {
			m = &methods[i];
			if (stored_type(kh, m->type) == (pass == 0) &&
			    is_among(m->name, supported, n))
				buf_putf(out, "%s%s", buf_len(out) > 0 ?
				    "," : "", m->name);
		}
}

void
known_fingerprint(const uint8_t digest[32], char out[KNOWN_FINGERPRINT])
{
	struct buf b = BUF_INIT;

	base64_put(&b, digest, 32);
	/* 43 characters and one '=', which is not written. */
	snprintf(out, KNOWN_FINGERPRINT, "SHA256:%.43s", buf_str(&b));
	buf_done(&b);
}

/* ---- appending ---- */

static int
make_folder(const char *path)
{
	char *folder = str_dup(path), *slash = strrchr(folder, '/');
	int r = 0;

	if (slash != NULL && slash != folder) {
		*slash = '\0';
		if (mkdir(folder, 0700) < 0 && errno != EEXIST)
			r = -errno;
	}
	free(folder);
	return r;
}

static int
write_line(int fd, const char *name, const uint8_t *blob, size_t len)
{
	struct buf line = BUF_INIT;
	struct stat st;
	char type[64], last = '\n';
	int r;

	if ((r = known_key_type(blob, len, type, sizeof(type))) < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
		return -EIO;
	/* A file without a final newline keeps its last line whole. */
	buf_putf(&line, "%s%s %s ", last == '\n' ? "" : "\n", name, type);
	base64_put(&line, blob, len);
	buf_putc(&line, '\n');
	/* One write: a reader never sees half a line of ours, and a full disk
	 * is undone. */
	errno = 0;
	if (write(fd, buf_data(&line), buf_len(&line)) !=
	    (ssize_t)buf_len(&line)) {
		r = errno != 0 ? -errno : -ENOSPC;
		(void)!ftruncate(fd, st.st_size);
	}
	buf_done(&line);
	return r;
}

int
known_hosts_append(const char *path, const char *host, uint16_t port,
    const uint8_t *blob, size_t len)
{
	const struct known_key *at;
	struct known_hosts kh;
	int fd = -1, r;

	known_hosts_init(&kh, host, port);
	if ((r = make_folder(path)) < 0)
		goto out;
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		r = -errno;
		goto out;
	}
	if ((r = known_hosts_read(&kh, path)) < 0)
		goto out;
	if (known_hosts_check(&kh, blob, len, &at) != KNOWN_OK)
		r = write_line(fd, kh.name, blob, len);
out:
	if (fd >= 0)
		close(fd);
	known_hosts_done(&kh);
	return r;
}
