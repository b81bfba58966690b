# SPDX-License-Identifier: GPL-3.0-or-later
"""Locks, exclusions, targets and instances hold over runs of different
processes; the commands themselves write down when they began and ended."""

import os
import time

import sshd
import tap
from lab import Lab

# Notes when it begins and ends, beside which others; with a gate it waits for
# that file instead of the time.
JOB = '''#!/bin/sh
# job LOG WHAT SECONDS|GATE
note() { echo "$(date +%s%N) $1 $YARDMASTER_ATTEMPT $2" >>"$3"; }
note + "$2:$YARDMASTER_INSTANCE" "$1"
case "$3" in
/*) while [ ! -e "$3" ]; do sleep 0.02; done ;;
*) sleep "$3" ;;
esac
note - "$2:$YARDMASTER_INSTANCE" "$1"
'''


class Jobs:
    """What the jobs of one log say."""

    def __init__(self, lab, name):
        self.lab = lab
        self.log = '%s/%s.log' % (lab.dir, name)
        self.gate = '%s/%s.gate' % (lab.dir, name)
        self.job = lab.dir + '/job'
        with open(self.job, 'w') as f:
            f.write(JOB)
        os.chmod(self.job, 0o755)
        open(self.log, 'w').close()

    def command(self, what='x', wait='0.15'):
        return [self.job, self.log, what, str(wait)]

    def lines(self):
        with open(self.log) as f:
            return sorted(line.split() for line in f)

    def began(self, n, seconds=30):
        """Waits until n began; False when they never did."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if sum(w[1] == '+' for w in self.lines()) >= n:
                return True
            self.lab.watch.wait(lambda w: False, 0.02)
        return False

    def open(self):
        open(self.gate, 'w').close()

    def most(self, *whats):
        """The most of what is named that ran at the same time."""
        running = most = 0
        for _, sign, _, what in self.lines():
            if what.split(':')[0] in whats:
                running += 1 if sign == '+' else -1
                most = max(most, running)
        return most

    def met(self, a, b):
        """Whether one of a ever ran beside one of b."""
        running = {a: 0, b: 0}
        for _, sign, _, what in self.lines():
            what = what.split(':')[0]
            if what in running:
                running[what] += 1 if sign == '+' else -1
            if running[a] and running[b]:
                return True
        return False


def plan(lab, tests, **more):
    return lab.plan(dict({'name': 'p', 'parallel': 'tests', 'order': 'plan',
                          'suites': [{'name': 's', 'tests': tests}]}, **more))


def both(lab, path, seconds=60):
    """Two processes run the same plan at the same time."""
    runs = [lab.start('run', path, '--quiet', '--json') for _ in range(2)]
    for p in runs:
        out, err = p.communicate(timeout=seconds)
        if p.returncode != 0:
            tap.note(out[-3000:] + err[-3000:])
    return [p.returncode for p in runs]


def shared(lab):
    """Every kind of limit at once, each seen by another name."""
    jobs = Jobs(lab, 'shared')
    tests = []
    for i in range(3):
        tests += [
            {'name': 'one%d' % i, 'locks': ['db'],
             'command': jobs.command('one')},
            {'name': 'two%d' % i, 'locks': ['licence'],
             'command': jobs.command('two', 0.3)},
            {'name': 'read%d' % i, 'locks': ['read:config'],
             'command': jobs.command('read', 0.3)},
            {'name': 'write%d' % i, 'locks': ['config'],
             'command': jobs.command('write')},
        ]
    tests += [{'name': 'left', 'command': jobs.command('left', 0.3)},
              {'name': 'right', 'command': jobs.command('right', 0.3)}]
    path = plan(lab, tests, locks={'licence': 2},
                exclusive=[['left', 'right']])
    tap.equal('two runs at once pass', both(lab, path), [0, 0])
    tap.equal('a lock is held by one', jobs.most('one'), 1)
    tap.equal('a lock of two by two', jobs.most('two'), 2)
    tap.ok('readers run beside each other', jobs.most('read') > 1)
    tap.equal('a writer alone', jobs.most('write'), 1)
    tap.ok('and beside no reader', not jobs.met('read', 'write'))
    tap.ok('what excludes each other never meets',
           not jobs.met('left', 'right'))


def targets(lab):
    jobs = Jobs(lab, 'targets')
    path = lab.plan({
        'name': 't', 'parallel': 'tests', 'command': jobs.command('{target}'),
        'targets': [{'name': 'cloud', 'max': 1},
                    {'name': 'pixel', 'instances': ['emu-1', 'emu-2']}],
        'suites': [{'name': 's', 'tests': ['a', 'b', 'c']}]})
    tap.equal('two runs on limited targets pass', both(lab, path), [0, 0])
    tap.equal('a target of one runs one', jobs.most('cloud'), 1)
    tap.equal('two instances run two', jobs.most('pixel'), 2)
    running, clash = set(), False
    for _, sign, _, what in jobs.lines():
        if sign == '+' and what.startswith('pixel'):
            clash |= what in running
            running.add(what)
        running.discard(what if sign == '-' else '')
    tap.ok('each on an instance of its own', not clash, jobs.lines())


def private(lab):
    jobs = Jobs(lab, 'private')
    path = plan(lab, [{'name': 'a', 'locks': ['own'], 'beside_itself': True,
                       'command': jobs.command('a', jobs.gate)}],
                scope='run')
    runs = [lab.start_run(path, '--quiet') for _ in range(2)]
    tap.ok('with scope run a lock keeps nobody else away', jobs.began(2))
    jobs.open()
    tap.equal('both pass', [p.wait() for p, _ in runs], [0, 0])


def held_by(lab, run, words, seconds=20):
    """Waits until why of the first execution says all words."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        said = lab.cli('why', run + '/1').stdout
        if all(w in said for w in words):
            return True
        lab.watch.wait(lambda w: False, 0.1)
    tap.note(said)
    return False


def killed(lab):
    """The holder's console dies: what it sent still runs."""
    jobs, late = Jobs(lab, 'killed'), Jobs(lab, 'late')
    first, run = lab.start_run(plan(lab, [
        {'name': 'a', 'locks': ['gate'],
         'command': jobs.command('a', jobs.gate)}]), '--quiet')
    jobs.began(1)
    second, other = lab.start_run(plan(lab, [
        {'name': 'b', 'locks': ['gate'], 'command': late.command('b')}]),
        '--quiet')
    tap.ok('why names the holder', held_by(lab, other, [
        'lock', 'gate: 1 of 1 taken', run + '/1 on lab-', 'alive']))
    first.kill()
    first.wait()
    tap.ok('and that its console is dead', held_by(lab, other, [
        run + '/1 on lab-', 'dead']))
    tap.equal('its lock stays taken while it runs', late.lines(), [])
    jobs.open()
    tap.equal('once it has ended, the other goes on', second.wait(60), 0)
    tap.ok('after it', late.lines()[0][0] > jobs.lines()[-1][0])
    tap.equal('the first is resumed', lab.cli('resume', run, '--quiet')
              .returncode, 0)


def adopted(lab):
    """The same, and the first run is taken over before it ends."""
    jobs, late = Jobs(lab, 'adopted'), Jobs(lab, 'waits')
    first, run = lab.start_run(plan(lab, [
        {'name': 'a', 'locks': ['gate'],
         'command': jobs.command('a', jobs.gate)}]), '--quiet')
    jobs.began(1)
    first.kill()
    first.wait()
    second, other = lab.start_run(plan(lab, [
        {'name': 'b', 'locks': ['gate'], 'command': late.command('b')}]),
        '--quiet')
    resumed = lab.start('resume', run, '--quiet')
    tap.ok('who took over holds the lock', held_by(lab, other, [
        run + '/1 on lab-', 'pid %d, alive' % resumed.pid]))
    tap.equal('it stays taken', late.lines(), [])
    jobs.open()
    tap.equal('both end well', [resumed.wait(60), second.wait(60)], [0, 0])
    tap.ok('one after the other', late.lines()[0][0] > jobs.lines()[-1][0])


def instances(lab):
    """Whoever takes over knows which instance each attempt was sent with."""
    jobs = Jobs(lab, 'instances')
    gates = ['%s/instance-%d' % (lab.dir, i) for i in range(4)]
    path = lab.plan({
        'name': 'i', 'parallel': 'tests', 'order': 'plan',
        'targets': [{'name': 'pixel', 'instances': ['emu-1', 'emu-2']}],
        'suites': [{'name': 's', 'tests': [
            {'name': 't%d' % i, 'command': jobs.command('t%d' % i, gate)}
            for i, gate in enumerate(gates)]}]})

    def ends(gate):
        open(gate, 'w').close()

    console, run = lab.start_run(path, '--quiet')
    jobs.began(2)
    ends(gates[0])          # the third has what the first one had
    jobs.began(3)
    resumed = lab.take_over(console, run)
    ends(gates[1])
    tap.ok('what is free after a takeover is given on', jobs.began(4))
    ends(gates[2])
    ends(gates[3])
    resumed.communicate()
    tap.equal('the run ends well', resumed.returncode, 0)
    began = [w[3] for w in jobs.lines() if w[1] == '+']
    tap.equal('on the instance that really was', sorted(began),
              ['t0:emu-1', 't1:emu-2', 't2:emu-1', 't3:emu-2'])


def folders(lab):
    """Consoles that share an agent and nothing else."""
    jobs, late = Jobs(lab, 'here'), Jobs(lab, 'there')
    first, run = lab.start_run(plan(lab, [
        {'name': 'a', 'locks': ['gate'],
         'command': jobs.command('a', jobs.gate)}]), '--quiet')
    jobs.began(1)
    env = dict(lab.env)
    lab.env['XDG_STATE_HOME'] = lab.dir + '/elsewhere'
    second, other = lab.start_run(plan(lab, [
        {'name': 'b', 'locks': ['gate'], 'command': late.command('b')}]),
        '--quiet')
    tap.ok('what another state folder holds counts', held_by(lab, other, [
        'lock', run + '/1 on lab-', 'another state folder']))
    tap.equal('nothing ran beside it', late.lines(), [])
    jobs.open()
    tap.equal('both end well', [first.wait(60), second.wait(60)], [0, 0])
    tap.ok('one after the other', late.lines()[0][0] > jobs.lines()[-1][0])
    lab.env = env


def beside(lab):
    """The same step of two runs on one agent: the agent keeps them apart."""
    jobs = Jobs(lab, 'beside')
    path = plan(lab, [{'name': 'a', 'command': jobs.command('a', 0.3)}],
                agents=['lab-1'])
    tap.equal('two runs of one step pass', both(lab, path), [0, 0])
    tap.equal('it never ran beside itself', jobs.most('a'), 1)


def dead(lab):
    """That a host was declared dead outlives the console; what is sent there
    once it is back is lost anew."""
    gone, late = Jobs(lab, 'gone'), Jobs(lab, 'after')
    console, run = lab.start_run(plan(lab, [
        {'name': name, 'locks': ['gate'], 'agents': ['lab-%d' % host],
         'needs': ['a'] if name != 'a' else [], 'needs_any_result': True,
         'command': jobs.command(name, *args)} for name, host, jobs, args in (
             ('a', 1, gone, (gone.gate,)), ('b', 2, late, ()),
             ('c', 1, gone, (gone.gate,)), ('d', 2, late, ()))],
        lost_after='1s', error_retries=0), '--quiet')

    def says(no, *words):
        """Waits until why says all that of an execution."""
        return lab.until(lambda: all(w in lab.cli(
            'why', '%s/%d' % (run, no)).stdout for w in words))

    def given_up():
        return [a['new'] for a in lab.json('amendments', run)['amendments']
                if a['kind'] == 'declare-dead']

    gone.began(1)
    for no in (2, 3, 4):
        lab.cli('hold', '%s/%d' % (run, no))
    lab.hosts[0].stop()
    tap.ok('what is lost keeps its lock', says(1, 'error') and
           says(2, 'gate: 1 of 1 taken'))
    tap.equal('its host is declared dead', lab.cli(
        'declare', 'lab-1', 'dead').returncode, 0)
    tap.equal('that is an amendment', given_up(), ['lab-1'])
    console = lab.take_over(console, run)
    lab.cli('release', run + '/2')
    tap.ok('after a takeover the lock is free', late.began(1, 10))
    lab.hosts[0].start()
    lab.cli('reconnect', 'lab-1')
    lab.cli('release', run + '/3')
    tap.ok('once the host is back it gets work', gone.began(2))
    lab.hosts[0].stop()
    tap.ok('and is silent again', says(3, 'error'))
    console = lab.take_over(console, run)
    lab.cli('release', run + '/4')
    tap.ok('what was lost since then keeps its lock', says(
        4, 'gate: 1 of 1 taken', run + '/3'))
    tap.equal('none ran', [w for w in late.lines() if w[3] == 'd:'], [])
    lab.cli('declare', 'lab-1', 'dead')
    console.communicate()
    tap.equal('declared dead again, the run ends', console.returncode, 2)
    tap.ok('with the last one', late.lines()[-1][3] == 'd:', late.lines())
    tap.equal('both are on record', given_up(), ['lab-1', 'lab-1'])
    gone.open()
    lab.hosts[0].start()


def main():
    sshd.need()
    with Lab(2, max_workers=4) as lab:
        shared(lab)
        targets(lab)
        private(lab)
        killed(lab)
        adopted(lab)
        instances(lab)
        folders(lab)
        beside(lab)
        dead(lab)
    tap.done()


main()
