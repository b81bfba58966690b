/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The terminal: puts surfaces out and takes keys in. Nothing else in the
 * program knows ncurses.
 */
#ifndef YARDMASTER_TUI_SCREEN_H
#define YARDMASTER_TUI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/sys/loop.h"
#include "yardmaster/tui/tui.h"
#include "tui/surface.h"
#include "tui/theme.h"

struct screen;

/*
 * Takes over the terminal of standard input and output. ready runs when a
 * terminal that could not take bytes can again. 0; ERR_UNSUPPORTED without a
 * terminal or any known type; -errno. note (n bytes) gets what the operator
 * should know ("TERM foo is unknown, using xterm"), or "".
 */
int screen_open(struct loop *loop, enum tui_color color,
    void (*ready)(void *arg), void *arg, char *note, size_t n,
    struct screen **ret);
/* Restores the terminal. NULL is fine. */
void screen_close(struct screen *sc);

bool screen_is_utf8(const struct screen *sc);
/* Asks the terminal for its size. */
void screen_size(struct screen *sc, int *ret_w, int *ret_h);
/* The next key that has come, or YK_NONE. Never waits (but for the rest of an
 * escape sequence, 25 ms). */
uint32_t screen_key(struct screen *sc);
/* True when the terminal has gone away. */
bool screen_gone(const struct screen *sc);
/* True when the last frame has left: another may be shown. */
bool screen_ready(const struct screen *sc);
/* Puts out what differs from the last frame; nothing when nothing does. */
void screen_show(struct screen *sc, const struct surface *s,
    const struct theme *theme);
/* The next frame is put out in full (colours may have changed). */
void screen_forget(struct screen *sc);
/* Gives the terminal back and stops the process; returns when it goes on. */
void screen_suspend(struct screen *sc);
/* Puts text on the clipboard of the terminal (OSC 52), up to 64 kB. */
void screen_copy(struct screen *sc, const char *text, size_t n);

#endif
