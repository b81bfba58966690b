/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What systemd and logind mean for a daemon of a user: whether it is ended
 * with the user's logins, and units of the user's own systemd. Where there is
 * no systemd all of it does nothing. root is where "/" is, "" but for tests.
 */
#ifndef YARDMASTER_SYS_SERVICE_H
#define YARDMASTER_SYS_SERVICE_H

#include <stdbool.h>

/* True when the user's systemd runs without a login, too. */
bool service_lingers(const char *root, const char *user);
/* True when logind's settings say that processes of a login end with it. */
bool service_login_kills(const char *root, const char *user);
/* What will end a process of user in the control group ("/user.slice/...")
 * before its time, and what to do, as one line (heap); or NULL. */
char *service_warning(const char *root, const char *group, const char *user);
/* The same for this process, whose user is as USER or LOGNAME says. */
char *service_own_warning(void);

/* True when the template unit NAME@.service of the user or of the host
 * starts program, which is a full path. */
bool service_has_unit(const char *root, const char *home, const char *name,
    const char *program);
/* Has the user's systemd start NAME@INSTANCE.service and waits until it says
 * that it is ready. 0, ERR_NOT_FOUND when there is no such systemd to ask,
 * ERR_REFUSED. */
int service_start(const char *name, const char *instance);
/* Tells the systemd that started us that we are ready. Nothing else does. */
void service_ready(void);

#endif
