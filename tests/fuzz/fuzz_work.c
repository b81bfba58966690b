/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Work, reports and facts of strangers: what is accepted is within its caps,
 * and what is written of it reads as the same. */
#include "fuzz.h"

#include <string.h>

#include "yardmaster/model/facts.h"
#include "yardmaster/model/work.h"

const struct fuzz_seed fuzz_seeds[] = {
	FUZZ_SEED("{\"id\":\"r0000000001/2/3\",\"epoch\":7,\"class\":\"pinned\","
	    "\"workers\":2,\"cwd\":\"/w\",\"env\":[\"A=1\"],\"usual_s\":1.5,"
	    "\"steps\":[{\"label\":\"s\",\"argv\":[\"sh\"],\"timeout_s\":6},"
	    "{\"shell\":\"exit 0\",\"env\":[\"B=\"]}]}"),
	FUZZ_SEED("{\"id\":\"r0000000001/1/1\",\"state\":\"ended\","
	    "\"outcome\":\"failed\",\"started\":\"2026-01-31T12:00:01.250Z\","
	    "\"elapsed_s\":0.000001,\"out_bytes\":9,\"steps\":["
	    "{\"outcome\":\"failed\",\"exit_code\":3,\"out_to\":9}]}"),
	FUZZ_SEED("{\"host\":\"h\",\"max_workers\":4,\"threshold\":\"-1\","
	    "\"held\":{\"who\":\"a\",\"since\":\"2026-01-31T12:00:00Z\"},"
	    "\"load1\":0.5,\"uptime_s\":3.5,\"workers\":[{\"no\":1,"
	    "\"busy\":true,\"kind\":\"job\",\"attempt\":\"r0000000001/1/1\","
	    "\"elapsed_s\":2},{\"no\":2}]}"),
	{ NULL, 0 },
};

/* Writes, reads and writes again one of the three kinds. */
static void
write_work(struct buf *out, const void *work)
{
	struct jw w;

	jw_init(&w, out);
	work_write(&w, work);
}

static void
write_report(struct buf *out, const void *report)
{
	struct jw w;

	jw_init(&w, out);
	report_write(&w, report);
}

static void
write_facts(struct buf *out, const void *facts)
{
	struct jw w;

	jw_init(&w, out);
	facts_write(&w, facts);
}

static struct jval *
reread(const struct buf *text)
{
	struct jval *v = NULL;

	FUZZ_CHECK(jval_parse(&v, buf_data(text), buf_len(text)) == 0);
	return v;
}

/* Times lose what is below a millisecond once; then all stays. */
static void
check_equal(struct buf *once, struct buf *twice)
{
	FUZZ_CHECK(strcmp(buf_str(once), buf_str(twice)) == 0);
	buf_done(once);
	buf_done(twice);
}

static void
check_work(const struct jval *v)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct work w, again;
	struct jval *back;

	if (work_read(v, &w) < 0)
		return;
	FUZZ_CHECK(w.n_steps >= 1 && w.n_steps <= WORK_MAX_STEPS);
	FUZZ_CHECK(w.workers >= 1 && w.workers <= WORK_MAX_WORKERS);
	FUZZ_CHECK(w.id.execution > 0 && w.id.attempt > 0);
	write_work(&once, &w);
	back = reread(&once);
	FUZZ_CHECK(work_read(back, &again) == 0);
	write_work(&twice, &again);
	check_equal(&once, &twice);
	jval_free(back);
	work_done(&w);
	work_done(&again);
}

static void
check_report(const struct jval *v)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct report r, again;
	struct jval *back;

	if (report_read(v, &r) < 0)
		return;
	FUZZ_CHECK((unsigned)r.state < ATTEMPT_STATES && r.elapsed_us >= 0);
	write_report(&once, &r);
	back = reread(&once);
	FUZZ_CHECK(report_read(back, &again) == 0);
	write_report(&twice, &again);
	check_equal(&once, &twice);
	jval_free(back);
	report_done(&r);
	report_done(&again);
}

static void
check_facts(const struct jval *v)
{
	struct buf once = BUF_INIT, twice = BUF_INIT;
	struct facts f, again;
	struct jval *back;

	if (facts_read(v, &f) < 0)
		return;
	write_facts(&once, &f);
	back = reread(&once);
	FUZZ_CHECK(facts_read(back, &again) == 0);
	write_facts(&twice, &again);
	check_equal(&once, &twice);
	jval_free(back);
	facts_done(&f);
	facts_done(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct jval *v;

	if (jval_parse(&v, p, n) < 0)
		return 0;
	check_work(v);
	check_report(v);
	check_facts(v);
	jval_free(v);
	return 0;
}
