/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading the values of secrets: from the environment (where they are wiped),
 * a file, what a command writes, or a person; and the cells of secret columns
 * that a snapshot does not have.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/csv.h"
#include "plan/plan_private.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mask.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/proc.h"

#define COMMAND_US (30 * US_PER_S)

extern char **environ;

struct reading {
	struct plan *p;
	struct secrets *known;
	const struct plan_ask *ask;
	struct diags *ds;
	const struct plan_secret *at;
	const struct plan_step *first;	/* that needs it */
};

static void
fault(struct reading *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
fault(struct reading *r, const char *fmt, ...)
{
	struct buf label = BUF_INIT;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = str_vfmt(fmt, ap);
	va_end(ap);
	plan_step_label(r->p, r->first, &label);
	diag_set_hint(diag_add(r->ds, DIAG_ERROR, r->p->file, 0, NULL,
	    "secret %s, which %s needs: %s", r->at->name, buf_str(&label),
	    text), r->at->file != NULL || r->at->command.n > 0 ?
	    "nothing was started; mend that and try again" :
	    "nothing was started; export it and try again");
	free(text);
	buf_done(&label);
}

/* What the environment of this process shows to others is wiped; who needs
 * it once more finds it in known. */
static char *
from_environment(struct reading *r)
{
	const char *name = r->at->name;
	char *value = getenv(name), *copy;
	size_t i;

	for (i = 0; i < r->known->n; i++)
		if (strcmp(r->known->v[i].name, name) == 0)
			return secret_dup(r->known->v[i].value);
	if (value == NULL && r->ask != NULL)
		copy = r->ask->ask(r->ask->arg, name);
	else
		copy = secret_dup(value);
	if (value != NULL) {
		mem_wipe(value, strlen(value));
		unsetenv(name);
	}
	if (copy == NULL)
		fault(r, "not in the environment");
	else if (*copy != '\0')
		secrets_put(r->known, name, copy, 0);
	return copy;
}

static char *
take(struct buf *b)
{
	char *value;

	buf_putc(b, '\0');
	value = secret_dup(buf_str(b));
	buf_done(b);
	return value;
}

static char *
from_file(struct reading *r)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_secret(&b);
	rc = fs_read(r->at->file, SECRET_VALUE_MAX + 1, &b);
	if (rc == 0 && memchr(buf_data(&b), 0, buf_len(&b)) == NULL)
		return take(&b);
	fault(r, "%s: %s", r->at->file, rc < 0 ? err_text(rc) :
	    "a zero byte is in it");
	buf_done(&b);
	return NULL;
}

/* Reads to the end. 0, ERR_TIMEOUT, ERR_TOO_LARGE or -errno. */
static int
read_pipe(int fd, struct buf *out)
{
	int64_t end = clock_mono_us() + COMMAND_US, left;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = 1;

	while (n > 0) {
		left = end - clock_mono_us();
		if (left <= 0 || buf_len(out) > SECRET_VALUE_MAX + 1)
			return left <= 0 ? ERR_TIMEOUT : ERR_TOO_LARGE;
		if (poll(&p, 1, (int)(left / US_PER_MS) + 1) <= 0)
			continue;
		n = read(fd, buf_reserve(out, 4096), 4096);
		if (n > 0)
			buf_commit(out, (size_t)n);
	}
	return n < 0 ? -errno : 0;
}

/* Runs it and reads what it writes. 0, a code, or its exit code. */
static int
run_command(const struct reading *r, struct buf *out)
{
	int fds[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), status, rc;
	struct proc_spawn spec = {
		.argv = strvec_argv(&r->at->command), .envp = environ,
		.cwd = r->p->dir, .in = null, .err = null, .session = true,
	};
	pid_t pid;

	if (null == -1 || pipe2(fds, O_CLOEXEC) == -1)
		return -errno;
	spec.out = fds[1];
	rc = proc_spawn(&spec, &pid);
	close(fds[1]);
	close(null);
	if (rc == 0) {
		rc = read_pipe(fds[0], out);
		if (rc < 0)
			(void)kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
			;
		if (rc == 0 && status != 0)
			rc = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	}
	close(fds[0]);
	return rc;
}

static char *
from_command(struct reading *r)
{
	struct buf b = BUF_INIT;
	int rc;

	buf_secret(&b);
	rc = run_command(r, &b);
	if (rc == 0 && memchr(buf_data(&b), 0, buf_len(&b)) == NULL)
		return take(&b);
	if (rc > 0)
		fault(r, "%s exited with %d", r->at->command.v[0], rc);
	else
		fault(r, "%s: %s", r->at->command.v[0], rc < 0 ?
		    err_text(rc) : "a zero byte is in what it wrote");
	buf_done(&b);
	return NULL;
}

static void
read_value(struct reading *r, struct plan_secret *s)
{
	char *value;
	size_t n;

	r->at = s;
	value = s->file != NULL ? from_file(r) :
	    s->command.n > 0 ? from_command(r) : from_environment(r);
	if (value == NULL)
		return;
	n = strlen(value);
	/* Files and commands end with a newline that is not meant. */
	if ((s->file != NULL || s->command.n > 0) && n > 0 &&
	    value[n - 1] == '\n')
		value[--n] = '\0';
	if (n == 0 || n > SECRET_VALUE_MAX) {
		fault(r, n == 0 ? "it is empty" : "longer than 64 kB");
		secret_free(value);
		return;
	}
	if (n < MASK_MIN)
		diag_add(r->ds, DIAG_WARNING, r->p->file, 0, NULL, "secret %s "
		    "has fewer than %d bytes and is not masked in output",
		    s->name, MASK_MIN);
	s->value = value;
}

/* ---- columns ---- */

static bool
has_secret(const struct plan_data *d)
{
	size_t i;

	for (i = 0; d != NULL && i < d->columns.n; i++)
		if (d->secret[i])
			return true;
	return false;
}

static void
take_cells(struct plan_data *d, struct plan_data *from)
{
	size_t i, n = (size_t)d->n_rows * d->columns.n;

	for (i = 0; i < n; i++)
		if (d->secret[i % d->columns.n] && d->cells[i] == NULL) {
			d->cells[i] = from->cells[i];
			from->cells[i] = NULL;
		}
	d->unread = false;
}

/* Of a plan from a snapshot: reads the cells that it does not have. */
static void
read_columns(struct reading *r, struct plan_data *d)
{
	struct plan_data *again = NULL;
	struct buf text = BUF_INIT;
	int rc;

	buf_secret(&text);
	rc = fs_read(d->path, CSV_MAX_BYTES, &text);
	if (rc < 0)
		diag_add(r->ds, DIAG_ERROR, d->path, 0, NULL, "the secret "
		    "columns cannot be read: %s", err_text(rc));
	else
		rc = csv_parse(d->path, buf_str(&text), buf_len(&text), r->ds,
		    &again);
	if (rc == 0 && again->n_rows == d->n_rows &&
	    strvec_equal(&again->columns, &d->columns))
		take_cells(d, again);
	else if (rc == 0)
		diag_set_hint(diag_add(r->ds, DIAG_ERROR, d->path, 0, NULL,
		    "its rows are others than when the run was launched"),
		    "put the file back as it was");
	if (again != NULL)
		plan_data_free(again);
	buf_done(&text);
}

/* What one test needs and has not. */
static void
read_for(struct reading *r, const struct plan_props *props, bool *seen)
{
	struct plan_secret *s;
	uint32_t i;

	for (i = 0; i < props->n_secrets; i++) {
		s = &r->p->secrets[props->secrets[i]];
		if (s->value == NULL && !seen[props->secrets[i]])
			read_value(r, s);
		seen[props->secrets[i]] = true;
	}
	if (has_secret(props->data) && props->data->unread)
		read_columns(r, (struct plan_data *)props->data);
}

int
plan_read_secrets(struct plan *p, struct secrets *known,
    const struct plan_ask *ask, struct diags *ds)
{
	struct reading r = { .p = p, .known = known, .ask = ask, .ds = ds };
	bool *seen = mem_calloc(p->n_secrets, sizeof *seen);
	const struct plan_props *last = NULL;
	size_t errors = ds->errors;
	uint32_t i;

	for (i = 0; i < p->n_steps; i++) {
		r.first = &p->steps[i];
		if (p->tests[r.first->test].props == last)
			continue;
		last = p->tests[r.first->test].props;
		read_for(&r, last, seen);
	}
	free(seen);
	return ds->errors > errors ? ERR_INVALID : 0;
}

static bool
test_has(const struct plan_test *t)
{
	return t->props->n_secrets > 0 || has_secret(t->props->data);
}

bool
plan_has_secrets(const struct plan *p)
{
	uint32_t i;

	for (i = 0; i < p->n_tests; i++)
		if (test_has(&p->tests[i]))
			return true;
	return false;
}

bool
plan_exec_has_secrets(const struct plan *p, uint32_t no)
{
	const struct plan_exec *x = &p->execs[no - 1];
	uint32_t i;

	for (i = 0; i < x->n_steps; i++)
		if (test_has(&p->tests[p->steps[x->first_step + i].test]))
			return true;
	return false;
}

static void
forget_cells(struct plan_data *d)
{
	size_t i, n = (size_t)d->n_rows * d->columns.n;

	for (i = 0; i < n; i++) {
		if (!d->secret[i % d->columns.n] || d->cells[i] == NULL)
			continue;
		mem_wipe(d->cells[i], strlen(d->cells[i]));
		free(d->cells[i]);
		d->cells[i] = NULL;
	}
}

void
plan_forget_secrets(struct plan *p)
{
	const struct plan_props *props;
	uint32_t i;

	for (i = 0; i < p->n_secrets; i++) {
		secret_free(p->secrets[i].value);
		p->secrets[i].value = NULL;
	}
	for (i = 0; i < p->n_tests; i++) {
		props = p->tests[i].props;
		if (has_secret(props->data))
			forget_cells((struct plan_data *)props->data);
	}
}
