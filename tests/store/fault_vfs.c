/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A layer under SQLite that counts writes and makes them fail. */
#include "config.h"

#include <string.h>
#include <sqlite3.h>

#include "fault_vfs.h"

struct fault_file {
	sqlite3_file base;
	sqlite3_file *real;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	sqlite3_io_methods methods;
	long count, nth;
	int rc;
} fault;

static sqlite3_file *
real_of(sqlite3_file *f)
{
	return ((struct fault_file *)f)->real;
}

#define REAL(f) (real_of(f)->pMethods)

/* SQLITE_OK when this write may go on. */
static int
count_write(void)
{
	fault.count++;
	return fault.nth > 0 && fault.count >= fault.nth ? fault.rc :
	    SQLITE_OK;
}

static int
f_close(sqlite3_file *f)
{
	return REAL(f)->xClose(real_of(f));
}

static int
f_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	return REAL(f)->xRead(real_of(f), p, n, at);
}

static int
f_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = count_write();

	return rc != SQLITE_OK ? rc : REAL(f)->xWrite(real_of(f), p, n, at);
}

static int
f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = count_write();

	return rc != SQLITE_OK ? rc : REAL(f)->xTruncate(real_of(f), size);
}

/* None of these tests cuts the power, so that nothing has to reach a disk. */
static int
f_sync(sqlite3_file *f, int flags)
{
	return count_write();
}

static int
f_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	return REAL(f)->xFileSize(real_of(f), ret);
}

static int
f_lock(sqlite3_file *f, int level)
{
	return REAL(f)->xLock(real_of(f), level);
}

static int
f_unlock(sqlite3_file *f, int level)
{
	return REAL(f)->xUnlock(real_of(f), level);
}

static int
f_reserved(sqlite3_file *f, int *ret)
{
	return REAL(f)->xCheckReservedLock(real_of(f), ret);
}

static int
f_control(sqlite3_file *f, int op, void *arg)
{
	return REAL(f)->xFileControl(real_of(f), op, arg);
}

static int
f_sector(sqlite3_file *f)
{
	return REAL(f)->xSectorSize(real_of(f));
}

static int
f_traits(sqlite3_file *f)
{
	return REAL(f)->xDeviceCharacteristics(real_of(f));
}

static int
f_shm_map(sqlite3_file *f, int page, int size, int extend,
    void volatile **ret)
{
	return REAL(f)->xShmMap(real_of(f), page, size, extend, ret);
}

static int
f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return REAL(f)->xShmLock(real_of(f), offset, n, flags);
}

static void
f_shm_barrier(sqlite3_file *f)
{
	REAL(f)->xShmBarrier(real_of(f));
}

static int
f_shm_unmap(sqlite3_file *f, int remove)
{
	return REAL(f)->xShmUnmap(real_of(f), remove);
}

static int
v_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *f, int flags,
    int *ret_flags)
{
	struct fault_file *ff = (struct fault_file *)f;
	int rc;

	ff->real = (sqlite3_file *)(ff + 1);
	rc = fault.real->xOpen(fault.real, name, ff->real, flags, ret_flags);
	f->pMethods = ff->real->pMethods != NULL ? &fault.methods : NULL;
	return rc;
}

void
fault_vfs_install(void)
{
	fault.real = sqlite3_vfs_find(NULL);
	fault.vfs = *fault.real;
	fault.vfs.zName = "fault";
	fault.vfs.pNext = NULL;
	fault.vfs.szOsFile = (int)sizeof(struct fault_file) +
	    fault.real->szOsFile;
	fault.vfs.xOpen = v_open;
	fault.methods = (sqlite3_io_methods){
		.iVersion = 2, .xClose = f_close, .xRead = f_read,
		.xWrite = f_write, .xTruncate = f_truncate, .xSync = f_sync,
		.xFileSize = f_size, .xLock = f_lock, .xUnlock = f_unlock,
		.xCheckReservedLock = f_reserved, .xFileControl = f_control,
		.xSectorSize = f_sector, .xDeviceCharacteristics = f_traits,
		.xShmMap = f_shm_map, .xShmLock = f_shm_lock,
		.xShmBarrier = f_shm_barrier, .xShmUnmap = f_shm_unmap
	};
	sqlite3_vfs_register(&fault.vfs, 1);
}

void
fault_vfs_fail(long nth, int rc)
{
	fault.nth = nth;
	fault.rc = rc;
	fault.count = 0;
}

long
fault_vfs_count(void)
{
	return fault.count;
}
