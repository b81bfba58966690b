/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The link program: one process for each host reached through libssh2. It is
 * told what to do on descriptor 3, never by arguments, and holds nothing but
 * this one session: what goes wrong in the library costs one host. As a nest
 * (--nest) it forks such processes.
 */
#include "config.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/ssh.h"
#include "yardmaster/base/err.h"

#define SSH_CLEANUP_MS 1000

/* In memory that is neither swapped nor dumped: answers pass through it. */
static struct ssh *
ssh_new(void)
{
	struct ssh *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	(void)mlock(s, sizeof(*s));
	(void)madvise(s, sizeof(*s), MADV_DONTDUMP);
	s->sock = -1;
	s->port = 22;
	return s;
}

static void
ssh_free(struct ssh *s)
{
	if (s->session != NULL) {
		libssh2_session_set_blocking(s->session, 1);
		libssh2_session_set_timeout(s->session, SSH_CLEANUP_MS);
		if (s->channel != NULL)
			libssh2_channel_free(s->channel);
		libssh2_session_disconnect(s->session, "bye");
		libssh2_session_free(s->session);
	}
	if (s->sock >= 0)
		close(s->sock);
	free(s->reason);
	munmap(s, sizeof(*s));
}

static int
ssh_session(struct ssh *s)
{
	int r;

	if ((r = ssh_connect(s)) < 0)
		return r;
	s->session = libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->session == NULL)
		return ssh_fail(s, -ENOMEM, "%s: no session", s->name);
	libssh2_session_set_blocking(s->session, 0);
	if ((r = ssh_handshake(s)) < 0 || (r = ssh_auth(s)) < 0)
		return r;
	return ssh_run(s);
}

int
ssh_main(void)
{
	struct ssh *s = ssh_new();
	char code[16];
	int r;

	if (s == NULL)
		return 70;
	if ((r = ssh_ctl_begin(s)) == 0)
		r = ssh_session(s);
	if (s->reason != NULL) {
		snprintf(code, sizeof(code), "%d", s->code);
		ssh_say(s, "reason", s->reason);
		ssh_say(s, "error", code);
	}
	ssh_free(s);
	return r == 0 ? 0 : 1;
}

/* The crypto library is the one libssh2 brought along; it is asked by name
 * so that this program needs none of its own. */
static void
print_versions(void)
{
	const char *(*version)(int);

	*(void **)&version = dlsym(RTLD_DEFAULT, "OpenSSL_version");
	printf("libssh2 %s, %s\n", libssh2_version(0),
	    version != NULL ? version(0) : "crypto library unknown");
}

int
main(int argc, char **argv)
{
	struct rlimit none = { 0, 0 };
	struct stat st;
	bool nest = argc == 2 && strcmp(argv[1], "--nest") == 0;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		print_versions();
		return 0;
	}
	if ((argc != 1 && !nest) || fstat(SSH_CTL_FD, &st) < 0 ||
	    !S_ISSOCK(st.st_mode)) {
		fputs("yardmaster-link is started by yardmaster\n", stderr);
		return 64;
	}
	setrlimit(RLIMIT_CORE, &none);
	signal(SIGPIPE, SIG_IGN);
	if (libssh2_init(0) != 0)
		return 70;
	/* What the crypto library still holds at the end is not worth a
	 * walk. */
	_exit(nest ? ssh_nest() : ssh_main());
}
