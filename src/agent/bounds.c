/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manner of a step, made real. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "agent/bounds.h"
#include "agent/output.h"
#include "yardmaster/base/mem.h"

static const int resources[LIMITS] = {
	[LIMIT_CPU] = RLIMIT_CPU, [LIMIT_MEMORY] = RLIMIT_AS,
	[LIMIT_FILE_SIZE] = RLIMIT_FSIZE, [LIMIT_STACK] = RLIMIT_STACK,
	[LIMIT_CORE] = RLIMIT_CORE, [LIMIT_FILES] = RLIMIT_NOFILE,
	[LIMIT_PROCESSES] = RLIMIT_NPROC,
};

unsigned
bounds_limits(const struct manner *m, struct proc_limit v[LIMITS])
{
	unsigned i, n = 0;

	for (i = 0; i < LIMITS; i++)
		if ((m->limited & 1u << i) != 0)
			v[n++] = (struct proc_limit){ resources[i],
			    m->limit[i] };
	return n;
}

int
bounds_make_home(const struct ident *id, char **ret)
{
	char name[OUTPUT_NAME_SIZE], *tmp;
	int r = 0;

	tmp = str_fmt("%s/tmp", output_home_name(id, name));
	if ((mkdir(name, 0700) == -1 && errno != EEXIST) ||
	    (mkdir(tmp, 0700) == -1 && errno != EEXIST))
		r = -errno;
	else
		*ret = str_dup(name);
	free(tmp);
	return r;
}

bool
bounds_keep(const struct work *w, enum outcome outcome)
{
	enum keep keep = KEEP_NEVER;
	uint32_t i;

	for (i = 0; i < w->n_steps; i++)
		if (w->steps[i].manner.keep > keep)
			keep = w->steps[i].manner.keep;
	return keep == KEEP_ALWAYS ||
	    (keep == KEEP_FAILED && outcome != OUTCOME_PASSED);
}
