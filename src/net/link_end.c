/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a link ended, in words for an operator. What a child wrote on its
 * standard error is hostile text: its last line is quoted, escaped. */
#include "config.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "net/link_int.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"

#define QUOTE_MAX 300

/* The last line that is not empty: heap, escaped, "" when there is none. */
static char *
last_line(const struct buf *b)
{
	const char *p = buf_str(b);
	size_t end = buf_len(b), start;
	struct buf out = BUF_INIT;

	while (end > 0 && strchr("\r\n \t", p[end - 1]) != NULL)
		end--;
	for (start = end; start > 0 && p[start - 1] != '\n'; start--)
		;
	if (end - start > QUOTE_MAX)
		end = start + QUOTE_MAX;
	text_escape(&out, p + start, end - start);
	return buf_steal(&out);
}

bool
link_not_found(const struct link *l)
{
	return !l->banner.seen && l->exited && l->exit_code == 127 &&
	    l->via == LINK_VIA_OPENSSH;
}

/* ssh says 255 for all its own failures; its words tell them apart. */
static int
ssh_code(const struct link *l)
{
	static const struct {
		const char *words;
		int code;
	} table[] = {
		{ "Host key verification failed", ERR_HOST_KEY },
		{ "Permission denied", ERR_AUTH },
		{ "Connection refused", ERR_REFUSED },
		{ "timed out", ERR_TIMEOUT },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strstr(buf_str(&l->err_text), table[i].words) != NULL)
			return table[i].code;
	return ERR_CLOSED;
}

static char *
exit_text(const struct link *l)
{
	if (l->exit_signo == SIGALRM && l->via == LINK_VIA_LIBSSH2)
		return str_dup("no answer for 30 s (name service or "
		    "ssh-agent)");
	if (!l->exited)
		return str_dup("the link's process hung");
	if (l->exit_signo != 0)
		return str_fmt("the link's process was ended by signal %d",
		    l->exit_signo);
	if (l->via == LINK_VIA_OPENSSH && l->exit_code == 255)
		return str_dup("ssh failed");
	if (l->via == LINK_VIA_OPENSSH && l->exit_code == 127)
		return str_fmt("no agent installed on %s; install it, or name "
		    "it with agent_path", l->host);
	if (l->exit_code == 0)
		return str_dup("the far end ended the link");
	return str_fmt("the far end ended the link (exit status %d)",
	    l->exit_code);
}

static int
exit_code(const struct link *l)
{
	if (link_not_found(l))
		return ERR_NOT_FOUND;
	if (l->exit_signo == SIGALRM || !l->exited)
		return ERR_TIMEOUT;
	if (l->via == LINK_VIA_OPENSSH && l->exit_code == 255)
		return ssh_code(l);
	return ERR_CLOSED;
}

int
link_verdict(const struct link *l, char **ret_text)
{
	char *quote = last_line(&l->err_text), *words, *text;

	if (l->reason != NULL) {
		text = text_safe(l->reason);
	} else {
		words = exit_text(l);
		text = str_fmt("%s: %s", l->name, words);
		free(words);
	}
	*ret_text = *quote == '\0' ? str_dup(text) :
	    str_fmt("%s: %s", text, quote);
	free(text);
	free(quote);
	return l->code < 0 ? l->code : exit_code(l);
}
