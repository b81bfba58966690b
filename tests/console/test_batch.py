# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches over real SSH hosts: pytest's own results by test; crashes; and
faults between the end of a process and its recorded results."""

import importlib.util
import os
import select
import signal

import sshd
import tap
from lab import SRC, Lab

PYTHON = '/usr/bin/python3'
TOOL = SRC + '/tests/data/batch/tool.py'
TESTS = '''
import pytest
def test_ok(): pass
def test_fails(): print('seen'); assert 1 == 2
@pytest.mark.skip(reason='not today')
def test_skipped(): pass
@pytest.mark.parametrize('n', [1, 2])
def test_p(n): pass
class TestC:
    def test_m(self): pass
'''


def batch(lab, names, size=0, **more):
    return dict({
        'name': 'batch', 'suites': [{
            'name': 'unit', 'batch': True, 'tests': names,
            'command': [PYTHON, TOOL, lab.dir, str(size), '{results}',
                        '{tests}'],
            'results': {'junit': '{results}', 'name': '{name}'},
            'retry_delay': '0s'}]}, **more)


def states(report):
    return {s['test']: s['state'] for x in report['executions']
            for s in x['steps']}


def texts(report):
    return {s['test']: s['text'] or '' for x in report['executions']
            for s in x['steps']}


def pytest_runs(lab):
    if importlib.util.find_spec('pytest') is None:
        tap.note('python3-pytest is not installed')
        return
    os.mkdir(lab.dir + '/src')
    with open(lab.dir + '/src/test_a.py', 'w') as f:
        f.write(TESTS)
    names = ['test_ok', 'test_fails', 'test_skipped', 'test_p[1]',
             'test_p[2]', 'TestC::test_m']
    plan = lab.plan({
        'name': 'py', 'suites': [{
            'name': 'unit', 'batch': True, 'retries': 1, 'retry_delay': '0s',
            'tests': ['src/test_a.py::' + n for n in names],
            'command': ['sh', '-c', 'cd %s && exec %s -m pytest -q '
                        '-p no:cacheprovider --junitxml="$0" "$@"'
                        % (lab.dir, PYTHON), '{results}', '{tests}'],
            'results': {'junit': '{results}'}}]})
    report = lab.json('run', plan, '--quiet')
    tap.equal('pytest: each test has its own result',
              list(states(report).values()),
              ['passed', 'failed', 'skipped', 'passed', 'passed', 'passed'])
    tries = [len(x['steps'][0]['tries']) for x in report['executions']]
    tap.equal('pytest: only what failed ran again', tries,
              [1, 2, 1, 1, 1, 1])
    tap.ok('pytest: what failed is said', 'assert 1 == 2' in
           texts(report)['src/test_a.py::test_fails'], texts(report))
    logs = lab.cli('logs', report['id'] + '/2').stdout
    tap.ok('pytest: logs are those of the batch', 'seen' in logs, logs)
    junit = lab.cli('report', report['id'], '--format', 'junit').stdout
    tap.ok('reports have a row for each', 'tests="6" failures="1"' in junit,
           junit)
    lengths = lab.cli('report', report['id'], '--format', 'durations').stdout
    tap.ok('lengths are those of the tests', 'test_ok' in lengths and
           'start' not in lengths, lengths)


def bad_members(lab):
    names = ['mod/Tests::pass_%d' % i for i in range(9)] + [
        'mod/Tests::fail_1', 'mod/Tests::skip_1', 'mod/Tests::missing_1']
    plan = lab.plan(batch(lab, ['fail_1', 'skip_1', 'missing_1'] +
                          ['pass_%d' % i for i in range(9)]))
    report = lab.json('run', plan, '--quiet')
    got = states(report)
    tap.equal('failed, skipped and missing ones', [
        got[n] for n in ('fail_1', 'skip_1', 'missing_1')],
        ['failed', 'skipped', 'error'])
    tap.equal('the others passed', {v for k, v in got.items()
                                    if k.startswith('pass')}, {'passed'})
    tap.ok('what is missing is said', texts(report)['missing_1'] ==
           'missing_1 is not in the result file (the process ended with code '
           '0)', texts(report))
    plan = lab.plan(batch(lab, names))
    tap.equal('without a fitting name nothing is believed',
              set(states(lab.json('run', plan, '--quiet')).values()),
              {'error'})


def crashes(lab):
    names = ['pass_%d' % i for i in range(20)]
    names[7] = 'crash_1'
    plan = lab.plan(batch(lab, names))
    report = lab.json('run', plan, '--quiet')
    got = states(report)
    tap.equal('the one that crashes is found', [
        k for k, v in got.items() if v == 'error'], ['crash_1'])
    tap.equal('and all others pass', {v for k, v in got.items()
                                      if k != 'crash_1'} <=
              {'passed', 'healed'}, True)
    tap.ok('it is said how', texts(report)['crash_1'] ==
           'there is no result file (the process ended by signal 11)',
           texts(report)['crash_1'])


def big_files(lab):
    plan = lab.plan(batch(lab, ['pass_1', 'pass_2'], 65))
    report = lab.json('run', plan, '--quiet')
    tap.equal('a file that is too long is none', set(
        states(report).values()), {'error'})
    tap.ok('that is said', 'longer than 64 MB' in texts(report)['pass_1'],
           texts(report))


def shown(lab):
    """What why, queue and workers say of a batch that runs, and one that
    waits on the agent."""
    gate = lab.dir + '/gate'
    os.mkfifo(gate)
    with os.fdopen(os.open(gate, os.O_RDWR), 'wb', 0) as held:
        plan = lab.plan({'name': 'shown', 'ahead': 'all', 'suites': [{
            'name': 'unit', 'batch': True, 'tests': ['t%d' % i for i in
                                                     range(30)],
            'command': ['sh', '-c', 'read x <%s' % gate, '{results}',
                        '{tests}'],
            'error_retries': 0, 'estimate': '1s', 'results': {'junit': '{results}'}}]})
        console, run = lab.start_run(plan, '--quiet')
        why = ''
        while ' running' not in why and console.poll() is None:
            why = lab.cli('why', run + '/2').stdout
        tap.ok('why says with whom', ' running in one process for unit/t0 '
               'and ' in why, why)
        queued = [x for x in lab.json('queue')['queue']
                  if x['state'] == 'assigned']
        tap.ok('queue as well', queued and queued[0]['batch'].startswith(
            'unit/t'), queued)
        said = lab.cli('why', queued[0]['id']).stdout
        tap.ok('and why of one that waits', '; one process for unit/t' in
               said, said)
        what = [w.get('what') for w in lab.json('workers')['workers']]
        tap.ok('and workers', what and what[0].startswith('unit/t0 and '),
               what)
        for _ in range(30):
            held.write(b'go\n')
        console.communicate()
        tap.equal('who writes no file errs', console.returncode, 2)


def has_read(pid):
    try:
        with open('/proc/%d/io' % pid) as f:
            return int(f.readline().split()[1])
    except (OSError, ValueError):
        return 0


def in_fetch(lab, console, before):
    """Waits until the console has a part of the result file."""
    lab.watch.wait(lambda w: len(w.starts) > before and w.count() == 0)
    at = has_read(console.pid)
    while has_read(console.pid) < at + (2 << 20) and console.poll() is None:
        select.select([], [], [], 0.002)


def faults(lab):
    plan = lab.plan(batch(lab, ['pass_1', 'fail_1', 'skip_1'], 40))
    want = {'pass_1': 'passed', 'fail_1': 'failed', 'skip_1': 'skipped'}
    host = lab.hosts[0]

    def daemon():
        with open(host.state + '/yardmaster/agent/default/agent.lock') as f:
            return int(f.read().split()[0])

    def cut():
        host.stop()
        host.start()

    for what, fault in (
            ('console', lambda c: c.kill()),
            ('agent', lambda c: os.kill(daemon(), signal.SIGKILL)),
            ('link', lambda c: cut())):
        before = len(lab.watch.starts)
        console, run = lab.start_run(plan, '--quiet')
        in_fetch(lab, console, before)
        early = console.poll() is not None
        fault(console)
        console.communicate()
        if what == 'console':
            code = lab.cli('resume', run, '--quiet').returncode
        else:
            code = console.returncode
        report = lab.json('report', run)
        tap.ok(what + ' killed while the results came', not early)
        tap.equal(what + ': the run ends as it should', code, 1)
        tap.equal(what + ': all results are there', states(report), want)
        ran = [line.split() for line in open(lab.ran)]
        tap.equal(what + ': nothing ran twice',
                  sorted(t for r, t in ran if r == run), sorted(want))
        tap.equal(what + ': nothing counts twice',
                  [len(x['steps'][0]['tries'])
                   for x in report['executions']], [1, 1, 1])


def main():
    sshd.need()
    with Lab(1, max_workers=1) as lab:
        pytest_runs(lab)
        bad_members(lab)
        crashes(lab)
        shown(lab)
        big_files(lab)
        faults(lab)
    tap.done()


main()
