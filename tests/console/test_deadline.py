# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines over a real host: few of its workers are used while they are
enough, and more when the tests take longer than the plan says."""

import time

import sshd
import tap
import vt
from lab import Lab


def plan_of(lab, n, seconds, estimate, deadline):
    return lab.plan({
        'name': 'd', 'parallel': 'tests', 'deadline': deadline,
        'estimate': estimate, 'command': [lab.work, str(seconds)],
        'suites': [{'name': 's', 'tests': ['t%d' % i for i in range(n)]}]})


def in_time(lab):
    """20 s of work in 20 s: one worker has nothing to spare, all eight
    would do it in 3 s."""
    began = time.monotonic()
    process, run = lab.start_run(plan_of(lab, 20, 1, '1s', '20s'))
    tap.ok('it begins', lab.watch.wait(lambda w: w.count() > 0))
    said = lab.cli('why', run + '/20').stdout
    tap.ok('why names the deadline as the limit', 'plan-limit' in said and
           'enough to meet it' in said, said)
    process.communicate()
    took = time.monotonic() - began
    tap.equal('all pass', process.returncode, 0)
    tap.ok('in time: %.1f s' % took, took < 20 + 2, took)
    tap.ok('with few workers', 2 <= lab.watch.most['lab-1'] <= 5,
           lab.watch.most)


def slower(lab):
    """The plan says 0.2 s, it is 1 s: what seemed to need one worker."""
    lab.watch.most.clear()
    before = len(lab.watch.starts)
    began = time.monotonic()
    process, _ = lab.start_run(plan_of(lab, 20, 1, '200ms', '12s'))
    process.communicate()
    took = time.monotonic() - began
    tap.equal('all pass, slow as they are', process.returncode, 0)
    tap.ok('more workers were taken: %s, %.1f s' % (lab.watch.most, took),
           lab.watch.most['lab-1'] >= 2 and took < 16, took)
    starts = [t for t, *_ in lab.watch.starts[before:]]
    tap.ok('but not at first', starts[3] - starts[0] > 0.5, starts[:4])


def lifted(lab):
    """A deadline is raised, or taken away, while the run goes on."""
    lab.watch.most.clear()
    process, run = lab.start_run(plan_of(lab, 20, 1, '1s', '60s'))
    tap.ok('it begins', lab.watch.wait(lambda w: w.count() > 0))
    offers = {}

    def offered():
        offers.update({e['command']: e for e in lab.json(
            'why', run + '/20')['effects']})
        return offers
    want = 'yardmaster amend %s deadline=0' % run
    tap.ok('taking it away is offered', lab.until(
        lambda: want in offered()), offers)
    tap.equal('with a better end', offers[want]['sign'], 1)
    done = lab.cli(*want.split()[1:])
    tap.ok('it is done', '1m00s -> 0' in done.stdout, done.stdout)
    process.communicate()
    tap.equal('all pass', process.returncode, 0)
    tap.equal('with all workers', lab.watch.most['lab-1'], 8)


def shown(lab):
    plan = plan_of(lab, 4, 1, '1s', '60s')
    with lab.screen('--launch', plan, rows=50, cols=160) as screen:
        screen.expect('start the run')
        screen.keys('y')
        tap.ok('it runs', lab.watch.wait(lambda w: w.count() > 0))
        screen.keys('6')
        screen.sees('the details of a run say how many are enough',
                    r'deadline .*1 workers are')
        tap.ok('it ends', lab.watch.wait(
            lambda w: len(w.starts) == 64 and w.count() == 0))


def main():
    sshd.need()
    vt.need()
    with Lab(1, {'lab-1': {'max_workers': 8}}) as lab:
        in_time(lab)
        slower(lab)
        lifted(lab)
        shown(lab)
    tap.done()


main()
