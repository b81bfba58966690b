/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folders of the program. HOME must be set; nothing asks the user
 * database. Returned strings are heap strings of the caller. */
#ifndef YARDMASTER_SYS_PATHS_H
#define YARDMASTER_SYS_PATHS_H

/* $YARDMASTER_STATE, else $XDG_STATE_HOME/yardmaster, else
 * ~/.local/state/yardmaster. 0, or ERR_NOT_FOUND without HOME. */
int paths_state(char **ret);
/* $XDG_CONFIG_HOME/yardmaster, else ~/.config/yardmaster. */
int paths_config(char **ret);
/* paths_state() + "/agent/INSTANCE" of this account. */
int paths_agent(const char *instance, char **ret);
/* a/b, without doubling a slash. */
char *path_join(const char *a, const char *b);
/* "~" and "~/x" through HOME; else a copy. */
char *path_expand(const char *path);
/* The folder of path ("." when it has none). */
char *path_dir(const char *path);
/* The folder of the running executable, or NULL. */
char *paths_self_dir(void);
/*
 * A file or folder of the shipped data, such as "themes/dark.theme" or
 * "examples": in $YARDMASTER_DATA, in the source tree when we were built
 * there, in share/ beside our executable's folder, in pkgdatadir. The first
 * that can be read, or NULL.
 */
char *paths_data(const char *name);
/* The executable of the agent: $YARDMASTER_AGENT, the folder of our own
 * executable, libexecdir, PATH. 0 or ERR_NOT_FOUND. */
int paths_agent_program(char **ret);
/* The static agent for hosts of that machine (as uname -m says it): the
 * program yardmaster-agent-static.MACHINE, else yardmaster-agent-static, beside
 * our own executable or in libexecdir. 0 or ERR_NOT_FOUND. */
int paths_static_agent(const char *machine, char **ret);
/* The executable of the libssh2 transport: $YARDMASTER_LINK as it is, the
 * folder of our own executable, libexecdir. 0 or ERR_NOT_FOUND. */
int paths_link_program(char **ret);

#endif
