/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an agent prepares before the executions of a run that share it (a
 * tree of files, a setup command, a teardown command after the last), and
 * the files that come back from an attempt. Plain data and its JSON form.
 */
#ifndef YARDMASTER_MODEL_PREPARE_H
#define YARDMASTER_MODEL_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/jval.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/sha256.h"
#include "yardmaster/base/strvec.h"

#define PREPARE_MAX 1000000	/* of one run */
/* A teardown is an attempt of the agent's own, RUN/(this + no)/1. Nothing is
 * said of it; its output is kept as that of others. */
#define PREPARE_TEARDOWN 4000000000u
#define TREE_MAX_BYTES (UINT64_C(4095) << 20)	/* of a packed tree */
#define ARTIFACTS_MAX 1000	/* files of one attempt */
#define ARTIFACT_NAME_MAX 1024

/* One preparation of a run. Executions with an equal no share it. */
struct work_prepare {
	uint32_t no;		/* from 1 in its run; 0: there is none */
	char tree[SHA256_TEXT];	/* hash of the packed tree; "": none */
	uint64_t tree_bytes;	/* its packed size */
	struct strvec setup, teardown;	/* argv; empty: none */
	int64_t setup_us, teardown_us;	/* the longest they may take */
};

/* A file that an attempt left and that is brought back. */
struct artifact {
	char *name;		/* relative, as prepare_name_ok() wants it */
	uint64_t bytes;
	char sha256[SHA256_TEXT];
};

struct artifacts {
	struct artifact *v;
	uint32_t n;
	uint32_t dropped;	/* matching files that a cap left out */
};

/* Frees what it holds and zeroes it. */
void work_prepare_done(struct work_prepare *p);
void artifacts_done(struct artifacts *a);
/* Deep copies into what holds nothing. */
void work_prepare_copy(struct work_prepare *to,
    const struct work_prepare *from);
void artifacts_copy(struct artifacts *to, const struct artifacts *from);

/* Writes one as a JSON value; artifacts only when there is one or one was
 * dropped, as the members "artifacts" and "artifacts_dropped". */
void work_prepare_write(struct jw *w, const struct work_prepare *p);
void artifacts_write(struct jw *w, const struct artifacts *a);

/* Read and check; names of artifacts ascend, so that none is there twice. 0,
 * or ERR_SYNTAX, ERR_RANGE, ERR_TOO_LARGE with nothing to
 * free. artifacts_read() takes the object that has the two members. */
int work_prepare_read(const struct jval *v, struct work_prepare *ret);
int artifacts_read(const struct jval *v, struct artifacts *ret);

/* True for a relative path without empty, "." and ".." parts, of at most
 * ARTIFACT_NAME_MAX bytes. */
bool prepare_name_ok(const char *name);

/* Such a name as that of a file here: control characters, and a percent sign
 * before two hex digits, as %XX, so that no two names become one. The caller
 * frees. */
char *artifact_file_name(const char *name);

#endif
