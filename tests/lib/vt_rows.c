/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cells of the emulated terminal as text that a test can compare. */
#include "config.h"

#include <string.h>

#include "vt_rows.h"

static void
put_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_putc(b, (int)c);
		return;
	}
	if (c < 0x800) {
		buf_putc(b, (int)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_putc(b, (int)(0xe0 | c >> 12));
		} else {
			buf_putc(b, (int)(0xf0 | c >> 18));
			buf_putc(b, (int)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_putc(b, (int)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_putc(b, (int)(0x80 | (c & 0x3f)));
}

static VTermScreenCell
cell_at(VTermScreen *screen, int row, int col)
{
	VTermPos pos = { .row = row, .col = col };
	VTermScreenCell cell;

	memset(&cell, 0, sizeof(cell));
	vterm_screen_get_cell(screen, pos, &cell);
	return cell;
}

const char *
vt_row_text(VTermScreen *screen, int row, int cols, struct buf *b)
{
	VTermScreenCell cell;
	size_t keep = 0;
	int col, i;

	buf_clear(b);
	for (col = 0; col < cols; col++) {
		cell = cell_at(screen, row, col);
		if (cell.chars[0] == (uint32_t)-1)
			continue;	/* the second half of a wide one */
		if (cell.chars[0] == 0)
			buf_putc(b, ' ');
		for (i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] != 0;
		    i++)
			put_utf8(b, cell.chars[i]);
		if (cell.chars[0] != 0 && cell.chars[0] != ' ')
			keep = buf_len(b);
	}
	buf_truncate(b, keep);
	return buf_str(b);
}

const char *
vt_row_attrs(VTermScreen *screen, int row, int cols, struct buf *b)
{
	VTermScreenCell cell;
	char letter;
	int col;

	buf_clear(b);
	for (col = 0; col < cols; col++) {
		cell = cell_at(screen, row, col);
		letter = cell.attrs.reverse ? (cell.attrs.bold ? 'R' : 'r') :
		    cell.attrs.bold ? 'b' : cell.attrs.underline ? 'u' : '.';
		buf_putc(b, letter);
	}
	return buf_str(b);
}
