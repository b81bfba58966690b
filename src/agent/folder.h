/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder that an attempt works in. One that was left untouched is given
 * to the next attempt under its new name: making and removing a folder costs
 * more than starting a small process.
 */
#ifndef AGENT_FOLDER_H
#define AGENT_FOLDER_H

#include <sys/stat.h>

/* What a worker keeps from attempt to attempt. */
struct folders {
	char *spare;		/* untouched and empty, or NULL */
	struct stat made;	/* of the folder handed out last */
};

/* Makes path, or gives the spare that name. 0 or -errno. */
int folder_make(struct folders *f, const char *path);
/* The attempt in path ended well: keeps it as the spare when it is as it was
 * made, else removes it with all that is in it. */
void folder_drop(struct folders *f, const char *path);
/* Removes the spare. */
void folders_done(struct folders *f);

#endif
