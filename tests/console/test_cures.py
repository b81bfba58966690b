# SPDX-License-Identifier: GPL-3.0-or-later
"""Cures by command on a queue that is stuck, over a real SSH host: each one is
tried and seen to cure; amendments are listed, undone, and outlive the
console."""

import sqlite3

import sshd
import tap
from lab import Lab


def suite(name, tests, **more):
    return dict({'name': name, 'tests': tests}, **more)


def plan_of(work):
    short = [work, '0.1']
    return {
        'name': 'stuck', 'parallel': 'tests', 'order': 'plan',
        'command': short, 'exclusive': [['long', 'apart']],
        'locks': {'db': 1}, 'targets': [{'name': 'web'},
                                        {'name': 'phone', 'max': 1},
                    {'name': 'watch'}],
        'suites': [
            suite('a', [
                {'name': 'long', 'command': [work, '600'], 'locks': ['db'],
                 'targets': ['phone'], 'estimate': '10m'},
                {'name': 'fails', 'command': [work, '0.1', '1']},
                {'name': 'again', 'command': [work, '0.1', '1'],
                 'retries': 1, 'retry_delay': '1h'},
                {'name': 'waits', 'needs': ['long']},
                {'name': 'skipped', 'needs': ['fails']},
                {'name': 'locked', 'locks': ['db']},
                {'name': 'apart'},
                {'name': 'phone', 'targets': ['phone']},
                {'name': 'away', 'agents': ['lab-2'],
                 'targets': ['watch']},
                {'name': 'never', 'agents': ['lab-2'],
                 'targets': ['watch']},
            ], targets=['web'], agents=['lab-1'])]}


class Stuck:
    def __init__(self, lab):
        self.lab = lab
        self.plan = lab.plan(plan_of(lab.work))
        self.no = {x['steps'][0]['test']: x['id'] for x in
                   lab.json('plan', 'show', self.plan)['executions']}
        self.console, self.run = lab.start_run(self.plan, '--quiet')

    def id(self, test):
        return '%s/%d' % (self.run, self.no[test])

    def started(self, test, times=1):
        return self.lab.watch.wait(lambda w: sum(
            s[2] == self.id(test) for s in w.starts) >= times)

    def why(self, test, want):
        """Asks until the headline is the wanted one."""
        for _ in range(200):
            text = self.lab.cli('why', self.id(test)).stdout
            if '* %s:' % want in text or (want is None and '*' not in text):
                return tap.ok('%s: %s' % (test, want), True)
        return tap.ok('%s: %s' % (test, want), False, text)

    def do(self, *args, text=None, code=0):
        done = self.lab.cli(*args)
        tap.ok(' '.join(args), done.returncode == code and
               (text is None or text in done.stdout + done.stderr),
               done.stdout + done.stderr)
        return done

    def amend(self, value, **more):
        return self.do('amend', self.run, value, **more)


def effects(s):
    """Each cure that is offered says what it would come to."""
    for test, cure, starts, never in (
            ('locked', 'amend the plan', 1, 0),
            ('phone', 'raise the limit', 1, 0),
            ('apart', 'amend the plan', 1, 0),
            ('waits', 'run anyway', 1, 0),
            ('skipped', 'run anyway', 1, 0),
            ('again', 'start now', 1, 0),
            ('never', 'skip', 0, -1),
            ('never', 'amend the plan', 1, -1)):
        why = s.lab.json('why', s.id(test))
        found = [e for e in why['effects'] if e['cure'] == cure]
        commands = [e['command'] for e in why['effects']]
        tap.equal('%s: no cure is offered twice' % test,
                  sorted(set(commands)), sorted(commands))
        e = found[0] if found else {}
        tap.ok('%s: %s: %s' % (test, cure, e.get('effect')), e and
               e['predicted'] and e['starts'] == starts and
               e['never'] - e['never_without'] == never and
               (starts == 0 or s.id(test) in e['first']), why)
        text = s.lab.cli('why', s.id(test)).stdout
        tap.ok('and as text', e.get('command', '?') in text, text)


def offered(s, test, cure):
    """The commands that are offered for it, with what is said of each."""
    return {e['command']: e for e in s.lab.json('why', s.id(test))['effects']
            if e['cure'] == cure}


def until_offered(s, test, cure):
    for _ in range(100):
        found = offered(s, test, cure)
        if found:
            break
    return found


def agents_that_may_be_used(s):
    """Holders are shown; only agents that the execution may use are named."""
    show = offered(s, 'locked', 'show the holder')
    tap.equal('the holder can be shown', list(show),
              ['yardmaster why %s' % s.id('long')])
    for agent in ('lab-1', 'lab-2'):
        s.do('drain', agent)
    found = until_offered(s, 'apart', 'undrain')
    tap.equal('only its own agent is offered', list(found),
              ['yardmaster undrain lab-1 --fleet ' + s.lab.fleet])
    tap.ok('with an effect', all(e['predicted'] for e in found.values()),
           found)
    for agent in ('lab-1', 'lab-2'):
        s.do('undrain', agent)
    s.do('set', 'lab-1', 'threshold=1')
    found = until_offered(s, 'apart', 'pin')
    tap.equal('it can be pinned where the threshold keeps workers free',
              list(found), ['yardmaster move %s lab-1' % s.id('apart')])
    s.do('set', 'lab-1', 'threshold=max')
    s.do('set', 'lab-1', 'guards.load_per_cpu=0.000001')
    found = until_offered(s, 'apart', 'edit the guard')
    tap.equal('the guard can be edited', list(found),
              ['yardmaster set lab-1 guards.load_per_cpu=off --fleet ' +
               s.lab.fleet])
    s.do('set', 'lab-1', 'guards.load_per_cpu=off')


def each_cure(s):
    s.why('again', 'retry-delay')
    s.why('skipped', 'needs-failed')
    s.do('start-now', s.id('again'))
    tap.ok('the retry starts', s.started('again', 2))
    s.why('waits', 'needs')
    s.do('run-anyway', s.id('waits'))
    tap.ok('it runs without what it needs', s.started('waits'))
    s.do('run-anyway', s.id('skipped'))
    tap.ok('it runs though what it needs failed', s.started('skipped'))
    s.why('locked', 'lock')
    s.amend('lock:db=0', text='lock:db 1 -> 0')
    tap.ok('it runs without the lock', s.started('locked'))
    s.why('apart', 'exclusion')
    s.amend('exclusive:a/long,apart=off', text='on -> off')
    tap.ok('it runs beside what excluded it', s.started('apart'))
    s.why('phone', 'target-limit')
    s.do('amend', s.run, 'max:phone=2', '--write', s.plan,
         text='max:phone=2 written')
    with open(s.plan) as f:
        tap.ok('the plan file has it', '"max": 2' in f.read())
    tap.ok('it runs under the raised limit', s.started('phone'))
    s.why('away', 'no-agent')
    s.amend('agents:a/away=lab-1', text='as planned -> lab-1')
    tap.ok('it runs on another agent', s.started('away'))


def refusals(s):
    s.amend('nonsense=1', code=2, text='not a key that can be amended')
    s.amend('agents:nobody=lab-1', code=2, text='no such suite or test')
    s.amend('agents:never=/[/', code=2)
    s.amend('max:radio=1', code=2, text='no such target')
    s.amend('max_parallel=-1', code=2, text='a number from 0')
    s.amend('exclusive:long,fails=off', code=2, text='no such pair')
    s.do('amend', s.run, 'max_parallel', code=4, text='KEY=VALUE')
    s.do('skip', s.id('long'), code=2)
    s.do('start-now', s.id('never'), code=2)
    s.do('undo', s.run, '999', code=2, text='there is no amendment')
    s.do('undo', s.run, 'x', code=4)


def listed(s):
    return s.lab.json('amendments', s.run)['amendments']


def undone(s):
    """The value goes back while it is still ours."""
    s.amend('max_parallel=3', text='max_parallel 0 -> 3')
    first = listed(s)[-1]
    tap.ok('who, when, old and new are recorded', first['who'] and
           first['time'] and (first['key'], first['old'], first['new']) ==
           ('max_parallel', '0', '3'), first)
    s.amend('max_parallel=4')
    s.do('undo', s.run, str(first['number']), code=2,
         text='came after it')
    s.do('undo', s.run, str(first['number'] + 1), text='4 -> 3')
    s.do('undo', s.run, str(first['number']), text='3 -> 0')
    s.do('undo', s.run, str(first['number']), code=2, text='already')
    s.do('skip', s.id('never'))
    s.why('never', None)
    s.do('undo', s.run, str(listed(s)[-1]['number']))
    s.why('never', 'no-agent')
    s.do('pause', s.run, '--note', 'new switch')
    s.why('never', 'console-paused')
    tap.ok('a pause says why', 'new switch' in
           s.lab.cli('why', s.id('never')).stdout)
    s.do('go-on', s.run)
    s.why('never', 'no-agent')


def as_of_version_1(s):
    """The run file as an older program left it, with a hold of its own."""
    db = sqlite3.connect('%s/console/yardmaster/runs/%s.db' %
                         (s.lab.dir, s.run))
    db.executescript('DROP TABLE members; DROP TABLE shared;'
                     'PRAGMA user_version=1;')
    db.execute('INSERT INTO amendments(wall, who, kind, object, what) VALUES'
               '(1, "ann", "hold", ?, "not now")', (s.id('never'),))
    db.commit()
    db.close()


def outlives(s):
    """The console is killed after an amendment; resume has it again."""
    s.amend('agents:a/never=lab-9,/^none$/')
    before = listed(s)
    s.console.kill()
    s.console.wait()
    tap.equal('the list is there without an owner', listed(s), before)
    as_of_version_1(s)
    s.console = s.lab.resume(s.run)
    s.why('never', 'held')
    tap.ok('what an older program wrote holds', 'not now' in
           s.lab.cli('why', s.id('never')).stdout)
    s.do('release', s.id('never'))
    s.why('never', 'no-agent')
    text = s.lab.cli('why', s.id('never')).stdout
    tap.ok('the amended agents are asked for', 'none' in text, text)
    s.do('undo', s.run, str(before[-1]['number']), text='as planned')
    s.amend('agents:a/never=lab-1')
    tap.ok('it runs on the agent it was given', s.started('never'))
    s.do('cancel', s.id('long'))
    s.console.communicate()
    tap.equal('the run ends', s.console.returncode, 1)
    report = s.lab.json('report', s.run)
    ran = {x['steps'][0]['test']: x['steps'][0]['state']
           for x in report['executions']}
    tap.equal('all that was cured passed', {
        t for t in ran if ran[t] == 'passed'}, {
        'waits', 'skipped', 'locked', 'apart', 'phone', 'away', 'never'})


def on_screen(lab):
    """From the first paint to the cure, with its predicted effect, in at most
    nine keys; and back."""
    plan = lab.plan({
        'name': 'triage', 'parallel': 'tests', 'order': 'plan',
        'command': [lab.work, '0.1'], 'targets': ['watch'],
        'suites': [suite('a', [
            {'name': 'long', 'command': [lab.work, '600'],
             'estimate': '10m', 'agents': ['lab-1']},
            {'name': 'away', 'agents': ['lab-2'], 'estimate': '1s'},
            {'name': 'astray', 'agents': ['lab-2'], 'estimate': '1s'}])]})
    began = len(lab.watch.starts)
    with lab.screen('--launch', plan, cols=120) as screen:
        screen.keys('y')
        tap.ok('launched', lab.watch.wait(
            lambda w: len(w.starts) > began))
        keys = '!'
        screen.keys('!')
        screen.sees('the stuck queue is the first row',
                    '^> .*queue stuck: 2 no-agent')
        screen.keys('\r')
        keys += '\r'
        screen.sees('its cause', '^> no-agent')
        screen.keys('a')
        keys += 'a'
        screen.sees('skipping is offered with its effect',
                    's +skip +2 that would never end')
        screen.sees('amending is offered with its effect',
                    'M +amend +2 start now')
        tap.ok('what does not apply is not offered', not any(
            word in screen.dump() for word in ('start-now', 'undrain ')),
            screen.dump())
        screen.keys('M')
        keys += 'M'
        screen.sees('the preview says what is changed',
                    'agents:a/away=/./')
        screen.keys('y')
        keys += 'y'
        tap.ok('both run', lab.watch.wait(
            lambda w: {s[4] for s in w.starts[began:]} >= {
                'long', 'away', 'astray'}))
        screen.sees('the result is stated', '2 targets: amended')
        tap.ok('in %d keys' % len(keys), len(keys) <= 9)
        run = next(r['id'] for r in lab.json('runs')['runs']
                   if r['state'] == 'running')
        screen.keys('U')
        screen.sees('the way back', 'takes it back')
        screen.keys('y')
        screen.sees('it is undone', '2 targets: undone')
        made = lab.json('amendments', run)['amendments']
        tap.equal('and recorded', [(a['kind'], a.get('undoes'), a['new'])
                                   for a in made], [
            ('amend', None, '/./'), ('amend', None, '/./'),
            ('amend', 1, ''), ('amend', 2, '')])
        lab.cli('cancel', run)
        lab.watch.wait(lambda w: w.count() == 0)


def let_past(lab):
    """One that needs all workers was passed so often that its agent is kept
    for it; one of the others may go all the same."""
    plan = lab.plan({
        'name': 'kept', 'parallel': 'tests', 'order': 'plan', 'ahead': 0,
        'agents': ['lab-1'], 'command': [lab.work, '0.01'],
        'suites': [suite('a', [
            {'name': 'long', 'command': [lab.work, '600']},
            {'name': 'wide', 'workers': 8}] +
            ['t%d' % i for i in range(100)])]})
    console, run = lab.start_run(plan, '--quiet')
    last = '%s/102' % run
    tap.ok('the last one waits for what is kept for another', lab.until(
        lambda: any(x['id'] == last and x['reason'] == 'reserved'
                    for x in lab.json('queue')['queue']), 60))
    offers = {e['cure']: e for e in lab.json('why', last)['effects']}
    tap.equal('it may be let past', offers['override']['command'],
              'yardmaster override ' + last)
    tap.ok('with its effect', offers['override']['predicted'], offers)
    done = lab.cli('override', last)
    tap.equal('it is', done.returncode, 0)
    tap.ok('and starts', lab.watch.wait(lambda w: any(
        s[2] == last for s in w.starts)))
    made = lab.json('amendments', run)['amendments']
    tap.equal('who did it is recorded', [(a['kind'], a['object'],
              a['who'] != '') for a in made], [('override', last, True)])
    tap.ok('and an event', 'override ' + last in
           lab.cli('events').stdout)
    tap.ok('the others still wait', '* reserved:' in
           lab.cli('why', '%s/101' % run).stdout)
    lab.cli('cancel', run)
    console.communicate()


def main():
    sshd.need()
    agents = {'lab-1': {'targets': ['web', 'phone', 'watch']},
              'lab-2': {'targets': ['web']}}
    with Lab(2, agents, max_workers=8) as lab:
        s = Stuck(lab)
        tap.ok('it begins', s.started('long') and s.started('again'))
        s.why('again', 'retry-delay')
        s.why('skipped', 'needs-failed')
        effects(s)
        agents_that_may_be_used(s)
        each_cure(s)
        refusals(s)
        undone(s)
        outlives(s)
        on_screen(lab)
        let_past(lab)
    tap.done()


main()
