/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A fleet with some of everything that the screen has to show. */
#include "config.h"

#include <stdio.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "fake_engine.h"

static void
add_agents(struct engine *e)
{
	struct agent *a;

	fake_agent(e, "lab-1", 4, 3, 3);
	fake_agent(e, "lab-2", 4, 4, 4);
	fake_agent(e, "lab-3", 8, 6, 0);
	a = fake_agent_at(e, fake_agent(e, "mac-1", 2, 2, 1));
	a->facts.max_source = SOURCE_FILE;
	a->facts.workers[0].elapsed_us = 700 * US_PER_S;
	a->rtt_us = 700 * US_PER_MS;
	a = fake_agent_at(e, fake_agent(e, "mac-2", 2, 2, 0));
	a->state = AGENT_LOST;
	a->link = LINK_DOWN;
	a->error = str_dup("connection refused");
	a->link_since_us -= 200 * US_PER_S;
	a->heard_us -= 210 * US_PER_S;
	a->next_try_us = clock_mono_us() + 20 * US_PER_S;
	a = fake_agent_at(e, fake_agent(e, "win-1", 2, 2, 1));
	a->state = AGENT_DRAINING;
	stop_note_set(&a->facts.draining, "bob@desk", "new kernel",
	    clock_wall_us() - 3600 * US_PER_S, 0);
	a = fake_agent_at(e, fake_agent(e, "new-1", 1, 1, 0));
	a->state = AGENT_CONNECTING;
	a->link = LINK_ASKING;
	a->known = false;
	a->question = str_dup("The host key of new-1.example is not known.\n"
	    "ED25519 fingerprint SHA256:9v0Xq2fLrT8b3yUeZ.");
}

static void
add_runs(struct engine *e)
{
	struct run *r = fake_run(e, "r1dq3k00aa1", "nightly", 12);
	uint32_t i;

	for (i = 1; i <= r->n; i++)
		fake_state(r, i, i % 5 == 0 ? EXEC_FAILED : EXEC_PASSED);
	r->state = RUN_ENDED;
	r->ended_wall_us = clock_wall_us() - 20 * US_PER_S;
	r = fake_run(e, "r1dq3k00ab2", "checkout", 60);
	for (i = 1; i <= 12; i++) {
		r->executions[i - 1].agent = (int)(i % 3);
		r->executions[i - 1].worker = (uint16_t)(i / 3 % 4 + 1);
		r->executions[i - 1].attempt = 1;
		r->executions[i - 1].elapsed_us = 9 * US_PER_S;
		r->executions[i - 1].since_us = clock_mono_us() -
		    (int64_t)(13 - i) / 3 * 10 * US_PER_S;
		fake_state(r, i, i == 4 ? EXEC_FAILED : i > 8 ? EXEC_RUNNING
		    : EXEC_PASSED);
	}
	for (i = 20; i < 30; i++)
		fake_reason(r, i, REASON_NO_AGENT, "needs label gpu; nearest "
		    "is lab-1, which lacks it", clock_mono_us() -
		    30 * US_PER_S);
	for (i = 30; i < 34; i++)
		fake_reason(r, i, REASON_AGENTS_DRAINING,
		    "win-1 drained by bob@desk", clock_mono_us() -
		    3000 * US_PER_S);
	r->workers = 4;
	r->predicted_end_us = clock_mono_us() + 300 * US_PER_S;
}

void
fake_populate(struct engine *e)
{
	static const char log[] = "collecting ... done\n"
	    "\033[32mPASSED\033[0m test_one\n"
	    "10%\r50%\r100%\n"
	    "\033[31;1mFAILED\033[0m test_two: \033]0;title\007 boom\n"
	    "after \342\200\256 it\n";

	add_agents(e);
	add_runs(e);
	fake_output(e, log, sizeof(log) - 1);
	fake_event(e, EVENT_INFO, "scheduler", "r1dq3k00ab2", "run started");
	fake_event(e, EVENT_LINK, "agent mac-2", "mac-2", "link lost: "
	    "connection refused");
	fake_event(e, EVENT_EDIT, "bob@desk", "win-1", "drained: new kernel");
	fake_event(e, EVENT_RESULT, "scheduler", "r1dq3k00ab2/4", "failed");
}
