/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The fleet file: which agents there are and how each is reached. Loaded and
 * checked as a whole; every fault is a diagnostic with line and path.
 */
#ifndef YARDMASTER_PLAN_FLEET_FILE_H
#define YARDMASTER_PLAN_FLEET_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/diag.h"
#include "yardmaster/base/strvec.h"
#include "yardmaster/model/facts.h"

#define FLEET_MAX_AGENTS 10000

enum transport {
	TRANSPORT_AUTO, TRANSPORT_LIBSSH2, TRANSPORT_OPENSSH, TRANSPORT_LOCAL,
	TRANSPORT_COMMAND,
	TRANSPORTS
};
/* The name in the fleet file. */
const char *transport_name(enum transport t);

/* The leased instances of one target on one agent. */
struct instances_spec {
	char *target;
	struct strvec names;	/* at least one */
};

struct agent_spec {
	char *name;		/* unique, ident_is_agent_name() */
	char *host;		/* ident_is_host(); NULL for local, command */
	uint16_t port;		/* 0: the default */
	char *user;		/* or NULL */
	enum transport transport;
	struct strvec command;	/* argv of transport command, else empty */
	char *identity;		/* key file, or NULL */
	char *known_hosts;	/* file, or NULL */
	char *agent_path;	/* ident_is_far_command(), or NULL */
	char *instance;		/* of the agent; NULL: its default, for local
				 * the agent's name */
	struct strvec labels;
	struct strvec targets;	/* empty: offers all */
	struct instances_spec *instances;
	size_t n_instances;
	uint32_t max_workers;	/* 0: not set */
	struct threshold threshold;	/* THRESHOLD_UNSET: not set */
	struct guards guards;
	bool virtual;		/* kind: always one worker */
	double cost_per_hour;	/* 0: not set */
	struct strvec env;	/* "KEY=VALUE" */
	double speed;		/* of simulated agents; 1.0 */
	bool removed;		/* fleet_spec_renew(): out of the file now */
};

struct fleet_spec {
	char *file;		/* NULL: embedded */
	char *name;		/* never NULL */
	char *theme;		/* or NULL */
	bool read_only;
	bool protected;
	struct agent_spec *agents;
	size_t n_agents;	/* at least 1 */
};

/*
 * Loads and checks a fleet file. 0 and a fleet for fleet_spec_free(), or
 * ERR_INVALID (or -errno when it cannot be read) with diagnostics. Warnings
 * alone do not fail.
 */
int fleet_load(const char *path, struct diags *ds, struct fleet_spec **ret);

/* The same for text; file names it in diagnostics. */
int fleet_load_text(const char *file, const char *text, size_t len,
    struct diags *ds, struct fleet_spec **ret);

/* The fleet of "demo": three local agents, demo-1 to demo-3, of two workers
 * each. Never NULL; free it. */
struct fleet_spec *fleet_embedded(void);

/*
 * The fleet to use: path when not NULL, else fleet.json in the configuration
 * folder when there is one, else the embedded one. As fleet_load().
 */
int fleet_open(const char *path, struct diags *ds, struct fleet_spec **ret);

/* The file that fleet_open() loads; NULL: none, the embedded one is used. The
 * caller frees. */
char *fleet_path(const char *path);

/* Frees it and all it holds. NULL is fine. */
void fleet_spec_free(struct fleet_spec *f);

/*
 * Takes the agents of another loading of the same fleet: each keeps its index;
 * what is no longer there stays as removed, what is new comes last. next is
 * used up. Nothing else of f changes.
 */
void fleet_spec_renew(struct fleet_spec *f, struct fleet_spec *next);
/* True when both are reached in the same way. */
bool agent_spec_same_link(const struct agent_spec *a,
    const struct agent_spec *b);

/* Index of the agent of that name, or -1. */
long fleet_find(const struct fleet_spec *f, const char *name);

/* True when the agent offers the target (NULL: the unnamed one), by its list
 * or as it has instances of it. */
bool agent_spec_offers(const struct agent_spec *a, const char *target);

/* The instances of target on this agent, or NULL when it lists none. */
const struct strvec *agent_spec_instances(const struct agent_spec *a,
    const char *target);

/* Appends "user@host:port", "local" or the command: where it is. */
void agent_spec_where(const struct agent_spec *a, struct buf *out);

#endif
