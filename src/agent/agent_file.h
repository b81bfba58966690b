/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The settings file of an agent, agent.json: what an owner of the host says
 * about it. Contract: man 5 yardmaster-agent.json. */
#ifndef AGENT_AGENT_FILE_H
#define AGENT_AGENT_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/diag.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/model/facts.h"

struct agent_file {
	uint32_t max_workers;	/* 0: not given */
	bool has_threshold;
	struct threshold threshold;
	bool virtual;
	struct strvec env;	/* "KEY=VALUE" for every step */
	uint64_t out_cap;	/* bytes of output kept per attempt; 0: all */
	int64_t grace_us;	/* between the signals of a timeout */
	struct guards guards;
	uint64_t keep_bytes;	/* of output of forgotten attempts */
	int64_t keep_us;	/* their age */
	uint64_t workspace_max;	/* bytes of one packed workspace */
	uint64_t keep_ws_bytes;	/* of packed workspaces that nothing needs */
	int64_t keep_ws_us;	/* since they were last used */
};

/*
 * Finds the file of an instance in the configuration folder,
 * agent-INSTANCE.json before agent.json. 0 with path (heap) and text, or
 * ERR_NOT_FOUND, or -errno.
 */
int agent_file_find(const char *instance, char **ret_path, struct buf *text);
/* Reads a text (empty: all defaults). 0, or ERR_INVALID with diagnostics. */
int agent_file_read(struct agent_file *ret, const char *path,
    const char *text, size_t n, struct diags *ds);
void agent_file_done(struct agent_file *f);

#endif
