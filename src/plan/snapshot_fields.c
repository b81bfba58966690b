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

#define FIELD(name, kind) \
	{ #name, offsetof(struct plan_props, name), write_##kind, read_##kind }
#define FIELD_US(name) \
	{ #name, offsetof(struct plan_props, name), write_us, read_us }

const struct snapshot_field snapshot_fields[] = {
	{ "parallel", offsetof(struct plan_props, parallel), write_u32,
	    read_parallel },
	{ "on_failure", offsetof(struct plan_props, on_failure), write_u32,
	    read_on_failure },
	{ "workers", offsetof(struct plan_props, workers), write_u32,
	    read_workers },
	FIELD_US(timeout_us), FIELD_US(estimate_us), FIELD_US(retry_delay_us),
	FIELD_US(lost_after_us), FIELD_US(start_timeout_us),
	FIELD(retries, u32), FIELD(error_retries, u32), FIELD(priority, i32),
	FIELD(pinned, flag), FIELD(repeatable, flag),
	FIELD(beside_itself, flag), FIELD(needs_any_result, flag),
	FIELD(enabled, flag),
};

const size_t n_snapshot_fields =
    sizeof(snapshot_fields) / sizeof(snapshot_fields[0]);
