# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that die in mid-run, or whose link is cut: nothing is lost, and nothing
runs twice that was not lost."""

import os
import time

import sshd
import tap
from lab import Lab

SOON = 8        # less than any deadline of a mute host


def plan_of(lab, n, seconds='0.1', **more):
    return lab.plan(dict({
        'name': 'p', 'parallel': 'tests', 'order': 'plan',
        'lost_after': '2s', 'command': [lab.work, seconds],
        'suites': [{'name': 's', 'tests': ['t%d' % i for i in range(n)]}]},
        **more))


def report_of(lab, run):
    return {x['steps'][0]['test']: x
            for x in lab.json('report', run)['executions']}


def ended(lab, name, process, run, n):
    """The run of n tests passed; what ran more often than once."""
    said = process.communicate()
    tap.ok(name + ': the run passes', process.returncode == 0,
           '%s%s' % said)
    times = {k: v for k, v in lab.ran_times().items()
             if k.startswith(run + '/')}
    tap.equal(name + ': each ran', len(times), n)
    return {k for k, v in times.items() if v > 1}


def cut_link(lab):
    process, run = lab.start_run(plan_of(lab, 12, '0.7', lost_after='2m'))
    lab.watch.wait(lambda w: w.count('lab-2') == 2)
    lab.hosts[1].stop()
    lab.watch.wait(lambda w: w.count('lab-2') == 0)
    lab.hosts[1].start()
    twice = ended(lab, 'a cut link', process, run, 12)
    tap.equal('a cut link: each ran once', twice, set())
    tap.equal('a cut link: each passed at once', {
        x['state'] for x in report_of(lab, run).values()}, {'passed'})


def forget(lab, name):
    """What was killed does not say that it ended."""
    with lab.watch.changed:
        gone = {x for x, a in lab.watch.running.items() if a == name}
        for x in gone:
            del lab.watch.running[x]
    return gone


def crash(lab, back):
    name = 'a host that dies' + (' and comes back' if back else '')
    process, run = lab.start_run(plan_of(lab, 10, '0.7'))
    lab.watch.wait(lambda w: w.count('lab-2') == 2)
    lab.hosts[1].crash()
    running = forget(lab, 'lab-2')
    if back:
        lab.hosts[1].start()
    twice = ended(lab, name, process, run, 10)
    tap.equal(name + ': what ran there runs again, nothing else', twice,
              running)
    by_id = {x['id']: x for x in report_of(lab, run).values()}
    tap.ok(name + ': these are healed', all(
        by_id[x]['state'] == 'healed' and by_id[x]['attempt'] > 1
        for x in running), str(by_id))
    tap.ok(name + ': the others passed or were only waiting there', all(
        x['state'] == 'passed' or x['attempt'] > 1
        for x in by_id.values()), str(by_id))
    if not back:
        lab.hosts[1].start()


def late(lab):
    """The link is away longer than lost_after; the work itself goes on."""
    process, run = lab.start_run(plan_of(lab, 4, '5'))
    lab.watch.wait(lambda w: w.count() == 4)
    lab.hosts[1].stop()
    there = {x for x, a in lab.watch.running.items() if a == 'lab-2'}
    # Both run again elsewhere; then the first ones are found.
    lab.watch.wait(lambda w: sum(s[2] in there for s in w.starts) == 4)
    lab.hosts[1].start()
    twice = ended(lab, 'lost and found', process, run, 4)
    tap.equal('lost and found: only the lost ones ran again', twice, there)
    tap.equal('lost and found: one result each', sorted(
        x['state'] for x in report_of(lab, run).values()),
        ['healed', 'healed', 'passed', 'passed'])


GATED = '''#!/bin/sh
# The first attempt is long; the next one ends when the gate is there.
echo "$YARDMASTER_EXECUTION" >>%(dir)s/ran
echo "$YARDMASTER_AGENT" >>%(dir)s/where
[ "$YARDMASTER_ATTEMPT" = "$YARDMASTER_EXECUTION/1" ] && exec sleep 60
until [ -e %(dir)s/gate ]; do sleep 0.05; done
'''


def late_tries(lab, run):
    return [t['outcome'] for x in lab.json('report', run)['executions']
            for t in x['steps'][0]['tries'] if t.get('late')]


def superseded(lab):
    """Found while its successor runs: ended, and its result is kept."""
    with open(lab.dir + '/gated', 'w') as f:
        f.write(GATED % {'dir': lab.dir})
    os.chmod(lab.dir + '/gated', 0o755)
    process, run = lab.start_run(plan_of(lab, 1, command=[
        lab.dir + '/gated']))

    def where():
        try:
            with open(lab.dir + '/where') as f:
                return f.read().split()
        except FileNotFoundError:
            return []
    lab.until(where)
    host = [h for h in lab.hosts if [h.name] == where()][0]
    host.stop()
    tap.ok('superseded: it is tried elsewhere',
           lab.until(lambda: len(where()) == 2))
    host.start()
    lab.until(lambda: late_tries(lab, run))
    tap.equal('superseded: what was found is ended, its late result kept',
              late_tries(lab, run), ['cancelled'])
    with open(lab.dir + '/gate', 'w'):
        pass
    said = process.communicate()
    tap.ok('superseded: the run passes', process.returncode == 0,
           '%s%s' % said)
    x = lab.json('report', run)['executions'][0]
    tap.equal('superseded: the late result does not count',
              (x['state'], x['attempt']), ('healed', 2))


def found_again(lab):
    """Lost, but nobody else may run it: found again, it is current again."""
    process, run = lab.start_run(plan_of(lab, 1, '5', agents=['lab-2']))
    lab.watch.wait(lambda w: w.count('lab-2') == 1)
    lab.hosts[1].stop()
    tap.ok('found again: it counted as lost', lab.until(
        lambda: 'agents-offline' in lab.cli('why', run + '/1').stdout))
    lab.hosts[1].start()
    twice = ended(lab, 'found again', process, run, 1)
    tap.equal('found again: it ran once', twice, set())
    x = lab.json('report', run)['executions'][0]
    tap.equal('found again: its result counts', (x['state'], x['attempt']),
              ('passed', 1))


def declared(lab):
    """Nobody waits for lost_after when an operator knows."""
    process, run = lab.start_run(plan_of(lab, 4, '4', lost_after='10m'))
    lab.watch.wait(lambda w: w.count() == 4)
    lab.hosts[1].stop()
    there = sorted(x for x, a in lab.watch.running.items() if a == 'lab-2')
    done = lab.until(lambda: lab.cli('declare', there[0], 'lost').
                     returncode == 0)
    tap.ok('declared lost', done)
    done = lab.cli('declare', 'lab-1', 'dead')
    tap.ok('who is there is not dead', done.returncode == 2 and
           'its link is up' in done.stderr, done.stderr)
    done = lab.cli('declare', 'lab-2', 'dead')
    tap.ok('declared dead', done.returncode == 0, done.stderr)
    twice = ended(lab, 'declared', process, run, 4)
    tap.equal('declared: these ran again', twice, set(there))
    lab.hosts[1].start()
    done = lab.cli('declare', there[0], 'gone')
    tap.equal('a third word is none', done.returncode, 4)


def all_dead(lab):
    process, run = lab.start_run(plan_of(lab, 6, '60'), '--give-up', '3s')
    lab.watch.wait(lambda w: w.count() == 4)
    for host in lab.hosts:
        host.crash()
    said = process.communicate()
    tap.equal('all dead: the run ends as error', process.returncode, 2)
    tap.ok('all dead: it says what it waits for, and that it gives up',
           'agents-offline' in said[1] and 'giving up' in said[1], said[1])
    report = report_of(lab, run)
    tap.equal('all dead: every execution is an error',
              {x['state'] for x in report.values()}, {'error'})
    tap.ok('all dead: and says why', all(
        'agents-offline' in (x['text'] or '') for x in report.values()) and
        sum('lost on lab-' in x['text'] for x in report.values()) >= 4,
        str(report))
    begun = time.monotonic()
    done = lab.cli('logs', run + '/1')
    tap.ok('logs of an agent that is away say so', done.returncode == 2 and
           'connection refused' in done.stderr and
           time.monotonic() - begun < SOON, done.stderr)
    begun = time.monotonic()
    done = lab.cli('run', plan_of(lab, 4), '--give-up', '3s', '--quiet')
    tap.ok('dead from the start: error', done.returncode == 2 and
           '4 error' in done.stdout, done.stdout + done.stderr)


def main():
    sshd.need()
    with Lab(2, max_workers=2) as lab:
        cut_link(lab)
        crash(lab, True)
        late(lab)
        superseded(lab)
        found_again(lab)
        declared(lab)
        crash(lab, False)
        all_dead(lab)
    tap.done()


main()
