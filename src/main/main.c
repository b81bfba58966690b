/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console program: everything is behind the command line. */
#include "config.h"

#include <locale.h>
#include <signal.h>

#include "yardmaster/cli/cli.h"

int
main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	return cli_main(argc, argv);
}
