/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What daemon and worker say to each other: the frames of the protocol with
 * numbers of their own, over a socket pair made at the worker's birth, or over
 * worker-N.sock after the daemon was started anew. Both are of one version or
 * nearly so: an upgrade of the daemon finds older workers.
 */
#ifndef AGENT_WIRE_H
#define AGENT_WIRE_H

enum wire {
	/* worker to daemon, first on each connection:
	 * {"pid", "attempt": id that runs or null, "last": id of the last
	 * result or "", "ending": bool} */
	WIRE_HELLO = 1,
	/* daemon to worker: when it was queued (wall time in us, an int64_t as
	 * it lies in memory), then the JSON of the work */
	WIRE_RUN = 2,
	/* daemon to worker: {"attempt", "grace_s"} */
	WIRE_CANCEL = 3,
	/* worker to daemon: "ID REPORT", the record of the result file; again
	 * on a new connection until the next WIRE_RUN */
	WIRE_RESULT = 4,
	/* daemon to worker, before WIRE_RUN: the secrets of that attempt, as
	 * in START */
	WIRE_SECRETS = 6,
	/* worker to daemon: what its attempt needs is prepared; no body */
	WIRE_READY = 5,
	/* daemon to worker, before WIRE_RUN of what prepares something: bytes
	 * of disk that have to stay free (a uint64_t as it lies in memory) */
	WIRE_KEEP_FREE = 7,
};

/* Names inside the spool, which is the current folder of both. */
#define WORKER_SOCKET "worker-%u.sock"
#define WORKER_LOCK "worker-%u.lock"
#define WORKER_RESULT "worker-%u.result"
#define WORKER_GROUP "worker-%u.group"
#define OUTPUT_DIR "out"
#define WORK_DIR "work"
#define HOME_DIR "home"
#define KEPT_DIR "files"
#define WORKER_NAME_SIZE 32
#define WORKER_FD 3		/* the daemon's socket at birth */

#endif
