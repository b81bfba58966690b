/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What keeps the secrets of an attempt to its steps: their environment, and
 * the mask over all that they say. */
#ifndef AGENT_VEIL_H
#define AGENT_VEIL_H

#include "yardmaster/base/mask.h"
#include "yardmaster/model/work.h"

/* A mask over all of them; NULL when there are none. */
struct mask *veil_new(const struct secrets *s);
/* Adds to env what step no has, and YARDMASTER_SECRETS, their names. */
void veil_env(const struct secrets *s, uint32_t no, struct strvec *env);
/* Wipes and frees an environment. */
void veil_env_done(struct strvec *env);
/* Masks the texts of n results, and text. m NULL: nothing is done. */
void veil_texts(struct mask *m, struct step_result *results, uint32_t n,
    char **text);
/* Masks a file that a step left (kept.h). 0 or a code; the file is gone
 * then. */
int veil_file(struct mask *m, const struct ident *id, const char *file);
/* Of a step, in whose environment they are: masks text. */
void veil_own(char **text);

#endif
