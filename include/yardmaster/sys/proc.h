/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Processes: who they are, starting them in sessions, ending whole trees. */
#ifndef YARDMASTER_SYS_PROC_H
#define YARDMASTER_SYS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BOOT_ID_SIZE 37

/* A process beyond doubt: a number alone may have been given to another. */
struct proc_id {
	pid_t pid;
	uint64_t start_ticks;	/* field 22 of /proc/PID/stat */
	char boot_id[BOOT_ID_SIZE];
};

/* Fills the identity of a live process. 0 or ERR_NOT_FOUND. */
int proc_identify(pid_t pid, struct proc_id *ret);
/* True when that very process still lives (a zombie does not). */
bool proc_alive(const struct proc_id *id);
/* Signals exactly that process. 0, or -ESRCH when it is gone. */
int proc_signal(const struct proc_id *id, int signo);
/* The boot id of this host; "" when unknown. Borrowed. */
const char *proc_boot_id(void);

/* A limit on the process and what it starts: soft and hard, RLIMIT_*. */
struct proc_limit {
	int resource;
	uint64_t value;
};

struct proc_spawn {
	char *const *argv;	/* argv[0] looked up in PATH of envp */
	char *const *envp;
	const char *cwd;	/* NULL: ours */
	int in, out, err;	/* descriptors to become 0, 1, 2 (not closed here) */
	int nice;		/* added niceness, 0 for none */
	bool session;		/* setsid() */
	const struct proc_limit *limits;	/* n_limits; one above what we
						 * may have counts as that */
	unsigned n_limits;
};
/* Starts a process with SIGPIPE default, empty signal mask and nothing but
 * 0-2 open. 0, or -errno when it could not be started: an exec that failed is
 * told apart from exit code 127. */
int proc_spawn(const struct proc_spawn *spec, pid_t *ret);

/* Off: no core file is written of this process and no other of the account
 * may look into it. What it starts is not concerned. */
void proc_dumpable(bool on);
/* Makes this process adopt orphaned descendants (they become our children). */
int proc_subreaper(void);
/* Sends signo to root and all its descendants, and to every process of
 * session sid (0: none) that is not ourselves. Returns how many were sent. */
int proc_signal_tree(pid_t root, pid_t sid, int signo);
/* How many processes of that tree and session live. */
int proc_count_tree(pid_t root, pid_t sid);
struct proc_usage {
	int64_t cpu_us;		/* used so far, also by what has ended */
	uint64_t memory_bytes;	/* resident; what is shared counts each time */
};
/* What all processes below root use (of a large tree the first 1,024), and
 * have used as far as root or they waited for them; root itself does not
 * count. 0 or ERR_NOT_FOUND. */
int proc_usage_below(pid_t root, struct proc_usage *ret);
/* Starts argv as a daemon: double fork, own session, the three standard
 * streams to log_path (appended; NULL: /dev/null), cwd "/". 0 or -errno. */
int proc_daemonize(char *const *argv, char *const *envp, const char *log_path);

#endif
