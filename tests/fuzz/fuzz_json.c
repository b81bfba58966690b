/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON of strangers: messages and files. */
#include "fuzz.h"

#include "yardmaster/base/jval.h"

const struct fuzz_seed fuzz_seeds[] = {
	FUZZ_SEED("{\"a\": [1, -2.5e3, true, null, \"x\\u00e9\\n\"], \"b\": {}}"),
	FUZZ_SEED("// c\n{ /* d */ \"odd key\": {\"\\u0041\": [[[]]]}, \"z\": 0}\n"),
	FUZZ_SEED("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,"
	    "\"h\":8,\"i\":9,\"j\":0,\"k\":1,\"l\":2,\"m\":3,\"n\":4,\"o\":5,"
	    "\"p\":6,\"q\":7,\"r\":8}"),
	FUZZ_SEED("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
	FUZZ_SEED("[9223372036854775807,-9223372036854775808,1.7e308,5e-324]"),
	FUZZ_SEED("{\"a\":\"b\\u0041\", \"c\":{\"a\" : \"\"}}"),
	FUZZ_SEED("\"\\ud83d\\ude00\\ud800\""),
	{ NULL, 0 },
};

/* Every member and element is found where it is said to be. */
static void
check_places(const struct jdoc *doc, const struct jval *v, struct buf *path)
{
	size_t i, n = jval_count(v), len = buf_len(path);
	unsigned line, column;

	jdoc_locate(doc, buf_str(path), &line, &column);
	FUZZ_CHECK(line > 0 && column > 0);
	for (i = 0; i < n && i < 8; i++) {
		if (jval_type(v) == JVAL_ARRAY) {
			jdoc_path_index(path, i);
			check_places(doc, jval_at(v, i), path);
		} else {
			FUZZ_CHECK(jval_get(v, jval_key_at(v, i)) ==
			    jval_value_at(v, i));
			jdoc_path_key(path, jval_key_at(v, i));
			check_places(doc, jval_value_at(v, i), path);
		}
		buf_truncate(path, len);
	}
}

/* What is written back reads the same. */
static void
check_print(const struct jval *v)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct jval *again;

	jval_print(v, &once);
	FUZZ_CHECK(jval_parse(&again, buf_data(&once), buf_len(&once)) == 0);
	jval_print(again, &twice);
	FUZZ_CHECK(buf_len(&once) == buf_len(&twice));
	jval_free(again);
	buf_done(&once);
	buf_done(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct diags ds = DIAGS_INIT;
	struct apart apart = { NULL, 0, 0 };
	struct buf path = BUF_INIT;
	struct jval *v;
	struct jdoc doc;
	int r;

	r = jdoc_parse(&doc, "f", (const char *)p, n, JDOC_COMMENTS, &ds);
	FUZZ_CHECK((r == 0) == (ds.errors == 0));
	if (r == 0) {
		check_places(&doc, doc.root, &path);
		check_print(doc.root);
		jdoc_done(&doc);
	} else {
		FUZZ_CHECK(ds.v[0].line > 0);
	}
	if (jval_parse(&v, p, n) == 0) {
		FUZZ_CHECK(r == 0);
		jval_free(v);
		FUZZ_CHECK(jval_parse_apart(&v, p, n, "a", &apart) == 0);
		jval_free(v);
		apart_done(&apart);
	}
	diags_done(&ds);
	buf_done(&path);
	return 0;
}
