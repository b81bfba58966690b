# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from how tests end, over real hosts: on_failure, max_failures
and exit_codes; and what history makes of it: order failed, speed factors."""

import os

import sshd
import tap
from lab import Lab


def test(lab, name, code=0, **more):
    return dict({'name': name, 'command': [lab.work, '0', str(code)]}, **more)


def run(lab, plan, *args):
    """Runs a plan: the exit code, and the outcomes by test of each target."""
    process, run_id = lab.start_run(lab.plan(dict({'name': 'p',
                                                   'order': 'plan'}, **plan)),
                                    *args)
    process.communicate()
    got = {}
    for x in lab.json('report', run_id)['executions']:
        for s in x['steps']:
            got.setdefault(s['target'], {})[s['test']] = (
                s.get('outcome') or s.get('state'))
    return process.returncode, got


def on_failure(lab):
    tests = [test(lab, 'a'), test(lab, 'bad', 1), test(lab, 'c')]
    plan = {'parallel': 'targets', 'targets': ['x', 'y'],
            'suites': [{'name': 's', 'tests': tests}]}
    code, got = run(lab, plan)
    tap.equal('continue: the rest is run', (code, got['x']), (1, {
        'a': 'passed', 'bad': 'failed', 'c': 'passed'}))
    code, got = run(lab, dict(plan, on_failure='next-target'))
    ends = {'a': 'passed', 'bad': 'failed', 'c': 'skipped'}
    tap.equal('next-target: this one is over, the next is run',
              (code, got), (1, {'x': ends, 'y': ends}))
    code, got = run(lab, dict(plan, on_failure='stop', max_parallel=1))
    tap.equal('stop: what has not started is skipped',
              (code, got), (1, {'x': ends, 'y': dict.fromkeys(
                  ('a', 'bad', 'c'), 'skipped')}))


def max_failures(lab):
    plan = {'parallel': 'tests', 'max_parallel': 1, 'max_failures': 2,
            'suites': [{'name': 's', 'tests': [
                test(lab, 't%d' % i, i % 2) for i in range(6)]}]}
    code, got = run(lab, plan)
    tap.equal('max_failures: two, then no more', (code, got[None]), (1, {
        't0': 'passed', 't1': 'failed', 't2': 'passed', 't3': 'failed',
        't4': 'skipped', 't5': 'skipped'}))


def exit_codes(lab):
    plan = {'parallel': 'tests', 'exit_codes': {'77': 'skipped', '3': 'error'},
            'error_retries': 0, 'suites': [{'name': 's', 'tests': [
                test(lab, 'left-out', 77), test(lab, 'broken', 3),
                test(lab, 'bad', 1),
                test(lab, 'odd', 4, exit_codes={'4': 'passed'})]}]}
    code, got = run(lab, plan)
    tap.equal('exit_codes say what an exit means', (code, got[None]), (3, {
        'left-out': 'skipped', 'broken': 'error', 'bad': 'failed',
        'odd': 'passed'}))


def order_failed(lab):
    """What failed last time goes first; what always passed goes last."""
    names = ['good', 'flaky', 'worst']

    def plan(codes, *more):
        return {'parallel': 'tests', 'suites': [{'name': 'hist', 'tests': [
            test(lab, n, c) for n, c in zip(names, codes)] + list(more)}]}
    run(lab, plan((0, 0, 1)))
    run(lab, plan((0, 1, 1)))
    path = lab.plan(dict(plan((0, 0, 0), test(lab, 'new')), name='p'))
    args = ('plan', 'order', path, '--fleet', lab.fleet, '--order', 'failed')
    out = lab.json(*args)
    tap.equal('order failed goes by what was recorded', (out['order'], [
        x['steps'][0]['test'] for x in out['executions']]),
        ('failed', ['worst', 'new', 'flaky', 'good']))


def speeds(lab):
    for name, seconds in (('lab-1', '0.4'), ('lab-2', '0.1')):
        os.mkdir('%s/%s.bin' % (lab.dir, name))
        with open('%s/%s.bin/work' % (lab.dir, name), 'w') as f:
            f.write('#!/bin/sh\nexec sleep %s\n' % seconds)
        os.chmod('%s/%s.bin/work' % (lab.dir, name), 0o755)
    plan = {'parallel': 'tests',
            'command': [lab.dir + '/{agent}.bin/work'],
            'suites': [{'name': 'speed',
                        'tests': ['t%d' % i for i in range(6)]}]}
    run(lab, dict(plan, agents=['lab-1']))
    agents = lab.json('agents')['agents']
    tap.ok('no speed without a comparison',
           not any('speed' in a for a in agents), str(agents))
    run(lab, dict(plan, agents=['lab-2']))
    agents = lab.json('agents')['agents']
    speed = {a['name']: a.get('speed', 0) for a in agents}
    tap.ok('the one that takes less is faster',
           0.1 <= speed['lab-1'] < 0.9 and 1.1 < speed['lab-2'] <= 10,
           str(speed))


def main():
    sshd.need()
    with Lab(2, max_workers=2) as lab:
        on_failure(lab)
        max_failures(lab)
        exit_codes(lab)
        order_failed(lab)
        speeds(lab)
    tap.done()


main()
