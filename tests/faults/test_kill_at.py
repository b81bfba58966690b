# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent daemon is killed at each of its first commits, and at other calls
by which others could see what it did; a worker and the owner of a run the
same way. Nothing starts twice, nothing is lost.

    test_kill_at.py [FIRST LAST]        of other calls than commits, too"""

import collections
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import agentclient as ac
import kill_at
import sshd
import tap
from agentclient import R, agent, ids, work
from lab import CONSOLE, Lab

COMMITS = range(1, 21)
DAEMON_CALLS = range(20, 100, 5)
WORKER_CALLS = range(1, 40, 3)
OWNER_CALLS = range(30, 150, 15)
N = 12
AT_ONCE = 4
COMMIT = 'fdatasync,fsync'
CALLS = 'read,write,writev,sendmsg,sendto,pwrite64,pwritev,epoll_wait,' \
    'epoll_pwait,unlink,rename,openat,close,clone,clone3,vfork'


def note(a):
    return ['sh', '-c', 'echo $YARDMASTER_ATTEMPT >> %s/ran' % a.dir]


def ran(a):
    try:
        with open(a.dir + '/ran') as f:
            return collections.Counter(f.read().split())
    except FileNotFoundError:
        return collections.Counter()


class Console:
    """What a console does: sends what is not known to have come, takes results
    and acknowledges them, connects again."""

    def __init__(self, a, wanted):
        self.a, self.wanted, self.ended, self.cuts = a, wanted, {}, 0

    def _session(self, link):
        link.sync(R, 1)
        missing = [i for i in self.wanted
                   if i not in link.reports and i not in self.ended]
        if missing:
            link.start(R, 1, [work(R, int(i.split('/')[1]), note(self.a),
                                   cwd=self.a.dir) for i in missing])
        while True:
            new = {i: rs[-1] for i, rs in link.reports.items()
                   if rs[-1]['state'] in ('ended', 'lost') and
                   i not in self.ended}
            self.ended.update(new)
            if new:
                link.ack(list(new))
            if len(self.ended) == len(self.wanted):
                return
            link.recv()

    def run(self, first=None):
        """Until all have ended; first: how to get the first link."""
        link = None
        while len(self.ended) < len(self.wanted):
            try:
                link = (first or self.a.connect)()
                first = None
                self._session(link)
            except (ac.Closed, OSError):
                self.cuts += 1
                first = None


def verdict(a, console, may_lose=0):
    """What is wrong, in words."""
    counts = ran(a)
    wrong = ['%s ran %d times, %s' % (i, counts[i], r)
             for i, r in sorted(console.ended.items())
             if counts[i] > 1 or r['state'] == 'ended' and
             (counts[i] != 1 or r['outcome'] != 'passed')]
    lost = [r for r in console.ended.values() if r['state'] == 'lost']
    return wrong + (lost if len(lost) > may_lose else [])


def serve_killed(a, calls, n):
    """Starts a daemon that will be killed; whether it lived to be ready."""
    fifo = a.dir + '/ready'
    os.mkfifo(fifo)
    fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.makedirs(a.spool, 0o700)
    os.chmod(a.state, 0o700)
    p = subprocess.Popen(
        kill_at.command(calls, n) + [ac.PROGRAM, 'serve', '--instance',
                                     a.instance, '--ready', fifo],
        env=a.env, stdin=subprocess.DEVNULL,
        stdout=open(a.spool + '/agent.log', 'a'), stderr=subprocess.STDOUT)
    poll = ac.select.poll()
    poll.register(fd, ac.select.POLLIN)
    pid = os.pidfd_open(p.pid)
    poll.register(pid, ac.select.POLLIN)
    poll.poll(ac.WAIT_S * 1000)
    os.close(fd)
    os.close(pid)
    return p


def daemon_trial(calls, n):
    with agent(workers=3) as a:
        strace = serve_killed(a, calls, n)
        console = Console(a, ids(*range(1, N + 1)))
        console.run()
        killed = strace.poll() is not None
        wrong = verdict(a, console)
        if not killed:
            a.kill()
        strace.wait()
        return n, killed, wrong


def worker_trial(calls, n):
    """The first attempt makes the worker, which is killed later on."""
    with agent(workers=1) as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, note(a), cwd=a.dir)])
        link.wait_ended(ids(1))
        pid = a.worker_pids()[0]
        trace = kill_at.Attached(pid, calls, n)
        console = Console(a, ids(*range(1, N + 1)))
        console.run()
        killed = pid not in a.worker_pids()
        trace.close()
        return n, killed, verdict(a, console, may_lose=1)


class Owners:
    """Runs whose owner is killed, on one fleet."""

    def __init__(self, lab):
        self.lab = lab
        self.plan = lab.plan({
            'name': 'killed', 'parallel': 'tests', 'order': 'plan',
            'command': [lab.work, '0'],
            'suites': [{'name': 'all', 'tests':
                        ['t%d' % i for i in range(N)]}]})
        self.runs = set()

    def new_run(self):
        listed = {r['id'] for r in self.lab.json('runs')['runs']}
        new = listed - self.runs
        self.runs |= listed
        return new.pop() if new else None

    def trial(self, calls, n):
        lab = self.lab
        p = subprocess.Popen(
            kill_at.command(calls, n) + [
                CONSOLE, 'run', self.plan, '--fleet', lab.fleet, '--quiet'],
            env=lab.env, cwd=lab.dir, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        killed, run = p.wait() != 0, self.new_run()
        if run is None:
            return n, killed, []
        code = lab.cli('resume', run, '--quiet').returncode
        counts = lab.json('report', run)['counts']
        times = {k: c for k, c in lab.ran_times().items()
                 if k.startswith(run + '/')}
        good = code == 0 and counts['passed'] == N and len(times) == N and \
            set(times.values()) == {1}
        return n, killed, [] if good else [code, counts, times]


def trials(name, fn, calls, numbers, at_once=AT_ONCE):
    with ThreadPoolExecutor(at_once) as pool:
        done = list(pool.map(lambda n: fn(calls, n), numbers))
    killed = sum(k for _, k, _ in done)
    bad = [(n, w) for n, _, w in done if w]
    tap.ok('%s: killed at %d of %d calls' % (name, killed, len(done)),
           killed > 0)
    tap.ok('%s: each ran once and was told' % name, not bad,
           '\n'.join('%d: %s' % x for x in bad))


def main(args):
    why = kill_at.why_not()
    if why:
        tap.skip_all('skipped: ' + why)
    asked = range(int(args[0]), int(args[1]) + 1) if args else None
    trials('daemon, commits', daemon_trial, COMMIT, COMMITS)
    trials('daemon, other calls', daemon_trial, CALLS, asked or DAEMON_CALLS)
    trials('worker', worker_trial, CALLS, asked or WORKER_CALLS)
    sshd.need()
    with Lab(2, max_workers=2) as lab:
        owners = Owners(lab)
        trials('owner, commits', owners.trial, COMMIT, COMMITS, 1)
        trials('owner, other calls', owners.trial, CALLS,
               asked or OWNER_CALLS, 1)
    tap.done()


if __name__ == '__main__':
    main(sys.argv[1:])
