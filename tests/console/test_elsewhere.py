# SPDX-License-Identifier: GPL-3.0-or-later
"""A console shows the executions of a run that another process drives, and of
one that nobody drives any more: states, output, timeline; who knows more."""

import os

import sshd
import tap
import vt
from lab import Lab


def main():
    sshd.need()
    vt.need()
    with Lab(1, max_workers=1) as lab:
        gate = lab.dir + '/gate'
        console, run = lab.start_run(lab.plan({
            'name': 'other', 'parallel': 'tests', 'order': 'plan',
            'ahead': 0, 'suites': [{'name': 's', 'tests': [
                {'name': 'fails', 'shell': 'echo bad luck; exit 3'},
                {'name': 'long', 'shell': ': >%s.on; while [ ! -e %s ]; '
                 'do sleep 0.02; done' % (gate, gate)},
                {'name': 'later', 'shell': 'true'}]}]}), '--quiet')
        tap.ok('it runs', lab.until(lambda: os.path.exists(gate + '.on')))
        with lab.screen(cols=100) as screen:
            screen.keys('6')
            screen.sees('the run is listed', run)
            screen.keys(vt.ENTER)
            screen.sees('failures first', '^> .*failed +s/fails .*lab-1/1')
            screen.sees('what runs', 'running +s/long .*lab-1/1')
            screen.sees('what waits', 'waiting +s/later')
            screen.keys(vt.ENTER)
            screen.sees('the output of what failed', 'bad luck')
            screen.keys(vt.BACKSPACE)
            screen.expect('^> .* s/fails')
            screen.keys('jj')
            screen.expect('^> .* s/later')
            screen.keys('w')
            screen.sees('who knows why it waits', 'drives its run and knows')
            screen.sees('and how to ask', 'yardmaster why %s/3' % run)
            screen.keys(vt.BACKSPACE)
            screen.expect('^> .* s/later')
            screen.keys('ac')
            screen.sees('no effect is foreseen', '1 running *│')
            screen.keys('y')
            screen.sees('how it is done', '"yardmaster cancel %s/3" does it'
                        % run)
            screen.keys(vt.BACKSPACE)
            screen.expect('^> .* s/later')
            screen.keys('g')
            screen.sees('the timeline', 'lab-1/1 ')
            screen.keys(vt.BACKSPACE)
            screen.expect('^> .* s/later')
            open(gate, 'w').close()
            console.communicate()
            screen.sees('what ended meanwhile', 'passed +s/later')
            screen.keys('w')
            screen.sees('and that it ended', 'it has ended')
    tap.done()


main()
