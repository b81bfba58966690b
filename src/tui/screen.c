/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ncurses works out the bytes of a frame, but does not write them: its output
 * is turned to a memory file, and the frame goes to the terminal as one write
 * that does not block. While one is on its way no other is made, so a slow
 * terminal skips frames instead of stopping the program.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "tui/clipboard.h"
#include "tui/key.h"
#include "tui/outlet.h"
#include "tui/screen.h"

/* Last: term.h turns plain words into macros. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <term.h>

#define ESC_DELAY_MS 25
#define SPLIT_US (500 * US_PER_MS)
#define SYNC_FROM 256		/* shorter frames arrive whole anyway */
#define PAIRS_MAX 256
#define EOF_READS 4		/* readable without a byte: it ended */

struct pair {
	int fg, bg;
};

struct screen {
	SCREEN *term;
	WINDOW *keys;		/* a pad: reading from it draws nothing */
	FILE *out, *in;
	int frame_fd;		/* memory ncurses writes a frame into */
	int stdout_fd;		/* a copy, to give ncurses the terminal back */
	struct outlet outlet;
	struct termios before;	/* the terminal as it was */
	struct surface *shown;
	bool utf8, color, sync, cursor;
	int depth;		/* colours there are */
	struct pair pairs[PAIRS_MAX];
	int n_pairs;
	int64_t esc_us;		/* when a lone Esc came, 0 long ago */
	int empty_reads;
	bool gone;
};

/* Where ncurses writes: to the terminal, or into memory. */
static void
aim(struct screen *sc, int fd)
{
	fflush(sc->out);
	dup2(fd, fileno(sc->out));
}

/* Moves what ncurses wrote into pending. */
static void
take_frame(struct screen *sc)
{
	off_t size = lseek(sc->frame_fd, 0, SEEK_CUR);
	bool sync = sc->sync && size >= SYNC_FROM;
	ssize_t n;

	if (size <= 0)
		return;
	if (sync)
		buf_puts(&sc->outlet.pending, "\033[?2026h");
	n = pread(sc->frame_fd, buf_reserve(&sc->outlet.pending, (size_t)size),
	    (size_t)size, 0);
	if (n > 0)
		buf_commit(&sc->outlet.pending, (size_t)n);
	if (sync)
		buf_puts(&sc->outlet.pending, "\033[?2026l");
	if (ftruncate(sc->frame_fd, 0) < 0)
		sc->gone = true;
	lseek(sc->frame_fd, 0, SEEK_SET);
}

static bool
is_known(const char *term)
{
	int err;

	if (setupterm(term, STDOUT_FILENO, &err) != OK)
		return false;
	del_curterm(cur_term);
	return true;
}

/* A type that ncurses knows and that comes near to the one asked for. */
static const char *
fallback_term(const char *term)
{
	static const char *const rest[] = { "xterm", "vt100", "ansi", "dumb" };
	const char *first = strstr(term, "256color") != NULL ||
	    getenv("COLORTERM") != NULL ? "xterm-256color" : "xterm";
	size_t i;

	if (strncmp(term, "tmux", 4) == 0 || strncmp(term, "screen", 6) == 0)
		first = strstr(term, "256color") != NULL ? "screen-256color"
		    : "screen";
	if (is_known(first))
		return first;
	for (i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		if (is_known(rest[i]))
			return rest[i];
	return NULL;
}

/* The type to use; NULL when none is known. */
static const char *
choose_term(char *note, size_t n)
{
	const char *term = getenv("TERM"), *use;

	if (term == NULL || *term == '\0')
		term = "unknown";
	if (is_known(term))
		return term;
	use = fallback_term(term);
	if (use != NULL)
		snprintf(note, n, "TERM %.40s is unknown here, using %s", term,
		    use);
	return use;
}

static void
start_colors(struct screen *sc, enum tui_color color)
{
	const char *no = getenv("NO_COLOR");

	sc->color = color == TUI_COLOR_ALWAYS || (color == TUI_COLOR_AUTO &&
	    (no == NULL || *no == '\0'));
	if (!sc->color || !has_colors() || start_color() == ERR) {
		sc->color = false;
		return;
	}
	if (use_default_colors() == ERR)
		assume_default_colors(COLOR_WHITE, COLOR_BLACK);
	sc->depth = COLORS;
	sc->n_pairs = 1;	/* pair 0 is the terminal's own */
}

static int
open_files(struct screen *sc)
{
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	sc->stdout_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	sc->frame_fd = memfd_create("frame", MFD_CLOEXEC);
	sc->out = out >= 0 ? fdopen(out, "w") : NULL;
	sc->in = in >= 0 ? fdopen(in, "r") : NULL;
	return sc->stdout_fd < 0 || sc->frame_fd < 0 || sc->out == NULL ||
	    sc->in == NULL || tcgetattr(sc->stdout_fd, &sc->before) < 0
	    ? -errno : 0;
}

static void
set_up(struct screen *sc, enum tui_color color)
{
	set_escdelay(ESC_DELAY_MS);
	raw();
	noecho();
	nonl();
	typeahead(-1);
	idlok(stdscr, TRUE);
	leaveok(stdscr, FALSE);
	curs_set(0);
	sc->keys = newpad(1, 1);
	keypad(sc->keys, TRUE);
	nodelay(sc->keys, TRUE);
	start_colors(sc, color);
}

static void
close_files(struct screen *sc)
{
	if (sc->out != NULL)
		fclose(sc->out);
	if (sc->in != NULL)
		fclose(sc->in);
	if (sc->stdout_fd >= 0)
		close(sc->stdout_fd);
	if (sc->frame_fd >= 0)
		close(sc->frame_fd);
	outlet_close(&sc->outlet);
}

int
screen_open(struct loop *loop, enum tui_color color,
    void (*ready)(void *arg), void *arg, char *note, size_t n,
    struct screen **ret)
{
	struct screen *sc;
	const char *term;
	int r;

	*note = '\0';
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return ERR_UNSUPPORTED;
	setlocale(LC_CTYPE, "");
	if ((term = choose_term(note, n)) == NULL)
		return ERR_UNSUPPORTED;
	sc = mem_zalloc(sizeof(*sc));
	sc->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	sc->sync = strcmp(term, "linux") != 0 && strcmp(term, "dumb") != 0;
	if ((r = outlet_open(&sc->outlet, loop, ready, arg)) < 0) {
		free(sc);
		return r;
	}
	if ((r = open_files(sc)) < 0)
		goto out;
	if ((sc->term = newterm(term, sc->out, sc->in)) == NULL) {
		r = ERR_UNSUPPORTED;
		goto out;
	}
	set_up(sc, color);
	aim(sc, sc->frame_fd);
	sc->shown = surface_new(1, 1, sc->utf8);
	*ret = sc;
	return 0;
out:
	close_files(sc);
	free(sc);
	return r;
}

/* Everything out and the terminal as it was. One that takes nothing gets its
 * modes back at least; ending must not hang on it. */
static void
give_back(struct screen *sc)
{
	take_frame(sc);
	if (!outlet_drain(&sc->outlet)) {
		tcsetattr(sc->stdout_fd, TCSANOW, &sc->before);
		return;
	}
	aim(sc, sc->stdout_fd);
	curs_set(1);
	endwin();
}

void
screen_close(struct screen *sc)
{
	if (sc == NULL)
		return;
	give_back(sc);
	delwin(sc->keys);
	delscreen(sc->term);
	surface_free(sc->shown);
	close_files(sc);
	free(sc);
}

bool
screen_is_utf8(const struct screen *sc)
{
	return sc->utf8;
}

void
screen_size(struct screen *sc, int *ret_w, int *ret_h)
{
	struct winsize ws;

	if (ioctl(sc->stdout_fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 &&
	    ws.ws_row > 0 && is_term_resized(ws.ws_row, ws.ws_col))
		resizeterm(ws.ws_row, ws.ws_col);
	*ret_w = COLS;
	*ret_h = LINES;
}

bool
screen_gone(const struct screen *sc)
{
	return sc->gone || sc->outlet.gone;
}

bool
screen_ready(const struct screen *sc)
{
	return buf_len(&sc->outlet.pending) == 0;
}

/* ncurses' codes of keys as ours. */
static uint32_t
from_code(wint_t code)
{
	static const struct {
		wint_t code;
		uint32_t key;
	} map[] = {
		{ KEY_UP, YK_UP }, { KEY_DOWN, YK_DOWN },
		{ KEY_LEFT, YK_LEFT }, { KEY_RIGHT, YK_RIGHT },
		{ KEY_PPAGE, YK_PGUP }, { KEY_NPAGE, YK_PGDN },
		{ KEY_HOME, YK_HOME }, { KEY_END, YK_END },
		{ KEY_FIND, YK_HOME }, { KEY_SELECT, YK_END },
		{ KEY_IC, YK_INSERT }, { KEY_DC, YK_DELETE },
		{ KEY_BACKSPACE, YK_BACKSPACE }, { KEY_ENTER, YK_ENTER },
		{ KEY_BTAB, KEY_SHIFT | YK_TAB },
	};
	size_t i;

	if (code >= KEY_F(1) && code <= KEY_F(12))
		return (uint32_t)(YK_F1 + (code - KEY_F(1)));
	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (map[i].code == code)
			return map[i].key;
	return YK_NONE;
}

/* The rest of a sequence behind ESC '[' or ESC 'O', as far as it has come. */
static uint32_t
read_csi(struct screen *sc)
{
	char body[16];
	size_t n = 0;
	wint_t wc;

	while (wget_wch(sc->keys, &wc) == OK) {
		if (wc >= 0x40 && wc <= 0x7e)
			return key_from_csi(body, n, (char)wc);
		if (n < sizeof(body))
			body[n++] = (char)wc;
	}
	return YK_NONE;
}

/* What an Esc begins: itself, Alt and a key, or a sequence that ncurses does
 * not know. */
static uint32_t
after_escape(struct screen *sc)
{
	wint_t wc;

	if (wget_wch(sc->keys, &wc) != OK) {
		sc->esc_us = clock_mono_us();
		return YK_ESC;
	}
	if (wc == '[' || wc == 'O')
		return read_csi(sc);
	if (wc == 27) {
		unget_wch(27);
		return YK_ESC;
	}
	return KEY_ALT | key_from_char(wc);
}

/* The second half of a sequence whose Esc came alone, over a slow line. */
static bool
is_split(struct screen *sc, wint_t wc)
{
	bool soon = sc->esc_us > 0 &&
	    clock_mono_us() - sc->esc_us < SPLIT_US;
	struct pollfd p = { fileno(sc->in), POLLIN, 0 };

	sc->esc_us = 0;
	return soon && (wc == '[' || wc == 'O') && poll(&p, 1, 0) > 0;
}

uint32_t
screen_key(struct screen *sc)
{
	struct pollfd p = { fileno(sc->in), POLLIN, 0 };
	uint32_t key = YK_NONE;
	wint_t wc;
	int r;

	while (key == YK_NONE) {
		r = wget_wch(sc->keys, &wc);
		if (r == ERR)
			break;
		sc->empty_reads = 0;
		if (r == KEY_CODE_YES)
			key = from_code(wc);
		else if (wc == 27)
			key = after_escape(sc);
		else if (is_split(sc, wc))
			key = read_csi(sc);
		else
			key = key_from_char(wc);
	}
	if (key == YK_NONE && poll(&p, 1, 0) > 0 &&
	    ((p.revents & (POLLHUP | POLLERR)) ||
	    ++sc->empty_reads >= EOF_READS))
		sc->gone = true;
	return key;
}

static int
color_index(const struct screen *sc, const struct color *c)
{
	if (sc->depth >= 256)
		return sc->depth >= 1 << 24 ? c->rgb : c->c256;
	return sc->depth < 16 && c->c16 > 7 ? c->c16 - 8 : c->c16;
}

/* The number of a pair of colours; 0, the terminal's own, when there are no
 * more. */
static int
pair_of(struct screen *sc, int fg, int bg)
{
	int i;

	if (fg < 0 && bg < 0)
		return 0;
	for (i = 1; i < sc->n_pairs; i++)
		if (sc->pairs[i].fg == fg && sc->pairs[i].bg == bg)
			return i;
	if (i >= PAIRS_MAX || i >= COLOR_PAIRS ||
	    init_extended_pair(i, fg, bg) == ERR)
		return 0;
	sc->pairs[i].fg = fg;
	sc->pairs[i].bg = bg;
	sc->n_pairs = i + 1;
	return i;
}

static attr_t
to_attrs(uint8_t b)
{
	return (b & ATTR_BOLD ? A_BOLD : 0) | (b & ATTR_DIM ? A_DIM : 0) |
	    (b & ATTR_UNDERLINE ? A_UNDERLINE : 0) |
	    (b & ATTR_REVERSE ? A_REVERSE : 0);
}

static void
to_cchar(struct screen *sc, const struct theme *theme, const struct cell *c,
    cchar_t *ret)
{
	const struct role_look *role = &theme->roles[c->style.role];
	const struct role_look *over = &theme->roles[c->over];
	uint8_t bits = c->style.attr | role->attr;
	const struct color *bg = &role->bg;
	wchar_t wide[sizeof(c->bytes) + 1];
	char text[sizeof(c->bytes) + 1];
	int pair = 0;

	if (c->over != 0) {
		bits |= over->attr;
		if (over->bg.c16 >= 0 || over->bg.c256 >= 0)
			bg = &over->bg;
	}
	if (sc->color)
		pair = pair_of(sc, color_index(sc, &role->fg),
		    color_index(sc, bg));
	memcpy(text, c->bytes, c->len);
	text[c->len] = '\0';
	if (mbstowcs(wide, text, sizeof(wide) / sizeof(wide[0])) ==
	    (size_t)-1)
		wcscpy(wide, L"?");
	wide[CCHARW_MAX] = L'\0';
	setcchar(ret, wide, to_attrs(bits), (short)pair, NULL);
}

static void
show_row(struct screen *sc, const struct surface *s,
    const struct theme *theme, int y)
{
	cchar_t *row = mem_calloc((size_t)s->w + 1, sizeof(*row));
	const struct cell *c;
	int x, n = 0;

	for (x = 0; x < s->w; x++) {
		c = surface_at(s, x, y);
		if (c->width > 0)
			to_cchar(sc, theme, c, &row[n++]);
	}
	mvadd_wchnstr(y, 0, row, n);
	free(row);
}

static bool
row_equal(const struct surface *a, const struct surface *b, int y)
{
	return memcmp(surface_at(a, 0, y), surface_at(b, 0, y),
	    (size_t)a->w * sizeof(struct cell)) == 0;
}

void
screen_show(struct screen *sc, const struct surface *s,
    const struct theme *theme)
{
	bool whole = s->w != sc->shown->w || s->h != sc->shown->h;
	int y;

	if (!screen_ready(sc) || (!whole && surface_equal(s, sc->shown)))
		return;
	for (y = 0; y < s->h; y++)
		if (whole || !row_equal(s, sc->shown, y))
			show_row(sc, s, theme, y);
	if (s->cursor)
		move(s->cursor_y, s->cursor_x);
	if (s->cursor != sc->cursor)
		curs_set(s->cursor ? 1 : 0);
	sc->cursor = s->cursor;
	refresh();
	surface_copy(sc->shown, s);
	take_frame(sc);
	outlet_flush(&sc->outlet);
}

void
screen_forget(struct screen *sc)
{
	surface_resize(sc->shown, 1, 1);
	sc->n_pairs = sc->n_pairs > 0;
	clearok(curscr, TRUE);
}

void
screen_suspend(struct screen *sc)
{
	give_back(sc);
	raise(SIGSTOP);
	aim(sc, sc->stdout_fd);
	refresh();
	aim(sc, sc->frame_fd);
	screen_forget(sc);
}

void
screen_copy(struct screen *sc, const char *text, size_t n)
{
	clipboard_put(&sc->outlet.pending, text, n);
	outlet_flush(&sc->outlet);
}
