/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The environment of steps, and the cleaned one that daemons start with. */
#ifndef AGENT_STEP_ENV_H
#define AGENT_STEP_ENV_H

#include "agent/runner.h"

/* The environment of a step: the worker's, its own home (in the spool; NULL:
 * none), the work's, the step's, then who it is (run, execution, attempt,
 * worker, agent unless given). */
void step_env_make(struct strvec *out, const struct runner_place *place,
    const struct work *work, const struct work_step *step, const char *cwd,
    const char *home);
/* The arguments of a step, with the path of its result file put in. */
void step_args_make(struct strvec *out, const struct runner_place *place,
    const struct ident *id, const struct work_step *step);
/* Why a program could not be started in that folder; the caller frees. */
char *step_fault(const char *cwd, const char *program, int code);
/* What of our environment a step may see (HOME, PATH, ...). */
void step_env_clean(struct strvec *out);
/* What of our environment the daemon needs: the above and where its folders
 * are. */
void step_env_daemon(struct strvec *out);
/* True when a daemon that somebody else starts, without our environment, has
 * the same folders and settings. */
bool step_env_is_usual(void);

#endif
