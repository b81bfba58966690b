/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The matcher of known_hosts: one row per rule, then garbage. */
#include "config.h"

#include "../lib/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/base64.h"
#include "net/known_hosts.h"
#include "net/sha1.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"

#define ED "ssh-ed25519 " ED_KEY
#define ED_KEY \
    "AAAAC3NzaC1lZDI1NTE5AAAAIKq1V25ogYIEZRiSUQ22yJJCjY+TYpajMIHXLFeBUJ5Z"
/* Another one of the same type: the last three bytes differ. */
#define ED2 "ssh-ed25519 " \
    "AAAAC3NzaC1lZDI1NTE5AAAAIKq1V25ogYIEZRiSUQ22yJJCjY+TYpajMIHXLFeBUJAA"
#define EC "ecdsa-sha2-nistp256 " EC_KEY
#define EC_KEY \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNOCFya3MdFtuFph" \
    "5ZN7tpnMf3CMhGAb1WSv+s6nnsqIhbzIYGfwC0pxv+Za+Cz4wQAgk0vcZ/+7ELqlUpkTeOI="
/* Made by ssh-keygen -H of "lab-1" and "[lab-2]:2201". */
#define HASH1 "|1|badl56hvI0vPwVrkxmjX+fhIsrQ=|sKfTLPynCw/qIi4HuWUjQQ3JCoI= "
#define HASH2 "|1|7Tg741ShI6+40ohoqOsZYG/wTiE=|Fw/rbj2rrOC4rTYrvdWNBamO4WM= "

/* Each row asks for the key ED of host:port. */
static const struct row {
	const char *text;
	const char *host;
	uint16_t port;
	enum known_result result;
	unsigned line;
} rows[] = {
	/* plain */
	{ "", "lab-1", 22, KNOWN_NEW, 0 },
	{ "lab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "lab-1 " ED, "lab-1", 22, KNOWN_OK, 1 },
	{ "lab-1 " ED " a comment\r\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "lab-1 " ED "\r\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "  lab-1\t" ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "# x\n\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 3 },
	{ "lab-2 " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "lab-1 " ED2 "\n", "lab-1", 22, KNOWN_CHANGED, 1 },
	{ "lab-1 " ED2 "\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	{ "lab-1 " ED "\nlab-1 " ED2 "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "lab-1 " EC "\n", "lab-1", 22, KNOWN_OTHER_TYPE, 1 },
	{ "lab-1 " EC "\nlab-1 " ED2 "\n", "lab-1", 22, KNOWN_CHANGED, 2 },
	{ "lab-1 " EC "\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	/* capitals */
	{ "LAB-1 " ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "lab-1 " ED "\n", "Lab-1", 22, KNOWN_OK, 1 },
	{ "L*-1 " ED "\n", "laB-1", 22, KNOWN_OK, 1 },
	/* ports: a plain entry is one of port 22 */
	{ "[lab-1]:2201 " ED "\n", "lab-1", 2201, KNOWN_OK, 1 },
	{ "[lab-1]:2201 " ED "\n", "lab-1", 2202, KNOWN_NEW, 0 },
	{ "[lab-1]:2201 " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "lab-1 " ED "\n", "lab-1", 2201, KNOWN_NEW, 0 },
	{ "lab-1,[lab-1]:2201 " ED "\n", "lab-1", 2201, KNOWN_OK, 1 },
	{ "[::1]:2201 " ED "\n", "::1", 2201, KNOWN_OK, 1 },
	{ "::1 " ED "\n", "::1", 22, KNOWN_OK, 1 },
	/* lists, wildcards, negation */
	{ "a,lab-1,b " ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ ",,lab-1, " ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "* " ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "lab-? " ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "lab-? " ED "\n", "lab-10", 22, KNOWN_NEW, 0 },
	{ "lab-?* " ED "\n", "lab-10", 22, KNOWN_OK, 1 },
	{ "*.example.org " ED "\n", "a.b.example.org", 22, KNOWN_OK, 1 },
	{ "*.example.org " ED "\n", "example.org", 22, KNOWN_NEW, 0 },
	{ "[*]:22?1 " ED "\n", "lab-1", 2201, KNOWN_OK, 1 },
	{ "*,!lab-1 " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "!lab-1,* " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "*,!lab-2 " ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ "!lab-2 " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "! " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "**********a " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	/* hashed names */
	{ HASH1 ED "\n", "lab-1", 22, KNOWN_OK, 1 },
	{ HASH1 ED "\n", "LAB-1", 22, KNOWN_OK, 1 },
	{ HASH1 ED "\n", "lab-2", 22, KNOWN_NEW, 0 },
	{ HASH1 ED "\n", "lab-1", 2201, KNOWN_NEW, 0 },
	{ HASH2 ED "\n", "lab-2", 2201, KNOWN_OK, 1 },
	{ HASH2 ED2 "\n", "lab-2", 2201, KNOWN_CHANGED, 1 },
	{ "|1|bad " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "|1|| " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "|2|a|b " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "| " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	/* markers */
	{ "@revoked * " ED "\n", "lab-1", 22, KNOWN_REVOKED, 1 },
	{ "@revoked lab-1 " ED "\nlab-1 " ED "\n", "lab-1", 22,
	    KNOWN_REVOKED, 1 },
	{ "lab-1 " ED "\n@revoked lab-1 " ED "\n", "lab-1", 22,
	    KNOWN_REVOKED, 2 },
	{ "@revoked lab-1 " ED2 "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "@revoked lab-2 " ED "\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	{ "@cert-authority * " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "@unheard lab-1 " ED "\n", "lab-1", 22, KNOWN_NEW, 0 },
	{ "@revoked\n@\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 3 },
	/* a bad line loses only itself */
	{ "lab-1\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	{ "lab-1 ssh-ed25519\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	{ "lab-1 ssh-ed25519 !!!!\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	{ "lab-1 ssh-ed25519 AAAA\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	{ "lab-1 1024 35 123456\nlab-1 " ED "\n", "lab-1", 22, KNOWN_OK, 2 },
	/* the type said must be the type of the key */
	{ "lab-1 ssh-rsa " ED_KEY "\n", "lab-1", 22, KNOWN_NEW, 0 },
};

static void
blob_of(struct buf *out)
{
	buf_clear(out);
	assert_int_equal(base64_get(out, ED_KEY, strlen(ED_KEY)), 0);
}

static enum known_result
ask(const char *text, size_t len, const char *host, uint16_t port,
    unsigned *ret_line)
{
	const struct known_key *at;
	struct buf blob = BUF_INIT;
	struct known_hosts kh;
	enum known_result result;

	blob_of(&blob);
	known_hosts_init(&kh, host, port);
	known_hosts_parse(&kh, "file", text, len);
	result = known_hosts_check(&kh, buf_data(&blob), buf_len(&blob), &at);
	*ret_line = at != NULL ? at->line : 0;
	known_hosts_done(&kh);
	buf_done(&blob);
	return result;
}

static void
test_rows(void **state)
{
	const struct row *row;
	unsigned line;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = &rows[i];
		if (ask(row->text, strlen(row->text), row->host, row->port,
		    &line) != row->result || line != row->line)
			fail_msg("row %zu: %s for %s:%u", i, row->text,
			    row->host, row->port);
	}
}

static void
test_long_line(void **state)
{
	size_t n = 3 * KNOWN_LINE_MAX;
	char *text = mem_zalloc(n + 1024);
	unsigned line;

	memset(text, 'x', n);
	strcpy(text + n, "\nlab-1 " ED "\n");
	assert_int_equal(ask(text, strlen(text), "lab-1", 22, &line),
	    KNOWN_OK);
	assert_int_equal(line, 2);
	/* One of just the longest length is read. */
	memset(text, ',', KNOWN_LINE_MAX);
	memcpy(text + KNOWN_LINE_MAX - strlen("lab-1 " ED), "lab-1 " ED,
	    strlen("lab-1 " ED));
	assert_int_equal(ask(text, KNOWN_LINE_MAX, "lab-1", 22, &line),
	    KNOWN_OK);
	free(text);
}

static void
test_nul_in_line(void **state)
{
	static const char text[] = "lab-1\0x " ED "\nlab-1 " ED "\n";
	unsigned line;

	assert_int_equal(ask(text, sizeof(text) - 1, "lab-1", 22, &line),
	    KNOWN_OK);
	assert_int_equal(line, 2);
}

/* Pieces of real lines put together at random: nothing breaks, and what is
 * said is that the key is stored only when a whole line says so. */
static void
test_garbage(void **state)
{
	static const char *const pieces[] = { "lab-1", " ", "\n", "\t", ",",
		"*", "?", "!", "@revoked", "@cert-authority", "|1|", "|", "=",
		ED_KEY, EC_KEY, "ssh-ed25519", HASH1, "AAAA", "\r", "#", "[",
		"]:22", "\xff\xfe", "AAAAC3NzaC1lZDI1NTE5" };
	struct buf text = BUF_INIT;
	uint32_t seed = 1;
	unsigned line, round, i, n;

	for (round = 0; round < 20000; round++) {
		buf_clear(&text);
		seed = seed * 1664525 + 1013904223;
		n = seed >> 27;
		for (i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			buf_puts(&text, pieces[(seed >> 16) %
			    (sizeof(pieces) / sizeof(pieces[0]))]);
		}
		if (ask(buf_str(&text), buf_len(&text), "lab-1", 22, &line) ==
		    KNOWN_OK)
			assert_non_null(strstr(buf_str(&text), ED_KEY));
	}
	buf_done(&text);
}

static void
test_cert_authority(void **state)
{
	static const char text[] = "@cert-authority *.org " ED "\n";
	struct known_hosts kh;

	known_hosts_init(&kh, "a.org", 22);
	known_hosts_parse(&kh, "file", text, strlen(text));
	assert_true(kh.cert_authority);
	assert_int_equal(kh.n, 0);
	known_hosts_done(&kh);
	known_hosts_init(&kh, "a.com", 22);
	known_hosts_parse(&kh, "file", text, strlen(text));
	assert_false(kh.cert_authority);
	known_hosts_done(&kh);
}

static void
expect_methods(const char *text, const char *methods)
{
	static const char *const supported[] = { "ssh-rsa",
		"ecdsa-sha2-nistp256", "ssh-dss", "ssh-ed25519" };
	struct buf out = BUF_INIT;
	struct known_hosts kh;

	known_hosts_init(&kh, "lab-1", 22);
	known_hosts_parse(&kh, "file", text, strlen(text));
	known_hosts_methods(&kh, supported, 4, &out);
	assert_string_equal(buf_str(&out), methods);
	known_hosts_done(&kh);
	buf_done(&out);
}

static void
test_methods(void **state)
{
	expect_methods("", "ssh-ed25519,ecdsa-sha2-nistp256,ssh-rsa");
	expect_methods("lab-1 " EC "\n",
	    "ecdsa-sha2-nistp256,ssh-ed25519,ssh-rsa");
	expect_methods("@revoked lab-1 " EC "\n",
	    "ssh-ed25519,ecdsa-sha2-nistp256,ssh-rsa");
}

static void
test_fingerprint(void **state)
{
	char out[KNOWN_FINGERPRINT];
	uint8_t digest[32];

	memset(digest, 0xff, sizeof(digest));
	known_fingerprint(digest, out);
	assert_string_equal(out,
	    "SHA256://////////////////////////////////////////8");
}

/* ---- files ---- */

static char *
scratch(void)
{
	char *path = str_dup("/tmp/known_hosts.XXXXXX");

	assert_non_null(mkdtemp(path));
	return path;
}

static char *
contents(const char *path)
{
	static char text[8192];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void
test_append(void **state)
{
	char *dir = scratch();
	char *path = str_fmt("%s/ssh/known_hosts", dir);
	char *folder = str_fmt("%s/ssh", dir);
	struct buf blob = BUF_INIT;
	struct stat st;

	blob_of(&blob);
	/* The folder and the file are made, for us alone. */
	assert_int_equal(known_hosts_append(path, "Lab-1", 2201,
	    buf_data(&blob), buf_len(&blob)), 0);
	assert_string_equal(contents(path), "[lab-1]:2201 " ED "\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	/* Nothing is said twice. */
	assert_int_equal(known_hosts_append(path, "lab-1", 2201,
	    buf_data(&blob), buf_len(&blob)), 0);
	assert_string_equal(contents(path), "[lab-1]:2201 " ED "\n");
	/* What was there stays as it was, a last line without end too. */
	put(path, "# mine\nbroken line");
	assert_int_equal(known_hosts_append(path, "lab-1", 22,
	    buf_data(&blob), buf_len(&blob)), 0);
	assert_string_equal(contents(path),
	    "# mine\nbroken line\nlab-1 " ED "\n");
	/* A key without a type is not written. */
	assert_int_equal(known_hosts_append(path, "lab-2", 22,
	    (const uint8_t *)"\0\0\0\x09x", 5), ERR_SYNTAX);
	assert_null(strstr(contents(path), "lab-2"));
	unlink(path);
	rmdir(folder);
	rmdir(dir);
	free(folder);
	free(path);
	free(dir);
	buf_done(&blob);
}

struct appender {
	pthread_t thread;
	const char *path;
	char host[24];
	const struct buf *blob;
	int r;
};

static void *
append_one(void *arg)
{
	struct appender *a = arg;

	a->r = known_hosts_append(a->path, a->host, 22, buf_data(a->blob),
	    buf_len(a->blob));
	return NULL;
}

/* Eight append at once: eight whole lines. */
static void
test_append_together(void **state)
{
	char *dir = scratch();
	char *path = str_fmt("%s/known_hosts", dir);
	struct appender all[8];
	struct buf blob = BUF_INIT;
	struct known_hosts kh;
	int i;

	blob_of(&blob);
	put(path, "first " ED);
	for (i = 0; i < 8; i++) {
		all[i] = (struct appender){ .path = path, .blob = &blob };
		snprintf(all[i].host, sizeof(all[i].host), "host-%d", i);
		assert_int_equal(pthread_create(&all[i].thread, NULL,
		    append_one, &all[i]), 0);
	}
	for (i = 0; i < 8; i++) {
		pthread_join(all[i].thread, NULL);
		assert_int_equal(all[i].r, 0);
		known_hosts_init(&kh, all[i].host, 22);
		assert_int_equal(known_hosts_read(&kh, path), 0);
		assert_int_equal(kh.n, 1);
		known_hosts_done(&kh);
	}
	unlink(path);
	rmdir(dir);
	free(path);
	free(dir);
	buf_done(&blob);
}

static void
test_read(void **state)
{
	struct known_hosts kh;

	known_hosts_init(&kh, "lab-1", 22);
	assert_int_equal(known_hosts_read(&kh, "/nonexistent/x"), 0);
	assert_int_equal(known_hosts_read(&kh, "/dev/null"), 0);
	/* A folder is no file: better no link than an unread list. */
	assert_true(known_hosts_read(&kh, "/tmp") < 0);
	assert_int_equal(kh.n, 0);
	known_hosts_done(&kh);
}

/* ---- what it stands on ---- */

static void
test_sha1(void **state)
{
	/* RFC 2202, cases 1, 2, 6. */
	static const struct {
		uint8_t fill;
		const char *key;
		size_t key_len;
		const char *text, *mac;
	} cases[] = {
		{ 0x0b, NULL, 20, "Hi There",
		    "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ 0, "Jefe", 4, "what do ya want for nothing?",
		    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ 0xaa, NULL, 80,
		    "Test Using Larger Than Block-Size Key - Hash Key First",
		    "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
	};
	uint8_t key[80], mac[SHA1_SIZE];
	char hex[2 * SHA1_SIZE + 1];
	size_t i, k;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(key, cases[i].fill, sizeof(key));
		if (cases[i].key != NULL)
			memcpy(key, cases[i].key, cases[i].key_len);
		sha1_hmac(key, cases[i].key_len, cases[i].text,
		    strlen(cases[i].text), mac);
		for (k = 0; k < SHA1_SIZE; k++)
			snprintf(hex + 2 * k, 3, "%02x", mac[k]);
		assert_string_equal(hex, cases[i].mac);
	}
}

static void
test_base64(void **state)
{
	static const char *const bad[] = { "A", "AA", "AAA", "A===", "AA=A",
		"AAA!", "=AAA", "AAAAA" };
	static const char *const pairs[][2] = { { "", "" }, { "f", "Zg==" },
		{ "fo", "Zm8=" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg==" } };
	struct buf b = BUF_INIT;
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_clear(&b);
		base64_put(&b, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(buf_str(&b), pairs[i][1]);
		buf_clear(&b);
		assert_int_equal(base64_get(&b, pairs[i][1],
		    strlen(pairs[i][1])), 0);
		assert_string_equal(buf_str(&b), pairs[i][0]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&b);
		assert_int_equal(base64_get(&b, bad[i], strlen(bad[i])),
		    ERR_SYNTAX);
	}
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha1),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_nul_in_line),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_cert_authority),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_fingerprint),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_append_together),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
