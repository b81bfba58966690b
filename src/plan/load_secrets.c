/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which secrets tests have, and where they come from (part of load.h). Their
 * values are not looked at before they are sent. */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "plan/load.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/text.h"
#include "yardmaster/model/secret.h"
#include "yardmaster/sys/paths.h"

#define OWN_PREFIX "YARDMASTER_"

/* A name that every shell takes as one of a variable. */
static bool
is_variable(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (s[i] != '_' && !isalpha((unsigned char)s[i]) &&
		    (i == 0 || !isdigit((unsigned char)s[i])))
			return false;
	return i > 0 && i <= SECRET_NAME_MAX;
}

static void
check_name(struct loader *l, const char *name)
{
	if (!is_variable(name))
		diag_set_hint(check_fault(&l->c, "\"%s\" is not the name of "
		    "an environment variable", name), "letters, digits and _");
	else if (strncmp(name, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
		check_fault(&l->c, "names with " OWN_PREFIX " are reserved");
}

/* The index of an equal secret, or of this one from now on. */
static uint32_t
own_secret(struct plan *p, struct plan_secret *s)
{
	const struct plan_secret *old;
	uint32_t i;

	for (i = 0; i < p->n_secrets; i++) {
		old = &p->secrets[i];
		if (strcmp(old->name, s->name) == 0 &&
		    (old->file == NULL) == (s->file == NULL) &&
		    (s->file == NULL || strcmp(old->file, s->file) == 0) &&
		    strvec_equal(&old->command, &s->command)) {
			plan_secret_done(s);
			return i;
		}
	}
	*plan_add_secret(p) = *s;
	return p->n_secrets - 1;
}

static void
read_object(struct loader *l, const struct jval *v, struct plan_secret *s)
{
	const struct jval *file, *command;

	check_object(&l->c, v, AT_SECRET);
	file = check_get(v, "file", AT_SECRET);
	command = check_get(v, "command", AT_SECRET);
	s->name = str_dup(jval_str(check_get(v, "name", AT_SECRET), NULL));
	if (jval_get(v, "name") == NULL)
		check_fault(&l->c, "a secret needs a name");
	if (file != NULL && command != NULL)
		check_fault(&l->c, "file and command at once; give one");
	if (file != NULL)
		s->file = jval_str(file, "")[0] == '/' || l->dir == NULL ?
		    str_dup(jval_str(file, "")) :
		    path_join(l->dir, jval_str(file, ""));
	if (command != NULL)
		value_strings(command, &s->command);
}

/* Puts it in place of one of the same name. */
static void
set_index(const struct plan *p, uint32_t *list, uint32_t *n, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < *n; i++)
		if (strcmp(p->secrets[list[i]].name,
		    p->secrets[index].name) == 0)
			break;
	if (i == *n)
		(*n)++;
	list[i] = index;
}

void
load_secrets(struct loader *l, const struct jval *v,
    struct plan_props *props)
{
	uint32_t i, n = props->n_secrets, count = (uint32_t)jval_count(v);
	uint32_t *list = mem_calloc(n + count, sizeof *list);
	struct plan_secret s;
	size_t mark;

	for (i = 0; i < n; i++)
		list[i] = props->secrets[i];
	for (i = 0; i < count; i++) {
		s = (struct plan_secret){ .name = NULL };
		mark = check_index(&l->c, i);
		if (jval_type(jval_at(v, i)) == JVAL_STRING)
			s.name = str_dup(jval_str(jval_at(v, i), ""));
		else if (check_is_object(&l->c, jval_at(v, i),
		    "a name or an object"))
			read_object(l, jval_at(v, i), &s);
		if (s.name != NULL) {
			check_name(l, s.name);
			set_index(l->p, list, &n, own_secret(l->p, &s));
		} else {
			plan_secret_done(&s);
		}
		check_back(&l->c, mark);
	}
	props->secrets = plan_own_copy(l->p, list, n, sizeof *list);
	props->n_secrets = n;
	free(list);
}

static void
check_column(struct loader *l, struct plan_data *d, const char *name)
{
	long column = strvec_find(&d->columns, name);

	if (d->path == NULL)
		diag_set_hint(check_fault(&l->c, "the rows of a secret column "
		    "are not in a file"), "a plan is kept with its run; put "
		    "them into a CSV file");
	else if (column < 0)
		check_did_you_mean(check_fault(&l->c, "the data has no column "
		    "\"%s\"", name), text_nearest(name,
		    (const char *const *)strvec_argv(&d->columns), 2));
	else if (name[0] == '_')
		check_fault(&l->c, "\"%s\" cannot be secret", name);
	else
		d->secret[column] = true;
}

void
check_secret_columns(struct loader *l, const struct plan_props *props)
{
	size_t i, mark, inner;

	if (props->secret_columns == NULL || l->bad_data)
		return;
	mark = check_key(&l->c, "secret_columns");
	if (props->data == NULL)
		check_fault(&l->c, "secret columns need data, and there is "
		    "none");
	for (i = 0; props->data != NULL && i < props->secret_columns->n;
	    i++) {
		inner = check_index(&l->c, i);
		/* The plan owns it; only loading may still change it. */
		check_column(l, (struct plan_data *)props->data,
		    props->secret_columns->v[i]);
		check_back(&l->c, inner);
	}
	check_back(&l->c, mark);
}
