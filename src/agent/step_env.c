/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Environments: what somebody's login shell holds does not leak into steps,
 * so that a test sees the same whoever connected first. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/kept.h"
#include "agent/setup.h"
#include "agent/step_env.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"

extern char **environ;

static const char *const base_names[] = {
	"HOME", "USER", "LOGNAME", "PATH", "SHELL", "LANG", "TZ", "TMPDIR",
	NULL
};
static const char *const daemon_names[] = {
	"XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR",
	"YARDMASTER_STATE", "YARDMASTER_MAX_WORKERS", NULL
};

static void
take(struct strvec *out, const char *const *names)
{
	const char *value;

	for (; *names != NULL; names++)
		if ((value = getenv(*names)) != NULL)
			strvec_setenv(out, *names, value);
}

void
step_env_clean(struct strvec *out)
{
	take(out, base_names);
	if (getenv("PATH") == NULL)
		strvec_setenv(out, "PATH", "/usr/local/bin:/usr/bin:/bin");
}

void
step_env_daemon(struct strvec *out)
{
	step_env_clean(out);
	take(out, daemon_names);
}

bool
step_env_is_usual(void)
{
	const char *const *name = daemon_names;

	while (*name != NULL && (getenv(*name) == NULL ||
	    strcmp(*name, "XDG_RUNTIME_DIR") == 0))
		name++;
	return *name == NULL;
}

/* Sets all of a list of "KEY=VALUE". */
static void
set_all(struct strvec *out, const struct strvec *pairs)
{
	const char *eq;
	char key[256];
	size_t i, n;

	for (i = 0; i < pairs->n; i++) {
		eq = strchr(pairs->v[i], '=');
		n = eq != NULL ? (size_t)(eq - pairs->v[i]) : sizeof key;
		if (n >= sizeof key)
			continue;
		memcpy(key, pairs->v[i], n);
		key[n] = '\0';
		strvec_setenv(out, key, eq + 1);
	}
}

static void
set_home(struct strvec *out, const struct runner_place *place,
    const char *home)
{
	char *path = str_fmt("%s/%s", place->spool, home);
	char *tmp = path_join(path, "tmp");

	strvec_setenv(out, "HOME", path);
	strvec_setenv(out, "TMPDIR", tmp);
	free(tmp);
	free(path);
}

static bool
names_agent(const struct strvec *env)
{
	size_t i;

	for (i = 0; i < env->n; i++)
		if (strncmp(env->v[i], "YARDMASTER_AGENT=", 17) == 0)
			return true;
	return false;
}

void
step_env_make(struct strvec *out, const struct runner_place *place,
    const struct work *work, const struct work_step *step, const char *cwd,
    const char *home)
{
	struct ident execution = work->id;
	char text[IDENT_TEXT], number[16], tree[WS_NAME_SIZE];
	char workspace[PATH_MAX];
	size_t i;

	snprintf(workspace, sizeof workspace, "%s/%s", place->spool,
	    setup_name(work->id.run, work->prepare.no, "tree", tree));
	for (i = 0; environ[i] != NULL; i++)
		strvec_push(out, environ[i]);
	strvec_setenv(out, "PWD", cwd);
	if (home != NULL)
		set_home(out, place, home);
	set_all(out, &work->env);
	set_all(out, &step->env);
	strvec_setenv(out, "YARDMASTER_RUN", work->id.run);
	execution.attempt = 0;
	strvec_setenv(out, "YARDMASTER_EXECUTION",
	    ident_format(&execution, text));
	strvec_setenv(out, "YARDMASTER_ATTEMPT",
	    ident_format(&work->id, text));
	strvec_setenv(out, "YARDMASTER_SPOOL", place->spool);
	if (!names_agent(&work->env))
		strvec_setenv(out, "YARDMASTER_AGENT", place->instance);
	snprintf(number, sizeof number, "%u", place->worker);
	strvec_setenv(out, "YARDMASTER_WORKER", number);
	if (work->prepare.tree[0] != '\0')
		strvec_setenv(out, "YARDMASTER_WORKSPACE", workspace);
	if (work->instance != NULL)
		strvec_setenv(out, "YARDMASTER_INSTANCE", work->instance);
}

/* Last places first, so that those before stay where they are. */
void
step_args_make(struct strvec *out, const struct runner_place *place,
    const struct ident *id, const struct work_step *step)
{
	char *file = kept_path(id, KEPT_RESULTS);
	const struct work_hole *h;
	uint32_t i;
	char *old;

	strvec_push_all(out, &step->argv);
	for (i = step->n_results; i > 0; i--) {
		h = &step->results_at[i - 1];
		old = out->v[h->arg];
		out->v[h->arg] = str_fmt("%.*s%s/%s%s", (int)h->at, old,
		    place->spool, file, old + h->at);
		free(old);
	}
	free(file);
}

char *
step_fault(const char *cwd, const char *program, int code)
{
	struct stat st;

	if (stat(cwd, &st) == -1)
		return str_fmt("cannot enter %s: %s", cwd, err_text(-errno));
	return str_fmt("cannot start %s: %s", program, err_text(code));
}
