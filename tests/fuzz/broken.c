/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a broken promise ends. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void
fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: broken: %s\n", file, line, what);
	abort();
}
