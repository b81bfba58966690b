/* SPDX-License-Identifier: GPL-3.0-or-later */
/* systemd and logind, through their files and systemctl: a library of theirs
 * would be one more to be missing on a host. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"
#include "yardmaster/sys/proc.h"
#include "yardmaster/sys/service.h"

#define FILE_MAX (1u << 20)

extern char **environ;

/* ---- settings ---- */

/* The value of "key=" in text, the last one that is given: a piece of it and
 * its length. False when there is none. */
static bool
find_value(const char *text, const char *key, const char **ret, size_t *ret_n)
{
	size_t n = strlen(key);
	bool found = false;

	while (text != NULL && *text != '\0') {
		if (strncmp(text, key, n) == 0 && text[n] == '=') {
			*ret = text + n + 1;
			*ret_n = strcspn(*ret, "\r\n");
			found = true;
		}
		text = strchr(text, '\n');
		text = text != NULL ? text + 1 : NULL;
	}
	return found;
}

static bool
is_yes(const char *value, size_t n)
{
	static const char *const words[] = { "yes", "true", "1", "on", "y",
		"t", NULL };
	size_t i = 0;

	while (words[i] != NULL && !(strlen(words[i]) == n &&
	    strncasecmp(words[i], value, n) == 0))
		i++;
	return words[i] != NULL;
}

/* Sets *kills when the file says so or not. */
static void
read_setting(const char *path, bool *kills)
{
	struct buf b = BUF_INIT;
	const char *value;
	size_t n;

	if (fs_read(path, FILE_MAX, &b) == 0 &&
	    find_value(buf_str(&b), "KillUserProcesses", &value, &n))
		*kills = is_yes(value, n);
	buf_done(&b);
}

static int
is_conf(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot != NULL && strcmp(dot, ".conf") == 0;
}

static void
read_folder(const char *path, bool *kills)
{
	struct dirent **v;
	int i, n = scandir(path, &v, is_conf, alphasort);
	char *file;

	for (i = 0; i < n; i++) {
		file = path_join(path, v[i]->d_name);
		read_setting(file, kills);
		free(file);
		free(v[i]);
	}
	if (n >= 0)
		free(v);
}

/* root's processes are spared, unless somebody changed that, too. */
bool
service_login_kills(const char *root, const char *user)
{
	static const char *const places[] = { "/usr/lib/systemd/logind.conf",
		"/etc/systemd/logind.conf", NULL };
	static const char *const folders[] = {
		"/usr/lib/systemd/logind.conf.d", "/run/systemd/logind.conf.d",
		"/etc/systemd/logind.conf.d", NULL };
	bool kills = false;
	char *path;
	size_t i;

	for (i = 0; places[i] != NULL; i++) {
		path = str_fmt("%s%s", root, places[i]);
		read_setting(path, &kills);
		free(path);
	}
	for (i = 0; folders[i] != NULL; i++) {
		path = str_fmt("%s%s", root, folders[i]);
		read_folder(path, &kills);
		free(path);
	}
	return kills && strcmp(user, "root") != 0;
}

bool
service_lingers(const char *root, const char *user)
{
	char *path;
	bool on;

	if (*user == '\0' || strchr(user, '/') != NULL)
		return false;
	path = str_fmt("%s/var/lib/systemd/linger/%s", root, user);
	on = fs_exists(path);
	free(path);
	return on;
}

/* ---- what ends us ---- */

char *
service_warning(const char *root, const char *group, const char *user)
{
	bool in_login = strstr(group, "/session-") != NULL;
	bool in_manager = strstr(group, "/user@") != NULL;

	if (in_login && service_login_kills(root, user))
		return str_fmt("logind ends this agent and what it runs with "
		    "the login that started it (KillUserProcesses); %s"
		    "the systemd unit of the agent keeps it",
		    service_lingers(root, user) ? "" :
		    "loginctl enable-linger and ");
	if (in_manager && !service_lingers(root, user))
		return str_dup("linger is off: this agent and what it runs "
		    "end with the last login of its user; loginctl "
		    "enable-linger keeps them");
	return NULL;
}

static const char *
our_user(void)
{
	const char *user = getenv("USER");

	if (user == NULL || *user == '\0')
		user = getenv("LOGNAME");
	return user != NULL ? user : "";
}

char *
service_own_warning(void)
{
	struct buf b = BUF_INIT;
	char *warning = NULL;

	if (fs_exists("/run/systemd/system") &&
	    fs_read("/proc/self/cgroup", FILE_MAX, &b) == 0)
		warning = service_warning("", buf_str(&b), our_user());
	buf_done(&b);
	return warning;
}

/* ---- units ---- */

/* True when the command at the value of ExecStart is program. */
static bool
starts(const char *value, size_t n, const char *home, const char *program)
{
	char *first = str_ndup(value, strcspn(value, " \r\n")), *full, *real;
	bool same;

	full = strncmp(first, "%h", 2) == 0 ? path_join(home, first + 2) :
	    str_dup(first);
	real = realpath(full, NULL);
	same = n > 0 && real != NULL && strcmp(real, program) == 0;
	free(real);
	free(full);
	free(first);
	return same;
}

/* As systemd looks: the first file of that name counts. */
bool
service_has_unit(const char *root, const char *home, const char *name,
    const char *program)
{
	const char *const folders[] = { "/.config/systemd/user",
		"/.local/share/systemd/user", "/etc/systemd/user",
		"/run/systemd/user", "/usr/local/lib/systemd/user",
		"/usr/lib/systemd/user", NULL };
	struct buf b = BUF_INIT;
	const char *value;
	char *path;
	size_t i, n;
	int r = -ENOENT;

	for (i = 0; folders[i] != NULL && r == -ENOENT; i++) {
		path = str_fmt("%s%s/%s@.service", i < 2 ? home : root,
		    folders[i], name);
		r = fs_read(path, FILE_MAX, &b);
		free(path);
	}
	r = r == 0 && find_value(buf_str(&b), "ExecStart", &value, &n) &&
	    starts(value, n, home, program);
	buf_done(&b);
	return r != 0;
}

static bool
manager_is_there(void)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	char *path;
	bool there;

	if (run == NULL || *run != '/')
		return false;
	path = path_join(run, "systemd/private");
	there = fs_exists(path);
	free(path);
	return there;
}

int
service_start(const char *name, const char *instance)
{
	char *unit;
	pid_t pid;
	int null, r, status = 0;

	if (!manager_is_there() || !service_lingers("", our_user()))
		return ERR_NOT_FOUND;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1)
		return -errno;
	unit = str_fmt("%s@%s.service", name, instance);
	char *const argv[] = { (char *)"systemctl", (char *)"--user",
		(char *)"--quiet", (char *)"start", unit, NULL };
	r = proc_spawn(&(struct proc_spawn){ .argv = argv, .envp = environ,
	    .in = null, .out = null, .err = null, .session = true }, &pid);
	close(null);
	free(unit);
	if (r < 0)
		return ERR_NOT_FOUND;
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : ERR_REFUSED;
}

void
service_ready(void)
{
	static const char text[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = path != NULL ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(a.sun_path))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL,
	    (struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}
