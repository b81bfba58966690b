# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduled launches with real processes over real SSH hosts: the key of a
plan, and entries that serve and the console launch, each once."""

import datetime
import json
import os
import signal
import sqlite3
import subprocess
import threading
import time

import sshd
import tap
import vt
from lab import CONSOLE, Lab

HOUR = 3600


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


def key_resumed(lab, *meanwhile):
    """The instant is the launch's, whoever drives the run; meanwhile: what is
    looked at until then."""
    path = plan(lab, ['d', 'e'], schedule='+10s')
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
    for look in meanwhile:
        look(lab)
    tap.equal('the run passes', p.wait(30), 0)
    starts = {s[4]: s[0] for s in lab.watch.starts}
    tap.ok('not before its time', starts['d'] - began >= 9.9,
           starts['d'] - began)
    tap.equal('each ran once', [lab.ran_times()['%s/%d' % (run, n)]
                                for n in (1, 2)], [1, 1])


def key_now(lab):
    path = plan(lab, ['f'], schedule='00:00')
    tap.equal('--now waits for nothing', lab.cli(
        'run', path, '--quiet', '--now').returncode, 0)
    path = plan(lab, ['f'], schedule='+10m')
    makespans = [lab.json('run', path, '--dry-run', *now)['makespan_s']
                 for now in ([], ['--now'])]
    tap.ok('a forecast waits as the run would', 599 < makespans[0] < 700 and
           makespans[1] < 100, makespans)
    path = plan(lab, ['f'], schedule='2020-01-01T00:00:00Z')
    done = lab.cli('run', path, '--quiet')
    tap.equal('an instant that has passed is not waited for',
              done.returncode, 0)
    tap.ok('but warned of', 'warning: schedule: this instant has passed' in
           done.stderr, done.stderr)


# ---- entries --------------------------------------------------------------

class Serve:
    """A console without a screen, and what it says."""

    def __init__(self, lab, *args):
        self.p = lab.start('serve', *args)
        self.said = []
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()
        self.wait('launches what is scheduled')

    def _read(self):
        for line in self.p.stderr:
            with self.changed:
                self.said.append(line)
                self.changed.notify_all()

    def wait(self, text, seconds=30):
        with self.changed:
            found = self.changed.wait_for(
                lambda: any(text in line for line in self.said), seconds)
            if not found:
                tap.note(text + '\n' + ''.join(self.said))
            return found

    def end(self, sig=signal.SIGTERM):
        self.p.send_signal(sig)
        return self.p.wait(30)


def add(lab, path, *args):
    done = lab.cli('schedule', 'add', path, *args, '--fleet', lab.fleet)
    if done.returncode != 0:
        tap.note(done.stdout + done.stderr)
    return done


def rows(lab):
    return {r['name']: r for r in lab.json('schedule', 'list')['schedules']}


def remove(lab, *names):
    return [lab.cli('schedule', 'remove', n).returncode for n in names]


def last_is(lab, name, result, seconds=30):
    """Waits until the last run of an entry came to that: its row."""
    def look():
        row = rows(lab)[name]
        return row if row['last'] and row['last']['result'] == result \
            else None
    return lab.until(look, seconds)


def trouble_is(lab, name, kind, seconds=30):
    def look():
        row = rows(lab)[name]
        return row if row['trouble'] and row['trouble']['kind'] == kind \
            else None
    return lab.until(look, seconds)


def runs_of(lab, plan_name):
    return [r for r in lab.json('runs')['runs'] if r['plan'] == plan_name]


def make_due(lab, name, seconds_ago):
    """As if its next occurrence had been so long ago."""
    db = sqlite3.connect(lab.env['XDG_STATE_HOME'] +
                         '/yardmaster/registry.db', timeout=20)
    with db:
        db.execute('UPDATE schedules SET next=? WHERE name=?',
                   (int((time.time() - seconds_ago) * 1e6), name))
    db.close()


def refused(lab):
    path = plan(lab)
    for what, args, says in (
            ('without a time', (), 'say when'),
            ('at no time', ('soon',), 'says no time'),
            ('at a time that never comes', ('0 0 30 2 *',), 'never come'),
            ('at an instant that has passed', ('2020-01-01T00:00:00Z',),
             'has passed'),
            ('with a faulty choice', ('02:30', '--only', 'suite:nothing'),
             'nothing to run')):
        done = lab.cli('schedule', 'add', path, *args, '--fleet', lab.fleet)
        tap.ok('refused ' + what, done.returncode == 4 and
               says in done.stderr, done.stderr)
    done = lab.cli('schedule', 'add', lab.dir + '/none.json', '02:30')
    tap.equal('refused without a plan', done.returncode, 4)
    done = lab.cli('schedule', 'add', plan(lab, agents=['nobody']), '02:30',
                   '--fleet', lab.fleet)
    tap.equal('refused when no agent would do', done.returncode, 4)
    tap.equal('nothing was added', rows(lab), {})
    done = add(lab, path, '30 2 * * mon-fri')
    tap.equal('a good one is added', done.returncode, 0)
    tap.ok('and its first time said', done.stdout.startswith(
        'p: 30 2 * * mon-fri, next 20'), done.stdout)
    tap.ok('and that nobody launches it', 'nobody launches p now' in
           done.stderr, done.stderr)
    done = lab.cli('schedule', 'list')
    tap.ok('the list says so, too', 'NOBODY' in done.stdout and
           'nobody launches p now' in done.stderr, done.stdout + done.stderr)
    row = rows(lab)['p']
    tap.equal('it is as it was given',
              (row['plan'], row['fleet'], row['when'], row['last'],
               row['served'], row['next'][10:]),
              (path, lab.fleet, '30 2 * * mon-fri', None, False,
               'T02:30:00.000Z'))
    tap.equal('a second of that name is refused', lab.cli(
        'schedule', 'add', path, '02:30', '--fleet', lab.fleet).returncode, 4)
    fleet = lab.dir + '/read-only.json'
    with open(lab.fleet) as f, open(fleet, 'w') as g:
        json.dump(dict(json.load(f), read_only=True), g)
    done = subprocess.run([CONSOLE, 'serve', '--fleet', fleet], env=lab.env,
                          stderr=subprocess.PIPE, encoding='utf-8')
    tap.ok('nothing serves a read-only fleet', done.returncode == 4 and
           'read-only' in done.stderr, done.stderr)
    tap.equal('removed once', remove(lab, 'p', 'p'), [0, 4])


def once(lab):
    """Two processes serve: each occurrence comes to one run."""
    serves = [Serve(lab), Serve(lab)]
    due = instant(8)
    names = ['once-%d' % i for i in range(6)]
    for name in names:
        path = plan(lab, [name, 'not'], name=name, params={'P': 'x'},
                    command=[lab.work, '{param.P}'], schedule=due)
        add(lab, path, '--not', 'not', '--set', 'P=0.1')
    tap.equal('both are there', len(rows(lab)[names[0]]['served_by']), 2)
    for name in names:
        row = last_is(lab, name, 'passed')
        tap.ok('%s passed, and did not wait for its own time' % name,
               row is not None)
        tap.equal('it was due then', row['last']['at'][:22], due[:22])
        tap.equal('it does not come again', row['next'], None)
        tap.equal('it came to one run', len(runs_of(lab, name)), 1)
        tap.equal('of what was chosen', lab.ran_times().get(
            row['last']['run'] + '/1'), 1)
        tap.equal('and of nothing else', lab.json(
            'report', row['last']['run'])['counts']['passed'], 1)
    tap.equal('TERM ends them well', [s.end() for s in serves], [0, 0])
    tap.equal('then nobody is there', rows(lab)[names[0]]['served_by'], [])
    remove(lab, *names)


def killed(lab):
    """The process that launched it dies: another goes on with the run."""
    serves = {s.p.pid: s for s in (Serve(lab), Serve(lab))}
    add(lab, plan(lab, ['long', 'after'], 2, name='killed',
                  parallel='none'), '+1s')
    tap.ok('it runs', lab.watch.wait(lambda w: any(
        s[4] == 'long' for s in w.starts)))
    run = runs_of(lab, 'killed')[0]
    dead = serves.pop(int(run['owner'].split()[-1]))
    dead.end(signal.SIGKILL)
    other, = serves.values()
    tap.ok('the other takes it over', other.wait('took over killed'))
    tap.ok('it passes', last_is(lab, 'killed', 'passed') is not None)
    tap.equal('one run', len(runs_of(lab, 'killed')), 1)
    tap.equal('it ran once', lab.ran_times()[run['id'] + '/1'], 2)
    other.end()
    remove(lab, 'killed')


def lost(lab):
    """Killed between the claim and the launch: never launched twice."""
    gate = lab.dir + '/gate'
    path = plan(lab, name='lost', suites=[{'name': 's', 'discover': {
        'command': ['sh', '-c', 'echo found; while [ -e %s ]; do sleep 0.05;'
                    ' done' % gate]}}])
    add(lab, path, '+1s')
    open(gate, 'w').close()
    serve = Serve(lab)
    serve.wait('loading ' + path)
    tap.equal('it is being loaded', last_is(lab, 'lost', 'starting')
              is not None, True)
    serve.end(signal.SIGKILL)
    os.unlink(gate)
    tap.ok('it is said to be lost', last_is(
        lab, 'lost', 'lost: the process that had it ended') is not None)
    serve = Serve(lab)
    add(lab, plan(lab, ['marker'], name='marker'), '+1s')
    tap.ok('the next one is launched', last_is(lab, 'marker', 'passed')
           is not None)
    tap.equal('and this one not again', runs_of(lab, 'lost'), [])
    serve.end()
    remove(lab, 'lost', 'marker')


def missed(lab):
    """Nobody was there: said, and caught up once where that is wanted."""
    minute = (time.gmtime().tm_min + 30) % 60
    when = '%d * * * *' % minute
    for name, more in (('missed', ()), ('caught', ('--catch-up',))):
        # The same instants, said otherwise: counted from the one that was
        # due nothing waits.
        add(lab, plan(lab, [name], name=name, schedule='%d 0-23/1 * * *' %
                      minute), when, *more)
        # The first of them is a full half hour ago; so are all others.
        ago = (time.time() - minute * 60) % HOUR
        make_due(lab, name, ago + 5 * HOUR)
    serve = Serve(lab)
    row = trouble_is(lab, 'missed', 'missed')
    tap.equal('all are counted', row['missed'], 6)
    tap.equal('none was launched', (row['last'], runs_of(lab, 'missed')),
              (None, []))
    tap.ok('an event says so', serve.wait('schedule missed: missed 6 until'))
    caught = last_is(lab, 'caught', 'passed')
    tap.equal('one was caught up with, the others counted',
              (len(runs_of(lab, 'caught')), caught['missed']), (1, 5))
    tap.equal('it is the latest', caught['last']['at'],
              row['trouble']['at'])
    tap.ok('both go on', row['next'] == caught['next'] and
           row['next'] > row['trouble']['at'], row)
    with lab.screen() as s:
        s.keys('!')
        s.sees('Attention has it', 'schedule missed: no run')
    serve.end()
    remove(lab, 'missed', 'caught')


def broken(lab):
    """The plan no longer loads in its time; no agent meets it."""
    serve = Serve(lab)
    path, other = plan(lab, name='broken'), plan(lab, name='unmet')
    add(lab, path, '+6s')
    add(lab, other, '+6s')
    with open(path, 'w') as f:
        f.write('{"name": "broken", \n "suite": []}')
    with open(other) as f:
        text = f.read()
    with open(other, 'w') as f:
        f.write(text.replace('"suites"', '"agents": ["nobody"], "suites"'))
    row = trouble_is(lab, 'broken', 'error')
    tap.ok('the fault is recorded with its place',
           path + ':2: suite: unknown key' in row['trouble']['text'], row)
    row = trouble_is(lab, 'unmet', 'error')
    tap.ok('so is that no agent would do', 'nobody' in
           row['trouble']['text'], row)
    tap.ok('an event says so', serve.wait(
        'schedule broken: %s was not launched' % path))
    tap.equal('no run came of it', runs_of(lab, 'broken'), [])
    serve.end()
    remove(lab, 'broken', 'unmet')


def skipped(lab):
    """The run before it still runs: it is left out, and that is said."""
    serve = Serve(lab)
    add(lab, plan(lab, ['slow'], 5, name='slow'), '00:00')
    make_due(lab, 'slow', 1)
    tap.ok('the first runs', lab.watch.wait(lambda w: any(
        s[4] == 'slow' for s in w.starts)))
    make_due(lab, 'slow', 0)
    row = trouble_is(lab, 'slow', 'skipped')
    run = row['last']['run']
    tap.equal('why is said', row['trouble']['text'],
              run + ' before it goes on')
    tap.ok('it passes', last_is(lab, 'slow', 'passed') is not None)
    make_due(lab, 'slow', 0)
    tap.ok('then the next is launched', lab.until(
        lambda: len(runs_of(lab, 'slow')) == 2))
    tap.ok('and nothing is wrong any more',
           rows(lab)['slow']['trouble'] is None)
    last_is(lab, 'slow', 'passed')
    serve.end()
    remove(lab, 'slow')


def given_up(lab):
    """Nobody can take it: it ends, so that the next one can begin."""
    lab.write_fleet(others=[{'name': 'dead', 'transport': 'command',
                             'command': ['false']}], max_workers=2)
    serve = Serve(lab, '--give-up', '1s')
    add(lab, plan(lab, name='stuck', agents=['dead']), '+1s')
    tap.ok('what no agent takes is given up',
           last_is(lab, 'stuck', 'error') is not None)
    tap.ok('and that is said', serve.wait('giving up: nothing can start'))
    serve.end()
    remove(lab, 'stuck')


def handed_over(lab):
    """TERM while its run runs; another fleet; and an open console."""
    fleet = lab.dir + '/other.json'
    with open(lab.fleet) as f, open(fleet, 'w') as g:
        g.write(f.read())
    other = subprocess.Popen(
        [CONSOLE, 'serve', '--fleet', fleet], env=lab.env, cwd=lab.dir,
        stderr=subprocess.DEVNULL)
    serve = Serve(lab)
    add(lab, plan(lab, ['over'], 2, name='over'), '+1s')
    tap.ok('it runs', lab.watch.wait(lambda w: any(
        s[4] == 'over' for s in w.starts)))
    tap.equal('TERM ends well', serve.end(), 0)
    run = runs_of(lab, 'over')[0]
    tap.ok('its run goes on without it', run['state'] == 'running' and
           int(run['owner'].split()[-1]) not in (serve.p.pid, other.pid), run)
    tap.equal('to its end', lab.cli('resume', run['id'], '--quiet')
              .returncode, 0)
    tap.equal('a process of another fleet does not count',
              add(lab, plan(lab, ['shown'], name='shown'), '+2s')
              .stderr.count('nobody launches'), 1)
    with lab.screen() as s:
        tap.ok('an open console launches it', last_is(lab, 'shown', 'passed')
               is not None)
        s.keys('8')
        s.sees('and says so', 'launched shown by schedule shown')
    other.terminate()
    tap.equal('the other ends well', other.wait(30), 0)
    remove(lab, 'over', 'shown')


def main():
    sshd.need()
    vt.need()
    os.environ['TZ'] = 'UTC'
    with Lab(2, max_workers=2) as lab:
        key_waits(lab)
        key_resumed(lab, key_now, refused)
        once(lab)
        killed(lab)
        lost(lab)
        missed(lab)
        broken(lab)
        skipped(lab)
        handed_over(lab)
        given_up(lab)
    tap.done()


main()
