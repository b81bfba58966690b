/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The artifacts that came back from the attempts of a run. */
#ifndef REPORT_BROUGHT_H
#define REPORT_BROUGHT_H

#include "yardmaster/report/report.h"

/* Fills the artifacts of each execution: "ATTEMPT/NAME", sorted. */
void brought_load(const char *state_dir, struct report_run *r);

#endif
