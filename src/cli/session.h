/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command's loop, fleet and engine: opened, waited for and closed. */
#ifndef YARDMASTER_CLI_SESSION_H
#define YARDMASTER_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "yardmaster/engine/engine.h"

#include "cli/cli_private.h"

/* The options every command with a fleet has. */
#define FLEET_OPT { "fleet", 'f', "FILE", "the fleet file (default: " \
	"fleet.json of the configuration folder, else the demo's)" }
#define JSON_OPT { "json", 'j', NULL, "print data as JSON" }

struct session {
	struct loop *loop;
	struct fleet_spec *fleet;
	struct engine *engine;
	struct sigwatch *signals[4];
	int interrupts;		/* INT, TERM, HUP that came */
	int last_signal;
	void (*on_signal)(void *arg, int signo);	/* may be NULL */
	void *signal_arg;
};

/*
 * Opens all of it. path: the fleet file or NULL. 0, or an exit code after a
 * message; session_close() is due in both cases.
 */
int session_open(struct session *s, const struct cli *c, const char *path);
/* The same around a fleet that is given (owned from then on). */
int session_open_fleet(struct session *s, const struct cli *c,
    struct fleet_spec *fleet);
void session_close(struct session *s);

/* The index of the agent of that name; -1 after a message, which names the
 * nearest one. */
int session_agent(const struct session *s, const struct cli *c,
    const char *name);

/* Turns the loop until done(arg) or, when timeout_us is not 0, so long; true
 * when done. Ends early, false, when a signal came. */
bool session_wait(struct session *s, bool (*done)(void *arg), void *arg,
    int64_t timeout_us);

/* Waits until the link of each of the n named agents (names NULL: of all) is
 * up or has failed once, at most 12 s. */
void session_wait_links(struct session *s, char *const *names, size_t n);

/* login@host of this process. The caller frees. */
char *session_who(void);

#endif
