/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which agent fits a host: told by the header of the file itself. */
#include "config.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/deploy.h"
#include "yardmaster/base/err.h"
#include "yardmaster/base/mem.h"
#include "yardmaster/sys/fs.h"
#include "yardmaster/sys/paths.h"

#define FILE_MAX (64u << 20)

/* Names that uname -m gives, with the machine of programs for them. */
static const struct machine {
	const char *name;
	unsigned elf;
	unsigned char class;
} machines[] = {
	{ "x86_64", EM_X86_64, ELFCLASS64 },
	{ "aarch64", EM_AARCH64, ELFCLASS64 },
	{ "i686", EM_386, ELFCLASS32 },
	{ "i586", EM_386, ELFCLASS32 },
	{ "armv7l", EM_ARM, ELFCLASS32 },
	{ "armv6l", EM_ARM, ELFCLASS32 },
	{ "riscv64", EM_RISCV, ELFCLASS64 },
	{ "ppc64le", EM_PPC64, ELFCLASS64 },
	{ "s390x", EM_S390, ELFCLASS64 },
	{ "loongarch64", 258, ELFCLASS64 },
	{ NULL, EM_NONE, ELFCLASSNONE }
};

/* The machine that a program is for, NULL when it is no program. */
static const struct machine *
machine_of(const uint8_t *p, size_t n)
{
	const struct machine *m;
	unsigned number;

	if (n < sizeof(Elf32_Ehdr) || memcmp(p, ELFMAG, SELFMAG) != 0)
		return NULL;
	number = p[EI_DATA] == ELFDATA2MSB ? p[18] << 8 | p[19] :
	    p[19] << 8 | p[18];
	for (m = machines; m->name != NULL; m++)
		if (m->elf == number && m->class == p[EI_CLASS])
			return m;
	return m;
}

static const struct machine *
machine_named(const char *name)
{
	const struct machine *m = machines;

	while (m->name != NULL && strcmp(m->name, name) != 0)
		m++;
	return m;
}

/* A name that is not in the table is left to the host, which tries it. */
static int
check_machine(const struct deploy_file *f, const char *name, struct buf *why)
{
	const struct machine *for_host = machine_named(name), *is;

	is = machine_of(buf_data(&f->bytes), buf_len(&f->bytes));
	if (is == NULL) {
		buf_putf(why, "%s is no program", f->path);
		return ERR_UNSUPPORTED;
	}
	if (for_host->name == NULL ||
	    (is->elf == for_host->elf && is->class == for_host->class))
		return 0;
	buf_putf(why, "its machine is %s, and %s is for %s; build one for it "
	    "(make agent-static) and name it with --agent-path", name,
	    f->path, is->name != NULL ? is->name : "another");
	return ERR_UNSUPPORTED;
}

int
deploy_file_read(const char *path, const char *machine,
    struct deploy_file *ret, struct buf *why)
{
	struct deploy_file f = { .path = NULL };
	struct sha256 s;
	int r = 0;

	if (path != NULL)
		f.path = str_dup(path);
	else if ((r = paths_static_agent(machine, &f.path)) < 0)
		buf_puts(why, "the static agent is not installed here; make "
		    "agent-static builds it");
	if (r == 0 && (r = fs_read(f.path, FILE_MAX, &f.bytes)) < 0)
		buf_putf(why, "%s: %s", f.path, err_text(r));
	if (r == 0)
		r = check_machine(&f, machine, why);
	if (r < 0) {
		deploy_file_done(&f);
		return r;
	}
	sha256_init(&s);
	sha256_put(&s, buf_data(&f.bytes), buf_len(&f.bytes));
	sha256_text(&s, f.hash);
	*ret = f;
	return 0;
}

void
deploy_file_done(struct deploy_file *f)
{
	free(f->path);
	f->path = NULL;
	buf_done(&f->bytes);
}
