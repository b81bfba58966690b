/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The side channel of a link process (descriptor 3): lines of a word and a
 * text in which '%', controls and bytes over 126 are written as %XX. Each
 * side trusts the other only as far as these checks go.
 *
 * To the process: name, host, port, user, identity, known_hosts, agent_path,
 * instance, headless, in any order, then go; later answer
 * or refuse, one for each question.
 * From it: phase NAME; ask KIND; text of the question in question; error
 * CODE, then reason; stderr.
 */
#ifndef NET_CTL_H
#define NET_CTL_H

#include <stddef.h>

#include "yardmaster/base/buf.h"

#define CTL_LINE_MAX 8192
/* What of the far side's standard error is passed on for one link. */
#define CTL_STDERR_MAX 4096

/* Appends one line; what does not fit into it is cut. */
void ctl_put(struct buf *out, const char *word, const char *text);
void ctl_putn(struct buf *out, const char *word, const void *text, size_t n);

/* Splits a line (without its newline) in place into the word and the decoded
 * text, both NUL-ended. 0, or ERR_PROTOCOL for a badly written one. */
int ctl_split(char *line, char **ret_word, char **ret_text);
/* Takes one line from the front of in, into line (CTL_LINE_MAX bytes): 1 as
 * ctl_split(), 0 when there is none yet, ERR_PROTOCOL. */
int ctl_take(struct buf *in, char *line, char **ret_word, char **ret_text);

#endif
