/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * spawn_rate N: how fast this machine starts and reaps N processes that do
 * nothing, by posix_spawn() alone. Prints the best rate a second over several
 * numbers of them in flight, that number, and the CPU seconds of one start
 * with its end, also those of the process that does nothing.
 */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
cpu_s(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
start_one(void)
{
	static char name[] = "true";
	char *argv[] = { name, NULL };
	pid_t pid;
	int r;

	if ((r = posix_spawn(&pid, "/bin/true", NULL, NULL, argv,
	    environ)) != 0) {
		fprintf(stderr, "spawn_rate: /bin/true: %s\n", strerror(r));
		exit(1);
	}
}

static void
wait_one(void)
{
	int status;

	while (waitpid(-1, &status, 0) == -1)
		if (errno != EINTR) {
			perror("spawn_rate: waitpid");
			exit(1);
		}
	if (status != 0) {
		fprintf(stderr, "spawn_rate: /bin/true: status %d\n", status);
		exit(1);
	}
}

/* Starts n in all, at most flight at once; how many a second. */
static double
rate(long n, long flight)
{
	double from = now_s();
	long started, ended = 0;

	for (started = 0; started < n; started++) {
		if (started - ended == flight) {
			wait_one();
			ended++;
		}
		start_one();
	}
	for (; ended < n; ended++)
		wait_one();
	return (double)n / (now_s() - from);
}

int
main(int argc, char **argv)
{
	long n = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	long flights[2] = { 1, 16 }, best_flight = 0;
	double best = 0, r;
	size_t i, rounds = sizeof flights / sizeof *flights;

	if (n <= 0) {
		fprintf(stderr, "usage: spawn_rate N\n");
		return 2;
	}
	flights[0] = sysconf(_SC_NPROCESSORS_ONLN);
	for (i = 0; i < rounds; i++) {
		r = rate(n, flights[i] > 0 ? flights[i] : 1);
		if (r > best) {
			best = r;
			best_flight = flights[i];
		}
	}
	printf("%.1f %ld %.7f\n", best, best_flight, (cpu_s(RUSAGE_SELF) +
	    cpu_s(RUSAGE_CHILDREN)) / (double)(n * (long)rounds));
	return 0;
}
