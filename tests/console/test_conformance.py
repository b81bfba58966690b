# SPDX-License-Identifier: GPL-3.0-or-later
"""The worked examples of parallel execution: in simulation exactly, and over
sshd by what the commands themselves say."""

import json
import os

import sshd
import tap
from lab import SRC, Lab

CASES = SRC + '/tests/data/conformance/parallel-execution.json'
SECONDS = 0.4
SLACK = 0.15        # two that start at the same instant


def simulated(lab, case):
    fleet = lab.dir + '/sim-fleet.json'
    with open(fleet, 'w') as f:
        json.dump(dict(case['fleet'], name='sim'), f)
    plan = lab.plan(dict(case['plan'], order='plan'))
    done = lab.cli('plan', 'simulate', plan, '--fleet', fleet, '--json')
    if not tap.ok(case['id'] + ': simulate exits 0', done.returncode == 0,
                  done.stderr):
        return
    out = json.loads(done.stdout)
    got = [{'target': x['target'], 'start_s': x['start_s'],
            'worker': x['worker'],
            'steps': [{'test': s['test'], 'row': s['row']}
                      for s in x['steps']]} for x in out['executions']]
    tap.equal(case['id'] + ': the timeline is exact', got, case['expected'])
    tap.equal(case['id'] + ': the makespan', out['makespan_s'],
              case['makespan_s'])


def wave(case, x):
    return x['start_s'] / 60


def real(lab, case):
    workers = case['fleet']['agents'][0]['max_workers']
    done = lab.cli('set', 'lab-1', 'max_workers=%d' % workers)
    tap.ok(case['id'] + ': max workers is set', done.returncode == 0,
           done.stderr)
    plan = dict(case['plan'], order='plan')
    for suite in plan['suites']:
        for t in suite['tests']:
            t.pop('estimate', None)
            t['command'] = [lab.work, str(SECONDS)]
    before = len(lab.watch.starts)
    done = lab.cli('run', lab.plan(plan), '--quiet')
    tap.ok(case['id'] + ': all pass over sshd', done.returncode == 0,
           done.stdout + done.stderr)
    steps = [s for s in lab.watch.starts[before:]]
    first = {}
    for when, _, execution, worker, _ in steps:
        first.setdefault(int(execution.split('/')[1]), (when, worker))
    tap.equal(case['id'] + ': so many executions', len(first),
              case['executions_total'])
    order = [first[n + 1][0] for n in range(len(case['expected']))]
    tap.ok(case['id'] + ': they start in the order of the queue',
           all(a <= b + SLACK for a, b in zip(order, order[1:])), str(order))
    tap.equal(case['id'] + ': the first take the workers from 1',
              [first[n + 1][1] for n in range(min(workers, len(first)))],
              list(range(1, min(workers, len(first)) + 1)))
    late = [n for n, x in enumerate(case['expected']) if x['start_s'] > 0]
    tap.ok(case['id'] + ': the others wait for a worker',
           all(order[n] - order[0] >= SECONDS * wave(case, case['expected'][n])
               - SLACK for n in late), str(order))


def main():
    sshd.need()
    with open(CASES) as f:
        cases = json.load(f)['cases']
    with Lab(1) as lab:
        for case in cases:
            simulated(lab, case)
        for case in cases:
            real(lab, case)
    tap.done()


main()
