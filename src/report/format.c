/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats by name. */
#include "config.h"

#include <string.h>

#include "yardmaster/report/report.h"

static const char *const names[] = { "junit", "tap", "json", "csv", "html",
	"durations", NULL };
static const report_fn writers[] = { report_junit, report_tap, report_json,
	report_csv, report_html, report_durations };

report_fn
report_format(const char *name)
{
	size_t i;

	for (i = 0; names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return writers[i];
	return NULL;
}

const char *const *
report_formats(void)
{
	return names;
}
