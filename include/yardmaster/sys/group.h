/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Groups of processes (control groups, version 2) that can be ended together,
 * whatever they did to leave their parent and session. Only where the host
 * lets us make them: inside our own group, without further rights.
 */
#ifndef YARDMASTER_SYS_GROUP_H
#define YARDMASTER_SYS_GROUP_H

/*
 * Makes the group name inside our own and moves this process into it, so that
 * all it starts from now on is in it, too. What a group of that name still
 * holds is killed first. 0 and its path (heap), ERR_UNSUPPORTED where there
 * are no such groups, or -errno.
 */
int group_enter(const char *name, char **ret_path);

/* Kills all in the group at path, which group_enter() gave for that name. 0,
 * ERR_NOT_FOUND when it is gone, ERR_RANGE for any other path, or -errno. */
int group_kill(const char *path, const char *name);

/* Removes it when nothing is in it, but for this process, which leaves. */
void group_remove(const char *path, const char *name);

#endif
