/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A fleet file as its edits make it. */
#ifndef PLAN_FLEET_MERGE_H
#define PLAN_FLEET_MERGE_H

#include "yardmaster/plan/fleet_edits.h"
#include "yardmaster/plan/fleet_file.h"

/* Writes the fleet of root (a checked one) with all edits as one JSON text.
 * What no longer has a place (the file was changed since) is warned of. */
void fleet_merge(const struct jval *root, const struct fleet_edits *e,
    struct diags *ds, struct buf *out);

/* The fleet with these edits, checked: 0, or as fleet_load(). file is that of
 * the fleet. */
int fleet_load_edited(const struct jdoc *doc, const char *file,
    const struct fleet_edits *e, struct diags *ds, struct fleet_spec **ret);

#endif
