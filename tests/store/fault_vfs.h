/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A layer under SQLite that makes a chosen write, or all from it on, fail. */
#ifndef TESTS_FAULT_VFS_H
#define TESTS_FAULT_VFS_H

/* Becomes what all databases opened from now on go through. */
void fault_vfs_install(void);
/* The nth write, sync or truncation from now (from 1) fails with rc, and all
 * after it; 0: none fails. */
void fault_vfs_fail(long nth, int rc);
/* How many there were since fault_vfs_fail(). */
long fault_vfs_count(void);

#endif
