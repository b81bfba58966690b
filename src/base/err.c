/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of our own errors; those of the system come from the C library. */
#include "config.h"

#include <stddef.h>
#include <string.h>

#include "yardmaster/base/err.h"

static const struct {
	int code;
	const char *text;
} table[] = {
	{ ERR_SYNTAX, "syntax error" },
	{ ERR_TOO_LARGE, "too large" },
	{ ERR_NOT_FOUND, "not found" },
	{ ERR_EXISTS, "exists already" },
	{ ERR_RANGE, "out of range" },
	{ ERR_INVALID, "invalid" },
	{ ERR_PROTOCOL, "the other side broke the protocol" },
	{ ERR_VERSION, "no common version" },
	{ ERR_CLOSED, "the other side closed the connection" },
	{ ERR_TIMEOUT, "timed out" },
	{ ERR_REFUSED, "refused by the other side" },
	{ ERR_AUTH, "authentication failed" },
	{ ERR_HOST_KEY, "host key not accepted" },
	{ ERR_LOCKED, "held by another process" },
	{ ERR_STALE, "changed by someone else in the meantime" },
	{ ERR_STORE, "the database refused" },
	{ ERR_STATE, "not possible in this state" },
	{ ERR_UNSUPPORTED, "not supported" },
	{ ERR_CANCELLED, "cancelled" },
};

const char *
err_text(int code)
{
	size_t i;

	if (code >= 0)
		return "no error";
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].code == code)
			return table[i].text;
	if (code <= ERR_SYNTAX)
		return "unknown error";
	return strerror(-code);
}
