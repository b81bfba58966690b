/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Secrets and what is said of them (veil.h). */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/kept.h"
#include "agent/veil.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"

#define NAMES "YARDMASTER_SECRETS"
#define PIECE (64 << 10)

struct mask *
veil_new(const struct secrets *s)
{
	struct mask *m;
	size_t i;

	if (s->n == 0)
		return NULL;
	m = mask_new();
	for (i = 0; i < s->n; i++)
		mask_add(m, s->v[i].value);
	return m;
}

/* In one piece of memory: what formats text leaves parts of it behind. */
static void
put(struct strvec *env, const char *name, const char *value)
{
	size_t i, n = strlen(name), size = n + strlen(value) + 2;
	char *text = mem_zalloc(size);

	memcpy(text, name, n);
	text[n] = '=';
	memcpy(text + n + 1, value, size - n - 1);
	for (i = 0; i < env->n && strncmp(env->v[i], text, n + 1) != 0; i++)
		;
	if (i == env->n) {
		strvec_push_owned(env, text);
		return;
	}
	mem_wipe(env->v[i], strlen(env->v[i]));
	free(env->v[i]);
	env->v[i] = text;
}

void
veil_env(const struct secrets *s, uint32_t no, struct strvec *env)
{
	struct buf names = BUF_INIT;
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (no < s->v[i].from || no >= s->v[i].to)
			continue;
		put(env, s->v[i].name, s->v[i].value);
		buf_putf(&names, "%s%s", buf_len(&names) > 0 ? " " : "",
		    s->v[i].name);
	}
	if (buf_len(&names) > 0)
		strvec_setenv(env, NAMES, buf_str(&names));
	buf_done(&names);
}

void
veil_env_done(struct strvec *env)
{
	size_t i;

	for (i = 0; i < env->n; i++)
		mem_wipe(env->v[i], strlen(env->v[i]));
	strvec_done(env);
}

void
veil_texts(struct mask *m, struct step_result *results, uint32_t n,
    char **text)
{
	uint32_t i;

	if (m == NULL)
		return;
	for (i = 0; i < n; i++)
		mask_string(m, &results[i].text);
	mask_string(m, text);
}

/* Copies what is in one descriptor to another. 0 or -errno. */
static int
copy_masked(struct mask *m, int from, int to)
{
	uint8_t *piece = mem_zalloc(PIECE);
	struct buf b = BUF_INIT;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = read(from, piece, PIECE)) > 0) {
		mask_feed(m, piece, (size_t)n, &b);
		r = fd_write_all(to, buf_data(&b), buf_len(&b));
		buf_clear(&b);
	}
	mask_flush(m, &b);
	if (r == 0)
		r = n < 0 ? -errno : fd_write_all(to, buf_data(&b),
		    buf_len(&b));
	mem_wipe(piece, PIECE);
	free(piece);
	buf_done(&b);
	return r;
}

int
veil_file(struct mask *m, const struct ident *id, const char *file)
{
	char *path, *masked;
	int from = kept_open(id, file), to, r;

	if (from < 0)
		return 0;	/* it left none */
	path = kept_path(id, file);
	masked = str_fmt("%s-masked", path);
	to = open(masked, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	r = to == -1 ? -errno : copy_masked(m, from, to);
	if (r == 0 && rename(masked, path) == -1)
		r = -errno;
	if (r < 0) {
		(void)unlink(masked);
		(void)unlink(path);
	}
	if (to != -1)
		close(to);
	close(from);
	free(masked);
	free(path);
	return r;
}

void
veil_own(char **text)
{
	char *names = str_dup(getenv(NAMES)), *name, *rest = names;
	struct mask *m = mask_new();
	const char *value;

	while (names != NULL && (name = strsep(&rest, " ")) != NULL)
		if ((value = getenv(name)) != NULL)
			mask_add(m, value);
	mask_string(m, text);
	mask_free(m);
	free(names);
}
