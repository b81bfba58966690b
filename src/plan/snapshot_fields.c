/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The plain values of a snapshot, one row each (part of snapshot.h). */
#include "config.h"

#include "plan/snapshot.h"

static void
write_u32(struct jw *w, const char *name, const void *member)
{
	jw_kv_int(w, name, *(const uint32_t *)member);
}

static bool
read_u32(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, -1);

	if (n < 0 || n > UINT32_MAX)
		return false;
	*(uint32_t *)member = (uint32_t)n;
	return true;
}

static void
write_i32(struct jw *w, const char *name, const void *member)
{
	jw_kv_int(w, name, *(const int32_t *)member);
}

static bool
read_i32(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, INT64_MAX);

	if (n < INT32_MIN || n > INT32_MAX)
		return false;
	*(int32_t *)member = (int32_t)n;
	return true;
}

static void
write_us(struct jw *w, const char *name, const void *member)
{
	jw_kv_int(w, name, *(const int64_t *)member);
}

static bool
read_us(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, -1);

	if (n < 0)
		return false;
	*(int64_t *)member = n;
	return true;
}

static void
write_flag(struct jw *w, const char *name, const void *member)
{
	jw_kv_bool(w, name, *(const bool *)member);
}

static bool
read_flag(const struct jval *v, void *member)
{
	if (jval_type(v) != JVAL_BOOL)
		return false;
	*(bool *)member = jval_bool(v, false);
	return true;
}

static bool
read_parallel(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, -1);

	if (n < 0 || n >= PARALLELS)
		return false;
	*(enum parallel *)member = (enum parallel)n;
	return true;
}

static bool
read_on_failure(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, -1);

	if (n < 0 || n >= ON_FAILURES)
		return false;
	*(enum on_failure *)member = (enum on_failure)n;
	return true;
}

static bool
read_workers(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, -1);

	if (n < 1 || n > WORK_MAX_WORKERS)
		return false;
	*(uint32_t *)member = (uint32_t)n;
	return true;
}

static bool
read_shards(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, -1);

	if (n < 1 || n > PLAN_MAX_SHARDS)
		return false;
	*(uint32_t *)member = (uint32_t)n;
	return true;
}

static void
write_manner(struct jw *w, const char *name, const void *member)
{
	jw_key(w, name);
	manner_write(w, member);
}

static bool
read_manner(const struct jval *v, void *member)
{
	return manner_read(v, member) == 0;
}

static bool
read_parts(const struct jval *v, void *member)
{
	int64_t n = jval_int(v, -1);

	if (n < 2 || n > PLAN_MAX_PARTS)
		return false;
	*(uint32_t *)member = (uint32_t)n;
	return true;
}

#define FIELD(name, writer, reader)                                          \
	{ #name, offsetof(struct plan_props, name),                           \
	    sizeof(((struct plan_props *)NULL)->name), writer, reader }

const struct snapshot_field snapshot_fields[] = {
	FIELD(parallel, write_u32, read_parallel),
	FIELD(on_failure, write_u32, read_on_failure),
	FIELD(manner, write_manner, read_manner),
	FIELD(workers, write_u32, read_workers),
	FIELD(shards, write_u32, read_shards),
	FIELD(together, write_u32, read_parts),
	FIELD(same_agent, write_flag, read_flag),
	FIELD(timeout_us, write_us, read_us),
	FIELD(estimate_us, write_us, read_us),
	FIELD(artifacts_max, write_us, read_us),
	FIELD(workspace, write_u32, read_u32),
	FIELD(schedule, write_u32, read_u32),
	FIELD(retry_delay_us, write_us, read_us),
	FIELD(lost_after_us, write_us, read_us),
	FIELD(start_timeout_us, write_us, read_us),
	FIELD(retries, write_u32, read_u32),
	FIELD(error_retries, write_u32, read_u32),
	FIELD(priority, write_i32, read_i32),
	FIELD(pinned, write_flag, read_flag),
	FIELD(repeatable, write_flag, read_flag),
	FIELD(beside_itself, write_flag, read_flag),
	FIELD(needs_any_result, write_flag, read_flag),
	FIELD(enabled, write_flag, read_flag),
	FIELD(batch, write_flag, read_flag),
};

const size_t n_snapshot_fields =
    sizeof(snapshot_fields) / sizeof(snapshot_fields[0]);
