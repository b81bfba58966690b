/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The child of a link: which program, with which words, in which
 * environment. Nothing a fleet file says reaches a shell of this host. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/link_int.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/ident.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/proc.h"

extern char **environ;

/* All that a link process is given of our environment: what it does not hold
 * cannot be taken from it. */
static const char *const passed_on[] = { "HOME", "PATH", "LANG", "LC_ALL",
	"SSH_AUTH_SOCK", "LOCALDOMAIN", "RES_OPTIONS", "HOSTALIASES",
	"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
	NULL };

static const char *
our_user(void)
{
	const char *user = getenv("LOGNAME");
	const struct passwd *pw;

	if (user == NULL || *user == '\0')
		user = getenv("USER");
	if (user != NULL && *user != '\0')
		return user;
	pw = getpwuid(geteuid());
	return pw != NULL ? pw->pw_name : "root";
}

int
link_library_versions(char **ret)
{
	struct buf out = BUF_INIT;
	char *program = NULL;
	int fds[2] = { -1, -1 }, r;
	FILE *f = NULL;
	pid_t pid;

	if ((r = paths_link_program(&program)) < 0)
		return r;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		r = -errno;
		goto out;
	}
	char *const argv[] = { program, (char *)"--version", NULL };
	r = proc_spawn(&(struct proc_spawn){ .argv = argv, .envp = environ,
	    .in = STDIN_FILENO, .out = fds[1], .err = STDERR_FILENO }, &pid);
	close(fds[1]);
	if (r == 0) {
		char line[256];

		f = fdopen(fds[0], "r");
		if (f != NULL && fgets(line, sizeof(line), f) != NULL)
			buf_put(&out, line, strcspn(line, "\n"));
	}
out:
	free(program);
	*ret = buf_steal(&out);
	return r;
}

/* ---- what to start ---- */

static int
bad(struct link *l, const char *what)
{
	l->reason = str_fmt("%s: not a valid %s", l->name, what);
	return ERR_SYNTAX;
}

/* Everything that ends up in an argument or on the far side's command line
 * is of a narrow grammar. */
static int
check_spec(struct link *l, const struct link_spec *spec)
{
	bool remote = spec->via != LINK_VIA_LOCAL &&
	    spec->via != LINK_VIA_COMMAND;

	if (!ident_is_agent_name(spec->name))
		return bad(l, "agent name");
	if (remote && (spec->host == NULL || !ident_is_host(spec->host)))
		return bad(l, "host");
	if (spec->user != NULL && !ident_is_host(spec->user))
		return bad(l, "user");
	if (spec->agent_path != NULL && !ident_is_far_command(spec->agent_path))
		return bad(l, "agent_path");
	if (spec->instance != NULL && !ident_is_agent_name(spec->instance))
		return bad(l, "instance");
	if (spec->via == LINK_VIA_COMMAND && (spec->shell ||
	    spec->command == NULL || spec->command[0] == NULL))
		return bad(l, "command");
	return 0;
}

static void
put_file(struct buf *out, const char *word, const char *path)
{
	char *full;

	if (path == NULL)
		return;
	full = path_expand(path);
	ctl_put(out, word, full);
	free(full);
}

static int
prepare_libssh2(struct link *l, const struct link_spec *spec)
{
	struct buf *out = &l->parameters;
	char port[8], *program;
	int r;

	if ((r = paths_link_program(&program)) < 0) {
		l->reason = str_fmt("%s: yardmaster-link is not installed",
		    l->name);
		return r;
	}
	strvec_push_owned(&l->argv, program);
	snprintf(port, sizeof(port), "%u", spec->port != 0 ? spec->port : 22);
	ctl_put(out, "name", spec->name);
	ctl_put(out, "host", spec->host);
	ctl_put(out, "port", port);
	ctl_put(out, "user", spec->user != NULL ? spec->user : our_user());
	put_file(out, "identity", spec->identity);
	put_file(out, "known_hosts", spec->known_hosts);
	if (spec->agent_path != NULL)
		ctl_put(out, "agent_path", spec->agent_path);
	if (spec->instance != NULL)
		ctl_put(out, "instance", spec->instance);
	if (spec->headless)
		ctl_put(out, "headless", "yes");
	if (spec->shell)
		ctl_put(out, "shell", "yes");
	ctl_put(out, "go", "");
	return 0;
}

static char *
far_command(const char *program, const char *instance)
{
	return str_fmt("%s connect%s%s", program,
	    instance != NULL ? " --instance " : "",
	    instance != NULL ? instance : "");
}

static void
push_option(struct strvec *argv, const char *name, const char *path)
{
	char *full;

	if (path == NULL)
		return;
	full = path_expand(path);
	strvec_push(argv, "-o");
	strvec_pushf(argv, "%s=\"%s\"", name, full);
	free(full);
}

static int
prepare_openssh(struct link *l, const struct link_spec *spec)
{
	static const char *const options[] = { "BatchMode=yes",
		"ServerAliveInterval=10", "ServerAliveCountMax=3",
		"ForwardAgent=no", "ClearAllForwardings=yes",
		"PermitLocalCommand=no", "StrictHostKeyChecking=yes", NULL };
	struct strvec *argv = &l->argv;
	size_t i;

	strvec_push(argv, "ssh");
	strvec_push(argv, "-T");
	for (i = 0; options[i] != NULL; i++) {
		strvec_push(argv, "-o");
		strvec_push(argv, options[i]);
	}
	if (spec->port != 0)
		strvec_pushf(argv, "-p%u", spec->port);
	if (spec->user != NULL)
		strvec_pushf(argv, "-l%s", spec->user);
	push_option(argv, "IdentityFile", spec->identity);
	push_option(argv, "UserKnownHostsFile", spec->known_hosts);
	strvec_push(argv, "--");
	strvec_push(argv, spec->host);
	if (spec->shell) {
		strvec_push(argv, "sh");
		return 0;
	}
	strvec_push_owned(argv, far_command(spec->agent_path != NULL ?
	    spec->agent_path : "yardmaster-agent", spec->instance));
	if (spec->agent_path == NULL)
		l->second_command = far_command(".local/bin/yardmaster-agent",
		    spec->instance);
	return 0;
}

static int
prepare_local(struct link *l, const struct link_spec *spec)
{
	char *program;
	int r;

	if (spec->shell) {
		strvec_push(&l->argv, "sh");
		return 0;
	}
	if ((r = paths_agent_program(&program)) < 0) {
		l->reason = str_fmt("%s: yardmaster-agent is not installed "
		    "here", l->name);
		return r;
	}
	strvec_push_owned(&l->argv, program);
	strvec_push(&l->argv, "connect");
	strvec_push(&l->argv, "--local");
	strvec_push(&l->argv, "--instance");
	strvec_push(&l->argv, spec->instance != NULL ? spec->instance :
	    spec->name);
	return 0;
}

static int
prepare_command(struct link *l, const struct link_spec *spec)
{
	size_t i;

	for (i = 0; spec->command[i] != NULL; i++)
		strvec_push(&l->argv, spec->command[i]);
	return 0;
}

int
link_prepare(struct link *l, const struct link_spec *spec)
{
	static int (*const prepare[])(struct link *,
	    const struct link_spec *) = {
		[LINK_VIA_LIBSSH2] = prepare_libssh2,
		[LINK_VIA_OPENSSH] = prepare_openssh,
		[LINK_VIA_LOCAL] = prepare_local,
		[LINK_VIA_COMMAND] = prepare_command,
	};
	int r;

	l->via = spec->via == LINK_VIA_AUTO ? LINK_VIA_LIBSSH2 : spec->via;
	if ((r = check_spec(l, spec)) < 0)
		return r;
	if (l->via == LINK_VIA_LIBSSH2)
		l->nest = spec->nest;
	l->banner.seen = spec->shell;
	/* Not to be startable is an end of the link like others. */
	l->code = prepare[l->via](l, spec);
	return 0;
}

/* ---- starting it ---- */

void
link_environment(struct strvec *env)
{
	const char *value;
	size_t i;

	for (i = 0; passed_on[i] != NULL; i++)
		if ((value = getenv(passed_on[i])) != NULL)
			strvec_setenv(env, passed_on[i], value);
}

/* The side channel with the parameters in it; ret[1] is the child's end. */
static int
side_channel(struct link *l, int ret[2])
{
	ssize_t n;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret) < 0)
		return -errno;
	n = send(ret[0], buf_data(&l->parameters), buf_len(&l->parameters),
	    MSG_NOSIGNAL | MSG_DONTWAIT);
	return n == (ssize_t)buf_len(&l->parameters) ? 0 : ERR_TOO_LARGE;
}

/* One socket carries the bytes both ways; errors go by the side channel. */
static int
spawn_in_nest(struct link *l, int ret_fds[4])
{
	int side[2] = { -1, -1 }, bytes[2] = { -1, -1 }, r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, bytes) < 0)
		return -errno;
	if ((r = side_channel(l, side)) == 0)
		r = nest_start(l, bytes[1], side[1]);
	close(bytes[1]);
	if (side[1] >= 0)
		close(side[1]);
	ret_fds[0] = ret_fds[1] = bytes[0];
	ret_fds[3] = side[0];
	return r;
}

static int
spawn_child(struct link *l, void (*exited)(void *arg, int code, int signo),
    int ret_fds[4])
{
	struct strvec env = STRVEC_INIT;
	int side[2] = { -1, -1 }, r = 0;
	struct child_spec spec = { .file = l->argv.v[0],
		.argv = strvec_argv(&l->argv), .in = CHILD_PIPE,
		.out = CHILD_PIPE, .err = CHILD_PIPE, .fd3 = -1,
		.session = true };

	if (l->via == LINK_VIA_LIBSSH2) {
		r = side_channel(l, side);
		link_environment(&env);
		spec.envp = strvec_argv(&env);
		spec.fd3 = side[1];
	}
	if (r == 0)
		r = child_start(l->loop, &spec, exited, l, &l->child, ret_fds);
	if (side[1] >= 0)
		close(side[1]);
	ret_fds[3] = side[0];
	strvec_done(&env);
	return r;
}

int
link_spawn(struct link *l, void (*exited)(void *arg, int code, int signo),
    int ret_fds[4])
{
	int r = l->nest != NULL ? spawn_in_nest(l, ret_fds) :
	    spawn_child(l, exited, ret_fds);

	if (r < 0)
		l->reason = str_fmt("%s: cannot start %s: %s", l->name,
		    l->argv.v[0], err_text(r));
	return r;
}
