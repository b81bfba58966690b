# SPDX-License-Identifier: GPL-3.0-or-later
"""rerun: the same once more, only what failed, and reruns of reruns. A test
passes once a file of its name is there, so that the outcome is known."""

import os
import re

import tap
from plan_cli import Folder

FLEET = {'name': 'f', 'agents': [
    {'name': 'one', 'transport': 'local', 'max_workers': 2},
    {'name': 'two', 'transport': 'local', 'max_workers': 2}]}


def plan(f):
    shell = 'test -e %s/$YARDMASTER_TEST.$YARDMASTER_ROW' % f.dir
    rows = {'rows': [{'_name': 'x'}, {'_name': 'y'}]}
    suites = [{'name': 'free', 'parallel': 'tests', 'tests': ['a', 'b']},
              {'name': 'joined', 'tests': ['c']},
              {'name': 'seq', 'mode': 'sequential', 'tests': ['d']},
              {'name': 'after', 'needs': ['free'], 'tests': ['e']}]
    return {'name': 'p', 'shell': shell, 'error_retries': 0,
            'suites': [dict(s, data=rows) for s in suites]}


def let_pass(f, *names):
    for name in names:
        f.write(name, '')


def launch(f, *args):
    """Runs it to its end: exit code, id and report."""
    done = f.cli(*args, '--fleet', f.dir + '/fleet.json', '--quiet')
    said = re.search(r'run (r[0-9a-z]{10}),', done.stderr)
    if not said:
        tap.note(done.stderr)
        raise RuntimeError('nothing was launched')
    run = said.group(1)
    return done.returncode, run, f.json('report', run)


def steps(report):
    return sorted('%s[%s]' % (s['test'], s['row'])
                  for x in report['executions'] for s in x['steps'])


def states(report):
    return sorted(x['state'] for x in report['executions'])


def refused(f, what, *args):
    before = len(f.json('runs')['runs'])
    done = f.cli('rerun', *args, '--fleet', f.dir + '/fleet.json')
    tap.ok('refused: ' + what, done.returncode == 4 and
           len(f.json('runs')['runs']) == before, done.stderr)


def check_diff(f, first, second):
    out = f.json('runs', 'diff', first, second)
    tap.equal('runs diff: what changed', [
        (x['change'], x['step']) for x in out['steps']],
        [('fixed', 'free/a[y]'), ('fixed', 'joined/c[y]'),
         ('fixed', 'seq/d[y]'), ('changed', 'after/e[x]'),
         ('changed', 'after/e[y]')])
    tap.equal('runs diff: what did not', out['counts']['same'], 5)
    tap.equal('runs diff: both sides', [
        out['steps'][0][k]['state'] for k in 'ab'], ['failed', 'passed'])
    lines = f.lines('runs', 'diff', first, second)
    tap.equal('runs diff: the sum as text', lines[-1],
              '3 fixed, 2 changed, 5 the same')
    tap.equal('a run does not differ from itself',
              f.lines('runs', 'diff', first, first), ['10 the same'])
    done = f.cli('runs', 'diff', first, 'r0000000001')
    tap.ok('no such run', done.returncode == 4 and 'no such run' in
           done.stderr, done.stderr)
    done = f.cli('runs', 'diff', first)
    tap.equal('two runs are wanted', done.returncode, 4)
    tap.ok('runs alone is still the list', len(f.json('runs')['runs']) > 1)


def check_amended(f):
    """What cured a run while it went on holds for what of it runs again, and
    for what of that runs once more."""
    fleet = {'name': 'f', 'agents': [
        dict(a, targets=['web', 'tv']) for a in FLEET['agents']]}
    f.write('fleet.json', fleet)
    path = f.write('amended.json', {
        'name': 'am', 'shell': 'test -e %s/$YARDMASTER_TEST.' % f.dir,
        'parallel': 'tests', 'targets': ['radio'], 'locks': {'l': 1},
        'exclusive': [['g', 'h']], 'suites': [
            {'name': 's', 'agents': ['one'], 'tests': [
                'first', 'g', {'name': 'h', 'locks': ['l']}]}]})
    run = f.lines('run', path, '--fleet', f.dir + '/fleet.json',
                  '--detach')[0].strip()
    let_pass(f, 'first.')
    f.cli('amend', run, 'agents:s=two', 'agents:s=one')
    done = f.cli('undo', run, '2')
    tap.equal('one amendment is taken back', done.returncode, 0)
    done = f.cli('amend', run, 'lock:l=3', 'deadline=1h',
                 'exclusive:g,h=off', 'max_parallel:s=7',
                 'target:s,radio=tv')
    tap.equal('it is cured while it goes on', done.returncode, 0)
    done = f.cli('resume', run, '--fleet', f.dir + '/fleet.json', '--quiet')
    tap.equal('it ends', done.returncode, 1)
    for again in ('--failed', '--failed'):
        code, run, report = launch(f, 'rerun', run, again, '--give-up', '1s')
        tap.equal('what is run again is as it was amended', (code, [
            (s['test'], s['target'], s['tries'][0]['agent'])
            for x in report['executions'] for s in x['steps']]),
            (1, [('g', 'tv', 'two'), ('h', 'tv', 'two')]))
    done = f.cli('rerun', run, '--dry-run', '--json', '--fleet',
                 f.dir + '/fleet.json')
    tap.ok('with its limits', '"deadline_s": 3600' in done.stdout or
           '"deadline_s":3600' in done.stdout, done.stdout[-600:])
    f.write('fleet.json', FLEET)


def main():
    with Folder() as f:
        f.write('fleet.json', FLEET)
        path = f.write('plan.json', plan(f))
        let_pass(f, 'a.x', 'b.x', 'b.y', 'c.x', 'd.x', 'e.x', 'e.y')
        code, first, report = launch(f, 'run', path)
        tap.equal('the first run: what fails and what is skipped for it',
                  (code, states(report)),
                  (1, ['failed'] * 3 + ['passed'] * 3 + ['skipped']))
        os.unlink(path)

        code, second, report = launch(f, 'rerun', first, '--failed')
        tap.equal('failed executions, as a whole; the plan file is not '
                  'needed', (code, steps(report)),
                  (1, ['a[y]', 'c[x]', 'c[y]', 'd[x]', 'd[y]']))
        tap.ok('it is a run of its own', second != first)

        code, third, report = launch(f, 'rerun', second, '--failed-rows')
        tap.equal('of those only the rows that did not pass, but all of a '
                  'sequential suite', (code, steps(report)),
                  (1, ['a[y]', 'c[y]', 'd[x]', 'd[y]']))

        let_pass(f, 'a.y', 'c.y')
        code, fourth, report = launch(f, 'rerun', third, '--failed')
        tap.equal('a rerun of a rerun', (code, states(report)),
                  (1, ['failed', 'passed', 'passed']))
        let_pass(f, 'd.y')
        code, fifth, report = launch(f, 'rerun', fourth, '--failed')
        tap.equal('until all pass', (code, steps(report)),
                  (0, ['d[x]', 'd[y]']))
        refused(f, 'nothing failed', fifth, '--failed')

        code, whole, report = launch(f, 'rerun', first)
        tap.equal('the whole run, what was skipped too',
                  (code, states(report)), (0, ['passed'] * 7))
        code, _, report = launch(f, 'rerun', fourth)
        tap.equal('a rerun keeps what it was made of', (code, steps(report)),
                  (0, ['a[y]', 'c[y]', 'd[x]', 'd[y]']))
        check_amended(f)
        check_diff(f, first, whole)
        refused(f, 'no such run', 'r0000000001')
        refused(f, 'no id', 'p')
        refused(f, 'an execution', first + '/1')
    tap.done()


main()
