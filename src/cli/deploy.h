/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bringing the agent to a host: a talk with the shell script that a link runs
 * there (contrib/deploy.sh), line by line. The host is not trusted: its lines
 * are capped, and escaped before they are shown.
 */
#ifndef YARDMASTER_CLI_DEPLOY_H
#define YARDMASTER_CLI_DEPLOY_H

#include "yardmaster/base/buf.h"
#include "yardmaster/base/sha256.h"
#include "yardmaster/net/link.h"

/* The file of an agent, to be copied. */
struct deploy_file {
	char *path;
	struct buf bytes;
	char hash[SHA256_TEXT];
};

/* Reads the agent for hosts of that machine: the file at path, or the one
 * that is installed (path NULL). 0 and a file for deploy_file_done(), or a
 * code with words in why: there is none, it is for another machine. */
int deploy_file_read(const char *path, const char *machine,
    struct deploy_file *ret, struct buf *why);
void deploy_file_done(struct deploy_file *f);

struct deploy_job {
	struct link_spec spec;	/* how the host is reached; shell is set */
	const char *file;	/* the agent to bring, NULL: the installed one */
	const char *instance;	/* to start there; NULL: "default" */
	bool uninstall, force;
};

/* Does it and says on standard output what was done, on standard error what
 * went wrong. Returns an exit code. */
int deploy_run(const struct deploy_job *job);

#endif
