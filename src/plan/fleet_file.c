/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loading and checking fleet files, by the same key table as plans. */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "plan/fleet_merge.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/fleet_file.h"

struct fleet_loader {
	struct check c;
	struct fleet_spec *f;
};

static const struct jval *
get(const struct jval *obj, const char *key)
{
	return check_get(obj, key, AT_AGENT);
}

static char *
get_text(const struct jval *obj, const char *key)
{
	return str_dup(jval_str(get(obj, key), NULL));
}

/* ---- one agent ---- */

static void
check_host(struct fleet_loader *l, struct agent_spec *a)
{
	bool reached = a->transport != TRANSPORT_LOCAL &&
	    a->transport != TRANSPORT_COMMAND;

	if (a->host != NULL && !ident_is_host(a->host))
		check_fault_at(&l->c, "host", "not a host: letters, digits "
		    "and . _ : -, not beginning with -");
	if (a->host == NULL && reached) {
		a->host = str_dup(a->name);
		if (a->host[0] == '-')
			check_fault_at(&l->c, "name", "cannot be the host "
			    "too: give a host");
	}
	if (a->user != NULL && !ident_is_host(a->user))
		check_fault_at(&l->c, "user", "not an account: letters, "
		    "digits and . _ : -, not beginning with -");
	if (a->agent_path != NULL && !ident_is_far_command(a->agent_path))
		check_fault_at(&l->c, "agent_path", "words of letters, "
		    "digits and . _ / - with single spaces are expected");
	if (a->instance != NULL && !ident_is_agent_name(a->instance))
		check_fault_at(&l->c, "instance", "letters, digits and . _ - "
		    "are expected, at most 64");
}

static void
check_transport(struct fleet_loader *l, const struct jval *obj,
    struct agent_spec *a)
{
	if (a->transport == TRANSPORT_COMMAND && a->command.n == 0 &&
	    jval_get(obj, "command") == NULL)
		check_fault(&l->c, "transport command needs a command");
	if (a->transport != TRANSPORT_COMMAND && a->command.n > 0)
		diag_set_hint(check_fault_at(&l->c, "command", "a command is "
		    "for transport command only"), "set \"transport\": "
		    "\"command\"");
	if (a->transport == TRANSPORT_LOCAL && a->host != NULL)
		check_fault_at(&l->c, "host", "a local agent has no host");
}

static void
load_instances(struct fleet_loader *l, const struct jval *v,
    struct agent_spec *a)
{
	static const struct key strings = { .form = FORM_STRINGS };
	size_t i, mark, inner, n = jval_count(v);
	struct instances_spec *spec;
	const struct jval *list;

	a->instances = mem_calloc(n, sizeof(*a->instances));
	mark = check_key(&l->c, "instances");
	for (i = 0; i < n; i++) {
		list = jval_value_at(v, i);
		inner = check_key(&l->c, jval_key_at(v, i));
		if (jval_type(list) != JVAL_ARRAY || jval_count(list) == 0)
			check_fault(&l->c, "%s is expected, not %s",
			    form_name(strings.form),
			    jval_count(list) == 0 &&
			    jval_type(list) == JVAL_ARRAY ? "an empty one" :
			    jval_type_name(jval_type(list)));
		spec = &a->instances[a->n_instances++];
		spec->target = str_dup(jval_key_at(v, i));
		value_strings(list, &spec->names);
		check_back(&l->c, inner);
	}
	check_back(&l->c, mark);
}

static void
load_guards(struct fleet_loader *l, const struct jval *v,
    struct guards *g)
{
	const struct jval *one;
	struct strvec argv = STRVEC_INIT;
	size_t mark = check_key(&l->c, "guards");

	check_object(&l->c, v, AT_GUARDS);
	if ((one = check_get(v, "load_per_cpu", AT_GUARDS)) != NULL) {
		g->load_per_cpu = jval_real(one, 0);
		g->given |= GUARD_BIT(GUARD_LOAD);
	}
	if ((one = check_get(v, "free_memory", AT_GUARDS)) != NULL) {
		g->free_memory = (uint64_t)value_size(one);
		g->given |= GUARD_BIT(GUARD_MEMORY);
	}
	if ((one = check_get(v, "free_disk", AT_GUARDS)) != NULL) {
		g->free_disk = (uint64_t)value_size(one);
		g->given |= GUARD_BIT(GUARD_DISK);
	}
	if ((one = check_get(v, "health", AT_GUARDS)) != NULL) {
		value_strings(one, &argv);
		if (guards_set_health(g, &argv) < 0)
			check_fault_at(&l->c, "health", "too long: at most 511 "
			    "bytes as JSON");
	}
	strvec_done(&argv);
	check_back(&l->c, mark);
}

static void
load_threshold(struct fleet_loader *l, const struct jval *v,
    struct agent_spec *a)
{
	char *text = value_text(v);
	size_t mark = check_key(&l->c, "threshold");

	if (text != NULL && threshold_parse(text, &a->threshold) < 0)
		diag_set_hint(check_fault(&l->c, "\"%s\" is not a threshold",
		    text), "a number, or \"-N\" to keep N workers free");
	check_back(&l->c, mark);
	free(text);
}

/* "-1" of two workers is one, which is less than it sounds. */
static void
lint_threshold(struct fleet_loader *l, const struct agent_spec *a)
{
	size_t mark = check_key(&l->c, "threshold");

	if (a->threshold.kind == THRESHOLD_SPARE && a->max_workers > 0 &&
	    threshold_effective(&a->threshold, a->max_workers) == 1)
		check_warn(&l->c, "W04: threshold \"-%u\" of %u worker%s "
		    "leaves 1", a->threshold.n, a->max_workers,
		    a->max_workers == 1 ? "" : "s");
	check_back(&l->c, mark);
}

static void
load_limits(struct fleet_loader *l, const struct jval *obj,
    struct agent_spec *a)
{
	const struct jval *v;

	a->max_workers = (uint32_t)jval_int(get(obj, "max_workers"), 0);
	if ((v = get(obj, "threshold")) != NULL)
		load_threshold(l, v, a);
	lint_threshold(l, a);
	if ((v = get(obj, "guards")) != NULL)
		load_guards(l, v, &a->guards);
	v = get(obj, "kind");
	a->virtual = v != NULL && strcmp(jval_str(v, ""), "virtual") == 0;
	if (a->virtual && a->max_workers > 1)
		check_fault_at(&l->c, "max_workers", "a virtual agent always "
		    "has one worker");
	a->cost_per_hour = jval_real(get(obj, "cost_per_hour"), 0);
	a->speed = jval_real(get(obj, "speed"), 1);
	if (a->speed <= 0)
		check_fault_at(&l->c, "speed", "more than 0 is expected");
}

static void
check_labels(struct fleet_loader *l, const struct agent_spec *a)
{
	size_t i, mark, inner;

	mark = check_key(&l->c, "labels");
	for (i = 0; i < a->labels.n; i++) {
		inner = check_index(&l->c, i);
		if (!ident_is_agent_name(a->labels.v[i]))
			check_fault(&l->c, "\"%s\" is not a label: letters, "
			    "digits and . _ -, at most 64", a->labels.v[i]);
		check_back(&l->c, inner);
	}
	check_back(&l->c, mark);
}

static void
load_agent(struct fleet_loader *l, const struct jval *obj,
    struct agent_spec *a)
{
	const struct jval *v;

	check_object(&l->c, obj, AT_AGENT);
	a->name = get_text(obj, "name");
	if (a->name == NULL && jval_get(obj, "name") == NULL)
		check_fault(&l->c, "an agent needs a name");
	else if (a->name != NULL && !ident_is_agent_name(a->name))
		check_fault_at(&l->c, "name", "not a name of an agent: "
		    "letters, digits and . _ -, at most 64");
	if (a->name == NULL)
		a->name = str_dup("?");
	a->host = get_text(obj, "host");
	a->port = (uint16_t)jval_int(get(obj, "port"), 0);
	a->user = get_text(obj, "user");
	if ((v = get(obj, "transport")) != NULL)
		a->transport = (enum transport)value_choice(v,
		    key_find("transport", AT_AGENT));
	value_strings(get(obj, "command"), &a->command);
	a->identity = get_text(obj, "identity");
	a->known_hosts = get_text(obj, "known_hosts");
	a->agent_path = get_text(obj, "agent_path");
	a->instance = get_text(obj, "instance");
	value_strings(get(obj, "labels"), &a->labels);
	value_strings(get(obj, "targets"), &a->targets);
	value_env(get(obj, "env"), &a->env);
	if ((v = get(obj, "instances")) != NULL)
		load_instances(l, v, a);
	check_transport(l, obj, a);
	check_host(l, a);
	check_labels(l, a);
	load_limits(l, obj, a);
}

/* ---- the fleet ---- */

static void
check_twice(struct fleet_loader *l, size_t index)
{
	const char *name = l->f->agents[index].name;

	if (strcmp(name, "?") != 0 &&
	    fleet_find(l->f, name) != (long)index)
		check_fault(&l->c, "an agent named \"%s\" was there before",
		    name);
}

static void
load_agents(struct fleet_loader *l, const struct jval *list)
{
	size_t i, mark, inner, n = jval_count(list);

	mark = check_key(&l->c, "agents");
	if (n == 0)
		check_fault(&l->c, "the list is empty");
	if (n > FLEET_MAX_AGENTS) {
		check_fault(&l->c, "more than %d agents", FLEET_MAX_AGENTS);
		n = 0;
	}
	l->f->agents = mem_calloc(n, sizeof(*l->f->agents));
	for (i = 0; i < n; i++) {
		inner = check_index(&l->c, i);
		if (check_is_object(&l->c, jval_at(list, i), "an object")) {
			load_agent(l, jval_at(list, i),
			    &l->f->agents[l->f->n_agents++]);
			check_twice(l, l->f->n_agents - 1);
		}
		check_back(&l->c, inner);
	}
	check_back(&l->c, mark);
}

static void
load_root(struct fleet_loader *l, const struct jval *root)
{
	const struct jval *v;

	if (!check_is_object(&l->c, root, "an object"))
		return;
	check_object(&l->c, root, AT_FLEET);
	l->f->name = str_dup(jval_str(check_get(root, "name", AT_FLEET),
	    "fleet"));
	if (!is_good_name(l->f->name))
		check_fault_at(&l->c, "name", "not a usable name");
	l->f->theme = str_dup(jval_str(check_get(root, "theme", AT_FLEET),
	    NULL));
	l->f->read_only = jval_bool(check_get(root, "read_only", AT_FLEET),
	    false);
	l->f->protected = jval_bool(check_get(root, "protected", AT_FLEET),
	    false);
	if ((v = check_get(root, "agents", AT_FLEET)) != NULL)
		load_agents(l, v);
	else if (jval_get(root, "agents") == NULL &&
	    !check_misspelt(root, "agents", AT_FLEET))
		check_fault(&l->c, "a fleet needs agents");
}

static int
load_document(const struct jdoc *doc, const char *file, struct diags *ds,
    struct fleet_spec **ret)
{
	struct fleet_loader l = { .f = mem_zalloc(sizeof(*l.f)) };
	size_t errors = ds->errors;
	int r = 0;

	check_init(&l.c, doc, ds);
	l.f->file = str_dup(file);
	load_root(&l, doc->root);
	check_done(&l.c);
	if (ds->errors > errors) {
		fleet_spec_free(l.f);
		r = ERR_INVALID;
	} else
		*ret = l.f;
	return r;
}

/* What the file itself has to be mended for is said of the file. */
int
fleet_load_edited(const struct jdoc *doc, const char *file,
    const struct fleet_edits *e, struct diags *ds, struct fleet_spec **ret)
{
	struct diags quiet = DIAGS_INIT;
	struct buf text = BUF_INIT;
	struct fleet_spec *f;
	char *where;
	int r = e->n > 0 ? load_document(doc, file, &quiet, &f) : ERR_STATE;

	diags_done(&quiet);
	if (r < 0)
		return load_document(doc, file, ds, ret);
	fleet_spec_free(f);
	fleet_merge(doc->root, e, ds, &text);
	where = str_fmt("%s with its edits", file);
	r = fleet_load_text(where, buf_str(&text), buf_len(&text), ds, &f);
	if (r == 0) {
		free(f->file);
		f->file = str_dup(file);
		*ret = f;
	}
	free(where);
	buf_done(&text);
	return r;
}

int
fleet_load(const char *path, struct diags *ds, struct fleet_spec **ret)
{
	struct fleet_edits edits;
	struct jdoc doc;
	int r;

	if ((r = jdoc_load(&doc, path, JDOC_COMMENTS, ds)) < 0)
		return r == ERR_SYNTAX ? ERR_INVALID : r;
	if ((r = fleet_edits_load(path, &edits, ds)) == 0) {
		r = fleet_load_edited(&doc, path, &edits, ds, ret);
		fleet_edits_done(&edits);
	}
	jdoc_done(&doc);
	return r;
}

int
fleet_load_text(const char *file, const char *text, size_t len,
    struct diags *ds, struct fleet_spec **ret)
{
	struct jdoc doc;
	int r;

	if ((r = jdoc_parse(&doc, file, text, len, JDOC_COMMENTS, ds)) < 0)
		return r == ERR_SYNTAX ? ERR_INVALID : r;
	r = load_document(&doc, file, ds, ret);
	jdoc_done(&doc);
	return r;
}
