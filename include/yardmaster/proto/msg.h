/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The message table: number, name, who may send it, in which phase. Bodies
 * are JSON but for output. Keys: man 7 yardmaster-protocol; structures that
 * travel are written and read by model/ (work.h, facts.h).
 */
#ifndef YARDMASTER_PROTO_MSG_H
#define YARDMASTER_PROTO_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "yardmaster/base/buf.h"
#include "yardmaster/proto/frame.h"

enum msg {
	/* console to agent */
	MSG_HELLO = 1,		/* {protocol, version, features, who, console, read_only} */
	MSG_PING = 2,		/* both ways: {n} */
	MSG_PONG = 3,		/* both ways: {n} */
	MSG_SYNC = 4,		/* {run, epoch, over}: tell me all you hold of it */
	MSG_START = 5,		/* {run, epoch, works: [work],
				 * secrets: {id: [secret]}} */
	MSG_TAKE_BACK = 6,	/* {run, epoch, ids: ["RUN/1/1"]} */
	MSG_CANCEL = 7,		/* {run, epoch, ids, grace_s} */
	MSG_ACK = 8,		/* {run, epoch, ids, files}: recorded, forget them */
	MSG_SET = 9,		/* {tag, who, expect: {..}, max_workers, threshold} */
	MSG_MODE = 10,		/* {tag, who, mode: drain|undrain|hold|release, note, expires} */
	MSG_TAIL = 11,		/* {tag, attempt, offset, max, follow} */
	MSG_UNTAIL = 12,	/* {tag} */
	MSG_FETCH = 13,		/* {tag, attempt, file, offset, max} */
	MSG_TREE = 14,		/* {tag, hash, size}: a packed tree is to be had */
	MSG_TREE_DATA = 15,	/* raw, as OUTPUT: a piece of it */
	MSG_GO = 16,		/* {run, epoch, ids}: prepared parts start */
	MSG_TOLD = 17,		/* {run, epoch, told: [{id, ask, ok, text, value}]} */
	MSG_TAKE = 18,		/* {tag, who, kind, workers, note, for_s, wait}
				 * or {tag, who, give_back: take} */
	/* agent to console */
	MSG_WELCOME = 20,	/* {protocol, version, features, instance, host, boot, facts} */
	MSG_REPORT = 21,	/* {reports: [report]}; resent until acknowledged when ended */
	MSG_SYNCED = 22,	/* {run, epoch}: all reports of it were sent */
	MSG_RETURNED = 23,	/* {items: [{id, returned, why}]}: false = already started */
	MSG_FACTS = 24,		/* facts */
	MSG_ANSWER = 25,	/* {tag, ok, code, text, facts} to SET, MODE, TAKE */
	MSG_OUTPUT = 26,	/* raw: u32 tag, u64 offset, bytes (network order) */
	MSG_OUTPUT_END = 27,	/* {tag, size, dropped, ended} */
	MSG_HAVE = 30,		/* {tag, offset, stored, code, text} to TREE */
	MSG_ERROR = 28,		/* both ways: {code, text}; the link ends */
	MSG_ASK = 32,		/* {asks: [{id, ask, op, name, value}]} of parts */
	MSG_UNASK = 33,		/* {asks: [{id, ask}]}: nobody waits any more */
	/* owner socket (RUN.sock) */
	MSG_REQUEST = 40,	/* {tag, op, ...} */
	MSG_REPLY = 41,		/* {tag, ok, code, text, ...} */
	MSG_EVENT = 42,		/* {event, ...} */
};

enum msg_from { FROM_CONSOLE = 1, FROM_AGENT = 2, FROM_BOTH = 3 };
/* Phases of a link: nothing said yet, then open; owner sockets are open from
 * the start. */
enum msg_phase { PHASE_GREETING = 1, PHASE_OPEN = 2, PHASE_OWNER = 4 };

struct msg_info {
	enum msg number;
	const char *name;
	unsigned from;		/* enum msg_from bits */
	unsigned phases;	/* enum msg_phase bits in which it is legal */
	bool raw;		/* the body is not JSON */
};

/* The row of the table, or NULL. */
const struct msg_info *msg_info(unsigned number);
/* All rows, ended by one with name NULL. */
const struct msg_info *msg_table(void);
/* 0, or ERR_PROTOCOL when number is unknown or not legal from that side in
 * that phase. */
int msg_check(unsigned number, enum msg_from from, enum msg_phase phase);

/* The raw body of MSG_OUTPUT and MSG_TREE_DATA. */
void msg_output_put(struct buf *out, uint32_t tag, uint64_t offset,
    const void *p, size_t n);
int msg_output_get(const uint8_t *body, size_t n, uint32_t *ret_tag,
    uint64_t *ret_offset, const uint8_t **ret_p, size_t *ret_n);

#endif
