/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The overlay of a fleet file: {"touched", "edits": [...]}, read and replaced
 * as a whole under a lock of its own. Nothing is written that does not load.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/fleet_merge.h"
#include "plan/fleet_value.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

char *
fleet_edits_path(const char *fleet)
{
	return str_fmt("%s.edits", fleet);
}

/* ---- reading ---- */

static char *
member(const struct jval *v, const char *key)
{
	const struct jval *m = jval_get(v, key);
	struct buf b = BUF_INIT;

	if (jval_type(m) == JVAL_NULL)
		return NULL;
	jval_print(m, &b);
	return buf_steal(&b);
}

static void
add(struct fleet_edits *e, const struct fleet_edit *one)
{
	e->v = mem_grow(e->v, &e->cap, e->n + 1, sizeof *e->v);
	e->v[e->n++] = *one;
}

static bool
read_edit(const struct jval *v, struct fleet_edits *ret)
{
	struct fleet_edit one = { .number = ret->n + 1 };
	const char *agent = jval_get_str(v, "agent", "");
	int64_t undoes = jval_get_int(v, "undoes", 0);

	one.was = member(v, "old");
	one.now = member(v, "new");
	one.agent = str_dup(agent);
	one.key = str_dup(jval_get_str(v, "key", NULL));
	one.who = str_dup(jval_get_str(v, "who", "?"));
	(void)clock_parse(jval_get_str(v, "time", ""), &one.wall_us);
	one.undoes = undoes > 0 ? (uint64_t)undoes : 0;
	add(ret, &one);
	return ident_is_agent_name(agent) && one.undoes < one.number &&
	    (one.key != NULL || one.was != NULL || one.now != NULL);
}

int
fleet_edits_load(const char *fleet, struct fleet_edits *ret, struct diags *ds)
{
	char *path = fleet_edits_path(fleet);
	const struct jval *list;
	struct jdoc doc;
	bool well = true;
	size_t i;
	int r = 0;

	*ret = (struct fleet_edits){ .v = NULL };
	if (!fs_exists(path) ||
	    (r = jdoc_load(&doc, path, JDOC_COMMENTS, ds)) < 0)
		goto out;
	list = jval_get(doc.root, "edits");
	for (i = 0; well && i < jval_count(list); i++)
		well = i < FLEET_EDITS_MAX && read_edit(jval_at(list, i), ret);
	if (!well || jval_type(list) != JVAL_ARRAY) {
		diag_add(ds, DIAG_ERROR, path, 0, NULL, "not the edits of a "
		    "fleet (edit %zu)", i);
		r = ERR_INVALID;
	}
	jdoc_done(&doc);
out:
	free(path);
	if (r < 0)
		fleet_edits_done(ret);
	return r == ERR_SYNTAX ? ERR_INVALID : r;
}

static void
edit_done(struct fleet_edit *e)
{
	free(e->who);
	free(e->agent);
	free(e->key);
	free(e->was);
	free(e->now);
}

void
fleet_edits_done(struct fleet_edits *e)
{
	size_t i;

	for (i = 0; i < e->n; i++)
		edit_done(&e->v[i]);
	free(e->v);
	*e = (struct fleet_edits){ .v = NULL };
}

/* ---- writing ---- */

static void
write_json(struct jw *w, const char *key, const char *json)
{
	jw_key(w, key);
	if (json == NULL)
		jw_null(w);
	else
		jw_raw(w, json, strlen(json));
}

static void
write_edits(const struct fleet_edits *e, struct buf *out)
{
	const struct fleet_edit *one;
	struct jw w;
	size_t i;

	jw_init(&w, out);
	jw_object(&w);
	/* Never twice the same: who watches the file looks again. */
	jw_kv_time(&w, "touched", clock_wall_us());
	jw_key(&w, "edits");
	jw_array(&w);
	for (i = 0; i < e->n; i++) {
		one = &e->v[i];
		buf_puts(out, "\n");
		jw_object(&w);
		jw_kv_time(&w, "time", one->wall_us);
		jw_kv_str(&w, "who", one->who);
		jw_kv_str(&w, "agent", one->agent);
		jw_kv_str(&w, "key", one->key);
		write_json(&w, "old", one->was);
		write_json(&w, "new", one->now);
		if (one->undoes > 0)
			jw_kv_int(&w, "undoes", (int64_t)one->undoes);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	buf_putc(out, '\n');
}

/* Readable by whom the fleet file is. */
static int
save(const char *fleet, const struct fleet_edits *e, struct diags *ds)
{
	char *path = fleet_edits_path(fleet);
	struct buf out = BUF_INIT;
	struct stat st;
	int r;

	write_edits(e, &out);
	if (stat(fleet, &st) < 0)
		st.st_mode = 0600;
	r = fs_replace(path, buf_str(&out), buf_len(&out), st.st_mode & 0666);
	if (r < 0)
		diag_add(ds, DIAG_ERROR, path, 0, NULL, "cannot be written: %s",
		    err_text(r));
	buf_done(&out);
	free(path);
	return r;
}

/* ---- one change ---- */

/* What a change is made to. */
struct session {
	const char *fleet;
	struct diags *ds;
	int lock;
	struct jdoc doc;
	bool loaded;
	struct fleet_edits edits;
	struct fleet_spec *before;	/* NULL: it does not load as it is */
};

static int
begin(struct session *s, const char *fleet, struct diags *ds)
{
	char *lock = str_fmt("%s.edits.lock", fleet);
	struct diags quiet = DIAGS_INIT;
	int r;

	*s = (struct session){ .fleet = fleet, .ds = ds, .lock = -1 };
	if ((r = file_lock(lock, &s->lock)) < 0)
		diag_add(ds, DIAG_ERROR, lock, 0, NULL, "%s", r == ERR_LOCKED ?
		    "somebody edits the fleet just now: try again" :
		    err_text(r));
	free(lock);
	if (r < 0 || (r = jdoc_load(&s->doc, fleet, JDOC_COMMENTS, ds)) < 0)
		return r == ERR_SYNTAX ? ERR_INVALID : r;
	s->loaded = true;
	if ((r = fleet_edits_load(fleet, &s->edits, ds)) < 0)
		return r;
	/* One that does not load can be mended by an edit: the end says so. */
	(void)fleet_load_edited(&s->doc, fleet, &s->edits, &quiet, &s->before);
	diags_done(&quiet);
	return 0;
}

/* Saves what loads. */
static int
end(struct session *s, int r)
{
	struct fleet_spec *f = NULL;

	if (r == 0)
		r = fleet_load_edited(&s->doc, s->fleet, &s->edits, s->ds, &f);
	if (r == 0)
		r = save(s->fleet, &s->edits, s->ds);
	fleet_spec_free(f);
	fleet_spec_free(s->before);
	fleet_edits_done(&s->edits);
	if (s->loaded)
		jdoc_done(&s->doc);
	if (s->lock >= 0)
		close(s->lock);
	return r;
}

/* The agent as it is now, or NULL; doc holds it. */
static const struct jval *
agent_now(struct session *s, const char *name, struct jval **ret_root)
{
	struct buf text = BUF_INIT;
	struct diags none = DIAGS_INIT;
	const struct jval *list, *found = NULL;
	size_t i;

	fleet_merge(s->doc.root, &s->edits, &none, &text);
	*ret_root = NULL;
	(void)jval_parse(ret_root, buf_data(&text), buf_len(&text));
	list = jval_get(*ret_root, "agents");
	for (i = 0; i < jval_count(list) && found == NULL; i++)
		if (strcmp(jval_get_str(jval_at(list, i), "name", ""),
		    name) == 0)
			found = jval_at(list, i);
	buf_done(&text);
	diags_done(&none);
	return found;
}

static void
record(struct session *s, const char *agent, const char *key, char *was,
    char *now, const char *who, uint64_t undoes)
{
	struct fleet_edit one = {
		.number = s->edits.n + 1,
		.wall_us = clock_wall_us(),
		.who = str_dup(who),
		.agent = str_dup(agent),
		.key = str_dup(key),
		.was = was,
		.now = now,
		.undoes = undoes,
	};

	add(&s->edits, &one);
}

static int
refuse(struct session *s, int code, const char *agent, const char *text)
{
	diag_add(s->ds, DIAG_ERROR, NULL, 0, NULL, "%s %s", agent, text);
	return code;
}

static char *
print(const struct jval *v)
{
	struct buf b = BUF_INIT;

	if (jval_type(v) == JVAL_NULL)
		return NULL;
	jval_print(v, &b);
	return buf_steal(&b);
}

static int
change_values(struct session *s, const struct fleet_change *c, struct buf *said)
{
	const struct jval *agent;
	struct jval *root;
	char *key, *now;
	size_t i;
	int r = 0;

	for (i = 0; i < c->n && r == 0; i++) {
		if ((agent = agent_now(s, c->agent, &root)) == NULL)
			r = refuse(s, ERR_NOT_FOUND, c->agent,
			    "is not in the fleet");
		else if ((r = fleet_value(c->values[i], agent, s->ds, &key,
		    &now)) == 0) {
			record(s, c->agent, key,
			    print(jval_get(agent, key)), now, c->who, 0);
			buf_putf(said, "%s%s %s", i > 0 ? ", " : "", key,
			    now != NULL ? now : "as by default");
			free(key);
		}
		jval_free(root);
	}
	return r;
}

static int
add_agent(struct session *s, const struct fleet_change *c, struct buf *said)
{
	struct buf b = BUF_INIT;
	struct jw w;
	char *key, *now;
	size_t i;
	int r = 0;

	if (s->before != NULL && fleet_find(s->before, c->agent) >= 0)
		return refuse(s, ERR_EXISTS, c->agent,
		    "is in the fleet already");
	jw_init(&w, &b);
	jw_object(&w);
	jw_kv_str(&w, "name", c->agent);
	for (i = 0; i < c->n && r == 0; i++)
		if ((r = fleet_value(c->values[i], NULL, s->ds, &key,
		    &now)) == 0) {
			write_json(&w, key, now);
			free(key);
			free(now);
		}
	jw_object_end(&w);
	if (r == 0) {
		record(s, c->agent, NULL, NULL, str_dup(buf_str(&b)), c->who,
		    0);
		buf_puts(said, "added");
	}
	buf_done(&b);
	return r;
}

static int
remove_agent(struct session *s, const struct fleet_change *c, struct buf *said)
{
	struct jval *root;
	const struct jval *agent = agent_now(s, c->agent, &root);
	int r = 0;

	if (agent == NULL)
		r = refuse(s, ERR_NOT_FOUND, c->agent, "is not in the fleet");
	else
		record(s, c->agent, NULL, print(agent), NULL, c->who, 0);
	buf_puts(said, "removed");
	jval_free(root);
	return r;
}

int
fleet_change(const char *fleet, const struct fleet_change *c,
    struct diags *ds, char **ret_text)
{
	struct buf said = BUF_INIT;
	struct session s;
	uint64_t first;
	int r;

	r = begin(&s, fleet, ds);
	first = s.edits.n + 1;
	if (r == 0)
		r = (c->add ? add_agent : c->remove ? remove_agent :
		    change_values)(&s, c, &said);
	if (r == 0 && s.edits.n > FLEET_EDITS_MAX)
		r = refuse(&s, ERR_TOO_LARGE, fleet, "has too many edits: put "
		    "them into the file, and remove its .edits");
	buf_putf(&said, " (edit %llu", (unsigned long long)first);
	if (s.edits.n > first)
		buf_putf(&said, " to %zu", s.edits.n);
	buf_putc(&said, ')');
	if ((r = end(&s, r)) == 0)
		*ret_text = buf_steal(&said);
	buf_done(&said);
	return r;
}

/* ---- undo ---- */

static bool
same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

/* True when the value is still that of the edit. */
static bool
still_holds(struct session *s, const struct fleet_edit *e)
{
	struct jval *root;
	const struct jval *agent = agent_now(s, e->agent, &root);
	char *now = agent == NULL ? NULL :
	    print(e->key != NULL ? jval_get(agent, e->key) : agent);
	bool yes = same(now, e->now) && (e->key == NULL || agent != NULL);

	free(now);
	jval_free(root);
	return yes;
}

int
fleet_undo(const char *fleet, uint64_t number, const char *who,
    struct diags *ds, char **ret_text)
{
	const struct fleet_edit *e;
	struct session s;
	char *text = NULL;
	int r;

	if ((r = begin(&s, fleet, ds)) == 0 &&
	    (number < 1 || number > s.edits.n))
		r = refuse(&s, ERR_NOT_FOUND, fleet, "has no edit of that "
		    "number; yardmaster fleet edits lists them");
	if (r == 0) {
		e = &s.edits.v[number - 1];
		if (!still_holds(&s, e)) {
			r = refuse(&s, ERR_STATE, e->agent, "is no longer as "
			    "that edit made it");
		} else {
			text = str_fmt("%s%s%s as before", e->agent,
			    e->key != NULL ? ": " : "",
			    e->key != NULL ? e->key : "");
			record(&s, e->agent, e->key,
			    e->now != NULL ? str_dup(e->now) : NULL,
			    e->was != NULL ? str_dup(e->was) : NULL, who,
			    number);
		}
	}
	if ((r = end(&s, r)) == 0)
		*ret_text = text;
	else
		free(text);
	return r;
}

int
fleet_touch(const char *fleet, struct diags *ds)
{
	struct session s;

	return end(&s, begin(&s, fleet, ds));
}
