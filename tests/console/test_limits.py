# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals to a run, and runs that go on without their console: what is told to
end ends with all that it started, what is left goes on and can be followed."""

import os
import signal
import time

import sshd
import tap
from lab import Lab

# Heeds neither INT nor TERM, and has a child that left its session and heeds
# no HUP either. Each says its process on the FIFO of its own test.
STUBBORN = '''#!/bin/sh
# stubborn WORK FIFO
trap '' INT TERM
setsid sh -c 'trap "" INT TERM HUP; echo $$ >"$1"; while :; do sleep 60; done
' sh "$2" &
echo $$ >"$2"
"$1" 0
while :; do sleep 60; done
'''


def plan_of(lab, n, command, **more):
    return lab.plan(dict({
        'name': 'p', 'parallel': 'tests', 'order': 'plan', 'command': command,
        'suites': [{'name': 's', 'tests': ['t%d' % i for i in range(n)]}]},
        **more))


def state_of(lab, run):
    return {r['id']: r for r in lab.json('runs')['runs']}[run]


def alive(pids):
    return [p for p in pids if os.path.exists('/proc/%d' % p)]


class Stubborn:
    """A run of two that only KILL ends."""

    def __init__(self, lab, name):
        fifo = lab.dir + '/' + name
        os.mkfifo(fifo)
        self.said = os.fdopen(os.open(fifo, os.O_RDWR), encoding='utf-8')
        self.process, self.run = lab.start_run(
            plan_of(lab, 2, [lab.dir + '/stubborn', lab.work, fifo]))
        self.pids = [int(self.said.readline()) for _ in range(4)]


def next_line(process, word):
    """Waits until standard error says word."""
    for line in process.stderr:
        if word in line:
            return line
    return ''


def stubborn(lab):
    """Two runs at the same time: one is told once, one twice."""
    path = lab.dir + '/stubborn'
    with open(path, 'w') as f:
        f.write(STUBBORN)
    os.chmod(path, 0o755)
    once, twice = Stubborn(lab, 'once'), Stubborn(lab, 'twice')
    tap.equal('all of them run', len(alive(once.pids + twice.pids)), 8)
    for x, signo in ((once, signal.SIGTERM), (twice, signal.SIGINT)):
        x.process.send_signal(signo)
        line = next_line(x.process, 'cancelling')
        tap.ok('the first %s cancels' % signo.name, 'once more leaves it '
               'going' in line, line)
    twice.process.send_signal(signal.SIGTERM)
    said = twice.process.communicate()[1]
    tap.equal('a second leaves at once', twice.process.returncode, 5)
    tap.ok('and says how to go on', 'yardmaster resume ' + twice.run in said,
           said)
    left = state_of(lab, twice.run)
    tap.ok('another process drives it', left['owner'] is not None and
           left['state'] not in ('ended', 'orphaned'), str(left))
    done = lab.cli('resume', twice.run)
    tap.ok('resume follows it and exits with its code', done.returncode == 5
           and '2 cancelled' in done.stdout, done.stdout + done.stderr)
    tap.equal('of what was told twice, nothing is left', alive(twice.pids),
              [])
    said = once.process.communicate()
    tap.ok('what was told once exits with 5', once.process.returncode == 5
           and '2 cancelled' in said[0], '%s%s' % said)
    tap.equal('and nothing is left of it', alive(once.pids), [])


def obedient(lab):
    process, run = lab.start_run(plan_of(lab, 40, [lab.work, '60']))
    lab.watch.wait(lambda w: w.count() == 4)
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    said = process.communicate()
    tap.ok('INT ends what heeds it', process.returncode == 5 and
           '40 cancelled' in said[0], '%s%s' % said)
    tap.ok('without waiting for TERM and KILL',
           time.monotonic() - begun < 5)
    tap.ok('nothing runs', lab.watch.wait(lambda w: w.count() == 0))
    tap.equal('it is over for everybody', state_of(lab, run)['state'],
              'ended')
    done = lab.cli('resume', run, '--quiet')
    tap.equal('resume reports it again', done.returncode, 5)


def ran_once(lab, name, run, n):
    times = {k: v for k, v in lab.ran_times().items()
             if k.startswith(run + '/')}
    tap.equal(name + ': each ran', len(times), n)
    tap.equal(name + ': each ran once', set(times.values()), {1})


def hangup(lab):
    process, run = lab.start_run(plan_of(lab, 12, [lab.work, '0.5']))
    lab.watch.wait(lambda w: w.count() == 4)
    process.send_signal(signal.SIGHUP)
    said = process.communicate()[1]
    tap.ok('HUP hands the run over', 'goes on without this console' in said,
           said)
    now = state_of(lab, run)
    tap.ok('it is driven when that is said', now['state'] == 'ended' or
           now['owner'] is not None, str(now))
    followers = [lab.start('resume', run) for _ in range(2)]
    for f in followers:
        said = f.communicate()
        tap.ok('two follow it at the same time', f.returncode == 0 and
               '12 passed' in said[0], '%s%s' % said)
    ran_once(lab, 'HUP', run, 12)


def detached(lab):
    done = lab.cli('run', plan_of(lab, 6, [lab.work, '0.5', '1']),
                   '--detach')
    run = done.stdout.strip()
    tap.ok('--detach prints the id and exits with 0', done.returncode == 0 and
           len(run) == 11, done.stdout + done.stderr)
    done = lab.cli('resume', run)
    tap.ok('resume exits with the code of the run', done.returncode == 1 and
           '6 failed' in done.stdout, done.stdout + done.stderr)
    ran_once(lab, '--detach', run, 6)


def orphan(lab):
    """One of several takes it over, the others follow that one."""
    process, run = lab.start_run(plan_of(lab, 12, [lab.work, '0.5']))
    lab.watch.wait(lambda w: w.count() == 4)
    process.kill()
    process.wait()
    takers = [lab.start('resume', run) for _ in range(3)]
    said = [t.communicate() for t in takers]
    tap.equal('three resume an orphan', [t.returncode for t in takers],
              [0, 0, 0])
    tap.ok('one of them takes it over', sum('took over' in s[1]
                                            for s in said) == 1, str(said))
    ran_once(lab, 'an orphan', run, 12)


def discovery(lab):
    runs = len(lab.json('runs')['runs'])
    for name, command, want in (
            ('fails', ['sh', '-c', 'echo t1; echo oops >&2; exit 3'],
             'discovery exited with 3 (oops)'),
            ('is not there', ['/nonexistent'], 'No such file'),
            ('finds nothing', ['true'], 'discovery found no test'),
            ('hangs', ['sleep', '60'], 'discovery did not end in time')):
        plan = lab.plan({'name': 'p', 'command': [lab.work, '0'],
                         'suites': [{'name': 's', 'discover': {
                             'command': command, 'timeout': '1s',
                             'pattern': '^(?<test>t.)$'}}]})
        done = lab.cli('run', plan)
        tap.ok('a discovery that ' + name, done.returncode == 4 and
               want in done.stderr and 'suites[0].discover' in done.stderr,
               done.stderr)
    tap.equal('no run came of these', len(lab.json('runs')['runs']), runs)


def main():
    sshd.need()
    with Lab(2, max_workers=2) as lab:
        stubborn(lab)
        obedient(lab)
        hangup(lab)
        detached(lab)
        orphan(lab)
        discovery(lab)
    tap.done()


main()
