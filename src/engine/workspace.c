/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Workspaces: packed once at launch into STATE/trees/HASH, where they stay
 * for whoever takes the run over, offered to each agent that gets work of it,
 * and removed when no run used them for long.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/tree.h"

#include "engine/engine_private.h"

#define KEEP_US (30 * 24 * 3600 * US_PER_S)	/* since it was last used */

static char *
trees_path(const struct engine *e, const char *name)
{
	char *dir = path_join(e->state_dir, "trees"), *path;

	path = path_join(dir, name);
	free(dir);
	return path;
}

/* Removes what no launch used for long. */
static void
sweep(const char *dir_name)
{
	int64_t oldest = clock_wall_us() - KEEP_US;
	DIR *dir = opendir(dir_name);
	struct dirent *e;
	struct stat st;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW)
		    == 0 && S_ISREG(st.st_mode) &&
		    (int64_t)st.st_mtime * US_PER_S < oldest)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

/* Packs into a file of our own, which then gets the name of its content. */
static int
pack(struct engine *e, struct plan_workspace *w, struct buf *why)
{
	char mine[32], *temp, *path = NULL;
	struct tree_sum sum;
	int fd, r;

	snprintf(mine, sizeof mine, "new.%d", (int)getpid());
	temp = trees_path(e, mine);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd == -1) {
		r = -errno;
		buf_putf(why, "%s: %s", temp, err_text(r));
		free(temp);
		return r;
	}
	r = tree_pack(w->path, &w->exclude, fd, TREE_MAX_BYTES, &sum, why);
	close(fd);
	if (r == 0) {
		path = trees_path(e, sum.hash);
		r = rename(temp, path) == 0 ? 0 : -errno;
	}
	if (r < 0) {
		(void)unlink(temp);
	} else {
		memcpy(w->hash, sum.hash, sizeof w->hash);
		w->bytes = sum.bytes;
	}
	free(path);
	free(temp);
	return r;
}

/* One of an earlier launch (a plan that is run again) is taken as it was. */
static bool
is_packed(struct engine *e, const struct plan_workspace *w)
{
	char *path = trees_path(e, w->hash);
	bool there = w->hash[0] != '\0' &&
	    utimensat(AT_FDCWD, path, NULL, 0) == 0;

	free(path);
	return there;
}

int
workspaces_pack(struct engine *e, struct plan *plan, struct diags *ds)
{
	struct buf why = BUF_INIT;
	char *dir;
	uint32_t i;
	int r = 0;

	if (plan->n_workspaces == 0)
		return 0;
	dir = trees_path(e, "");
	if ((r = fs_mkdirs(dir)) < 0)
		buf_putf(&why, "%s: %s", dir, err_text(r));
	else
		sweep(dir);
	for (i = 0; i < plan->n_workspaces && r == 0; i++)
		if (!is_packed(e, &plan->workspaces[i]))
			r = pack(e, &plan->workspaces[i], &why);
	if (r < 0)
		diag_add(ds, DIAG_ERROR, NULL, 0, NULL, "the workspace cannot "
		    "be packed: %s", buf_len(&why) > 0 ? buf_str(&why) :
		    err_text(r));
	buf_done(&why);
	free(dir);
	return r;
}

void
workspace_offer(struct engine *e, struct erun *r, size_t agent, uint32_t no)
{
	const struct plan *p = r->plan;
	uint32_t index = p->suites[p->execs[no - 1].suite].props->workspace;
	const struct plan_workspace *w;
	char *path;

	if (index == 0)
		return;
	w = &p->workspaces[index - 1];
	path = trees_path(e, w->hash);
	fleet_offer(e->fleet, agent, w->hash, w->bytes, path);
	free(path);
}

void
workspace_waits(struct erun *r, uint32_t no, const char *text)
{
	struct exec_texts *t = &r->texts[no - 1];

	if (t->setup == NULL && text != NULL)
		t->setup_us = clock_mono_us();
	free(t->setup);
	t->setup = str_dup(text);
}

bool
workspace_is_awaited(const struct erun *r, uint32_t no)
{
	return r->texts[no - 1].setup != NULL &&
	    r->live.executions[no - 1].state == EXEC_ASSIGNED;
}

void
workspace_why(const struct erun *r, uint32_t no, struct why *why)
{
	const struct exec_texts *t = &r->texts[no - 1];
	struct blocker was;

	if (!workspace_is_awaited(r, no))
		return;
	why_add(why, REASON_SETUP, t->setup_us, "%s", t->setup);
	was = why->v[0];
	why->v[0] = why->v[why->n - 1];
	why->v[why->n - 1] = was;
}

void
workspaces_over(struct engine *e, const struct erun *r)
{
	bool any = false;
	uint32_t i;
	size_t a;

	for (i = 0; i < r->plan->n_suites; i++)
		any |= plan_prepare_no(r->plan, i) > 0;
	for (a = 0; any && a < fleet_count(e->fleet); a++)
		fleet_over(e->fleet, a, r->live.id, r->epoch);
}
