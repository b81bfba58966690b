# SPDX-License-Identifier: GPL-3.0-or-later
"""One round: hosts, a plan by chance, a run, faults while it runs, a verdict
from what the executions themselves wrote."""

import json
import os
import random
import re
import select
import subprocess
import threading
import time

import faults
import judge
import sshd
from lab import Lab

RUN_S = 90          # a run that takes longer does not end
FOLLOW_S = 10
DISK = '80m'        # a little above the guard of an agent

# Notes its starts and ends in the order in which they are; takes each lock
# for real, so that the kernel says whether another has it.
WORK = '''#!/bin/sh
# work SECONDS CODES [LOCK...]: attempt n exits with the nth code, or the last
cd %(dir)s/locks
note() { echo "$1 $YARDMASTER_ATTEMPT:$YARDMASTER_TEST $2" >>../noted; }
note S $YARDMASTER_AGENT
echo "+ $YARDMASTER_AGENT $YARDMASTER_EXECUTION $YARDMASTER_WORKER" >../said
seconds=$1 codes=$2 fd=3
shift 2
for lock; do
	fd=$((fd + 1))
	eval "exec $fd>>\\${lock#*:}"
	case $lock in
	x:*) flock -n $fd || note V $lock ;;
	s:*) flock -s -n $fd || note V $lock ;;
	2:*) flock -n $fd || {
		eval "exec $fd>>\\${lock#*:}.b"
		flock -n $fd || note V $lock
	} ;;
	esac
done
sleep $seconds
n=${YARDMASTER_ATTEMPT##*/}
for code in $codes; do
	[ $((n -= 1)) -gt 0 ] || break
done
note E $code
echo "- $YARDMASTER_AGENT $YARDMASTER_EXECUTION $YARDMASTER_WORKER" >../said
exit $code
'''
LOCKS = [('db', 'x:db'), ('read:cfg', 's:cfg'), ('cfg', 'x:cfg'),
         ('two', '2:two')]


def make_test(rng, work, i):
    """One test of a plan, and what the judge has to know of it."""
    codes, test = [0], {'name': 't%d' % i}
    chance = rng.random()
    if chance < 0.12:
        codes = [rng.randint(1, 9)]
    elif chance < 0.24:
        codes = [rng.randint(1, 9), 0]
    if chance < 0.3:
        test['retries'] = rng.randint(0, 2)
        test['retry_delay'] = '0.1s'
    command = [work, '%.2f' % rng.choice((0.05, 0.1, 0.2, 0.3, 0.5)),
               ' '.join(str(c) for c in codes)]
    if rng.random() < 0.3:
        held = [rng.choice(LOCKS)] + rng.choice(([], [], [LOCKS[3]]))
        held = sorted(set(held))
        test['locks'] = [name for name, _ in held]
        command += [word for _, word in held]
    test['command'] = command
    return test


def make_plan(rng, work, kinds):
    n = rng.randint(40, 80)
    tests = [make_test(rng, work, i) for i in range(n)]
    once = [t for t in tests if rng.random() < 0.25 and 'retries' not in t]
    chain = [t for t in tests if rng.random() < 0.1 and t not in once]
    for t in chain:
        t.pop('retries', None)
        t.pop('retry_delay', None)
    often = [t for t in tests if t not in once and t not in chain]
    plan = {
        'name': 'chaos', 'parallel': 'tests',
        'order': rng.choice(('plan', 'longest')),
        'locks': {'db': 1, 'cfg': 1, 'two': 2},
        'error_retries': 5,
        'suites': [
            {'name': 'often', 'tests': often},
            {'name': 'once', 'repeatable': False, 'tests': once},
            {'name': 'chain', 'mode': 'sequential', 'tests': chain,
             'retries': rng.randint(0, 1)}]}
    plan['suites'] = [s for s in plan['suites'] if s['tests']]
    if 'away' in kinds:
        plan['lost_after'] = '1s'
    return plan


class Round:
    """kinds: names of faults to choose from; n: how many of them."""

    def __init__(self, seed, kinds, n):
        self.seed, self.n = seed, n
        self.random = random.Random(seed)
        self.kinds = kinds
        self.history = []           # what was done, for people
        self.injected = {}          # fault -> times
        self.console = None
        self.detached = False
        self.disks = []             # folders that have a disk of their own
        self.run = None
        self.began = time.monotonic()

    def note(self, text):
        self.history.append('%6.2f s, %3d starts: %s' % (
            time.monotonic() - self.began, len(self.lab.watch.starts), text))

    # ---- the consoles ----------------------------------------------------
    def _follow(self, process, found):
        for line in process.stderr:
            self.history.append('console: ' + line.rstrip())
            m = re.search(r'run (r[0-9a-z]{10}),', line)
            if m:
                self.run = m.group(1)
                found.set()
        found.set()

    def launch(self, plan):
        more = ['--detach'] if self.detached else ['--quiet']
        self.console = self.lab.start('run', plan, *more)
        if self.detached:
            out, err = self.console.communicate()
            self.history.append('console: ' + err)
            self.run = out.split()[-1] if out.split() else None
            self.console = None
        else:
            found = threading.Event()
            threading.Thread(target=self._follow, daemon=True,
                             args=(self.console, found)).start()
            found.wait()
        self.note('run %s%s' % (self.run, ', detached' * self.detached))

    def owner_pid(self):
        """The process that drives the run, or None."""
        if self.console is not None and self.console.poll() is None:
            return self.console.pid
        mark = [b'serve', b'--run', str(self.run).encode()]
        for pid in sshd.belonging_to(self.lab.dir):
            if faults.words_of(pid)[1:4] == mark:
                return pid
        return None

    def reap_console(self):
        if self.console is not None:
            self.console.wait()
        self.console = None

    def resume(self):
        self.console = self.lab.start('resume', self.run, '--quiet')
        threading.Thread(target=self._follow, daemon=True,
                         args=(self.console, threading.Event())).start()

    def wait_owner_change(self):
        """Kills the console that was just started before it does much."""
        starts = self.random.randint(0, 2)
        if starts:
            self.wait_starts(starts, 2)
        self.console.kill()
        self.reap_console()
        self.note('its console is killed again')
        self.resume()

    # ---- events ----------------------------------------------------------
    def host(self):
        return self.random.choice(self.lab.hosts.hosts)

    def over(self):
        return self.console is not None and self.console.poll() is not None

    def wait_starts(self, n, seconds=FOLLOW_S):
        """Until n more have started, or nothing more comes."""
        want = len(self.lab.watch.starts) + n
        until = time.monotonic() + seconds
        while not self.over() and time.monotonic() < until:
            if self.lab.watch.wait(lambda w: len(w.starts) >= want, 0.5):
                return True
        return False

    # ---- the round ---------------------------------------------------------
    def inject(self):
        kind = self.random.choice(self.kinds)
        self.note('fault ' + kind)
        if faults.FAULTS[kind][1](self):
            self.injected[kind] = self.injected.get(kind, 0) + 1
        else:
            self.note('found nothing to break')

    def end_run(self):
        """Waits for the end of the run; False when there is none."""
        if self.console is None:
            self.resume()
        try:
            code = self.console.wait(RUN_S)
            if code < 0:
                self.note('console ended by signal %d' % -code)
            self.note('console exits with %d' % code)
            return code >= 0
        except subprocess.TimeoutExpired:
            return False

    def mount(self, folder):
        """A small disk for a folder, where one can be made."""
        os.makedirs(folder, 0o700, exist_ok=True)
        made = subprocess.run(['mount', '-t', 'tmpfs', '-o',
                               'mode=0700,size=' + DISK, 'tmpfs', folder],
                              stderr=subprocess.DEVNULL)
        if made.returncode == 0:
            self.disks.append(folder)

    def set_up(self, lab):
        self.lab = lab
        if 'agent-disk' in self.kinds:
            for host in lab.hosts.hosts:
                self.mount(host.state)
        if 'console-disk' in self.kinds:
            self.mount(lab.env['XDG_STATE_HOME'])
        for host in lab.hosts.hosts:
            host.spool = host.state + '/yardmaster/agent/default'
        os.mkdir(lab.dir + '/locks')
        with open(lab.work, 'w') as f:
            f.write(WORK % {'dir': lab.dir})
        self.plan = make_plan(self.random, lab.work, self.kinds)
        self.detached = self.random.random() < 0.25
        self.launch(lab.plan(self.plan))

    def complaints(self):
        """What sanitizers said in the logs."""
        said = list(self.history)
        for host in self.lab.hosts.hosts:
            if os.path.exists(host.spool + '/agent.log'):
                with open(host.spool + '/agent.log') as f:
                    said += f.read().splitlines()
        return [x for x in said if 'Sanitizer' in x or 'runtime error' in x]

    def strays(self):
        """What is still there of the run once it has ended; what is about to
        go is given a moment."""
        stay = (b'serve', b'worker')
        until = time.monotonic() + 10
        while True:
            left = [p for p in sshd.belonging_to(self.lab.dir)
                    if faults.words_of(p)[1:2] not in ([stay[0]], [stay[1]])
                    and not faults.words_of(p)[0].startswith(b'sshd:')
                    and faults.words_of(p) != [b'']]
            if not left or time.monotonic() > until:
                return [(p, faults.words_of(p)) for p in left]
            fds = []
            for p in left:
                try:
                    fds.append(os.pidfd_open(p))
                except ProcessLookupError:
                    pass
            if fds:
                select.select(fds, [], [], until - time.monotonic())
            for fd in fds:
                os.close(fd)

    def play(self):
        """Runs the round: a judge.Verdict."""
        hosts = self.random.randint(2, 3)
        with Lab(hosts, max_workers=self.random.randint(1, 4)) as lab:
            try:
                return self.play_in(lab)
            finally:
                for folder in self.disks:
                    subprocess.run(['umount', '-l', folder], check=True)

    def play_in(self, lab):
        self.set_up(lab)
        step = max(1, len(judge.planned(self.plan)) // (self.n + 1))
        for _ in range(self.n):
            self.wait_starts(self.random.randint(1, 2 * step))
            if self.over():
                break
            self.inject()
        ended = self.end_run()
        verdict = judge.Verdict(self, ended)
        if not ended:
            self.note(lab.cli('why', self.run).stdout)
            self.note(lab.cli('agents').stdout)
            if self.console is not None:
                self.console.kill()
                self.reap_console()
        if verdict.wrong:
            self.keep(verdict)
        return verdict

    def keep(self, verdict):
        """Keeps what tells how it came about."""
        where = os.path.join(os.path.abspath(
            os.environ.get('YM_BUILDDIR', '.')), 'tests', 'faults',
            'seed-%d' % self.seed)
        subprocess.run(['rm', '-rf', where])
        os.makedirs(os.path.dirname(where), exist_ok=True)
        subprocess.run(['cp', '-a', self.lab.dir, where],
                       stderr=subprocess.DEVNULL)
        with open(where + '/history', 'w') as f:
            f.write('\n'.join(self.history + verdict.wrong) + '\n')
        with open(where + '/report.json', 'w') as f:
            json.dump(verdict.report, f, indent=1)
        self.history.append('kept in ' + where)
