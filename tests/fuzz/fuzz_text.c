/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Foreign text made safe: what may reach a terminal, and words people write. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

const struct fuzz_seed fuzz_seeds[] = {
	FUZZ_SEED("plain text, \xc3\xa9t\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87"),
	FUZZ_SEED("\x1b[31mred\x1b]0;title\x07 \xc2\x9b" "31m"),
	FUZZ_SEED("\xe2\x80\xae" "abc\xe2\x80\x8b\xf3\xa0\x81\x81 e\xcc\x81\xcc\x81"),
	FUZZ_SEED("\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\xef\xb8\x8f"),
	FUZZ_SEED("2026-01-31T12:00:00.5+02:30"),
	FUZZ_SEED("1h30m"),
	FUZZ_SEED("r0123456789/17/2"),
	{ NULL, 0 },
};

static void
check_escape(const char *s, size_t n)
{
	struct buf out = BUF_INIT;
	size_t i;

	text_escape(&out, s, n);
	FUZZ_CHECK(text_is_utf8(buf_str(&out), buf_len(&out)));
	for (i = 0; i < buf_len(&out); i++)
		FUZZ_CHECK(buf_data(&out)[i] >= 0x20 &&
		    buf_data(&out)[i] != 0x7f);
	FUZZ_CHECK(text_width(s, n) ==
	    text_width(buf_str(&out), buf_len(&out)));
	buf_done(&out);
}

static void
check_fit(const char *s)
{
	size_t cells, whole = text_width(s, strlen(s)), used;
	struct buf out = BUF_INIT;

	for (cells = 0; cells < 20; cells++) {
		buf_clear(&out);
		used = text_fit(&out, s, cells, cells % 2 == 0, false);
		FUZZ_CHECK(used <= cells);
		FUZZ_CHECK(used == text_width(buf_str(&out), buf_len(&out)));
		FUZZ_CHECK(whole > cells || used == whole);
		buf_clear(&out);
		FUZZ_CHECK(text_fit(&out, s, cells, true, true) == cells);
		FUZZ_CHECK(text_width(buf_str(&out), buf_len(&out)) == cells);
	}
	buf_done(&out);
}

/* Any bytes can be written as JSON; those that are UTF-8 come back. */
static void
check_json(const char *s, size_t n)
{
	struct buf out = BUF_INIT;
	struct jval *v;
	struct jw w;

	jw_init(&w, &out);
	jw_strn(&w, s, n);
	if (memchr(s, '\0', n) == NULL) {
		FUZZ_CHECK(jval_parse(&v, buf_data(&out), buf_len(&out)) == 0);
		if (text_is_utf8(s, n))
			FUZZ_CHECK(strlen(jval_str(v, "")) == n &&
			    memcmp(jval_str(v, ""), s, n) == 0);
		jval_free(v);
	}
	buf_done(&out);
}

static void
check_words(const char *s)
{
	char text[CLOCK_TEXT], id_text[IDENT_TEXT];
	struct ident id, again;
	int64_t us;

	if (clock_parse(s, &us) == 0)
		clock_format(us, text);
	if (duration_parse(s, &us) == 0)
		FUZZ_CHECK(us >= 0);
	if (ident_parse(s, &id) == 0) {
		ident_format(&id, id_text);
		FUZZ_CHECK(ident_parse(id_text, &again) == 0);
		FUZZ_CHECK(ident_equal(&id, &again));
	}
	ident_is_host(s);
	ident_is_far_command(s);
	FUZZ_CHECK(text_natural_cmp(s, s) == 0);
	text_distance(s, "retries");
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *s = str_ndup((const char *)p, n);

	check_escape((const char *)p, n);
	check_json((const char *)p, n);
	check_fit(s);
	check_words(s);
	free(s);
	return 0;
}
