# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds of runs and executions end when their time is over, whoever drives
the run by then."""

import sqlite3

import sshd
import tap
from lab import Lab


def gated(lab, name):
    """A run of one that waits for a gate, and one that needs it."""
    gate = '%s/%s.gate' % (lab.dir, name)
    plan = lab.plan({
        'name': name, 'parallel': 'tests', 'order': 'plan',
        'suites': [{'name': 's', 'tests': [
            {'name': 'long', 'shell':
             'while [ ! -e %s ]; do sleep 0.02; done' % gate},
            {'name': 'later', 'command': [lab.work, '0'],
             'needs': ['long']}]}]})
    console, run = lab.start_run(plan, '--quiet')
    return console, run, gate


def ended(lab, what):
    """Waits for the event."""
    return lab.until(lambda: 'the hold of %s ended: its time is over' % what
                     in lab.cli('events').stdout)


def holds(lab, run):
    """(kind, object, who, expires) of its amendments."""
    return [(a['kind'], a['object'], a['who'], a.get('expires'))
            for a in lab.json('amendments', run)['amendments']]


def blocker(lab, what, code):
    """What why says of that reason, once it does."""
    return lab.until(lambda: next(
        (b for b in lab.json('why', what)['blockers'] if b['code'] == code),
        None)) or {'text': '', 'since_s': 0}


def goes_by(lab):
    """Both kinds end while their owner lives."""
    console, run, gate = gated(lab, 'short')
    for what in (run + '/2', run):
        tap.equal('hold %s' % what[len(run):], lab.cli(
            'hold', what, '--for', '1s').returncode, 0)
    tap.ok('the hold of an execution ends', ended(lab, run + '/2'))
    tap.ok('that of the run, too', ended(lab, run))
    said = holds(lab, run)
    tap.equal('what ended is recorded once', sorted(
        (h[0], h[1]) for h in said), [
            ('hold', run), ('hold', run + '/2'),
            ('release', run), ('release', run + '/2')])
    tap.equal('as of nobody', {h[2] for h in said[2:]}, {'yardmaster'})
    console.kill()
    console.wait()
    console = lab.resume(run)
    tap.equal('who takes over ends nothing again', holds(lab, run), said)
    tap.ok('undo holds it again', lab.cli('undo', run, '4').returncode == 0)
    tap.equal('for good', holds(lab, run)[4][3], None)
    lab.cli('release', run)
    lab.cli('release', run + '/2')
    open(gate, 'w').close()
    console.communicate()
    tap.equal('then the run ends', console.returncode, 0)


def is_kept(lab):
    """A hold keeps its end and since when it stands; undone, too."""
    console, run, gate = gated(lab, 'kept')
    lab.cli('hold', run, '--for', '1h', '--note', 'a look')
    lab.cli('hold', run + '/2', '--for', '2h')
    lab.cli('release', run + '/2')
    lab.cli('undo', run, '3')
    before = [h[3] for h in holds(lab, run)]
    tap.equal('a release taken back holds as long as before', before[3],
              before[1])
    said = blocker(lab, run + '/2', 'run-held')['text']
    tap.ok('why says until when', 'a look; until 20' in said, said)
    until = said.split('until')[-1]
    console.kill()
    console.wait()
    edit(lab, run, 'wall=wall-3600000000')
    console = lab.resume(run)
    said = blocker(lab, run + '/2', 'run-held')
    tap.equal('after a takeover it ends as before',
              said['text'].split('until')[-1], until)
    tap.ok('and stands since then', said['since_s'] > 3600, said)
    said = blocker(lab, run + '/2', 'held')
    tap.ok('so does one of an execution', said['since_s'] > 3600 and
           'until 20' in said['text'], said)
    console.kill()
    console.wait()
    edit(lab, run, "what=json_set(what, '$.expires', 1)"
         " WHERE kind='hold'")
    console = lab.resume(run)
    tap.ok('what ended while nobody drove the run is released', ended(
        lab, run) and ended(lab, run + '/2'))
    open(gate, 'w').close()
    console.communicate()
    tap.equal('and the run ends', console.returncode, 0)


def edit(lab, run, change):
    db = sqlite3.connect('%s/console/yardmaster/runs/%s.db' % (lab.dir, run))
    db.execute('UPDATE amendments SET ' + change)
    db.commit()
    db.close()


def main():
    sshd.need()
    with Lab(1, max_workers=2) as lab:
        goes_by(lab)
        is_kept(lab)
    tap.done()


main()
