/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Result files of test programs: within the caps, or refused with a word. */
#include "fuzz.h"

#include <string.h>

#include "yardmaster/report/junit_read.h"

const struct fuzz_seed fuzz_seeds[] = {
	FUZZ_SEED("<?xml version=\"1.0\"?><testsuites><testsuite name=\"a\">"
	    "<testcase classname=\"c\" name=\"n\" file=\"f\" time=\"1.5\">"
	    "<failure message=\"m\">t &lt; u</failure></testcase>"
	    "<testcase name=\"b\" time=\"2e-05\"><skipped/></testcase>"
	    "</testsuite></testsuites>"),
	FUZZ_SEED("<testsuite><testcase><error><![CDATA[a]]></error>"
	    "<failure/></testcase></testsuite>"),
	FUZZ_SEED("<!DOCTYPE x [<!ENTITY a \"bbbb\">]><testsuite name='&a;'/>"),
	{ NULL, 0 },
};

static void
check_case(const struct junit_case *c)
{
	FUZZ_CHECK(c->suite != NULL && c->classname != NULL);
	FUZZ_CHECK(strlen(c->name) <= JUNIT_MAX_NAME);
	FUZZ_CHECK(c->text == NULL || strlen(c->text) <= JUNIT_MAX_TEXT);
	FUZZ_CHECK(c->elapsed_us >= 0);
	FUZZ_CHECK(c->outcome == OUTCOME_PASSED ||
	    c->outcome == OUTCOME_SKIPPED || c->outcome == OUTCOME_FAILED ||
	    c->outcome == OUTCOME_ERROR);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct diags ds = DIAGS_INIT;
	struct junit_results r;
	size_t i;

	if (junit_read("f", p, n, &r, &ds) < 0) {
		FUZZ_CHECK(ds.errors == 1 && ds.v[0].text[0] != '\0');
	} else {
		FUZZ_CHECK(ds.n == 0);
		for (i = 0; i < r.n; i++)
			check_case(&r.v[i]);
		junit_results_done(&r);
	}
	diags_done(&ds);
	return 0;
}
