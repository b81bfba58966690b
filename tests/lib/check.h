/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What cmocka needs to be included with, in the order it needs. */
#ifndef TESTS_LIB_CHECK_H
#define TESTS_LIB_CHECK_H

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
