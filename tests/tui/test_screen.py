#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The console on a terminal: what is seen, what it costs in bytes, and what
it does with terminals that are small, unknown, slow or gone."""

import fcntl
import os
import pty
import re
import signal
import struct
import tempfile
import termios

import tap
import vt

vt.need()
PROGRAM = os.path.join(os.environ.get('YM_BUILDDIR', '.'),
                       'tests/tui/fake_console')


def console(*args, **kw):
    return vt.Screen([PROGRAM, *args], **kw)


with console() as s:
    s.sees('the first view', 'lab RW links 5/7')
    s.keys('2')
    s.sees('agents', 'lab-1 .* busy')
    s.quiet(300)
    s.bytes()
    s.keys('j')
    s.quiet(300)
    moved = s.bytes()
    tap.ok('a cursor move costs at most 45 bytes', 0 < moved <= 45,
           '%d bytes' % moved)
    s.quiet(1500)
    idle = s.bytes()
    s.quiet(1500)
    tap.ok('idle costs next to nothing', idle <= 200, '%d bytes' % idle)
    s.keys(vt.DOWN + vt.DOWN)
    s.sees('arrows of the application mode', '^> mac-1')
    s.keys('\x1b[A')
    s.sees('arrows of the other mode', '^> lab-3')
    s.keys('m6')
    s.sees('a form', 'Max workers: 1 target')
    s.keys(vt.ESC)
    s.sees('Esc keeps what was typed', 'Esc again leaves')
    s.keys(vt.ENTER)
    s.sees('the preview', 'max 8 -> 6')
    s.keys('y')
    s.sees('the result', 'lab-3: max workers set')
    s.resize(30, 100)
    s.sees('a resize', 'MAX FROM')
    s.quiet(200)
    tap.ok('the key line is the last row', '? help' in s.row(29), s.dump())
    s.resize(4, 20)
    s.sees('a tiny terminal gets one line', '^!6 5/7 4r')
    s.resize(24, 80)
    s.sees('and back', '2 Agents 7')
    s.keys('q')
    s.sees('leaving is asked', 'Leave the console')
    s.keys('y')
    tap.equal('it leaves', s.exit(), 0)

with console(env={'TERM': 'no-such-terminal'}) as s:
    s.sees('an unknown TERM is said', 'TERM no-such-terminal is unknown')

with console(env={'LC_ALL': 'C'}) as s:
    s.sees('ASCII where there is no UTF-8', '###')
    tap.ok('no other character', all(ord(c) < 128 for c in s.dump()),
           s.dump())

with console(env={'NO_COLOR': '1'}) as s:
    s.sees('without colour', 'lab RW')
    s.keys('0')
    s.sees('a word for each state', 'X bad|✗ bad')
    tap.ok('the header is in reverse', 'R' in s.attrs(0) or
           'r' in s.attrs(0), s.attrs(0))

for term in ('screen', 'linux', 'vt100'):
    with console(env={'TERM': term}) as s:
        s.sees('it runs on ' + term, 'lab RW links')

for theme in ('dark', 'mono', 'production'):
    with console('--theme', theme) as s:
        s.sees('theme ' + theme, 'lab RW links')

with console('--keymap', 'vi') as s:
    s.sees('the vi map', 'lab RW')
    s.keys('3Gl')
    s.sees('a sequence and l', 'Why it waits')
    s.keys('hgg')
    s.sees('h is back, gg is first', '^> workers-busy')

with tempfile.TemporaryDirectory() as state:
    with console(env={'FAKE_STATE': state}) as s:
        s.sees('the first start shows the overview', '1 Overview')
        s.keys('3>')
        s.sees('sorted', 'sorted by reason')
        s.keys('qy')
        s.exit()
    with console(env={'FAKE_STATE': state}) as s:
        s.sees('the last view is kept', '3 Queue .*|REASON \\^')
        tap.ok('with its order', re.search(r'REASON \^', s.dump()),
               s.dump())

with console('--rows', '100000') as s:
    s.sees('a hundred thousand rows', '100048 waiting')
    s.keys('3G')
    s.sees('the last of them', 'test60|test100000')
    s.keys('f')
    s.keys('test99999')
    s.sees('filtered', '1 shown')

with console() as s:
    s.sees('it is up', 'lab RW')
    s.kill('TERM')
    tap.equal('TERM ends it in order', s.exit(), 0)

with console() as s:
    s.sees('it is up', 'lab RW')
    s.kill('HUP')
    tap.equal('HUP too', s.exit(), 0)


def stuck():
    """A terminal that takes no bytes: keys are handled all the same, and TERM
    ends the program. Its input would fill up if it waited to write."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(LC_ALL='C.UTF-8', TERM='xterm-256color')
        os.execv(PROGRAM, [PROGRAM, '--rows', '3000'])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 200, 0, 0))
    signal.alarm(60)
    seen = b''
    while b'lab' not in seen:       # the first frame: it listens
        seen += os.read(fd, 1)
    for _ in range(400):
        os.write(fd, b'23' + b'\x0c' * 48)
    os.kill(pid, signal.SIGTERM)
    status = os.waitpid(pid, 0)[1]
    signal.alarm(0)
    os.close(fd)
    return status


tap.equal('a terminal that takes no bytes stops nothing', stuck(), 0)
tap.done()
