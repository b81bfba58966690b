/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of names: value to name and back, the same for every enum. */
#ifndef MODEL_NAMES_H
#define MODEL_NAMES_H

/* The name at index i of n, or "" when i is outside. */
const char *name_of(const char *const *names, unsigned n, unsigned i);
/* The index of name among n, or -1 (also for NULL). */
int name_find(const char *const *names, unsigned n, const char *name);

/* Defines PREFIX_name() and PREFIX_parse() over a table of N names. */
#define NAME_FUNCTIONS(prefix, type, table, count)                            \
	const char *prefix##_name(type v)                                     \
	{                                                                     \
		return name_of(table, count, (unsigned)v);                    \
	}                                                                     \
	int prefix##_parse(const char *name)                                  \
	{                                                                     \
		return name_find(table, count, name);                         \
	}

#endif
