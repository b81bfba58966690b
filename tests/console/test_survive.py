# SPDX-License-Identifier: GPL-3.0-or-later
"""The console is killed in mid-run over three SSH hosts; resume goes on."""

import contextlib
import glob
import os
import shutil
import sqlite3

import sshd
import tap
from lab import Lab

TESTS = 36


def states(report):
    return {s['test']: s['state'] for x in report['executions']
            for s in x['steps']}


def main():
    sshd.need()
    with Lab(3, max_workers=2) as lab:
        plan = lab.plan({
            'name': 'survive', 'parallel': 'tests', 'order': 'plan',
            'command': [lab.work, '0.5'],
            'suites': [{'name': 'all', 'tests':
                        ['t%d' % i for i in range(TESTS - 2)] + [
                            {'name': 'fails', 'command': [lab.work, '1', '1']},
                            {'name': 'fails-late',
                             'command': [lab.work, '0.1', '3']}]}]})
        whole = lab.json('run', plan, '--quiet')
        tap.equal('a run that nobody disturbs has all results',
                  len(states(whole)), TESTS)

        before = len(lab.watch.starts)
        console, run = lab.start_run(plan, '--quiet')
        lab.watch.wait(lambda w: len(w.starts) >= before + 10)
        console.kill()
        console.wait()
        tap.ok('something ran', lab.watch.count() > 0)
        tap.ok('what was sent goes on without a console', lab.watch.wait(
            lambda w: w.count() == 0))
        listed = {r['id']: r for r in lab.json('runs')['runs']}
        tap.equal('the run is an orphan', listed[run]['state'], 'orphaned')
        tap.ok('why says so', 'no-owner' in
               lab.cli('why', run + '/30').stdout)
        again = lab.cli('resume', run, '--quiet')
        tap.equal('resume exits with the code of the run',
                  again.returncode, 1)
        report = lab.json('report', run)
        tap.equal('the report is the same as without',
                  states(report), states(whole))
        times = {k: n for k, n in lab.ran_times().items()
                 if k.startswith(run + '/')}
        tap.equal('each execution ran', len(times), TESTS)
        tap.equal('and each ran once', set(times.values()), {1})
        done = lab.cli('resume', run)
        tap.equal('a run that has ended is reported', done.returncode, 1)
        tap.ok('with its summary', 'fails-late' in done.stdout, done.stdout)
        held(lab)
        requeued(lab)
        tried(lab)
        busy(lab)
        upkeep(lab, run)
    tap.done()


# Ends, when it is told to, once the gate is there.
SLOW = '''#!/bin/sh
[ "${YARDMASTER_ATTEMPT##*/}" = 1 ] || exit 0
trap 'while [ ! -e %(gate)s ]; do sleep 0.02; done; exit 3' INT TERM
: >%(gate)s.runs
while :; do sleep 0.1; done
'''


def requeued(lab):
    """Ended to be tried again, its console dies before it has ended."""
    gate, slow = lab.dir + '/gate', lab.dir + '/slow'
    with open(slow, 'w') as f:
        f.write(SLOW % {'gate': gate})
    os.chmod(slow, 0o755)
    console, run = lab.start_run(lab.plan({
        'name': 'requeued', 'command': [slow],
        'suites': [{'name': 's', 'tests': ['t']}]}), '--quiet')
    lab.until(lambda: os.path.exists(gate + '.runs'))
    tap.equal('requeue', lab.cli('requeue', run + '/1').returncode, 0)
    resumed = lab.take_over(console, run)
    open(gate, 'w').close()
    resumed.communicate()
    tap.equal('it is tried again by whoever took over', resumed.returncode, 0)
    said = lab.json('amendments', run)['amendments'][0]
    tap.equal('the amendment names the attempt that it ended',
              said['object'], run + '/1/1')


# Fails thrice: the third time once the gate is there.
FAILS = '''#!/bin/sh
n="${YARDMASTER_ATTEMPT##*/}"
[ "$n" -lt 3 ] || : >%(gate)s.third
while [ "$n" = 3 ] && [ ! -e %(gate)s ]; do sleep 0.02; done
[ "$n" -gt 3 ]
'''


def says(lab, what, text):
    """Waits until why says that."""
    said = ''
    while text not in said:
        said = lab.cli('why', what).stdout
    return True


def tried(lab):
    """Tries before a requeue are used up no more, delays are not over."""
    gate, fails = lab.dir + '/again', lab.dir + '/fails'
    with open(fails, 'w') as f:
        f.write(FAILS % {'gate': gate})
    os.chmod(fails, 0o755)
    console, run = lab.start_run(lab.plan({
        'name': 'tried', 'retries': 1, 'retry_delay': '0.1s',
        'parallel': 'tests',
        'suites': [{'name': 's', 'tests': [
            {'name': 'fails', 'command': [fails]},
            {'name': 'patient', 'retry_delay': '1h', 'shell':
             '[ "${YARDMASTER_ATTEMPT##*/}" = 2 ]'}]}]}), '--quiet')
    says(lab, run + '/1', 'failed')
    says(lab, run + '/2', 'retry-delay')
    tap.equal('requeue of what failed', lab.cli(
        'requeue', run + '/1').returncode, 0)
    while not os.path.exists(gate + '.third'):
        lab.watch.wait(lambda w: False, 0.02)
    resumed = lab.take_over(console, run)
    said = lab.cli('why', run + '/2').stdout
    tap.ok('a delay goes on', 'retry-delay' in said, said)
    tap.equal('and is over when somebody says so', lab.cli(
        'start-now', run + '/2').returncode, 0)
    open(gate, 'w').close()
    resumed.communicate()
    tap.equal('the tries after a requeue are as many as ever',
              resumed.returncode, 0)


def count(path, query, *args):
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    try:
        return db.execute('SELECT count(*) FROM ' + query, args).fetchone()[0]
    finally:
        db.close()


def has_none(lab, run):
    """No agent has anything of that run: copies of their journals say so, as
    they let nobody else read them."""
    copy = lab.dir + '/journal'
    for path in glob.glob(lab.dir + '/**/journal.db', recursive=True):
        for end in ('', '-wal', '-shm'):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(copy + end)
        for end in ('', '-wal'):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(path + end, copy + end)
        try:
            if count(copy, 'attempts WHERE run=?', run) > 0:
                return False
        except sqlite3.Error:   # copied while it was written
            return False
    return os.path.exists(copy)


# Says what each of its tests came to once the gate is there.
BATCH = '''#!/bin/sh
out=$1
shift
while [ ! -e %(gate)s ]; do sleep 0.02; done
{
	echo "<testsuite>"
	for t; do echo "<testcase name='$t' time='0.1'/>"; done
	echo "</testsuite>"
} >"$out"
'''


def busy(lab):
    """A console that cannot decide, as another process has what both share,
    still takes results; it dies before it can. They count."""
    gate, tool = lab.dir + '/busy', lab.dir + '/tool'
    with open(tool, 'w') as f:
        f.write(BATCH % {'gate': gate})
    os.chmod(tool, 0o755)
    wait = 'while [ ! -e %s ]; do sleep 0.02; done' % gate
    console, run = lab.start_run(lab.plan({
        'name': 'busy', 'parallel': 'tests', 'order': 'plan',
        'suites': [
            {'name': 'single', 'tests': [
                {'name': 'one', 'locks': ['db'], 'shell': wait},
                {'name': 'two', 'shell': wait + '; exit 3'},
                {'name': 'after', 'needs': ['one'], 'shell': 'true'}]},
            {'name': 'many', 'batch': True, 'tests': ['x', 'y'],
             'command': [tool, '{results}', '{tests}'],
             'results': {'junit': '{results}', 'name': '{name}'}}]}),
        '--quiet')
    state = lab.dir + '/console/yardmaster'
    path = '%s/runs/%s.db' % (state, run)
    running = "executions WHERE state='running'"
    tap.ok('four run', lab.until(lambda: count(path, running) == 4))
    shared = sqlite3.connect(state + '/registry.db', isolation_level=None)
    shared.execute('BEGIN IMMEDIATE')
    open(gate, 'w').close()
    tap.ok('agents forget what has ended',
           lab.until(lambda: has_none(lab, run)))
    tap.equal('though nothing was decided', count(path, running), 4)
    console.kill()
    console.wait()
    shared.execute('ROLLBACK')
    shared.close()
    lab.resume(run).communicate()
    tap.equal('who takes over has all results', states(
        lab.json('report', run)), {
            'one': 'passed', 'two': 'failed', 'after': 'passed',
            'x': 'passed', 'y': 'passed'})
    tap.equal('and ran nothing twice', count(path, 'attempts'), 5)


def upkeep(lab, run):
    checked = lab.cli('store', 'check')
    tap.ok('all run files are sound', checked.returncode == 0 and
           run + ': ok' in checked.stdout, checked.stdout + checked.stderr)
    copy = lab.dir + '/copy.db'
    tap.equal('backup', lab.cli('store', 'backup', run, copy).returncode, 0)
    tap.equal('no backup over a file', lab.cli(
        'store', 'backup', run, copy).returncode, 2)
    lab.cli('store', 'prune', '--keep', '1')
    tap.equal('prune keeps the newest', len(lab.json('runs')['runs']), 1)


def held(lab):
    """What an operator amended holds again after the run was taken over."""
    plan = lab.plan({
        'name': 'held', 'parallel': 'tests', 'order': 'plan',
        'suites': [{'name': 's', 'tests': [
            {'name': 'long', 'command': [lab.work, '3']},
            {'name': 'later', 'command': [lab.work, '0.1'],
             'needs': ['long']}]}]})
    console, run = lab.start_run(plan, '--quiet')
    lab.cli('hold', run + '/2', '--note', 'wait for me')
    resumed = lab.take_over(console, run)
    lab.watch.wait(lambda w: any(s[2] == run + '/1' for s in w.starts) and
                   w.count() == 0)
    why = ''
    while 'waiting' in why or not why:
        why = lab.cli('why', run + '/2').stdout
        if '* held' in why:
            break
    tap.ok('a hold outlives the console', 'wait for me' in why, why)
    tap.equal('release', lab.cli('release', run + '/2').returncode, 0)
    resumed.communicate()
    tap.equal('then the run ends', resumed.returncode, 0)


main()
