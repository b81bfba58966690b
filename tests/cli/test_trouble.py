# SPDX-License-Identifier: GPL-3.0-or-later
"""Promises that hold when something lies or fails: a run file that cannot be
written at the very end of the run, and an agent that speaks of what another
one has."""

import os
import re
import resource
import signal
import subprocess
import sys
import time

import tap
from plan_cli import CONSOLE, Folder

FAKE = os.path.join(os.environ.get('YM_SRCDIR', '.'),
                    'tests/lib/fake_agent.py')
WAIT = 60


def start(f, plan):
    """A run in the background, which a file that grows too long does not
    kill; its process and id."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    run = subprocess.Popen(
        [CONSOLE, 'run', f.write('plan.json', plan), '--quiet', '--fleet',
         f.dir + '/fleet.json'], env=f.env, cwd=f.dir, restore_signals=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding='utf-8')
    for line in run.stderr:
        said = re.search(r'run (r[0-9a-z]{10}),', line)
        if said:
            return run, said.group(1)
    raise RuntimeError('nothing was launched')


def open_gate(path):
    """Waits until somebody reads there and lets it go on."""
    with open(path, 'w', encoding='utf-8') as gate:
        gate.write('go\n')


def comes(check):
    """Asks until it is so."""
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        if check():
            return True
    return False


def happened(f, word):
    events = f.json('events') or {'events': []}
    return any(word in e['text'] for e in events['events'])


def passed(f, name):
    return any(r['id'] == name and r['counts']['passed'] > 0
               for r in f.json('runs')['runs'])


def last_commit_fails(f):
    f.write('fleet.json', {'name': 'f', 'agents': [
        {'name': 'one', 'transport': 'local', 'max_workers': 1}]})
    gate = f.dir + '/gate'
    os.mkfifo(gate)
    os.mkfifo(gate + '.up')
    run, name = start(f, {'name': 'p', 'shell': 'echo >%s.up; read x <%s' %
                          (gate, gate), 'suites': [
                              {'name': 's', 'tests': ['t']}]})
    with open(gate + '.up', encoding='utf-8') as up:
        up.read()
    soft, hard = resource.prlimit(run.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (0, hard))
    open_gate(gate)
    tap.ok('the end of a run cannot be written: that is said',
           comes(lambda: happened(f, 'cannot be written')))
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (soft, hard))
    run.communicate(timeout=WAIT)
    tap.equal('it can again: the run ends', run.returncode, 0)
    listed = {r['id']: r['state'] for r in f.json('runs')['runs']}
    tap.equal('and that is recorded', listed.get(name), 'ended')
    steps = [s for x in f.json('report', name)['executions']
             for s in x['steps']]
    tap.equal('with the result', [(s['state'], s['elapsed_s'] > 0)
                                  for s in steps], [('passed', True)])


def liar(f):
    gate = f.dir + '/gate2'
    os.mkfifo(gate)
    f.write('fleet.json', {'name': 'f', 'agents': [
        {'name': 'one', 'transport': 'local', 'max_workers': 1},
        {'name': 'liar', 'transport': 'command',
         'command': [sys.executable, FAKE, 'end=1', 'lies=1']}]})
    run, name = start(f, {'name': 'p', 'suites': [
        {'name': 'a', 'agents': ['one'], 'tests': ['t'],
         'shell': 'read x <%s; exit 3' % gate},
        {'name': 'b', 'agents': ['liar'], 'tests': ['u'],
         'shell': 'true'}]})
    tap.ok('another agent has ended its own', comes(lambda: passed(f, name)))
    open_gate(gate)
    run.communicate(timeout=WAIT)
    tap.equal('the run fails, whatever another agent said', run.returncode, 1)
    report = f.json('report', name)
    tap.equal('the result is that of the agent that had it',
              {x['suite']: x['state'] for x in report['executions']},
              {'a': 'failed', 'b': 'passed'})


def main():
    with Folder() as f:
        last_commit_fails(f)
        liar(f)
    tap.done()


main()
