/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef YARDMASTER_CLI_OP_H
#define YARDMASTER_CLI_OP_H

#include "yardmaster/engine/engine.h"

#include "cli/cli_private.h"

/* Has the owner of the run carry the op out on the run or execution that is
 * the first argument, and prints what came of it. An exit code. */
int op_on_id(const struct cli *c, struct op *op);

#endif
