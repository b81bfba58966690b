# SPDX-License-Identifier: GPL-3.0-or-later
"""Results that come after the end of their run: kept, shown as late, never
counted, and acknowledged; what was queued does not run any more."""

import sqlite3
import time

import sshd
import tap
from lab import Lab


def attempts(lab, run):
    """(execution, attempt, state, outcome, late) of a run."""
    path = lab.dir + '/console/yardmaster/runs/' + run + '.db'
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    try:
        return db.execute('SELECT exec, attempt, state, outcome, late FROM '
                          'attempts ORDER BY exec, attempt').fetchall()
    finally:
        db.close()


def until(lab, true, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        lab.watch.wait(lambda w: False, 0.1)
    return False


def main():
    sshd.need()
    with Lab(2, max_workers=1) as lab:
        gate = lab.dir + '/gate'
        path = lab.plan({
            'name': 'late', 'parallel': 'tests', 'order': 'plan',
            'lost_after': '1s', 'error_retries': 0,
            'suites': [{'name': 's', 'agents': ['lab-1'], 'tests': [
                {'name': 'ends', 'command': [lab.work, '1']},
                {'name': 'goes on', 'command': [lab.work, '300']},
                {'name': 'queued', 'command': [lab.work, '0']}]}],
            'ahead': 'all'})
        p, run = lab.start_run(path, '--quiet')
        tap.ok('one runs', lab.watch.wait(lambda w: w.count() == 1))
        tap.ok('all are on the agent', until(
            lab, lambda: len(attempts(lab, run)) == 3))
        lab.hosts[0].stop()
        tap.equal('the run ends without its host', p.wait(60), 2)
        tap.ok('the next one runs there', lab.watch.wait(
            lambda w: len(w.starts) == 2 and w.count() == 1))
        before = lab.json('report', run)
        lab.hosts[0].start()
        other, second = lab.start_run(lab.plan({
            'name': 'other', 'parallel': 'tests',
            'suites': [{'name': 's', 'agents': ['lab-2'], 'tests': [
                {'name': 't', 'command': ['sh', '-c', 'while [ ! -e %s ]; do '
                                          'sleep 0.1; done' % gate]}]}]}),
            '--quiet')
        tap.ok('a console that meets the agent keeps the late result',
               until(lab, lambda: attempts(lab, run)[0][2:] ==
                     ('ended', 'passed', 1)), attempts(lab, run))
        tap.ok('what still ran is ended, and its end kept', until(
            lab, lambda: attempts(lab, run)[1][2:] ==
            ('ended', 'cancelled', 1)), attempts(lab, run))
        tap.ok('what was queued is taken back', until(
            lab, lambda: attempts(lab, run)[2][2] == 'returned'),
            attempts(lab, run))
        tap.equal('and did not run', len(lab.watch.starts), 2)
        after = lab.json('report', run)
        tap.equal('nothing is counted twice', after.get('counts'),
                  before.get('counts'))
        open(gate, 'w').close()
        tap.equal('the other run is not disturbed', other.wait(60), 0)
        tap.equal('resume reports the run as before', lab.cli(
            'resume', run, '--quiet').returncode, 2)
        tap.equal('each ran at most once', [n for n in
                  lab.ran_times().values() if n > 1], [])
    tap.done()


main()
