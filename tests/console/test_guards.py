# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards from a console: of the fleet file, by the command, and as the cure
of a queue that is stuck, by keys at 80x24."""

import sshd
import tap
import vt
from lab import Lab


def guards(lab, name):
    return {a['name']: a for a in lab.json('agents')['agents']}[name]


def main():
    sshd.need()
    vt.need()
    agents = {'lab-1': {'max_workers': 2, 'guards': {'free_disk': '2M'}}}
    with Lab(1, agents) as lab:
        lab.cli('fleet', 'test')
        tap.equal('the fleet file is told to the agent',
                  guards(lab, 'lab-1')['guards'], {'free_disk': 2 << 20})
        got = lab.cli('set', 'lab-1', 'guards.free_memory=1000000T')
        tap.ok('set by the command', got.returncode == 0 and
               'free_memory default -> 1000000T' in got.stdout + got.stderr,
               got)
        tap.ok('and past it', guards(lab, 'lab-1')['guard'].startswith(
            'memory: '))
        for wrong, said in (('guards.memory=1', 'load_per_cpu, free_memory'),
                            ('guards.load_per_cpu=x', 'a number up to'),
                            ('guards.free_disk=-1', 'a size such as')):
            got = lab.cli('set', 'lab-1', wrong)
            tap.ok('refused: ' + wrong, got.returncode == 4 and
                   said in got.stderr, got)
        plan = lab.plan({'name': 'stuck', 'command': [lab.work, '0'],
                         'suites': [{'name': 's', 'tests': ['t1']}]})
        with lab.screen('--launch', plan) as screen:
            screen.expect('start the run')
            screen.keys('y')
            screen.keys('3')
            screen.sees('the reason is the guard', 'guard: .*s/t1')
            screen.keys('a')
            screen.sees('its cure is offered', r'f +guards')
            screen.keys('f')
            screen.expect('Enter previews')
            screen.keys(vt.TAB + 'much' + vt.ENTER)
            screen.sees('what is allowed is said', '512M, 2G, off or default')
            for _ in 'much':
                screen.keys(vt.BACKSPACE)
            screen.keys('default' + vt.ENTER)
            screen.sees('the change is shown before it is made',
                        'free_memory 1000000T -> default')
            screen.keys('y')
            tap.ok('it cures', lab.watch.wait(lambda w: w.starts))
            screen.expect('guards set')
            screen.keys('U')
            screen.sees('and can be undone',
                        'free_memory default -> 1000000T')
            screen.keys('y')
            screen.expect('undone')
        with lab.screen(rows=40, cols=160) as screen:
            screen.keys('2')
            screen.sees('the agent says its guards',
                        'guards .*free_memory 1000000T')
    tap.done()


main()
