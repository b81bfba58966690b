/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fleets as they are used: found, asked, shown, freed. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/plan/fleet_file.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

static const char *const transports[TRANSPORTS] = {
	[TRANSPORT_AUTO] = "auto", [TRANSPORT_LIBSSH2] = "libssh2",
	[TRANSPORT_OPENSSH] = "openssh", [TRANSPORT_LOCAL] = "local",
	[TRANSPORT_COMMAND] = "command",
};

static const char embedded[] =
    "{\"name\": \"demo\", \"agents\": ["
    "{\"name\": \"demo-1\", \"transport\": \"local\", \"max_workers\": 2,"
    " \"labels\": [\"demo\", \"db\"]},"
    "{\"name\": \"demo-2\", \"transport\": \"local\", \"max_workers\": 2,"
    " \"labels\": [\"demo\"]},"
    "{\"name\": \"demo-3\", \"transport\": \"local\", \"max_workers\": 2,"
    " \"labels\": [\"demo\"]}]}";

const char *
transport_name(enum transport t)
{
	return transports[t];
}

struct fleet_spec *
fleet_embedded(void)
{
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f;

	if (fleet_load_text(NULL, embedded, sizeof(embedded) - 1, &ds,
	    &f) < 0)
		abort();	/* our own text */
	diags_done(&ds);
	return f;
}

char *
fleet_path(const char *path)
{
	char *folder = NULL, *file = NULL;

	if (path != NULL)
		return str_dup(path);
	if (paths_config(&folder) == 0)
		file = path_join(folder, "fleet.json");
	free(folder);
	if (file == NULL || fs_exists(file))
		return file;
	free(file);
	return NULL;
}

int
fleet_open(const char *path, struct diags *ds, struct fleet_spec **ret)
{
	char *file = fleet_path(path);
	int r = 0;

	if (file != NULL)
		r = fleet_load(file, ds, ret);
	else
		*ret = fleet_embedded();
	free(file);
	return r;
}

static void
agent_spec_done(struct agent_spec *a)
{
	size_t i;

	free(a->name);
	free(a->host);
	free(a->user);
	strvec_done(&a->command);
	free(a->identity);
	free(a->known_hosts);
	free(a->agent_path);
	free(a->instance);
	strvec_done(&a->labels);
	strvec_done(&a->targets);
	for (i = 0; i < a->n_instances; i++) {
		free(a->instances[i].target);
		strvec_done(&a->instances[i].names);
	}
	free(a->instances);
	strvec_done(&a->env);
}

void
fleet_spec_free(struct fleet_spec *f)
{
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < f->n_agents; i++)
		agent_spec_done(&f->agents[i]);
	free(f->agents);
	free(f->file);
	free(f->name);
	free(f->theme);
	free(f);
}

void
fleet_spec_renew(struct fleet_spec *f, struct fleet_spec *next)
{
	struct agent_spec old;
	size_t i, n = f->n_agents;
	long at;

	f->agents = mem_realloc(f->agents, n + next->n_agents,
	    sizeof *f->agents);
	for (i = 0; i < n; i++)
		f->agents[i].removed = true;
	for (i = 0; i < next->n_agents; i++) {
		at = fleet_find(f, next->agents[i].name);
		if (at < 0) {
			f->agents[f->n_agents++] = next->agents[i];
			memset(&next->agents[i], 0, sizeof *next->agents);
		} else {
			old = f->agents[at];
			f->agents[at] = next->agents[i];
			next->agents[i] = old;
		}
	}
	fleet_spec_free(next);
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool
agent_spec_same_link(const struct agent_spec *a, const struct agent_spec *b)
{
	return a->transport == b->transport && a->port == b->port &&
	    same_text(a->host, b->host) && same_text(a->user, b->user) &&
	    same_text(a->identity, b->identity) &&
	    same_text(a->known_hosts, b->known_hosts) &&
	    same_text(a->agent_path, b->agent_path) &&
	    same_text(a->instance, b->instance) &&
	    strvec_equal(&a->command, &b->command);
}

long
fleet_find(const struct fleet_spec *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->n_agents; i++)
		if (strcmp(f->agents[i].name, name) == 0)
			return (long)i;
	return -1;
}

bool
agent_spec_offers(const struct agent_spec *a, const char *target)
{
	return target == NULL || a->targets.n == 0 ||
	    strvec_find(&a->targets, target) >= 0 ||
	    agent_spec_instances(a, target) != NULL;
}

const struct strvec *
agent_spec_instances(const struct agent_spec *a, const char *target)
{
	size_t i;

	for (i = 0; target != NULL && i < a->n_instances; i++)
		if (strcmp(a->instances[i].target, target) == 0)
			return &a->instances[i].names;
	return NULL;
}

void
agent_spec_where(const struct agent_spec *a, struct buf *out)
{
	size_t i;

	if (a->transport == TRANSPORT_LOCAL) {
		buf_puts(out, "local");
		return;
	}
	if (a->transport == TRANSPORT_COMMAND) {
		for (i = 0; i < a->command.n; i++)
			buf_putf(out, "%s%s", i > 0 ? " " : "",
			    a->command.v[i]);
		return;
	}
	if (a->user != NULL)
		buf_putf(out, "%s@", a->user);
	buf_puts(out, a->host);
	if (a->port != 0)
		buf_putf(out, ":%u", a->port);
}
