# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal for tests itself."""

import os
import tempfile

import tap
import vt

ECHO = r'''
printf 'hello \033[1mbold\033[0m \033[7mrev\033[0m \033[4mu\033[0m \344\270\255x'
stty -echo -icanon
trap 'stty size' WINCH
printf '\r\nready'
while :; do
    c=$(dd bs=1 count=1 2>/dev/null)
    case $c in
    q) exit 3 ;;
    c) printf '\033[2J\033[H' ;;
    d) printf '\033[6n' ;;
    *) printf '<%s>' "$c" ;;
    esac
done
'''


def sh(script, **more):
    return vt.Screen(['sh', '-c', script], **more)


def test_drawing():
    with sh(ECHO) as s:
        tap.equal('expect gives the row', s.expect('^ready'), 'ready')
        tap.equal('find gives its number', s.find('^ready'), 1)
        tap.equal('a row', s.row(0), 'hello bold rev u 中x')
        tap.equal('attributes', s.attrs(0)[:17], '......bbbb.rrr.u.')
        tap.equal('the cursor', s.cursor(), (1, 5))
        tap.ok('bytes', s.bytes() > 20)
        tap.equal('bytes start again', s.bytes(), 0)
        tap.equal('a whole dump', s.dump().splitlines()[:2],
                  ['hello bold rev u 中x', 'ready'])


def test_keys():
    with sh(ECHO) as s:
        s.expect('ready')
        s.keys('a\\')
        tap.equal('typed', s.expect(r'<a><.+>'), 'ready<a><\\>')
        s.keys('d')
        tap.ok('queries are answered', s.expect(r'\[2;[0-9]+R|<\[>'),
               s.dump())
        tap.equal('not there', s.expect('nothing of it', 50), None)
        s.keys('c')
        tap.ok('gone', s.gone('ready'))
        tap.ok('not gone', not s.gone('^$', 50))
        tap.equal('no exit yet', s.exit(50), None)
        s.keys('q')
        tap.equal('exit code', s.exit(), 3)
        tap.equal('after the end nothing is waited for',
                  s.expect('never', 600000), None)


def test_size_and_signals():
    with sh(ECHO, rows=10, cols=40) as s:
        s.expect('ready')
        s.resize(12, 50)
        s.keys('x')
        tap.ok('told of the new size', s.expect('12 50'), s.dump())
        tap.equal('rows', len(s.dump().split('\n')), 12)
        tap.ok('a pid', s.pid() > 1)
        s.kill('KILL')
        tap.equal('killed', s.exit(), 137)


def test_quiet():
    with sh('echo one; read x; echo two; read x') as s:
        s.expect('one')
        tap.ok('quiet', s.quiet(30))
        tap.ok('an endless writer is not',
               not sh('while :; do echo x; done').quiet(1000, 200))
        s.keys('\r')
        tap.ok('goes on', s.expect('two'))


def test_mistakes():
    try:
        with sh('read x') as s:
            s.expect('(')
        tap.ok('a bad pattern is refused', False)
    except RuntimeError:
        tap.ok('a bad pattern is refused', True)
    with vt.Screen(['/nonexistent/program']) as s:
        tap.equal('no such program', s.exit(), 127)
        tap.ok('says so', s.expect('No such file'))


def test_log():
    with tempfile.TemporaryDirectory() as d:
        log = os.path.join(d, 'log')
        with sh(r"printf '\033[31mred'", log=log) as s:
            s.exit()
        with open(log, 'rb') as f:
            tap.equal('raw output is kept', f.read(), b'\x1b[31mred')


vt.need()
test_drawing()
test_keys()
test_size_and_signals()
test_quiet()
test_mistakes()
test_log()
tap.done()
