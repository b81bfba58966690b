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

int
fleet_open(const char *path, struct diags *ds, struct fleet_spec **ret)
{
	char *folder = NULL, *file = NULL;
	int r = 0;

	if (path != NULL)
		return fleet_load(path, ds, ret);
	if (paths_config(&folder) == 0)
		file = path_join(folder, "fleet.json");
	if (file != NULL && fs_exists(file))
		r = fleet_load(file, ds, ret);
	else
		*ret = fleet_embedded();
	free(folder);
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
	    strvec_find(&a->targets, target) >= 0;
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
