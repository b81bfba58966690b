/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors. Functions return 0 (or a count) or a negative code: -errno for
 * faults of the system, ERR_* for our own. One table gives the text.
 */
#ifndef YARDMASTER_BASE_ERR_H
#define YARDMASTER_BASE_ERR_H

enum err {
	ERR_SYNTAX = -10000,	/* text does not follow its grammar */
	ERR_TOO_LARGE = -10001,	/* over a cap that protects memory */
	ERR_NOT_FOUND = -10002,
	ERR_EXISTS = -10003,
	ERR_RANGE = -10004,	/* a number outside its bounds */
	ERR_INVALID = -10005,	/* a person must mend it; see the diags */
	ERR_PROTOCOL = -10006,	/* the peer broke the protocol */
	ERR_VERSION = -10007,	/* no common version, or data from a newer one */
	ERR_CLOSED = -10008,	/* the other side ended */
	ERR_TIMEOUT = -10009,
	ERR_REFUSED = -10010,	/* the other side said no */
	ERR_AUTH = -10011,	/* authentication failed */
	ERR_HOST_KEY = -10012,	/* host key unknown, changed or revoked */
	ERR_LOCKED = -10013,	/* another live process holds it */
	ERR_STALE = -10014,	/* compare-and-set lost, or an older epoch */
	ERR_STORE = -10015,	/* the database refused */
	ERR_STATE = -10016,	/* not allowed in this state */
	ERR_UNSUPPORTED = -10017,
	ERR_CANCELLED = -10018,
};

/*
 * The text of a code, without a final full stop; never NULL. Valid for ever
 * for ERR_*, until the next call of the same thread for -errno.
 */
const char *err_text(int code);

#endif
