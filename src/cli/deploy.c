/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The talk with the script on a host. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_private.h"
#include "cli/deploy.h"
#include "yardmaster/base/clock.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define SCRIPT_MAX (64u << 10)
#define SAID_MAX (256u << 10)	/* with all noise */
#define MACHINE_MAX 32
#define PATIENCE_US (60 * US_PER_S)
#define PROGRESS_US (100 * US_PER_MS)
#define MARK "yardmaster "

struct deploy {
	const struct deploy_job *job;
	struct loop *loop;
	struct link *link;
	struct timer *patience, *progress;
	struct buf in;
	size_t said;
	bool begun, ended, copied;
	int code;		/* of the whole, an exit code */
	char *machine, *had, *had_hash, *now;	/* as the host says, or NULL */
	struct deploy_file file;
};

static void
finish(struct deploy *d, int code)
{
	d->ended = true;
	d->code = code;
	loop_stop(d->loop);
}

/* Ends it with words that may be the host's. */
static void
give_up(struct deploy *d, const char *text)
{
	char *safe = text_safe(text);

	fprintf(stderr, "yardmaster deploy: %s: %s\n", d->job->spec.name,
	    safe);
	free(safe);
	finish(d, EXIT_ERRORS);
}

static void
set_text(char **to, const char *text)
{
	free(*to);
	*to = text_safe(text);
}

/* ---- what the host says, by word ---- */

static void
take_begin(struct deploy *d, const char *text)
{
	d->begun = strcmp(text, "1") == 0;
}

/* The banner of an agent, which would wait for a console's for ever. */
static void
take_banner(struct deploy *d, const char *text)
{
	if (!d->begun)
		give_up(d, "an agent answers there, no shell: the key is "
		    "bound to a command");
}

static void
take_machine(struct deploy *d, const char *text)
{
	if (strlen(text) <= MACHINE_MAX && ident_is_agent_name(text))
		set_text(&d->machine, text);
}

static void
take_had(struct deploy *d, const char *text)
{
	const char *space = strchr(text, ' ');

	if (space == NULL)
		return;
	free(d->had_hash);
	d->had_hash = str_ndup(text, (size_t)(space - text));
	set_text(&d->had, space[1] != '\0' ? space + 1 : "one that fails");
}

static void
take_other(struct deploy *d, const char *text)
{
	char *safe = text_safe(text);

	fprintf(stderr, "yardmaster deploy: %s: warning: links take %s "
	    "there, which is found first\n", d->job->spec.name, safe);
	free(safe);
}

/* Chooses the file, now that the machine is known. */
static void
choose(struct deploy *d, struct buf *order)
{
	struct buf why = BUF_INIT;

	if (d->machine == NULL)
		give_up(d, "it does not say which machine it is");
	else if (deploy_file_read(d->job->file, d->machine, &d->file,
	    &why) < 0)
		give_up(d, buf_str(&why));
	else
		d->copied = d->had_hash == NULL ||
		    strcmp(d->had_hash, d->file.hash) != 0;
	if (!d->ended)
		buf_putf(order, "%s %zu %s %s\n", d->copied ? "put" : "keep",
		    buf_len(&d->file.bytes), d->file.hash,
		    d->job->instance != NULL ? d->job->instance : "default");
	buf_done(&why);
}

static void
take_ask(struct deploy *d, const char *text)
{
	struct buf order = BUF_INIT;

	if (d->job->uninstall)
		buf_putf(&order, "remove%s\n", d->job->force ? " --force" : "");
	else
		choose(d, &order);
	if (!d->ended)
		link_write(d->link, buf_data(&order), buf_len(&order));
	buf_done(&order);
}

static void
take_send(struct deploy *d, const char *text)
{
	if (!d->copied)
		return;
	link_write(d->link, buf_data(&d->file.bytes),
	    buf_len(&d->file.bytes));
	timer_start(d->progress, 0);
}

static void
take_now(struct deploy *d, const char *text)
{
	set_text(&d->now, text);
}

static void
take_error(struct deploy *d, const char *text)
{
	give_up(d, text);
}

static void
take_done(struct deploy *d, const char *text)
{
	const char *name = d->job->spec.name;

	if (d->job->uninstall)
		printf("%s: removed\n", name);
	else if (!d->copied)
		printf("%s: has %s already; it runs\n", name, d->now);
	else if (d->had != NULL)
		printf("%s: upgraded from %s to %s; it runs\n", name, d->had,
		    d->now);
	else
		printf("%s: installed %s (%s, %.1f MB); it runs\n", name,
		    d->now, d->machine,
		    (double)buf_len(&d->file.bytes) / 1e6);
	finish(d, EXIT_OK);
}

static const struct word {
	const char *word;
	void (*take)(struct deploy *d, const char *text);
	bool first;		/* also before the script has begun */
} words[] = {
	{ "deploy", take_begin, true }, { "protocol", take_banner, true },
	{ "machine", take_machine }, { "had", take_had },
	{ "other", take_other }, { "ask", take_ask }, { "send", take_send },
	{ "now", take_now }, { "error", take_error }, { "done", take_done },
	{ NULL, NULL }
};

/* Takes one line; noise and words of other versions mean nothing. */
static void
take_line(struct deploy *d, char *line)
{
	const struct word *w = words;
	char *text;

	if (strncmp(line, MARK, strlen(MARK)) != 0)
		return;
	line += strlen(MARK);
	text = strchr(line, ' ');
	if (text != NULL)
		*text++ = '\0';
	while (w->word != NULL && strcmp(w->word, line) != 0)
		w++;
	if (w->word != NULL && (d->begun || w->first))
		w->take(d, text != NULL ? text : "");
}

/* ---- the link ---- */

static void
on_data(void *arg, const uint8_t *p, size_t n)
{
	struct deploy *d = arg;
	const char *end;
	char *line;

	timer_start(d->patience, PATIENCE_US);
	d->said += n;
	if (d->said > SAID_MAX && !d->ended)
		give_up(d, "it talks without end");
	buf_put(&d->in, p, n);
	while (!d->ended && (end = memchr(buf_data(&d->in), '\n',
	    buf_len(&d->in))) != NULL) {
		n = (size_t)(end - buf_str(&d->in));
		line = str_ndup(buf_str(&d->in), n);
		buf_consume(&d->in, n + 1);
		take_line(d, line);
		free(line);
	}
}

static void
on_phase(void *arg, enum link_phase phase)
{
}

static void
on_question(void *arg, enum link_question kind, const char *text)
{
	struct deploy *d = arg;

	link_answer(d->link, NULL);
}

static void
on_end(void *arg, int code, const char *text)
{
	struct deploy *d = arg;

	if (!d->ended)
		give_up(d, text);
}

static const struct link_ops ops = { .data = on_data, .phase = on_phase,
	.question = on_question, .end = on_end };

static void
on_patience(void *arg)
{
	give_up(arg, "no answer for 60 s");
}

static void
on_progress(void *arg)
{
	struct deploy *d = arg;
	size_t all = buf_len(&d->file.bytes), left = link_pending(d->link);

	if (left > 0)
		timer_start(d->patience, PATIENCE_US);
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: %3.0f%% of %.1f MB%s",
		    d->job->spec.name,
		    100.0 * (double)(all - (left < all ? left : all)) /
		    (double)all, (double)all / 1e6, left > 0 ? "" : "\n");
	if (left > 0)
		timer_start(d->progress, PROGRESS_US);
}

/* ---- the script ---- */

static int
put_shipped(struct buf *out, const char *name, size_t max)
{
	char *path = paths_data(name);
	int r = path != NULL ? fs_read(path, max, out) : ERR_NOT_FOUND;

	if (r < 0)
		fprintf(stderr, "yardmaster deploy: %s: %s\n",
		    path != NULL ? path : name, err_text(r));
	free(path);
	return r;
}

/* All on one line at the end: a shell that reads ahead has then read all. */
static int
make_script(struct buf *out)
{
	int r;

	if ((r = put_shipped(out, "contrib/deploy.sh", SCRIPT_MAX)) < 0)
		return r;
	buf_puts(out, "unit() { cat <<'END OF UNIT'\n");
	r = put_shipped(out, "contrib/yardmaster-agent@.service", SCRIPT_MAX);
	buf_puts(out, "END OF UNIT\n}\nmain; exit\n");
	return r;
}

static int
talk(struct deploy *d, const struct buf *script)
{
	int r;

	d->patience = timer_new(d->loop, on_patience, d);
	d->progress = timer_new(d->loop, on_progress, d);
	r = link_open(d->loop, &d->job->spec, &ops, d, &d->link);
	if (r < 0) {
		give_up(d, "it cannot be reached so: no host, user or "
		    "transport for a shell");
		return d->code;
	}
	link_write(d->link, buf_data(script), buf_len(script));
	timer_start(d->patience, PATIENCE_US);
	loop_run(d->loop);
	return d->code;
}

int
deploy_run(const struct deploy_job *job)
{
	struct deploy d = { .job = job, .code = EXIT_ERRORS };
	struct buf script = BUF_INIT;

	if (make_script(&script) == 0 && loop_new(&d.loop) == 0)
		talk(&d, &script);
	link_close(d.link);
	timer_free(d.patience);
	timer_free(d.progress);
	if (d.loop != NULL)
		loop_free(d.loop);
	deploy_file_done(&d.file);
	buf_done(&script);
	buf_done(&d.in);
	free(d.machine);
	free(d.had);
	free(d.had_hash);
	free(d.now);
	return d.code;
}
