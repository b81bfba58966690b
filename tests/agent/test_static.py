# SPDX-License-Identifier: GPL-3.0-or-later
"""The static agent needs nothing of its host: no shared library, and of the
environment only HOME."""

import os
import struct

import agentclient as ac
import tap
from agentclient import R, Agent, ids, work

PROGRAM = ac.PROGRAM + '-static'
PT_DYNAMIC, PT_INTERP = 2, 3
SIZE_MAX = 8 << 20


def segments(path):
    """The types of the segments of an ELF file of 64 bits."""
    with open(path, 'rb') as f:
        data = f.read()
    at, = struct.unpack_from('=Q', data, 32)
    size, n = struct.unpack_from('=HH', data, 54)
    return {struct.unpack_from('=I', data, at + i * size)[0]
            for i in range(n)}


def main():
    if not os.path.exists(PROGRAM):
        tap.skip_all('no static archives of its libraries here')
    tap.note('%d bytes' % os.path.getsize(PROGRAM))
    tap.ok('it is small enough to be copied about',
           os.path.getsize(PROGRAM) < SIZE_MAX, os.path.getsize(PROGRAM))
    with open(PROGRAM, 'rb') as f:
        wide = f.read(5)[4] == 2
    if wide:
        tap.equal('it names no loader and no library',
                  segments(PROGRAM) & {PT_INTERP, PT_DYNAMIC}, set())
    ac.PROGRAM = PROGRAM
    a = Agent()
    a.env = {'HOME': a.dir}
    a.spool = os.path.join(a.dir, '.local/state/yardmaster/agent/t')
    try:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['env']), work(R, 2, ['sh', '-c',
                                                           'exit 3'])])
        got = link.wait_ended(ids(1, 2))
        tap.equal('it runs attempts', [r['outcome'] for r in got],
                  ['passed', 'failed'])
        data = link.tail(ids(1)[0])[0].decode()
        tap.ok('a step has a PATH all the same',
               '\nPATH=/usr/local/bin:/usr/bin:/bin\n' in '\n' + data, data)
        with open('/proc/%d/environ' % a.pid(), 'rb') as f:
            names = {v.split(b'=')[0] for v in f.read().split(b'\0') if v}
        tap.equal('the daemon has no more', names, {b'HOME', b'PATH'})
        a.env = {}
        got = a.run('start')
        tap.ok('without HOME it says so', got.returncode == 1 and
               'HOME is not set' in got.stderr, got.stderr)
        a.env = {'HOME': a.dir}
    finally:
        a.close()
    tap.done()


main()
