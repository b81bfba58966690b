/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The message table: every number, who may say it, in which phase. */
#include "config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "yardmaster/base/err.h"
#include "yardmaster/proto/msg.h"

static void
every_row_is_whole(void **state)
{
	const struct msg_info *m, *other;
	unsigned rows = 0;

	for (m = msg_table(); m->name != NULL; m++, rows++) {
		assert_ptr_equal(msg_info(m->number), m);
		assert_in_range(m->number, 1, 255);
		assert_true(m->from != 0 && m->phases != 0);
		for (other = m + 1; other->name != NULL; other++) {
			assert_int_not_equal(other->number, m->number);
			assert_string_not_equal(other->name, m->name);
		}
		assert_int_equal(m->raw, m->number == MSG_OUTPUT ||
		    m->number == MSG_TREE_DATA);
	}
	assert_int_equal(rows, 33);
}

static void
unknown_numbers_are_refused(void **state)
{
	unsigned n, known = 0;

	for (n = 0; n < 300; n++) {
		if (msg_info(n) != NULL) {
			known++;
			continue;
		}
		assert_int_equal(msg_check(n, FROM_BOTH, PHASE_OPEN),
		    ERR_PROTOCOL);
	}
	assert_int_equal(known, 33);
}

static void
phases_and_sides_are_kept(void **state)
{
	assert_int_equal(msg_check(MSG_HELLO, FROM_CONSOLE, PHASE_GREETING),
	    0);
	assert_int_equal(msg_check(MSG_HELLO, FROM_AGENT, PHASE_GREETING),
	    ERR_PROTOCOL);
	assert_int_equal(msg_check(MSG_HELLO, FROM_CONSOLE, PHASE_OPEN),
	    ERR_PROTOCOL);
	assert_int_equal(msg_check(MSG_START, FROM_CONSOLE, PHASE_GREETING),
	    ERR_PROTOCOL);
	assert_int_equal(msg_check(MSG_START, FROM_CONSOLE, PHASE_OPEN), 0);
	assert_int_equal(msg_check(MSG_START, FROM_AGENT, PHASE_OPEN),
	    ERR_PROTOCOL);
	assert_int_equal(msg_check(MSG_START, FROM_CONSOLE, PHASE_OWNER),
	    ERR_PROTOCOL);
	assert_int_equal(msg_check(MSG_PING, FROM_AGENT, PHASE_OPEN), 0);
	assert_int_equal(msg_check(MSG_PING, FROM_CONSOLE, PHASE_OPEN), 0);
	assert_int_equal(msg_check(MSG_ERROR, FROM_AGENT, PHASE_GREETING), 0);
	assert_int_equal(msg_check(MSG_REQUEST, FROM_CONSOLE, PHASE_OWNER),
	    0);
	assert_int_equal(msg_check(MSG_REQUEST, FROM_CONSOLE, PHASE_OPEN),
	    ERR_PROTOCOL);
	assert_int_equal(msg_check(MSG_EVENT, FROM_AGENT, PHASE_OWNER), 0);
	assert_int_equal(msg_check(MSG_REPORT, FROM_CONSOLE, PHASE_OPEN),
	    ERR_PROTOCOL);
}

static void
output_goes_both_ways(void **state)
{
	struct buf b = BUF_INIT;
	const uint8_t *p;
	uint64_t offset;
	uint32_t tag;
	size_t n;

	msg_output_put(&b, 0xfedcba98u, UINT64_C(0x0123456789abcdef), "a\0b",
	    3);
	assert_int_equal(buf_len(&b), 15);
	assert_memory_equal(buf_data(&b),
	    "\xfe\xdc\xba\x98\x01\x23\x45\x67\x89\xab\xcd\xef" "a\0b", 15);
	assert_int_equal(msg_output_get(buf_data(&b), 15, &tag, &offset, &p,
	    &n), 0);
	assert_true(tag == 0xfedcba98u);
	assert_true(offset == UINT64_C(0x0123456789abcdef));
	assert_int_equal(n, 3);
	assert_memory_equal(p, "a\0b", 3);
	assert_int_equal(msg_output_get(buf_data(&b), 12, &tag, &offset, &p,
	    &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(msg_output_get(buf_data(&b), 11, &tag, &offset, &p,
	    &n), ERR_PROTOCOL);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(unknown_numbers_are_refused),
		cmocka_unit_test(phases_and_sides_are_kept),
		cmocka_unit_test(output_goes_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
