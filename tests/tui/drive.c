/* SPDX-License-Identifier: GPL-3.0-or-later */
/* See drive.h. */
#include "tests/lib/check.h"

#include <stdio.h>

#include "yardmaster/base/clock.h"
#include "drive.h"

/* The clock of these tests: it moves only when told to. */
static int64_t mono_us = 1000 * US_PER_S;
static struct buf row = BUF_INIT;

static int64_t
mono(void)
{
	return mono_us;
}

static int64_t
wall(void)
{
	return INT64_C(1700000000) * US_PER_S + mono_us;
}

void
drive_open(struct drive *d, struct engine *e, int w, int h)
{
	clock_set_source(mono, wall);
	memset(&d->opts, 0, sizeof(d->opts));
	d->engine = e;
	strvec_init(&d->plans);
	d->opts.plans = &d->plans;
	console_init(&d->tui, NULL, e, &d->opts, w, h, false);
	assert_int_equal(d->tui.diags.n, 0);
}

void
drive_close(struct drive *d)
{
	console_done(&d->tui);
	engine_free(d->engine);
	strvec_done(&d->plans);
	buf_done(&row);
}

void
drive_keys(struct drive *d, const char *keys)
{
	const char *end;
	uint32_t key;

	for (; *keys != '\0'; keys = end + (*end == ' ')) {
		end = keys + strcspn(keys, " ");
		assert_int_equal(key_parse(keys, (size_t)(end - keys), &key),
		    0);
		console_key(&d->tui, key);
	}
}

void
drive_type(struct drive *d, const char *text)
{
	for (; *text != '\0'; text++)
		console_key(&d->tui, key_from_char((unsigned char)*text));
}

void
drive_wait(struct drive *d, int64_t us)
{
	mono_us += us;
	console_update(&d->tui, true);
}

const char *
drive_row(struct drive *d, int y)
{
	console_draw(&d->tui);
	buf_clear(&row);
	surface_row_text(d->tui.surface, y, &row);
	return buf_str(&row);
}

static int
find(struct drive *d, const char *text)
{
	int y;

	console_draw(&d->tui);
	for (y = 0; y < d->tui.surface->h; y++) {
		buf_clear(&row);
		surface_row_text(d->tui.surface, y, &row);
		if (strstr(buf_str(&row), text) != NULL)
			return y;
	}
	return -1;
}

static void
print_screen(struct drive *d)
{
	int y;

	for (y = 0; y < d->tui.surface->h; y++)
		fprintf(stderr, "# %s\n", drive_row(d, y));
}

const char *
drive_expect(struct drive *d, const char *want)
{
	if (find(d, want) < 0) {
		print_screen(d);
		fail_msg("no row with '%s'", want);
	}
	return buf_str(&row);
}

void
drive_refuse(struct drive *d, const char *not)
{
	if (find(d, not) >= 0) {
		print_screen(d);
		fail_msg("a row with '%s'", not);
	}
}
