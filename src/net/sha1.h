/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HMAC-SHA1, which hashed names in known_hosts are made of. For nothing else:
 * SHA-1 protects nothing here. */
#ifndef NET_SHA1_H
#define NET_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

void sha1_hmac(const uint8_t *key, size_t key_len, const void *text,
    size_t len, uint8_t out[SHA1_SIZE]);

#endif
