/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of messages, and the one body that is not JSON. */
#include "config.h"

#include "yardmaster/base/err.h"
#include "yardmaster/proto/msg.h"

#define OUTPUT_HEADER 12u

/* On an owner's socket the owner speaks as the agent does elsewhere. */
static const struct msg_info table[] = {
	{ MSG_HELLO, "hello", FROM_CONSOLE, PHASE_GREETING, false },
	{ MSG_PING, "ping", FROM_BOTH, PHASE_OPEN | PHASE_OWNER, false },
	{ MSG_PONG, "pong", FROM_BOTH, PHASE_OPEN | PHASE_OWNER, false },
	{ MSG_SYNC, "sync", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_START, "start", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_TAKE_BACK, "take-back", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_CANCEL, "cancel", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_ACK, "ack", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_SET, "set", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_MODE, "mode", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_TAIL, "tail", FROM_CONSOLE, PHASE_OPEN | PHASE_OWNER, false },
	{ MSG_UNTAIL, "untail", FROM_CONSOLE, PHASE_OPEN | PHASE_OWNER,
	    false },
	{ MSG_FETCH, "fetch", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_TREE, "tree", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_TREE_DATA, "tree-data", FROM_CONSOLE, PHASE_OPEN, true },
	{ MSG_GO, "go", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_TOLD, "told", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_TAKE, "take", FROM_CONSOLE, PHASE_OPEN, false },
	{ MSG_WELCOME, "welcome", FROM_AGENT, PHASE_GREETING, false },
	{ MSG_REPORT, "report", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_SYNCED, "synced", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_RETURNED, "returned", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_FACTS, "facts", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_ANSWER, "answer", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_OUTPUT, "output", FROM_AGENT, PHASE_OPEN | PHASE_OWNER, true },
	{ MSG_OUTPUT_END, "output-end", FROM_AGENT, PHASE_OPEN | PHASE_OWNER,
	    false },
	{ MSG_HAVE, "have", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_ERROR, "error", FROM_BOTH,
	    PHASE_GREETING | PHASE_OPEN | PHASE_OWNER, false },
	{ MSG_ASK, "ask", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_UNASK, "unask", FROM_AGENT, PHASE_OPEN, false },
	{ MSG_REQUEST, "request", FROM_CONSOLE, PHASE_OWNER, false },
	{ MSG_REPLY, "reply", FROM_AGENT, PHASE_OWNER, false },
	{ MSG_EVENT, "event", FROM_AGENT, PHASE_OWNER, false },
	{ 0, NULL, 0, 0, false },
};

const struct msg_info *
msg_table(void)
{
	return table;
}

const struct msg_info *
msg_info(unsigned number)
{
	const struct msg_info *m;

	for (m = table; m->name != NULL; m++)
		if (m->number == number)
			return m;
	return NULL;
}

int
msg_check(unsigned number, enum msg_from from, enum msg_phase phase)
{
	const struct msg_info *m = msg_info(number);

	if (m == NULL || (m->from & from) == 0 || (m->phases & phase) == 0)
		return ERR_PROTOCOL;
	return 0;
}

static void
put_number(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (; bytes > 0; bytes--, v >>= 8)
		p[bytes - 1] = (uint8_t)v;
}

static uint64_t
get_number(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (; bytes > 0; bytes--)
		v = v << 8 | *p++;
	return v;
}

void
msg_output_put(struct buf *out, uint32_t tag, uint64_t offset,
    const void *p, size_t n)
{
	uint8_t *head = buf_reserve(out, OUTPUT_HEADER);

	put_number(head, tag, 4);
	put_number(head + 4, offset, 8);
	buf_commit(out, OUTPUT_HEADER);
	buf_put(out, p, n);
}

int
msg_output_get(const uint8_t *body, size_t n, uint32_t *ret_tag,
    uint64_t *ret_offset, const uint8_t **ret_p, size_t *ret_n)
{
	if (n < OUTPUT_HEADER)
		return ERR_PROTOCOL;
	*ret_tag = (uint32_t)get_number(body, 4);
	*ret_offset = get_number(body + 4, 8);
	*ret_p = body + OUTPUT_HEADER;
	*ret_n = n - OUTPUT_HEADER;
	return 0;
}
