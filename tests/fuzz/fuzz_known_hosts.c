/* SPDX-License-Identifier: GPL-3.0-or-later */
/* known_hosts files of any kind, read for one host. */
#include "fuzz.h"

#include "net/known_hosts.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

const struct fuzz_seed fuzz_seeds[] = {
	FUZZ_SEED("lab.example ssh-ed25519 " KEY "\n"),
	FUZZ_SEED("# c\n[lab.example]:2222,*.example,!x ssh-ed25519 " KEY " c\n"),
	FUZZ_SEED("@revoked lab.example ssh-ed25519 " KEY "\n@cert-authority * "
	    "ssh-ed25519 " KEY "\n"),
	FUZZ_SEED("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= "
	    "ssh-ed25519 " KEY "\n"),
	{ NULL, 0 },
};

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const methods[] = { "ssh-ed25519",
		"ecdsa-sha2-nistp256" };
	static const uint8_t blob[] = "\0\0\0\13ssh-ed25519\0\0\0 "
	    "0123456789abcdef0123456789abcdef";
	const struct known_key *at;
	struct known_hosts kh;
	struct buf out = BUF_INIT;
	enum known_result got;

	known_hosts_init(&kh, "Lab.Example", n % 2 == 0 ? 22 : 2222);
	known_hosts_parse(&kh, "f", p, n);
	got = known_hosts_check(&kh, blob, sizeof(blob) - 1, &at);
	FUZZ_CHECK(got != KNOWN_NEW || at == NULL);
	FUZZ_CHECK(kh.n > 0 || got == KNOWN_NEW);
	known_hosts_methods(&kh, methods, 2, &out);
	FUZZ_CHECK(buf_len(&out) > 0);
	known_hosts_done(&kh);
	buf_done(&out);
	return 0;
}
