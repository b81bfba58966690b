/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Live edits of the fleet, by command. */
#ifndef CLI_FLEET_EDIT_H
#define CLI_FLEET_EDIT_H

#include "yardmaster/base/strvec.h"

#include "cli/cli_private.h"

/* Changes values ("labels+=gpu") of one agent in the fleet of --fleet, and says
 * so. An exit code. */
int fleet_edit(const struct cli *c, const char *agent,
    const struct strvec *values);

#endif
