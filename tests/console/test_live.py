# SPDX-License-Identifier: GPL-3.0-or-later
"""The console on a terminal of 80x24, linked to three SSH hosts, while 60
executions of 2 s run: edits made by keys are followed by what really runs,
counted by the commands themselves, and the panes show the same numbers."""

import sshd
import tap
import vt
from lab import Lab

SECONDS = 2.0
# What ran when an edit was made may run to its end, and a little more: this
# machine has other work, too.
FOLLOW = SECONDS + 1.0


def agent_row(screen, name, numbers):
    """The Agents pane shows busy/threshold/max of an agent."""
    screen.sees('the Agents pane says %s of %s' % (numbers, name),
                '%s .* %s ' % (name, numbers))


def go_to(screen, name):
    """Moves the cursor of the Agents pane to an agent."""
    for _ in range(4):
        if screen.expect('^> ' + name, 300):
            return
        screen.keys('j')


def form(screen, key, value):
    """Opens a form on the row of the cursor, types, previews, applies."""
    screen.keys(key)
    screen.expect('Enter previews')
    screen.keys(value)
    screen.keys(vt.ENTER)
    screen.sees('the change is shown before it is made', r'-> *' + value)
    screen.keys('y')


def main():
    sshd.need()
    vt.need()
    agents = {'lab-1': {'max_workers': 1}, 'lab-2': {'max_workers': 3},
              'lab-3': {'max_workers': 2}}
    with Lab(3, agents) as lab:
        plan = lab.plan({
            'name': 'live', 'parallel': 'tests', 'order': 'plan',
            'command': [lab.work, str(SECONDS)],
            'suites': [{'name': 's',
                        'tests': ['t%d' % i for i in range(60)]}]})
        watch = lab.watch
        with lab.screen('--launch', plan) as screen:
            screen.sees('all links come up', 'links 3/3')
            screen.expect('start the run')
            screen.sees('the launch is predicted on the workers there are',
                        'on 3 agents with 6 workers')
            screen.keys('y')
            tap.ok('1, 3 and 2 run at once', watch.wait(
                lambda w: (w.count('lab-1'), w.count('lab-2'),
                           w.count('lab-3')) == (1, 3, 2)))
            screen.keys('2')
            agent_row(screen, 'lab-1', '1/1/1')
            agent_row(screen, 'lab-2', '3/3/3')
            agent_row(screen, 'lab-3', '2/2/2')

            go_to(screen, 'lab-1')
            form(screen, 'm', '3')
            tap.ok('raised to 3, 3 run within 2 s', watch.wait(
                lambda w: w.count('lab-1') == 3, 2.0))
            agent_row(screen, 'lab-1', '3/3/3')

            go_to(screen, 'lab-2')
            form(screen, 't', '1')
            tap.ok('lowered to 1, the others run out', watch.wait(
                lambda w: w.count('lab-2') == 1, FOLLOW))
            watch.most['lab-2'] = 0
            agent_row(screen, 'lab-2', '1/1/3')

            go_to(screen, 'lab-3')
            screen.keys('a')
            screen.expect('drain')
            screen.keys('d')
            screen.expect('why, for the others')
            screen.keys('new disk' + vt.ENTER)
            screen.sees('the drain is shown before it is made', 'y: ')
            screen.keys('y')
            tap.ok('drained, what runs runs out', watch.wait(
                lambda w: w.count('lab-3') == 0, FOLLOW))
            watch.most['lab-3'] = 0
            screen.sees('the pane says it drains', 'lab-3 .*draining')

            tap.ok('an execution runs that can be cancelled', watch.wait(
                lambda w: w.count('lab-1') == 3))
            cancel_one(screen, watch)
            tap.equal('never more than the threshold since',
                      watch.most['lab-2'], 1)
            tap.equal('nothing on the drained one since',
                      watch.most['lab-3'], 0)
    tap.done()


def cancel_one(screen, watch):
    """Cancels the newest execution of lab-1, from the run's executions."""
    screen.keys('6' + vt.ENTER)
    screen.expect('Executions 60')
    seen = len(watch.starts)
    watch.wait(lambda w: any(s[1] == 'lab-1' for s in w.starts[seen:]))
    test, execution = next((s[4], s[2]) for s in watch.starts[seen:]
                           if s[1] == 'lab-1')
    screen.keys('ftest:%s' % test + vt.ENTER)
    screen.expect('^> .*s/%s ' % test)
    screen.keys('a')
    screen.expect('cancel')
    screen.keys('c')
    screen.sees('the cancelled one is named', 's/%s ' % test)
    screen.keys('y')
    tap.ok('the cancelled one ends within 2 s', watch.wait(
        lambda w: execution not in w.running, 2.0))
    screen.sees('the pane says it is cancelled', 'cancelled .*s/%s ' % test)


main()
