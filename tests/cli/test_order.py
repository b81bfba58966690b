# SPDX-License-Identifier: GPL-3.0-or-later
"""plan order: who starts when, by the plan, by length, by what was recorded;
and the files of seconds that plan simulate takes."""

import json
import os

import tap
from plan_cli import DATA, Folder, plan_of

FLEET = {'name': 'two', 'agents': [
    {'name': 'one', 'transport': 'local', 'max_workers': 1},
    {'name': 'other', 'transport': 'local', 'max_workers': 1,
     'labels': ['gpu']}]}


def tests_of(out):
    return [x['steps'][0]['test'] for x in out['executions']]


def check_order(f, plan, fleet):
    history = f.write('history', {'a': 1, 's/b': 5, 'c': 3, 'd': 0})
    args = ('plan', 'order', plan, '--fleet', fleet)
    out = f.json(*args, '--order', 'plan')
    tap.equal('in the order of the plan', (out['order'], tests_of(out)),
              ('plan', ['a', 'b', 'c', 'd']))
    out = f.json(*args, '--history', history)
    tap.equal('the longest first, where most is known',
              (out['order'], tests_of(out), out['unknown']),
              ('longest', ['b', 'c', 'a', 'd'], 0))
    tap.equal('they end when they should', out['makespan_s'], 5)
    lines = f.lines(*args, '--history', history)
    tap.equal('as text, a line each', [' '.join(line.split())
                                       for line in lines],
              ['# START TAKES EXECUTION', '1 0.0s 5.0s s/b one#1',
               '2 0.0s 3.0s s/c other#1', '3 3.0s 1.0s s/a other#1',
               '4 4.0s 0.0s s/d other#1', 'order longest'])
    tap.ok('nothing was made in the state folder',
           not os.path.exists(f.dir + '/state'))


def check_recorded(f, plan, fleet):
    bad = f.write('bad.json', {'a': 1, 'b': -1})
    done = f.cli('history', 'import', bad)
    tap.ok('nothing is taken of a bad file', done.returncode == 4 and
           not os.path.exists(f.dir + '/state'), done.stderr)
    file = f.write('lengths', {'s/a': 9, 'b': 1, 'c': 2, 'd': 3})
    tap.equal('history is taken from a file', f.lines(
        'history', 'import', file), ['4 lengths were taken'])
    out = f.json('plan', 'order', plan, '--fleet', fleet)
    tap.equal('recorded lengths decide', tests_of(out), ['a', 'd', 'c', 'b'])


def check_never(f, fleet):
    plan = f.write('never.json', plan_of(
        ['a', {'name': 'b', 'agents': ['@gpu'], 'workers': 2}],
        parallel='tests'))
    out = f.json('plan', 'order', plan, '--fleet', fleet)
    tap.equal('what can never start is named', (tests_of(out), out['never']),
              (['a'], ['s/b']))
    lines = f.lines('plan', 'order', plan, '--fleet', fleet)
    done = f.cli('plan', 'order', f.write('none.json', plan_of(
        ['a'], workers=9)), '--fleet', fleet)
    tap.ok('nor is it a fault when nothing ever starts',
           done.returncode == 0 and 's/a' in done.stdout, done.stderr)
    tap.ok('and as text', any(line.split()[:3] == ['-', 'never', 's/b']
                              for line in lines), lines)


def check_simulate(f, fleet):
    path = DATA + '/durations/pytest-split.test_durations'
    with open(path, encoding='utf-8') as file:
        known = json.load(file)
    plan = f.write('known.json', plan_of(list(known), parallel='tests'))
    for option in ('--history', '--actual'):
        out = f.json('plan', 'simulate', plan, '--fleet', fleet, option, path)
        total = sum(x['end_s'] - x['start_s'] for x in out['executions'])
        tap.ok('simulate takes .test_durations for ' + option,
               abs(total - sum(known.values())) < 0.001, total)
        bad = f.write('bad.json', {'a': 'long'})
        done = f.cli('plan', 'simulate', plan, '--fleet', fleet, option, bad)
        tap.ok('and refuses words for ' + option, done.returncode == 4 and
               'bad.json:1: a:' in done.stderr, done.stderr)


def check_on_failure(f):
    """What a failure ends is ended in made-up time, too."""
    fleet = f.write('one.json', {'name': 'one', 'agents': [
        {'name': 'one', 'transport': 'local', 'max_workers': 1}]})
    for how, steps in (('continue', [2, 2]), ('next-target', [1, 1]),
                       ('stop', [1])):
        plan = f.write('fails.json', plan_of(
            ['a', 'b'], parallel='targets', targets=['x', 'y'],
            on_failure=how))
        out = f.json('plan', 'simulate', plan, '--fleet', fleet,
                     '--fail', '1')
        tap.equal('simulate ends what on_failure ends: ' + how,
                  [len(x['steps']) for x in out['executions']], steps)


def check_deadline(f):
    """As few workers as meet it; and it is said when none do."""
    fleet = f.write('ten.json', {'name': 'ten', 'agents': [
        {'name': 'ten', 'transport': 'local', 'max_workers': 10}]})
    plan = f.write('late.json', plan_of(
        list('abcdefghij'), parallel='tests', estimate='10s', deadline='60s'))
    args = ('plan', 'simulate', plan, '--fleet', fleet)
    tap.equal('a deadline is met by few workers', f.lines(*args)[-1],
              'deadline 1m00s: met at 50s with 2 workers; saves 0.0 '
              'worker-minutes against 10s with 10')
    full = {'end_s': 10, 'workers': 10, 'worker_minutes': 100 / 60,
            'cost': None}
    tap.equal('and as JSON', f.json(*args)['deadline'], dict(
        full, deadline_s=60, met=True, end_s=50, workers=2, full_width=full))
    tap.equal('one that cannot be met is said to be, with the earliest end',
              f.lines(*args, '--deadline', '5s')[-1], 'deadline 5.0s: cannot '
              'be met, the earliest end is at 10s with 10 workers')
    out = f.json(*args, '--deadline', '0')
    tap.equal('without one all are used', (
        out['makespan_s'], out['deadline']), (10, None))
    done = f.cli(*args, '--deadline', 'soon')
    tap.ok('a deadline is a duration', done.returncode == 4 and
           '--deadline soon' in done.stderr, done.stderr)


def main():
    with Folder() as f:
        fleet = f.write('fleet.json', FLEET)
        plan = f.write('plan.json', plan_of(['a', 'b', 'c', 'd'],
                                            parallel='tests'))
        check_order(f, plan, fleet)
        check_never(f, fleet)
        check_simulate(f, fleet)
        check_on_failure(f)
        check_deadline(f)
        check_recorded(f, plan, fleet)
        done = f.cli('plan', 'order', plan, '--order', 'best')
        tap.equal('an unknown order is refused', done.returncode, 4)
    tap.done()


main()
