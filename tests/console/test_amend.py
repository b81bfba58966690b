# SPDX-License-Identifier: GPL-3.0-or-later
"""What is changed around runs that go on, over real SSH hosts: a pause, and
that all of it outlives a console that is killed."""

import signal

import sshd
import tap
from lab import Lab


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

    def amendments(self):
        return self.lab.json('amendments', self.run)['amendments']

    def kill_and_resume(self):
        self.console.kill()
        self.console.communicate()
        self.console = self.lab.start('resume', self.run, '--quiet')
        for line in self.console.stderr:
            if 'took over' in line:
                break

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


def main():
    sshd.need()
    with Lab(2, max_workers=8) as lab:
        a_pause(lab)
        a_pause_is_undone(lab)
    tap.done()


main()
