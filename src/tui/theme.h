/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How things look: roles (what a text means) with colours at three depths,
 * and for each state a glyph, an ASCII letter, a role and an attribute that
 * tells it apart without colour. Themes are INI files; see default.theme.
 */
#ifndef YARDMASTER_TUI_THEME_H
#define YARDMASTER_TUI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/model/state.h"
#include "tui/files.h"
#include "tui/surface.h"

enum role {
	ROLE_NORMAL, ROLE_STRONG, ROLE_DIM, ROLE_GOOD, ROLE_WARN, ROLE_BAD,
	ROLE_INFO, ROLE_ACCENT, ROLE_STALE,
	ROLE_HEADER, ROLE_HEADER_WARN, ROLE_HEADER_BAD, ROLE_TITLE,
	ROLE_FILTER, ROLE_HEADING, ROLE_HEADING_SORT,
	ROLE_STATUS, ROLE_STATUS_GOOD, ROLE_STATUS_WARN, ROLE_STATUS_BAD,
	ROLE_KEY, ROLE_KEY_LABEL, ROLE_KEY_OFF,
	ROLE_CURSOR, ROLE_MARK, ROLE_MATCH,
	ROLE_DIALOG, ROLE_DIALOG_FRAME, ROLE_DIALOG_TITLE, ROLE_FIELD,
	ROLE_FIELD_FOCUS, ROLE_BUTTON, ROLE_BUTTON_FOCUS,
	ROLE_OLD, ROLE_NEW, ROLE_GAUGE_USED, ROLE_GAUGE_FREE, ROLE_GAP,
	ROLE_OUT_BLACK, ROLE_OUT_RED, ROLE_OUT_GREEN, ROLE_OUT_YELLOW,
	ROLE_OUT_BLUE, ROLE_OUT_MAGENTA, ROLE_OUT_CYAN, ROLE_OUT_WHITE,
	ROLES
};

/* What has a glyph: the states of a kind, by their enum value. */
enum look_kind { LOOK_AGENT, LOOK_EXEC, LOOK_RUN, LOOK_LINK, LOOK_WORKER,
	LOOK_EVENT, LOOK_SEVERITY, LOOK_KINDS };
#define LOOK_STATES_MAX 10
enum severity { SEVERITY_INFO, SEVERITY_WARN, SEVERITY_BAD };

struct color {
	int32_t rgb;		/* 0xRRGGBB, or -1: the terminal's own */
	int16_t c256, c16;
};

struct role_look {
	struct color fg, bg;
	uint8_t attr;
};

struct state_look {
	char glyph[8];		/* UTF-8, one cell */
	char letter[2];		/* ASCII */
	struct style style;
};

struct theme {
	char name[64];
	bool cursor_row;	/* lay the cursor over the row, not a mark */
	struct role_look roles[ROLES];
	struct state_look states[LOOK_KINDS][LOOK_STATES_MAX];
};

/*
 * Loads a theme by name or path (NULL: "default"; the built-in one when there
 * is no such file). 0 and *ret replaced; or a code with diagnostics and *ret
 * as it was. Nothing to free.
 */
int theme_load(struct theme *ret, const struct tui_files *files,
    const char *name, struct diags *ds);

/* The look of a state; never NULL. */
const struct state_look *theme_state(const struct theme *th,
    enum look_kind kind, unsigned state);
/* Its glyph, or its letter without UTF-8. */
const char *theme_glyph(const struct theme *th, enum look_kind kind,
    unsigned state, bool utf8);

/* Names as in themes; NULL for a state that is not there. */
const char *role_name(enum role r);
const char *look_kind_name(enum look_kind k);
const char *look_state_name(enum look_kind k, unsigned state);

#endif
