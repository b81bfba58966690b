/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values of agents as they are typed: what form each has is in the key table,
 * so that only objects need to be written as JSON. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "plan/check.h"
#include "plan/fleet_value.h"
#include "plan/keys.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/jw.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/base/strvec.h"

static char *
list(const struct jval *now, char op, const char *text)
{
	struct strvec items = STRVEC_INIT;
	struct buf b = BUF_INIT;
	const char *one;
	struct jw w;
	size_t i;

	strvec_push_list(&items, text);
	jw_init(&w, &b);
	jw_array(&w);
	for (i = 0; op != '=' && i < jval_count(now); i++) {
		one = jval_str(jval_at(now, i), "");
		if (strvec_find(&items, one) < 0)
			jw_str(&w, one);
	}
	for (i = 0; op != '-' && i < items.n; i++)
		jw_str(&w, items.v[i]);
	jw_array_end(&w);
	strvec_done(&items);
	return buf_steal(&b);
}

static bool
is_json(const char *text)
{
	struct jval *v = NULL;
	bool yes = jval_parse(&v, text, strlen(text)) == 0;

	jval_free(v);
	return yes;
}

static char *
plain(const struct key *k, const char *text)
{
	struct buf b = BUF_INIT;
	struct jw w;

	if (k->form != FORM_STRING && k->form != FORM_CHOICE &&
	    is_json(text))
		return str_dup(text);
	jw_init(&w, &b);
	jw_str(&w, text);
	return buf_steal(&b);
}

static int
unknown(struct diags *ds, const char *key)
{
	struct diag *d;

	if (strcmp(key, "name") == 0) {
		d = diag_add(ds, DIAG_ERROR, NULL, 0, NULL,
		    "an agent keeps its name");
		diag_set_hint(d, "remove it and add another");
		return ERR_INVALID;
	}
	d = diag_add(ds, DIAG_ERROR, NULL, 0, NULL, "%s: not a key of an "
	    "agent in the fleet file", key);
	check_did_you_mean(d, key_nearest(key, AT_AGENT));
	return ERR_INVALID;
}

int
fleet_value(const char *typed, const struct jval *agent, struct diags *ds,
    char **ret_key, char **ret_json)
{
	size_t n = strcspn(typed, "=");
	const char *text = typed + n + (typed[n] == '=');
	char op = n > 0 && typed[n] == '=' && strchr("+-", typed[n - 1]) !=
	    NULL ? typed[n - 1] : '=';
	char *key = str_ndup(typed, op == '=' ? n : n - 1);
	const struct key *k = key_find(key, AT_AGENT);
	bool many = k != NULL &&
	    (k->form == FORM_STRINGS || k->form == FORM_ARGV);
	int r = 0;

	if (k == NULL || strcmp(key, "name") == 0) {
		r = unknown(ds, key);
	} else if (typed[n] != '=' || (op != '=' && !many)) {
		diag_add(ds, DIAG_ERROR, NULL, 0, NULL, "%s: KEY=VALUE is "
		    "expected, or KEY+=A,B and KEY-=A,B of a list", typed);
		r = ERR_INVALID;
	}
	if (r < 0) {
		free(key);
		return r;
	}
	*ret_key = key;
	if (op == '=' && *text == '\0')
		*ret_json = NULL;
	else if (many && !(*text == '[' && is_json(text)))
		*ret_json = list(jval_get(agent, key), op, text);
	else
		*ret_json = plain(k, text);
	return 0;
}
