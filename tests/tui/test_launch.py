#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that find their tests by a command: the command line's part, and the
screen, which goes on while the command runs, shows what went wrong and ends
the command when it is no longer wanted."""

import json
import os
import select
import subprocess
import tempfile

import tap
import vt

BUILD = os.environ.get('YM_BUILDDIR', '.')
CONSOLE = os.path.join(BUILD, 'yardmaster')
SCREEN = os.path.join(BUILD, 'tests/tui/fake_console')


def write(directory, name, command):
    path = os.path.join(directory, name + '.plan.json')
    with open(path, 'w') as f:
        json.dump({'name': name, 'command': ['true'], 'parallel': 'tests',
                   'suites': [{'name': 's', 'discover': {
                       'command': ['sh', '-c', command]}}]}, f)
    return path


class Said:
    """What a command says on a FIFO: a line, then '' when it has ended, or
    None when neither came in time."""

    def __init__(self, path):
        self.path = path
        self.open()

    def open(self):
        self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def read(self):
        # A FIFO that nobody has written to yet is silent, not at its end.
        if not select.select([self.fd], [], [], 20)[0]:
            return None
        return os.read(self.fd, 100).decode()


def command_line(good, bad):
    r = subprocess.run([CONSOLE, 'plan', 'discover', good],
                       stdin=subprocess.DEVNULL, capture_output=True)
    tap.equal('plan discover ends well', r.returncode, 0)
    tap.equal('and prints a snapshot', json.loads(r.stdout)['executions'], 3)
    r = subprocess.run([CONSOLE, 'plan', 'discover', bad], text=True,
                       stdin=subprocess.DEVNULL, capture_output=True)
    tap.equal('a fault is exit 4', r.returncode, 4)
    tap.ok('with the reason', 'exited with 3' in r.stderr and
           'no such tool' in r.stderr, r.stderr)
    tap.equal('and no plan', r.stdout, '')
    r = subprocess.run([CONSOLE, '--help'], text=True, capture_output=True)
    tap.ok('it is not listed', 'plan discover' not in r.stdout, r.stdout)



def screen(good, bad, slow, said, env):
    with vt.Screen([SCREEN, good, bad, slow], env=env) as s:
        s.keys('5')
        s.sees('they are listed', '> good ')
        s.keys(vt.ENTER)
        s.sees('the tests that were found count', 'executions +3')
        s.keys('f' + 'test:b' + vt.ENTER)
        s.sees('and can be filtered', 'executions +1')
        s.keys(vt.LEFT)
        s.sees('a choice that changes nothing', '< tests >')
        s.keys('y')
        s.sees('it starts', 'run r0000000099 started')
        s.keys('5j' + vt.ENTER)
        s.sees('what went wrong is shown', 'exited with|no such tool')
        s.keys(vt.ESC)
        s.loses('until it is closed', 'exited with|no such tool')
        s.keys('j' + vt.ENTER)
        s.sees('the screen says that it waits', 'Esc gives up')
        tap.equal('the command runs', said.read(), 'began\n')
        s.keys(vt.ESC)
        s.sees('it is given up', 'discovery given up')
        tap.equal('and ended', said.read(), '')
        s.keys(vt.ENTER)
        said.open()
        said.read()
        s.kill('KILL')
        tap.equal('a console that dies ends it, too', said.read(), '')


def main():
    vt.need()
    with tempfile.TemporaryDirectory() as directory:
        fifo = os.path.join(directory, 'fifo')
        os.mkfifo(fifo)
        good = write(directory, 'good', 'echo a; echo b; echo c')
        bad = write(directory, 'bad', 'echo no such tool >&2; exit 3')
        slow = write(directory, 'slow',
                     'exec 5>"%s"; echo began >&5; sleep 100' % fifo)
        env = dict(HOME=directory, FAKE_PROGRAM=CONSOLE)
        command_line(good, bad)
        screen(good, bad, slow, Said(fifo), env)
    tap.done()


main()
