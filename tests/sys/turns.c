/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the loop share. */
#include "turns.h"

#include <stdio.h>
#include <stdlib.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

#define PATIENCE_MS 20000

int
set_up(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/ym-test-XXXXXX");
	if (mkdtemp(f->dir) == NULL || loop_new(&f->l) < 0)
		return -1;
	*state = f;
	return 0;
}

int
tear_down(void **state)
{
	struct fixture *f = *state;

	loop_free(f->l);
	fs_remove_tree(f->dir);
	free(f);
	return 0;
}

void
until(struct loop *l, const int *flag, int n)
{
	int64_t end = clock_mono_us() + PATIENCE_MS * US_PER_MS;

	while (*flag < n && clock_mono_us() < end)
		loop_turn(l, 1000);
	assert_true(*flag >= n);
}
