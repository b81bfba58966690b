/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes the key table as JSON, for the test that holds schemas and manual
 * pages against it. */
#include "config.h"

#include <stdio.h>

#include "plan/keys.h"
#include "yardmaster/base/jw.h"

static void
write_places(struct jw *w, unsigned at)
{
	unsigned bit;

	jw_key(w, "places");
	jw_array(w);
	for (bit = 1; bit <= at; bit <<= 1)
		if ((at & bit) != 0)
			jw_str(w, place_name(bit));
	jw_array_end(w);
}

static void
write_key(struct jw *w, const struct key *k)
{
	size_t i;

	jw_object(w);
	jw_kv_str(w, "name", k->name);
	write_places(w, k->at);
	jw_kv_str(w, "form", form_word(k->form));
	jw_kv_int(w, "min", k->min);
	jw_kv_int(w, "max", k->max);
	jw_key(w, "choices");
	jw_array(w);
	for (i = 0; k->choices != NULL && k->choices[i] != NULL; i++)
		jw_str(w, k->choices[i]);
	jw_array_end(w);
	jw_kv_bool(w, "later", k->later);
	jw_kv_str(w, "default", k->def);
	jw_kv_str(w, "help", k->help);
	jw_object_end(w);
}

int
main(void)
{
	struct buf out = BUF_INIT;
	struct jw w;
	size_t i;

	jw_init(&w, &out);
	jw_array(&w);
	for (i = 0; i < n_plan_keys; i++)
		write_key(&w, &plan_keys[i]);
	jw_array_end(&w);
	puts(buf_str(&out));
	buf_done(&out);
	return 0;
}
