/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Following a run that another process drives, by reading its file. */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/proto/frame.h"
#include "yardmaster/store/run_file.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/loop.h"

#include "cli/attach.h"
#include "cli/owner_client.h"

#define LOOK_EVERY_MS 500

struct attach {
	const struct cli *c;
	char *state_dir;
	const char *run;
	bool quiet;
	bool *told;		/* by number - 1 */
	uint32_t n;
};

static int
tell(void *arg, const struct run_exec *x)
{
	struct attach *a = arg;
	struct buf line = BUF_INIT;

	if (x->no == 0 || x->no > a->n || a->told[x->no - 1] ||
	    !exec_state_final(x->state))
		return 0;
	a->told[x->no - 1] = true;
	if (a->quiet)
		return 0;
	buf_putf(&line, "[%u] %-9s ", x->no, exec_state_name(x->state));
	text_escape(&line, x->test, strlen(x->test));
	if (x->row != NULL) {
		buf_putc(&line, '[');
		text_escape(&line, x->row, strlen(x->row));
		buf_putc(&line, ']');
	}
	if (x->agent != NULL)
		buf_putf(&line, "  %s", x->agent);
	puts(buf_str(&line));
	fflush(stdout);
	buf_done(&line);
	return 0;
}

/* Reads the file once. 1 when the run has ended, else 0 or a code. */
static int
look(struct attach *a, int *ret_code)
{
	struct run_file *f = NULL;
	struct run_head head;
	struct counts counts;
	int r;

	if ((r = run_file_open(a->state_dir, a->run, &f)) < 0)
		return r;
	if ((r = run_file_begin_read(f)) < 0 ||
	    (r = run_file_head(f, &head)) < 0 ||
	    (r = run_file_counts(f, &counts)) < 0)
		goto out;
	if (a->told == NULL) {
		a->n = counts_total(&counts);
		a->told = mem_calloc(a->n, sizeof *a->told);
	}
	if ((r = run_file_each_exec(f, tell, a)) < 0)
		goto out;
	*ret_code = head.exit_code;
	r = head.state == RUN_ENDED;
out:
	run_file_end_read(f);
	run_file_close(f);
	return r;
}

/* Waits a moment, or until the owner's end of the socket closes. */
static void
wait_owner(int *fd)
{
	struct pollfd p = { .fd = *fd, .events = POLLIN };
	uint8_t in[4096];

	if (poll(&p, 1, LOOK_EVERY_MS) <= 0)
		return;
	if (read(*fd, in, sizeof in) <= 0) {
		close(*fd);
		*fd = -1;
	}
}

int
attach_follow(const struct cli *c, const char *run, bool quiet,
    int *ret_code)
{
	struct attach a = { .c = c, .run = run, .quiet = quiet };
	struct run_owner owner;
	char *sock = NULL;
	int fd = -1, r;

	if ((a.state_dir = owner_state_dir(c)) == NULL)
		return ERR_NOT_FOUND;
	sock = run_path(a.state_dir, run, ".sock");
	while ((r = look(&a, ret_code)) == 0) {
		memset(&owner, 0, sizeof owner);
		if (run_owner_read(a.state_dir, run, &owner) < 0) {
			/* It may have ended between the two looks. */
			r = look(&a, ret_code);
			if (r == 0)
				r = ERR_CLOSED;
			break;
		}
		run_owner_done(&owner);
		if (fd < 0)
			(void)usock_connect(sock, &fd);
		wait_owner(&fd);
	}
	if (fd >= 0)
		close(fd);
	free(sock);
	free(a.told);
	free(a.state_dir);
	return r == 1 ? 0 : r;
}
