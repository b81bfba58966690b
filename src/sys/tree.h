/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What packing and unpacking share (see yardmaster/sys/tree.h). */
#ifndef SYS_TREE_H
#define SYS_TREE_H

#define TREE_MAGIC "yardmaster tree 1\n"
#define TREE_MAGIC_SIZE (sizeof(TREE_MAGIC) - 1)
#define TREE_HEADER 13		/* kind, mode, length of name, of content */
#define TREE_TARGET_MAX 4095
#define TREE_PIECE 65536

#endif
