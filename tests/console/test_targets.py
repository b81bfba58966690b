# SPDX-License-Identifier: GPL-3.0-or-later
"""max_per_agent over consoles that share nothing but a host: two state
folders, two fleets; the commands themselves write down when they began and
ended."""

import contextlib
import json
import os
import sqlite3

import sshd
import tap
from lab import Lab

JOB = '''#!/bin/sh
# job LOG SECONDS|GATE
echo "$(date +%s%N) + $YARDMASTER_TARGET $YARDMASTER_ATTEMPT" >>"$1"
case "$2" in
/*) while [ ! -e "$2" ]; do sleep 0.02; done ;;
*) sleep "$2" ;;
esac
echo "$(date +%s%N) - $YARDMASTER_TARGET $YARDMASTER_ATTEMPT" >>"$1"
'''


class Other:
    """Runs commands of the lab as a console with folders of its own."""

    def __init__(self, lab):
        self.lab = lab
        self.fleet = lab.dir + '/other.json'
        with open(lab.fleet) as f:
            fleet = json.load(f)
        fleet['name'] = 'other'
        for agent in fleet['agents']:
            agent['name'] = agent['name'].replace('lab', 'far')
        with open(self.fleet, 'w') as f:
            json.dump(fleet, f)
        self.mine = {}

    def __enter__(self):
        self.mine = dict(self.lab.env), self.lab.fleet
        self.lab.env = dict(self.lab.env, XDG_STATE_HOME=self.lab.dir +
                            '/elsewhere')
        self.lab.fleet = self.fleet

    def __exit__(self, *exc):
        self.lab.env, self.lab.fleet = self.mine


def plan(lab, log, wait, tests, most=1):
    return lab.plan({
        'name': 't', 'parallel': 'tests', 'command': [lab.job, log, wait],
        'targets': [dict({'name': 'safari'}, **(
            {'max_per_agent': most} if most else {})), 'chrome'],
        'suites': [{'name': 's', 'tests': [
            {'name': 't%d' % i, 'targets': ['safari']} for i in range(tests)]
            + [{'name': 'c%d' % i, 'targets': ['chrome']}
               for i in range(2)]}]})


def most(log, target):
    """The most of it that ran at once, and how many there were."""
    with open(log) as f:
        lines = sorted(line.split() for line in f)
    now = at_once = 0
    for _, sign, of, _ in lines:
        if of == target:
            now += 1 if sign == '+' else -1
            at_once = max(at_once, now)
    return at_once, sum(w[1] == '+' and w[2] == target for w in lines)


def began(log, target):
    try:
        with open(log) as f:
            return [w[3] for w in map(str.split, f)
                    if w[1] == '+' and w[2] == target]
    except FileNotFoundError:
        return []


def check_both_run(lab, other):
    """Without a limit of its own the second one is held to the first's."""
    for limit in (1, None):
        log = '%s/both-%s' % (lab.dir, limit)
        first, _ = lab.start_run(plan(lab, log, '0.3', 6), '--quiet')
        with other:
            second, _ = lab.start_run(plan(lab, log, '0.2', 6, limit),
                                      '--quiet')
        ended = [p.communicate(timeout=120)[1] for p in (first, second)]
        tap.equal('limit %s: both runs end' % limit,
                  [first.returncode, second.returncode], [0, 0])
        if first.returncode + second.returncode:
            tap.note(ended)
        if limit == 1:
            tap.equal('never two at once, none twice', most(log, 'safari'),
                      (1, 12))
            tap.ok('what is not limited runs beside',
                   most(log, 'chrome')[0] > 1, most(log, 'chrome'))


def check_why(lab, other):
    log, gate = lab.dir + '/why', lab.dir + '/gate'
    first, run = lab.start_run(plan(lab, log, gate, 1), '--quiet')
    tap.ok('one holds the target', lab.until(lambda: began(log, 'safari')))
    with other:
        second, late = lab.start_run(plan(lab, log, gate, 2), '--quiet')
        said = ['']

        def why():
            said[0] = lab.cli('why', late + '/1').stdout
            return '* target-limit' in said[0] and all(
                w in said[0] for w in ('safari: 1 of 1 in use',
                                       'held by %s/1/1' % run, 'pid %d' %
                                       first.pid))
        tap.ok('why says who holds it, of another console',
               lab.until(why, 40), said[0])
    path = '%s/elsewhere/yardmaster/runs/%s.db' % (lab.dir, late)
    with contextlib.closing(sqlite3.connect('file:%s?mode=ro' % path,
                                            uri=True)) as db:
        sent = db.execute('SELECT state FROM attempts WHERE exec <= 2')
        tap.ok('nothing is sent in vain again and again',
               len(sent.fetchall()) <= 2)
    with open(gate, 'w'):
        pass
    for p in (first, second):
        p.communicate(timeout=60)
    tap.equal('both end', [first.returncode, second.returncode], [0, 0])
    tap.equal('one after the other', most(log, 'safari'), (1, 3))


def check_raise(lab):
    """The cure that why offers reaches the agent, too."""
    log, gate = lab.dir + '/raise', lab.dir + '/gate2'
    p, run = lab.start_run(plan(lab, log, gate, 2), '--quiet')
    tap.ok('one of two runs', lab.until(lambda: began(log, 'safari')))
    ran = began(log, 'safari')[0].split('/')[1]
    waits = '%s/%d' % (run, 3 - int(ran))
    said = lab.cli('why', waits).stdout
    tap.ok('why offers to raise the limit, or to end the holder',
           'amend %s max_per_agent:safari=2' % run in said and
           'cancel %s/%s' % (run, ran) in said, said)
    lab.cli('amend', run, 'max_per_agent:safari=2')
    tap.ok('then both run', lab.until(
        lambda: len(began(log, 'safari')) == 2), began(log, 'safari'))
    with open(gate, 'w'):
        pass
    p.communicate(timeout=60)
    tap.equal('to their end', p.returncode, 0)


def main():
    sshd.need()
    with Lab(1, max_workers=6) as lab:
        lab.job = lab.dir + '/job'
        with open(lab.job, 'w') as f:
            f.write(JOB)
        os.chmod(lab.job, 0o755)
        other = Other(lab)
        check_why(lab, other)
        check_both_run(lab, other)
        check_raise(lab)
    tap.done()


if __name__ == '__main__':
    main()
