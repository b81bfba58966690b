/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Overwriting what was secret: the memory, and the vector registers. Copying
 * goes through them, they keep what they held until somebody uses them again,
 * and a core file or a stack that a signal saves them on holds it then.
 */
#include "config.h"

#include <string.h>

#include "yardmaster/base/mem.h"

#ifdef __x86_64__
__attribute__((target("avx512f"))) static void
wipe_upper(void)
{
	__asm__ volatile(
	    ".irp i, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n\t"
	    "vpxorq %%zmm\\i, %%zmm\\i, %%zmm\\i\n\t"
	    ".endr" : : : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20",
	    "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27",
	    "xmm28", "xmm29", "xmm30", "xmm31");
}

__attribute__((target("avx"))) static void
wipe_avx(void)
{
	__asm__ volatile("vzeroall" : : : "xmm0", "xmm1", "xmm2", "xmm3",
	    "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
	    "xmm12", "xmm13", "xmm14", "xmm15");
}

static void
wipe_sse(void)
{
	__asm__ volatile(
	    ".irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\t"
	    "pxor %%xmm\\i, %%xmm\\i\n\t"
	    ".endr" : : : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5",
	    "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
	    "xmm13", "xmm14", "xmm15");
}

static void
wipe_registers(void)
{
	if (__builtin_cpu_supports("avx512f"))
		wipe_upper();
	if (__builtin_cpu_supports("avx"))
		wipe_avx();
	else
		wipe_sse();
}
#else
static void
wipe_registers(void)
{
}
#endif

void
mem_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
	wipe_registers();
}
