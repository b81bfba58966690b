/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buf.h, mem.h, strvec.h and err.h. */
#include "../lib/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"

static void
test_empty(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_len(&b), 0);
	buf_consume(&b, 3);
	buf_truncate(&b, 3);
	buf_clear(&b);
	s = buf_steal(&b);
	assert_string_equal(s, "");
	free(s);
	buf_done(&b);
}

static void
test_append(void **state)
{
	struct buf b = BUF_INIT;
	char longer[600];

	memset(longer, 'x', sizeof(longer));
	longer[599] = '\0';
	buf_puts(&b, "ab");
	buf_putc(&b, 'c');
	buf_put(&b, "d\0e", 3);
	buf_putf(&b, "%d-%s", 42, "z");
	assert_int_equal(buf_len(&b), 10);
	assert_memory_equal(buf_data(&b), "abcd\0e42-z", 11);
	buf_clear(&b);
	buf_putf(&b, "%s", longer);
	assert_string_equal(buf_str(&b), longer);
	buf_done(&b);
}

/* Bytes come out in order whatever the rhythm of puts and takes. */
static void
test_queue(void **state)
{
	struct buf b = BUF_INIT;
	unsigned in = 0, out = 0, round, i;

	for (round = 0; round < 2000; round++) {
		for (i = 0; i < round * 7 % 97; i++)
			buf_putc(&b, (int)(in++ & 0xff));
		for (i = 0; i < round * 5 % 89 && buf_len(&b) > 0; i++) {
			assert_int_equal(buf_data(&b)[0], out++ & 0xff);
			buf_consume(&b, 1);
		}
	}
	assert_int_equal(buf_len(&b), in - out);
	assert_true(b.cap < 64 * 1024);
	buf_done(&b);
}

static void
test_cut_and_steal(void **state)
{
	struct buf b = BUF_INIT;
	char *s;

	buf_puts(&b, "hello world");
	buf_consume(&b, 6);
	buf_truncate(&b, 3);
	assert_string_equal(buf_str(&b), "wor");
	s = buf_steal(&b);
	assert_string_equal(s, "wor");
	free(s);
	assert_int_equal(buf_len(&b), 0);
	memcpy(buf_reserve(&b, 4), "abcd", 4);
	buf_commit(&b, 2);
	assert_string_equal(buf_str(&b), "ab");
	buf_done(&b);
}

static void
test_grow(void **state)
{
	size_t cap = 0, i;
	int *v = NULL;

	v = mem_grow(v, &cap, 1, sizeof(*v));
	for (i = 0; i < cap; i++)
		assert_int_equal(v[i], 0);
	v[0] = 7;
	v = mem_grow(v, &cap, 100, sizeof(*v));
	assert_true(cap >= 100);
	assert_int_equal(v[0], 7);
	assert_int_equal(v[99], 0);
	free(v);
}

static void
test_strings(void **state)
{
	char *s;

	assert_null(str_dup(NULL));
	s = str_ndup("abc", 9);
	assert_string_equal(s, "abc");
	free(s);
	s = str_ndup("abc", 2);
	assert_string_equal(s, "ab");
	mem_wipe(s, 2);
	assert_int_equal(s[0] | s[1], 0);
	free(s);
	s = str_fmt("%s/%u", "r", 3u);
	assert_string_equal(s, "r/3");
	free(s);
	free(mem_zalloc(0));
}

/* An allocation that cannot be: the process ends with 70, quietly. */
static void
test_no_memory(void **state)
{
	int status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		close(STDERR_FILENO);
		free(mem_realloc(NULL, SIZE_MAX / 2, 4));
		_exit(0);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 70);
}

static void
test_strvec(void **state)
{
	struct strvec a = STRVEC_INIT, b = STRVEC_INIT;

	assert_null(strvec_argv(&a)[0]);
	assert_true(strvec_equal(&a, &b));
	strvec_push(&a, "one");
	strvec_pushf(&a, "%d", 2);
	strvec_push_owned(&a, str_dup("three"));
	assert_int_equal(a.n, 3);
	assert_null(a.v[3]);
	assert_int_equal(strvec_find(&a, "three"), 2);
	assert_int_equal(strvec_find(&a, "thre"), -1);
	strvec_push_all(&b, &a);
	assert_true(strvec_equal(&a, &b));
	strvec_push_all(&b, &b);
	assert_int_equal(b.n, 6);
	assert_string_equal(b.v[5], "three");
	assert_false(strvec_equal(&a, &b));
	strvec_done(&a);
	strvec_push_list(&a, ",one,2,,three");
	b.n = 3;
	assert_true(strvec_equal(&a, &b));
	b.n = 6;
	strvec_done(&a);
	strvec_done(&b);
	assert_null(strvec_argv(&a)[0]);
}

/* True when none of the n bytes from p on is an x. */
static bool
is_gone(const uint8_t *p, size_t n)
{
	return memchr(p, 'x', n) == NULL;
}

static void
test_secret(void **state)
{
	struct buf b = BUF_INIT;
	uint8_t *mem;
	size_t i;

	buf_secret(&b);
	buf_puts(&b, "xxxxxxxxxx");
	mem = b.mem;
	buf_consume(&b, 4);
	assert_true(is_gone(mem, 4));
	assert_string_equal(buf_str(&b), "xxxxxx");
	buf_truncate(&b, 2);
	assert_string_equal(buf_str(&b), "xx");
	assert_true(is_gone(mem + 6, 4));
	buf_clear(&b);
	assert_true(is_gone(mem, 10));
	/* Moved to the front as there is no room behind. */
	for (i = 0; i < b.cap - 1; i++)
		buf_putc(&b, 'x');
	buf_consume(&b, b.cap - 4);
	buf_puts(&b, "yyyy");
	assert_string_equal(buf_str(&b), "xxxyyyy");
	assert_true(is_gone(b.mem + 8, b.cap - 8));
	for (i = 0; i < 1000; i++)
		buf_putc(&b, 'z');
	assert_int_equal(buf_len(&b), 1007);
	assert_memory_equal(buf_str(&b), "xxxyyyyz", 8);
	buf_done(&b);
	assert_true(b.secret);
	buf_puts(&b, "again");
	buf_done(&b);
}

static void
test_setenv(void **state)
{
	struct strvec sv = STRVEC_INIT;

	strvec_setenv(&sv, "A", "1");
	strvec_setenv(&sv, "AB", "2");
	strvec_setenv(&sv, "A", "3=4");
	assert_int_equal(sv.n, 2);
	assert_string_equal(sv.v[0], "A=3=4");
	assert_string_equal(sv.v[1], "AB=2");
	strvec_done(&sv);
}

static void
test_err(void **state)
{
	int code;

	for (code = ERR_CANCELLED; code <= ERR_SYNTAX; code++)
		assert_string_not_equal(err_text(code), "unknown error");
	assert_string_equal(err_text(ERR_SYNTAX), "syntax error");
	assert_string_equal(err_text(ERR_CANCELLED - 1), "unknown error");
	assert_string_equal(err_text(-ENOENT), "No such file or directory");
	assert_string_equal(err_text(0), "no error");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_cut_and_steal),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_strvec),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_setenv),
		cmocka_unit_test(test_err),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
