# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled launches with real processes over real SSH hosts: the key of a
plan, and entries that serve and the console launch, each once."""

import datetime
import json
import os
import sqlite3
import time

import sshd
import tap
from lab import Lab


def plan(lab, tests=('a',), seconds=0.1, **more):
    return lab.plan(dict({
        'name': 'p', 'parallel': 'tests', 'command': [lab.work, str(seconds)],
        'suites': [{'name': 's', 'tests': list(tests)}]}, **more))


def instant(seconds):
    """So many seconds from now, RFC 3339."""
    at = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(seconds=seconds)
    return at.strftime('%Y-%m-%dT%H:%M:%S.%fZ')


def waiting(lab, run, no, seconds=10):
    """The blockers of an execution once its reason is schedule."""
    def look():
        done = lab.cli('why', '%s/%d' % (run, no), '--json')
        if not done.stdout.startswith('{'):
            return None         # nobody drives it just now
        said = json.loads(done.stdout)
        return said if said['blockers'] and \
            said['blockers'][0]['code'] == 'schedule' else None
    return lab.until(look, seconds)


# ---- the key of a plan ----------------------------------------------------

def key_waits(lab):
    """Executions wait, say until when, and start-now lets them go."""
    due = instant(3600)
    path = plan(lab, ['a', {'name': 'b', 'schedule': '+0s'},
                      {'name': 'c', 'schedule': '+1s'}], schedule=due)
    p, run = lab.start_run(path, '--quiet')
    tap.ok('it is said that some wait',
           '2 of them wait for their schedule' in p.stderr.readline())
    tap.ok('what waits for nothing runs, and what waited for a second',
           lab.watch.wait(lambda w: {s[4] for s in w.starts} >= {'b', 'c'}))
    starts = {s[4]: s[0] for s in lab.watch.starts}
    tap.ok('one after the other', starts['c'] > starts['b'])
    said = waiting(lab, run, 1)
    tap.ok('why gives the reason', said is not None)
    tap.equal('and the instant', said['blockers'][0]['due'][:19], due[:19])
    tap.ok('for people in their zone',
           ' UTC, due in ' in said['blockers'][0]['text'], said)
    tap.ok('start now is offered', any(
        e['command'] == 'yardmaster start-now %s/1' % run
        for e in said['effects']), said['effects'])
    row = lab.json('queue')['queue'][0]
    tap.equal('the queue has both', (row['reason'], row['due'][:19]),
              ('schedule', due[:19]))
    tap.equal('start-now lets it go', lab.cli('start-now', run + '/1')
              .returncode, 0)
    tap.equal('the run passes', p.wait(20), 0)


def key_resumed(lab):
    """The instant is the launch's, whoever drives the run."""
    path = plan(lab, ['d', 'e'], schedule='+4s')
    began = time.monotonic()
    p, run = lab.start_run(path, '--quiet')
    before = waiting(lab, run, 1)['blockers'][0]['due']
    tap.equal('one is started now', lab.cli('start-now', run + '/2')
              .returncode, 0)
    tap.ok('and runs', lab.watch.wait(lambda w: any(
        s[4] == 'e' for s in w.starts)))
    p.kill()
    p.wait()
    p = lab.start('resume', run, '--quiet')
    after = waiting(lab, run, 1)
    tap.equal('after a resume it is due as before',
              after['blockers'][0]['due'], before)
    tap.equal('the run passes', p.wait(30), 0)
    starts = {s[4]: s[0] for s in lab.watch.starts}
    tap.ok('not before its time', starts['d'] - began >= 3.9,
           starts['d'] - began)
    tap.equal('each ran once', [lab.ran_times()['%s/%d' % (run, n)]
                                for n in (1, 2)], [1, 1])


def key_now(lab):
    path = plan(lab, ['f'], schedule='00:00')
    tap.equal('--now waits for nothing', lab.cli(
        'run', path, '--quiet', '--now').returncode, 0)
    path = plan(lab, ['f'], schedule='2020-01-01T00:00:00Z')
    done = lab.cli('run', path, '--quiet')
    tap.equal('an instant that has passed is not waited for',
              done.returncode, 0)
    tap.ok('but warned of', 'warning: schedule: this instant has passed' in
           done.stderr, done.stderr)


def main():
    sshd.need()
    os.environ['TZ'] = 'UTC'
    with Lab(2, max_workers=2) as lab:
        key_waits(lab)
        key_resumed(lab)
        key_now(lab)
    tap.done()


main()
