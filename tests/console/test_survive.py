# SPDX-License-Identifier: GPL-3.0-or-later
"""The console is killed in mid-run over three SSH hosts; resume goes on."""

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
    tap.done()


main()
