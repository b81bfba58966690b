/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is read of systemd's and logind's files. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lib/check.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/service.h"

#define LOGIN "0::/user.slice/user-7.slice/session-3.scope\n"
#define MANAGER "0::/user.slice/user-7.slice/user@7.service/app.slice/x\n"

static int
enter(void **state)
{
	char *dir = strdup("/tmp/ym-service.XXXXXX");

	*state = mkdtemp(dir);
	return *state == NULL;
}

static int
leave(void **state)
{
	int r = fs_remove_tree(*state);

	free(*state);
	return r;
}

static void
put(const char *root, const char *name, const char *text)
{
	char *path = str_fmt("%s%s", root, name), *dir = path_dir(path);

	assert_int_equal(fs_mkdirs(dir), 0);
	assert_int_equal(fs_replace(path, text, strlen(text), 0644), 0);
	free(path);
	free(dir);
}

static void
warns(const char *root, const char *group, const char *user, const char *word)
{
	char *text = service_warning(root, group, user);

	if (word == NULL)
		assert_null(text);
	else
		assert_non_null(strstr(text, word));
	free(text);
}

static void
test_login(void **state)
{
	const char *root = *state;

	warns(root, LOGIN, "eve", NULL);
	put(root, "/etc/systemd/logind.conf",
	    "[Login]\n#KillUserProcesses=yes\n");
	warns(root, LOGIN, "eve", NULL);
	put(root, "/etc/systemd/logind.conf",
	    "[Login]\nKillUserProcesses=yes\n");
	warns(root, LOGIN, "eve", "KillUserProcesses");
	warns(root, LOGIN, "eve", "enable-linger");
	warns(root, LOGIN, "root", NULL);
	warns(root, "0::/system.slice/ssh.service\n", "eve", NULL);
	put(root, "/var/lib/systemd/linger/eve", "");
	warns(root, LOGIN, "eve", "unit");
	put(root, "/etc/systemd/logind.conf.d/10-yes.conf",
	    "KillUserProcesses=True\r\n");
	put(root, "/etc/systemd/logind.conf.d/20-no.conf",
	    "KillUserProcesses=no");
	put(root, "/etc/systemd/logind.conf.d/30.other",
	    "KillUserProcesses=yes");
	warns(root, LOGIN, "eve", NULL);
}

static void
test_linger(void **state)
{
	const char *root = *state;

	warns(root, MANAGER, "eve", "linger is off");
	warns(root, MANAGER, "../eve", "linger is off");
	put(root, "/var/lib/systemd/linger/eve", "");
	warns(root, MANAGER, "eve", NULL);
	warns(root, MANAGER, "adam", "linger is off");
	warns(root, MANAGER, "", "linger is off");
}

static void
test_unit(void **state)
{
	const char *root = *state;
	char *home = str_fmt("%s/home", root);
	char *program = str_fmt("%s/.local/bin/x", home), *real;

	put(home, "/.local/bin/x", "");
	real = realpath(program, NULL);
	assert_false(service_has_unit(root, home, "x", real));
	put(root, "/usr/lib/systemd/user/x@.service",
	    "[Service]\nExecStart=/usr/bin/x serve\n");
	assert_false(service_has_unit(root, home, "x", real));
	put(home, "/.config/systemd/user/x@.service",
	    "[Service]\nExecStart=%h/.local/bin/x serve --instance %i\n");
	assert_true(service_has_unit(root, home, "x", real));
	assert_false(service_has_unit(root, home, "y", real));
	assert_false(service_has_unit(root, home, "x", "/usr/bin/x"));
	put(home, "/.config/systemd/user/x@.service", "[Service]\nExecStart=");
	assert_false(service_has_unit(root, home, "x", real));
	free(real);
	free(program);
	free(home);
}

static void
test_ready(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char said[16] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s/notify",
	    (const char *)*state);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	unsetenv("NOTIFY_SOCKET");
	service_ready();
	assert_int_equal(recv(fd, said, sizeof said, MSG_DONTWAIT), -1);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	service_ready();
	assert_int_equal(recv(fd, said, sizeof said, MSG_DONTWAIT), 7);
	assert_string_equal(said, "READY=1");
	unsetenv("NOTIFY_SOCKET");
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_login, enter, leave),
		cmocka_unit_test_setup_teardown(test_linger, enter, leave),
		cmocka_unit_test_setup_teardown(test_unit, enter, leave),
		cmocka_unit_test_setup_teardown(test_ready, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
