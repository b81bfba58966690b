/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SHA-256 (FIPS 180-4): names contents, and checks what came over a link. */
#ifndef YARDMASTER_BASE_SHA256_H
#define YARDMASTER_BASE_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_TEXT 65		/* in lower-case hexadecimal, and a NUL */

struct sha256 {
	uint32_t h[8];		/* private */
	uint64_t n;		/* bytes so far */
	uint8_t block[64];	/* private */
};

/* Starts a hash; adds n bytes to it. */
void sha256_init(struct sha256 *s);
void sha256_put(struct sha256 *s, const void *p, size_t n);
/* Writes the hash as text; s has to be initialised anew after it. */
void sha256_text(struct sha256 *s, char out[SHA256_TEXT]);
/* True for 64 lower-case hexadecimal digits. */
bool sha256_is_text(const char *s);

#endif
