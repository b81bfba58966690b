/* SPDX-License-Identifier: GPL-3.0-or-later */
/* deploy: the agent of a host, brought there, renewed or removed. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cli/deploy.h"
#include "cli/session.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/mem.h"

#define PLACE ".local/bin/yardmaster-agent"

static enum link_via
via_of(enum transport t)
{
	static const enum link_via table[TRANSPORTS] = {
		[TRANSPORT_AUTO] = LINK_VIA_AUTO,
		[TRANSPORT_LIBSSH2] = LINK_VIA_LIBSSH2,
		[TRANSPORT_OPENSSH] = LINK_VIA_OPENSSH,
		[TRANSPORT_LOCAL] = LINK_VIA_LOCAL,
		[TRANSPORT_COMMAND] = LINK_VIA_COMMAND,
	};

	return table[t];
}

static void
job_of_agent(const struct agent_spec *a, struct deploy_job *job)
{
	job->spec = (struct link_spec){ .name = a->name,
	    .via = via_of(a->transport), .host = a->host, .port = a->port,
	    .user = a->user, .identity = a->identity,
	    .known_hosts = a->known_hosts, .headless = true, .shell = true };
	job->instance = a->instance;
	if (a->instance == NULL && a->transport == TRANSPORT_LOCAL)
		job->instance = a->name;
}

/* "[user@]host"; text is cut into them. */
static int
job_of_host(const struct cli *c, char *text, struct deploy_job *job)
{
	char *at = strrchr(text, '@');
	const char *host = at != NULL ? at + 1 : text;

	if (at != NULL)
		*at = '\0';
	if (!ident_is_host(host) || (at != NULL && !ident_is_host(text)))
		return cli_fail(c, EXIT_USAGE, "%s is no agent of the fleet "
		    "and no [USER@]HOST", c->args.v[0]);
	job->spec = (struct link_spec){ .name = ident_is_agent_name(host) ?
	    host : "host", .host = host, .user = at != NULL ? text : NULL,
	    .headless = true, .shell = true };
	return 0;
}

static int
check_agent(const struct cli *c, const struct fleet_spec *f,
    const struct agent_spec *a)
{
	if (f->read_only)
		return cli_fail(c, EXIT_USAGE, "the fleet is read-only");
	if (a->transport == TRANSPORT_COMMAND)
		return cli_fail(c, EXIT_USAGE, "%s is reached by a command of "
		    "its own, which starts no shell: install "
		    "yardmaster-agent there by hand", a->name);
	if (a->agent_path != NULL && !cli_has(c, "uninstall") &&
	    strstr(a->agent_path, PLACE) == NULL)
		cli_fail(c, 0, "warning: %s has the agent_path %s, which is "
		    "used instead of " PLACE, a->name, a->agent_path);
	return 0;
}

static int
cmd_deploy(struct cli *c)
{
	struct deploy_job job = { .file = cli_get(c, "agent-path"),
		.uninstall = cli_has(c, "uninstall"),
		.force = cli_has(c, "force") };
	struct diags ds = DIAGS_INIT;
	struct fleet_spec *f = NULL;
	char *where = str_dup(c->args.v[0]);
	long i;
	int r;

	r = cli_diags(&ds, fleet_open(cli_get(c, "fleet"), &ds, &f));
	if (r == 0 && job.force && !job.uninstall)
		r = cli_fail(c, EXIT_USAGE, "--force goes with --uninstall");
	i = r == 0 ? fleet_find(f, where) : -1;
	if (i >= 0) {
		job_of_agent(&f->agents[i], &job);
		r = check_agent(c, f, &f->agents[i]);
	} else if (r == 0) {
		r = job_of_host(c, where, &job);
	}
	r = r == 0 ? deploy_run(&job) : EXIT_USAGE;
	fleet_spec_free(f);
	free(where);
	return r;
}

static const struct cli_opt deploy_opts[] = {
	FLEET_OPT,
	{ "agent-path", 0, "FILE", "the agent to bring, instead of the "
	    "static one that is installed here" },
	{ "uninstall", 0, NULL, "end the agents of that account and remove "
	    "all that they and deploy left" },
	{ "force", 0, NULL, "with --uninstall: although they have work, which "
	    "is killed, or results that nobody took" },
	{ NULL }
};

const struct cli_command cli_deploy_commands[] = {
	{ "deploy", "AGENT|[USER@]HOST", "bring the agent to a host, or renew "
	    "it without stopping work", NULL, deploy_opts, 1, 1, cmd_deploy },
	{ NULL }
};
