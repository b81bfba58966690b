/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log. The sink is one of the few pieces of state of the process. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/log.h"
#include "yardmaster/base/text.h"

static struct {
	log_sink_fn fn;
	void *arg;
	enum log_level level;
} sink = { NULL, NULL, LOG_WARNING };

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

void
log_to(log_sink_fn fn, void *arg)
{
	sink.fn = fn;
	sink.arg = arg;
}

void
log_set_level(enum log_level level)
{
	sink.level = level;
}

/* One write() a line, so that lines of several processes do not mix. */
static void
to_stderr(enum log_level level, const char *line)
{
	struct buf b = BUF_INIT;

	buf_putf(&b, "yardmaster: %s: %s\n", level_names[level], line);
	if (write(STDERR_FILENO, buf_data(&b), buf_len(&b)) < 0)
		errno = 0;	/* there is nobody left to tell */
	buf_done(&b);
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	struct buf raw = BUF_INIT, safe = BUF_INIT;
	int saved = errno;
	va_list ap;

	if (level > sink.level)
		return;
	va_start(ap, fmt);
	buf_vputf(&raw, fmt, ap);
	va_end(ap);
	text_escape(&safe, buf_str(&raw), buf_len(&raw));
	if (sink.fn != NULL)
		sink.fn(sink.arg, level, buf_str(&safe));
	else
		to_stderr(level, buf_str(&safe));
	buf_done(&raw);
	buf_done(&safe);
	errno = saved;
}
