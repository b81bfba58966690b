/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef YARDMASTER_ENGINE_OWNER_PRIVATE_H
#define YARDMASTER_ENGINE_OWNER_PRIVATE_H

#include "yardmaster/base/jval.h"
#include "yardmaster/engine/engine.h"
#include "yardmaster/sys/loop.h"

struct owner;

/* Answers requests on the socket at path. 0 or a negative code. */
int owner_new(struct engine *e, struct loop *loop, const char *path,
    struct owner **ret);
void owner_free(struct owner *o);	/* NULL is fine */

/* Reads what owner_op_write() wrote. Strings are borrowed from v. 0 or
 * ERR_SYNTAX. */
int owner_op_read(const struct jval *v, struct op *ret);

#endif
