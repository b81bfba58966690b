/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making values of text that jcheck() has passed. Private to base. */
#ifndef BASE_JPARSE_H
#define BASE_JPARSE_H

#include <stddef.h>

#include "yardmaster/base/jval.h"

/* 0, or ERR_SYNTAX when the text is just null. */
int jval_parse_checked(struct jval **ret, const char *text, size_t len);

#endif
