# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed around runs that go on, over real SSH hosts: a pause, and
that all of it outlives a console that is killed."""

import json
import os
import shlex
import signal
import subprocess

import sshd
import tap
import vt
from lab import CONSOLE, SRC, Lab

TOOL = SRC + '/tests/data/batch/tool.py'


def plan_of(lab):
    return {
        'name': 'changed', 'parallel': 'tests', 'order': 'plan',
        'command': [lab.work, '0.1'],
        'suites': [{'name': 'a', 'agents': ['lab-1'], 'tests': [
            {'name': 'long', 'command': [lab.work, '600']},
            {'name': 'next', 'needs': ['gate']},
            {'name': 'after', 'needs': ['gate']},
            {'name': 'gate', 'command': [lab.work, '600']}]}]}


class Changed:
    """A run with something that runs, and the numbers of its tests."""

    def __init__(self, lab, plan):
        self.lab = lab
        self.plan = lab.plan(plan)
        self.no = {x['steps'][0]['test']: x['id'] for x in
                   lab.json('plan', 'show', self.plan)['executions']}
        self.console, self.run = lab.start_run(self.plan, '--quiet')

    def id(self, test):
        return '%s/%d' % (self.run, self.no[test])

    def started(self, test, times=1):
        return self.lab.watch.wait(lambda w: sum(
            s[2] == self.id(test) for s in w.starts) >= times)

    def why(self, test, *words):
        """Asks until the headline has all these words."""
        def said():
            text = self.lab.cli('why', self.id(test)).stdout
            lines = [x for x in text.splitlines() if x.startswith('* ')]
            return lines and all(w in lines[0] for w in words)
        tap.ok('%s: %s' % (test, ', '.join(words)), self.lab.until(said),
               self.lab.cli('why', self.id(test)).stdout)

    def do(self, *args, text=None, code=0):
        done = self.lab.cli(*args)
        tap.ok(' '.join(args), done.returncode == code and
               (text is None or text in done.stdout + done.stderr),
               done.stdout + done.stderr)
        return done

    def offered(self, test, cure, commands, never=None):
        """These commands are offered for it, with an effect; where FLEET
        stands they name the file."""
        commands = [c.replace('FLEET', '--fleet ' + self.lab.fleet)
                    for c in commands]

        def found():
            return [e for e in self.lab.json('why', self.id(test))['effects']
                    if e['cure'] == cure]
        self.lab.until(lambda: [e['command'] for e in found()] == commands)
        got = found()
        tap.equal('%s: %s' % (test, cure), [e['command'] for e in got],
                  commands)
        tap.ok('with an effect', all(e['effect'] for e in got) and (
            never is None or got and got[0]['predicted'] and
            got[0]['never'] - got[0]['never_without'] == never), got)

    def typed(self, command):
        """A command that was offered is typed as it stands."""
        done = subprocess.run([CONSOLE] + shlex.split(command)[1:],
                              env=self.lab.env, cwd='/',
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding='utf-8')
        tap.ok(command, done.returncode == 0, done.stdout)

    def amendments(self):
        return self.lab.json('amendments', self.run)['amendments']

    def kill_and_resume(self):
        self.console.kill()
        self.console.communicate()
        self.console = self.lab.resume(self.run)

    def end(self):
        self.console.send_signal(signal.SIGINT)
        self.console.communicate()


def a_pause(lab):
    s = Changed(lab, plan_of(lab))
    tap.ok('it begins', s.started('gate'))
    s.do('pause', s.run, '--note', 'new switch')
    s.do('run-anyway', s.id('next'))
    s.why('next', 'console-paused', 'new switch')
    made = s.amendments()[0]
    tap.ok('the run records the pause', made['kind'] == 'pause' and
           made['who'] and made['time'] and made['new'] == 'new switch', made)
    s.kill_and_resume()
    s.why('next', 'console-paused', 'new switch', made['who'])
    s.do('go-on', s.run)
    tap.ok('it goes on when it is told to', s.started('next'))
    s.kill_and_resume()
    s.do('run-anyway', s.id('after'))
    tap.ok('and still does after another console', s.started('after'))
    s.end()


def a_pause_is_undone(lab):
    s = Changed(lab, plan_of(lab))
    tap.ok('it begins', s.started('gate'))
    s.do('pause', s.run)
    s.do('run-anyway', s.id('next'))
    s.why('next', 'console-paused')
    s.do('undo', s.run, str(s.amendments()[0]['number']))
    tap.ok('the pause is over', s.started('next'))
    s.kill_and_resume()
    s.do('run-anyway', s.id('after'))
    tap.ok('for whoever comes, too', s.started('after'))
    s.end()


def fleet_run(lab):
    tests = [
        {'name': 'gate', 'command': [lab.work, '600'], 'agents': ['lab-1']},
        {'name': 'gpu', 'agents': ['@gpu']},
        {'name': 'phone', 'targets': ['phone']},
        {'name': 'far', 'agents': ['lab-2']},
        {'name': 'wide', 'agents': ['lab-1'], 'workers': 4}]
    for t in tests[1:]:
        t['needs'] = ['gate']
    return {
        'name': 'fleet', 'parallel': 'tests', 'order': 'plan',
        'command': [lab.work, '0.1'], 'targets': ['web'],
        'suites': [{'name': 'a', 'tests': tests}]}


def fresh_fleet(lab):
    """As it is without edits."""
    lab.write_fleet({'lab-1': {'targets': ['web', 'phone'],
                               'labels': ['gpu', 'big']},
                     'lab-2': {'targets': ['web']}}, max_workers=8)
    if os.path.exists(lab.fleet + '.edits'):
        os.unlink(lab.fleet + '.edits')


def edited(s, number):
    return s.lab.json('fleet', 'edits')['edits'][number - 1]


def names(lab):
    return [a['name'] for a in lab.json('agents')['agents']]


def a_fleet(lab):
    """Labels, targets and agents are changed while a run goes on: what it then
    cannot do waits for an operator, and goes on when it can."""
    fresh_fleet(lab)
    with open(lab.fleet) as f:
        before = f.read()
    second = json.loads(before)['agents'][1]
    s = Changed(lab, fleet_run(lab))
    tap.ok('it begins', s.started('gate'))
    s.why('gpu', 'needs')
    s.do('set', 'lab-1', 'labels-=gpu', text='lab-1: labels ["big"] (edit 1)')
    s.why('gpu', 'no-agent', 'nearest is lab-1, which lacks @gpu')
    one = edited(s, 1)
    tap.ok('the edit is recorded', one['who'] and one['time'] and
           (one['agent'], one['key'], one['old'], one['new']) ==
           ('lab-1', 'labels', '["gpu","big"]', '["big"]'), one)
    tap.ok('and an event says who did it', lab.until(
        lambda: any('labels' in e['text'] and e['who'] == one['who']
                    for e in lab.json('events')['events'])))
    s.offered('gpu', 'amend an agent', [
        'yardmaster set lab-1 labels+=gpu FLEET'],
              never=-1)
    s.offered('gpu', 'add an agent', ['yardmaster fleet add HOST labels=gpu '
                                      'targets=web FLEET'])
    s.typed('yardmaster set lab-1 labels+=gpu --fleet ' + lab.fleet)
    s.why('gpu', 'needs')
    s.offered('gpu', 'show the holder', ['yardmaster why ' + s.id('gate')])
    s.do('run-anyway', s.id('gpu'))
    tap.ok('what needs the label runs', s.started('gpu'))
    s.do('fleet', 'edit', 'lab-1', 'targets-=phone')
    s.why('phone', 'no-agent', 'target phone')
    s.offered('phone', 'amend an agent',
              ['yardmaster set lab-1 targets+=phone FLEET'], never=-1)
    s.do('fleet', 'undo', '3', text='lab-1: targets as before')
    s.do('fleet', 'undo', '3', code=4, text='no longer')
    s.do('run-anyway', s.id('phone'))
    tap.ok('what needs the target runs', s.started('phone'))
    s.do('fleet', 'remove', 'lab-2')
    s.why('far', 'no-agent', 'lab-2')
    s.offered('far', 'amend an agent', [])
    s.offered('far', 'add an agent',
              ['yardmaster fleet add lab-2 targets=web FLEET'])
    tap.equal('it is out of the fleet', names(lab), ['lab-1'])
    s.do('fleet', 'add', 'lab-2', *values_of(second), 'targets=web')
    tap.equal('it is in it again', names(lab), ['lab-1', 'lab-2'])
    s.do('run-anyway', s.id('far'))
    tap.ok('and takes work', s.started('far'))
    s.do('set', 'lab-1', 'max_workers=2')
    s.why('wide', 'no-agent', 'no agent gives 4 workers')
    s.offered('wide', 'raise max workers',
              ['yardmaster set lab-1 max_workers=4 FLEET'], never=-1)
    s.do('set', 'lab-1', 'max_workers=3', 'threshold=2')
    s.offered('wide', 'raise max workers',
              ['yardmaster set lab-1 max_workers=4 threshold=max FLEET'],
              never=-1)
    s.do('set', 'lab-1', 'max_workers=8')
    s.why('wide', 'no-agent', 'threshold 2, max workers 8')
    s.typed('yardmaster set lab-1 threshold=max --fleet ' + lab.fleet)
    s.do('run-anyway', s.id('wide'))
    tap.ok('what needs four workers runs', s.started('wide'))
    s.kill_and_resume()
    s.end()
    with open(lab.fleet) as f:
        tap.equal('the file itself is as it was', f.read(), before)


def retargeted(lab):
    """What has not begun is for another target: results have its name, here
    and for whoever takes the run over."""
    fresh_fleet(lab)
    plan = fleet_run(lab)
    tests = plan['suites'][0]['tests']
    tests[2]['data'] = {'rows': [{'n': '1'}, {'n': '2'}]}
    plan['suites'].append({'name': 'b', 'parallel': 'none', 'needs': ['gate'],
                           'targets': ['web', 'phone'], 'tests': ['both']})
    s = Changed(lab, plan)
    tap.ok('it begins', s.started('gate'))
    s.do('fleet', 'edit', 'lab-1', 'targets-=phone')
    s.why('phone', 'no-agent', 'target phone')
    s.do('amend', s.run, 'target:a/phone,phone=tablet',
         text='2 executions, 0 left')
    s.why('phone', 'no-agent', 'target tablet')
    s.do('fleet', 'edit', 'lab-1', 'targets+=tablet')
    s.why('phone', 'needs')
    made = [a for a in s.amendments() if a['kind'] == 'amend']
    first = s.no['phone'] - 1
    tap.equal('one amendment for each', [(a['key'], a['old'], a['new'])
                                         for a in made], [
        ('target:%d,phone' % (first + i), 'phone', 'tablet')
        for i in (0, 1)])
    s.do('undo', s.run, str(made[0]['number']), text='tablet -> phone')
    s.do('amend', s.run, 'target:b,phone=tablet', text='1 execution,')
    s.do('amend', s.run, 'target:b,web=tablet', code=2)
    s.do('amend', s.run, 'target:gate,web=tablet', code=2, text='1 left')
    s.kill_and_resume()
    s.why('phone', 'needs')
    s.do('run-anyway', s.id('phone'))
    s.do('run-anyway', s.id('both'))
    tap.ok('they run', s.started('phone') and s.started('both', 2))
    s.do('skip', '%s/%d' % (s.run, first))
    s.do('cancel', s.id('gate'))
    s.console.communicate()
    rows = [(x['test'], x['row'], x['target'], x['state'])
            for e in lab.json('report', s.run)['executions']
            for x in e['steps'] if x['test'] in ('phone', 'both')]
    tap.equal('results have the new names', rows, [
        ('phone', '1', 'phone', 'skipped'),
        ('phone', '2', 'tablet', 'passed'),
        ('both', None, 'web', 'passed'), ('both', None, 'tablet', 'passed')])


def retargeted_together(lab):
    """The same of what shares a process, and of what runs together."""
    fresh_fleet(lab)
    s = Changed(lab, {
        'name': 'shared', 'parallel': 'tests', 'order': 'plan',
        'command': [lab.work, '0.1'], 'targets': ['web'], 'suites': [
            {'name': 'a', 'tests': [
                {'name': 'gate', 'command': [lab.work, '600']}]},
            {'name': 'many', 'needs': ['gate'], 'batch': True,
             'targets': ['phone'], 'tests': ['m1', 'm2', 'm3'],
             'command': ['/usr/bin/python3', TOOL, lab.dir, '0',
                         '{results}', '{tests}'],
             'results': {'junit': '{results}', 'name': '{name}'}},
            {'name': 'chat', 'needs': ['gate'], 'targets': ['phone'],
             'same_agent': True, 'together': [
                 {'role': 'server', 'command': [lab.work, '0.1']},
                 {'role': 'client', 'command': [lab.work, '0.1']}]}]})
    tap.ok('it begins', s.started('gate'))
    s.do('fleet', 'edit', 'lab-1', 'targets-=phone')
    s.why('m1', 'no-agent', 'target phone')
    s.do('amend', s.run, 'target:many,phone=tablet', text='3 executions, 0')
    s.do('amend', s.run, 'target:chat,phone=tablet', text='2 executions, 0')
    s.why('m2', 'no-agent', 'target tablet')
    s.why('client', 'no-agent', 'target tablet')
    made = [a['number'] for a in s.amendments() if a['kind'] == 'amend']
    s.do('undo', s.run, str(made[0]), text='tablet -> phone')
    s.do('undo', s.run, str(made[-1]), text='tablet -> phone')
    s.why('m1', 'no-agent', 'target phone')
    s.do('amend', s.run, 'target:chat/client,phone=tablet',
         text='1 execution, 0')
    s.do('fleet', 'edit', 'lab-1', 'targets+=tablet')
    s.why('m2', 'needs')
    s.kill_and_resume()
    s.why('client', 'needs')
    s.do('skip', s.id('m1'))
    for test in ('m2', 'm3', 'server', 'client'):
        s.do('run-anyway', s.id(test))
    tap.ok('they run', s.started('client'))
    s.do('cancel', s.id('gate'))
    s.console.communicate()
    rows = {x['test']: (x['target'], x['state'])
            for e in lab.json('report', s.run)['executions']
            for x in e['steps']}
    del rows['gate']
    tap.equal('results have the new names', rows, {
        'm1': ('phone', 'skipped'), 'm2': ('tablet', 'passed'),
        'm3': ('tablet', 'passed'), 'server': ('tablet', 'passed'),
        'client': ('tablet', 'passed')})


def all_taken(lab):
    """What a person took without an end can be given back."""
    fresh_fleet(lab)
    plan = fleet_run(lab)
    # What needs a lock is never sent to wait at an agent.
    plan['suites'][0]['tests'][1]['locks'] = ['db']
    s = Changed(lab, plan)
    tap.ok('it begins', s.started('gate'))
    s.do('take', 'lab-1', '--workers', '7', '--note', 'my turn')
    # The console hears of it before anything is sent.
    s.do('hold', s.id('gpu'))
    s.do('run-anyway', s.id('gpu'))
    tap.ok('the workers are taken', lab.until(
        lambda: '8 of 8 busy' in lab.cli('why', s.id('gpu')).stdout))
    s.do('release', s.id('gpu'))
    s.why('gpu', 'workers-busy')
    found = lab.until(lambda: [
        e['command'] for e in lab.json('why', s.id('gpu'))['effects']
        if e['cure'] == 'release'])
    tap.ok('giving back is offered', found and all(
        c.startswith('yardmaster give-back lab-1 ') for c in found), found)
    tap.ok('with what starts then', next(
        e for e in lab.json('why', s.id('gpu'))['effects']
        if e['cure'] == 'release')['starts'] >= 1)
    s.typed(found[0])
    tap.ok('and cures', s.started('gpu'))
    s.end()


def on_screen(lab):
    """What became impossible is among what needs attention, and leaves when
    it is possible again; a new agent is there without a key."""
    fresh_fleet(lab)
    plan = fleet_run(lab)
    with open(lab.fleet) as f:
        second = json.load(f)['agents'][1]
    began = len(lab.watch.starts)
    with lab.screen('--launch', lab.plan(plan), cols=120) as screen:
        screen.keys('y')
        tap.ok('launched', lab.watch.wait(lambda w: len(w.starts) > began))
        run = next(r['id'] for r in lab.json('runs')['runs']
                   if r['state'] == 'running')
        screen.keys('3ftest:gpu\r')
        screen.sees('it waits for another', '^> needs')
        screen.keys('a')
        screen.sees('what it waits for can be shown', 'H +holder')
        screen.keys('H')
        screen.sees('and is', 'a/gate')
        screen.keys('\x1b')
        lab.cli('set', 'lab-1', 'labels-=gpu')
        screen.sees('a label less', '^> no-agent')
        screen.keys('a')
        screen.sees('of one that waits all cures of why are offered',
                    'E +amend-agent +1 starts now')
        screen.keys('E')
        screen.sees('the edit is shown', 'lab-1 +labels\\+=gpu')
        screen.keys('y')
        screen.sees('and made', '^> needs')
        tap.equal('in the fleet', [lab.json('fleet', 'edits')['edits'][-1][k]
                                   for k in ('agent', 'key', 'new')],
                  ['lab-1', 'labels', '["big","gpu"]'])
        lab.cli('fleet', 'remove', 'lab-2')
        screen.keys('!')
        screen.sees('an agent less', 'queue stuck: 1 no-agent')
        screen.keys('\ra')
        screen.sees('another agent can be added', 'A +add-agent +lab-2')
        screen.keys('A')
        screen.sees('by its name', 'name +lab-2')
        screen.sees('with what it is to have', 'values +targets=web')
        screen.keys('\t ' + ' '.join(values_of(second)) + '\r')
        screen.sees('with what is typed', 'joins the fleet: targets=web ')
        screen.keys('y')
        tap.ok('it is in the fleet', lab.until(
            lambda: names(lab) == ['lab-1', 'lab-2']))
        screen.keys('!')
        screen.loses('nothing is stuck', 'queue stuck')
        lab.cli('set', 'lab-1', 'labels-=gpu')
        screen.sees('a label less', 'queue stuck: 1 no-agent')
        lab.cli('fleet', 'remove', 'lab-2')
        screen.sees('an agent less', 'queue stuck: 2 no-agent')
        lab.cli('set', 'lab-1', 'max_workers=2')
        screen.sees('fewer workers', 'queue stuck: 3 no-agent')
        lab.cli('set', 'lab-1', 'labels+=gpu', 'max_workers=8')
        screen.sees('two are cured', 'queue stuck: 1 no-agent')
        lab.cli('fleet', 'add', 'lab-3', *values_of(second),
                'instance=third', 'targets=web')
        screen.keys('1')
        screen.sees('the new agent is on the screen', 'lab-3 .*idle')
        lab.cli('cancel', run)
        lab.watch.wait(lambda w: w.count() == 0)


def one_more(lab):
    """An agent of which the console never heard joins a run, and a file that
    was edited by hand is read again."""
    fresh_fleet(lab)
    with open(lab.fleet) as f:
        file = json.load(f)
    plan = fleet_run(lab)
    plan['suites'][0]['tests'][3]['agents'] = ['lab-2', 'lab-3']
    s = Changed(lab, plan)
    tap.ok('it begins', s.started('gate'))
    s.do('fleet', 'remove', 'lab-2')
    s.why('far', 'no-agent')
    third = dict(file['agents'][1], name='lab-3', instance='third')
    s.do('fleet', 'add', 'lab-3', *values_of(third), 'targets=web')
    s.do('run-anyway', s.id('far'))
    tap.ok('a new agent takes work', s.started('far'))
    tap.ok('and is where it ran', lab.watch.wait(lambda w: any(
        x[1] == 'lab-3' and x[2] == s.id('far') for x in w.starts)))
    s.do('fleet', 'edit', 'lab-3', 'prot=22', code=4, text='port')
    s.do('fleet', 'edit', 'lab-3', 'name=x', code=4, text='keeps its name')
    s.do('fleet', 'edit', 'lab-3', 'port=99999', code=4)
    s.do('fleet', 'edit', 'lab-9', 'port=1', code=4, text='not in the fleet')
    s.do('fleet', 'add', 'lab-3', code=4, text='already')
    file['agents'][0]['targets'] = ['web']
    with open(lab.fleet, 'w') as f:
        json.dump(file, f)
    s.why('phone', 'needs')
    s.do('fleet', 'reload')
    s.why('phone', 'no-agent', 'target phone')
    s.end()


def values_of(agent):
    return ['%s=%s' % (k, v if isinstance(v, str) else json.dumps(v))
            for k, v in agent.items() if k not in ('name', 'targets')]


def main():
    sshd.need()
    vt.need()
    with Lab(2, max_workers=8) as lab:
        a_pause(lab)
        a_pause_is_undone(lab)
        a_fleet(lab)
        retargeted(lab)
        retargeted_together(lab)
        all_taken(lab)
        one_more(lab)
        on_screen(lab)
    tap.done()


main()
