# SPDX-License-Identifier: GPL-3.0-or-later
# Makes C strings of the default theme and key map: awk -f builtin.awk
# NAME=builtin_theme FILE NAME=builtin_keymap FILE
BEGIN {
	print "/* SPDX-License-Identifier: GPL-3.0-or-later */"
	print "#include \"config.h\""
	print "#include \"tui/files.h\""
}
FNR == 1 {
	if (n++ > 0)
		print ";"
	printf "\nconst char %s[] =\n", NAME
}
{
	gsub(/\\/, "\\\\")
	gsub(/"/, "\\\"")
	printf "    \"%s\\n\"\n", $0
}
END { print ";" }
