/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ops on RUN.sock: what is written is what is read, and bad ones are not. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine/owner_private.h"
#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/engine/owner.h"

static struct jval *
parsed(const char *text, size_t n)
{
	struct jval *v = NULL;

	assert_int_equal(jval_parse(&v, (const uint8_t *)text, n), 0);
	return v;
}

static void
each_kind_comes_back(void **state)
{
	struct op op = { .who = "ann@console", .note = "a \"note\"",
		.agent = "lab-1", .expires_wall_us = 12345, .priority = -7,
		.key = "exclusive:a/x,b", .value = "", .number = 9 };
	struct buf b = BUF_INIT;
	struct jval *v;
	struct op got;
	int k;

	assert_int_equal(ident_parse("r0123456abc/17", &op.id), 0);
	for (k = 0; k < OP_KINDS; k++) {
		op.kind = (enum op_kind)k;
		assert_non_null(op_name(op.kind));
		assert_int_equal(op_parse(op_name(op.kind)), k);
		buf_clear(&b);
		owner_op_write(&b, &op);
		v = parsed(buf_str(&b), buf_len(&b));
		assert_int_equal(owner_op_read(v, &got), 0);
		assert_int_equal(got.kind, k);
		assert_memory_equal(&got.id, &op.id, sizeof op.id);
		assert_string_equal(got.agent, op.agent);
		assert_string_equal(got.who, op.who);
		assert_string_equal(got.note, op.note);
		assert_string_equal(got.key, op.key);
		assert_string_equal(got.value, op.value);
		assert_int_equal(got.number, op.number);
		assert_int_equal(got.priority, op.priority);
		assert_int_equal(got.expires_wall_us, op.expires_wall_us);
		jval_free(v);
	}
	buf_done(&b);
}

static void
what_is_no_op_is_refused(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"op\":\"fly\"}", "{\"op\":7}",
		"{\"op\":\"skip\",\"id\":\"nobody\"}",
		"{\"op\":\"move\",\"id\":\"r0123456abc/1\",\"agent\":\"a b\"}",
		"{\"op\":\"set\",\"threshold\":\"lots\"}",
	};
	struct jval *v;
	struct op op;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		v = parsed(bad[i], strlen(bad[i]));
		assert_int_equal(owner_op_read(v, &op), ERR_SYNTAX);
		jval_free(v);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_comes_back),
		cmocka_unit_test(what_is_no_op_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
