# SPDX-License-Identifier: GPL-3.0-or-later
"""Real agents among strangers: other users, garbage, spools that are not
theirs, commands that cannot be executed."""

import os
import random
import shutil
import socket
import sqlite3
import stat
import struct
import subprocess

import agentclient as ac
import sshd
import tap
from agentclient import R, Agent, Gate, agent, ids, work

O_CLOEXEC = 0o2000000
NOBODY = 65534
SEEDS = 150
NFS_MAGIC = 0x6969


def open_fds(pid):
    """{descriptor: flags} of a process."""
    found = {}
    for fd in os.listdir('/proc/%d/fdinfo' % pid):
        try:
            with open('/proc/%d/fdinfo/%s' % (pid, fd)) as f:
                flags = f.read().split('flags:')[1].split()[0]
        except FileNotFoundError:
            continue
        found[int(fd)] = int(flags, 8)
    return found


def test_descriptors():
    a = Agent()
    stranger = os.open('/', os.O_RDONLY)
    os.set_inheritable(stranger, True)
    subprocess.run([ac.PROGRAM, 'start', '--instance', 't'], env=a.env,
                   close_fds=False, check=True)
    os.close(stranger)
    try:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['sh', '-c', 'ls /proc/$$/fd']),
                          work(R, 2, gate.command())])
        link.wait_ended(ids(1))
        tap.equal('a step has 0 to 2 and nothing else',
                  link.tail(ids(1)[0])[0], b'0\n1\n2\n')
        link.wait_report(ids(2)[0], 'running')
        for pid in [a.pid()] + a.worker_pids():
            left = {fd: oct(flags) for fd, flags in open_fds(pid).items()
                    if fd > 2 and not flags & O_CLOEXEC}
            tap.equal('all that daemon and workers open closes by itself',
                      left, {})
        tap.ok('nothing of who started it', '/' not in [
            os.readlink('/proc/%d/fd/%d' % (a.pid(), fd))
            for fd in open_fds(a.pid())])
        gate.open()
    finally:
        a.close()


def test_no_shell():
    with agent() as a:
        text = '$(touch {0}) `touch {0}`; touch {0} | cat > {0}\n*'.format(
            a.dir + '/mark')
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['printf', '%s', text, '*']),
                          work(R, 2, ['grep', '^PPid', '/proc/self/status'])])
        link.wait_ended(ids(1, 2))
        tap.equal('arguments arrive as they are', link.tail(ids(1)[0])[0],
                  text.encode() + b'*')
        tap.ok('nothing of them was executed',
               not os.path.exists(a.dir + '/mark'))
        parent = int(link.tail(ids(2)[0])[0].split()[1])
        tap.ok('between worker and command there is no process',
               parent in a.worker_pids(), (parent, a.worker_pids()))


def as_nobody(fn):
    """What fn() gives in a child of another user, as text."""
    rfd, wfd = os.pipe()
    if os.fork() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            text = fn()
        except OSError as e:
            text = type(e).__name__
        os.write(wfd, text.encode())
        os._exit(0)
    os.close(wfd)
    with os.fdopen(rfd) as f:
        text = f.read()
    os.wait()
    return text


def test_other_users():
    with agent() as a:
        link = a.connect()
        path = os.path.join(a.spool, 'agent.sock')
        modes = [stat.S_IMODE(os.stat(p).st_mode) for p in (
            a.spool, path, os.path.join(a.spool, 'look.sock'))]
        tap.equal('socket 0600 in a folder 0700', modes,
                  [0o700, 0o600, 0o600])
        if os.geteuid() != 0:
            tap.skip('another user', 'only root can be one')
            return

        def greet():
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(ac.WAIT_S)
                s.connect(path)
                s.sendall(ac.BANNER)
                return 'answer %d' % len(s.recv(100))

        tap.equal('another user does not reach it', as_nobody(greet),
                  'PermissionError')
        folder = a.spool
        while folder != '/tmp' and folder != '/':
            os.chmod(folder, 0o755)
            folder = os.path.dirname(folder)
        os.chmod(path, 0o666)
        tap.ok('and is refused where modes would let it in',
               as_nobody(greet) in ('answer 0', 'ConnectionResetError',
                                    'BrokenPipeError'))
        tap.ok('we are still served', link.ping())
        os.chmod(a.spool, 0o755)
        a.run('quit')
        a.connect()
        tap.equal('the next start mends the mode of the spool',
                  stat.S_IMODE(os.stat(a.spool).st_mode), 0o700)
        a.run('quit')
        os.chown(a.spool, NOBODY, NOBODY)
        got = a.run('start')
        tap.ok('a spool of another user is refused', got.returncode == 1 and
               a.spool in got.stderr, got.stderr)
        os.chown(a.spool, 0, 0)


BODIES = [b'', b'{}', b'[]', b'null', b'{"run": "r0000000000", "epoch": 1}',
          b'{"run": "r0000000000", "epoch": 1, "works": [{}, 3, null]}',
          b'{"run": "r0000000000", "epoch": 1, "ids": ["r0000000000/1/1"]}',
          b'{"tag": 1, "attempt": "r0000000000/1/1", "offset": -1}',
          b'{"tag": 9e99, "max_workers": -1, "mode": "drain"}',
          b'{"a": ' * 40, b'\xff\xfe\x00', b'"' + b'x' * 5000]


def garbage(rnd):
    """Some bytes that a stranger might send."""
    out = b'' if rnd.random() < 0.2 else ac.BANNER
    for _ in range(rnd.randrange(1, 9)):
        body = bytearray(rnd.choice(BODIES))
        for _ in range(rnd.randrange(3)):
            if body:
                body[rnd.randrange(len(body))] = rnd.randrange(256)
        kind = rnd.random()
        if kind < 0.15:
            out += rnd.randbytes(rnd.randrange(200))
            continue
        length = len(body) if kind < 0.9 else rnd.randrange(65536)
        out += struct.pack('>HBB', length, rnd.randrange(60),
                           rnd.choice((0, 0, 0, 1, 255))) + body
    return out


def test_garbage():
    with agent(workers=1) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, gate.command())])
        link.wait_report(ids(1)[0], 'running')
        pid = a.pid()
        for seed in range(SEEDS):
            rnd = random.Random(seed)
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(os.path.join(a.spool, rnd.choice(
                    ('agent.sock', 'look.sock'))))
                s.settimeout(ac.WAIT_S)
                try:
                    s.sendall(garbage(rnd))
                    s.shutdown(socket.SHUT_WR)
                    while s.recv(65536):
                        pass
                except (BrokenPipeError, ConnectionResetError):
                    pass
        tap.ok('each such link has ended', True)
        link.ping()
        tap.equal('the daemon is the same', a.pid(), pid)
        gate.open()
        tap.equal('what ran is not touched',
                  link.wait_ended(ids(1))[0]['outcome'], 'passed')


def test_huge_message():
    with agent() as a:
        link = a.connect()
        head = struct.pack('>HBB', 15996, ac.START, 1)
        link.send_raw(head + struct.pack('>I', 0xfffffff0) + b'x' * 15992)
        error = link.wait_closed()
        tap.ok('a length over the cap ends the link before memory is taken',
               error is not None and error['code'] == -10001, error)


def test_cannot_be_executed():
    with agent() as a:
        plain = a.dir + '/plain'
        with open(plain, 'w') as f:
            f.write('no program\n')
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [
            work(R, 1, ['/no/such/program']), work(R, 2, ['no-such-program']),
            work(R, 3, [plain]), work(R, 4, [a.dir]),
            work(R, 5, ['true', 'x' * 200000]),
            work(R, 6, ['true'], cwd=a.dir + '/gone')])
        got = link.wait_ended(ids(*range(1, 7)))
        tap.equal('what cannot be executed is an error, not failed',
                  [r['outcome'] for r in got], ['error'] * 6)
        for name, r, text in zip(
                ('a missing file', 'a missing command', 'not executable',
                 'a folder', 'too long for the system', 'no such folder'),
                got, ('No such file', 'No such file', 'Permission denied',
                      'Permission denied', 'Argument list too long',
                      a.dir + '/gone')):
            tap.ok(name + ' is said', text in r['steps'][0]['text'], r)


def test_newer_spool():
    with agent() as a:
        a.connect()
        a.run('quit')
        path = os.path.join(a.spool, 'journal.db')
        db = sqlite3.connect(path)
        db.execute('PRAGMA user_version=99')
        db.close()
        got = a.run('start')
        tap.ok('a spool of a newer version is refused with advice',
               got.returncode == 1 and 'newer version' in got.stderr and
               'install' in got.stderr and 'journal.db' in got.stderr,
               got.stderr)
        tap.ok('and is as it was', os.path.getsize(path) > 0)
        got = a.run('remove')
        tap.equal('it is not removed just so', got.returncode, 1)
        got = a.run('remove', '--force')
        tap.ok('but by force', got.returncode == 0 and
               not os.path.exists(a.state), got.stderr)


def test_network_spool():
    if shutil.which('strace') is None:
        tap.skip('a spool on NFS', 'no strace to make it look so')
        return
    a = Agent()
    try:
        poke = 'fstatfs:poke_exit=@arg2=%s' % struct.pack(
            '=Q', NFS_MAGIC).hex()
        got = subprocess.run(
            ['strace', '-f', '-qq', '-o', a.dir + '/trace', '-e',
             'trace=fstatfs', '-e', 'inject=' + poke, ac.PROGRAM, 'start',
             '--instance', 't'], capture_output=True, text=True,
            env=dict(a.env, ASAN_OPTIONS='detect_leaks=0'))
        tap.ok('a spool on NFS is refused with advice',
               got.returncode == 1 and 'network file system' in got.stderr
               and 'YARDMASTER_STATE' in got.stderr, got.stderr)
        tap.equal('nothing was made there', os.listdir(a.spool), [])
    finally:
        a.close()


def test_remove():
    with agent(workers=2) as a:
        gate = Gate(a)
        tap.equal('nothing to remove is fine', a.run('remove').returncode, 0)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [
            work(R, 1, gate.command('echo x;')),
            work(R, 2, ['sh', '-c', 'echo x; setsid sleep 1000'])])
        for i in ids(1, 2):
            link.wait_output(i)
        got = a.run('remove')
        tap.ok('refused with numbers', got.returncode == 1 and
               '2 running' in got.stderr, got.stderr)
        a.kill()
        workers = a.worker_pids()
        tap.ok('workers outlive their daemon', len(workers) >= 2)
        got = a.run('remove')
        tap.ok('also without a daemon', got.returncode == 1 and
               'running' in got.stderr, got.stderr)
        got = a.run('remove', '--force')
        tap.ok('by force all goes', got.returncode == 0 and
               not os.path.exists(a.state), got.stderr)
        tap.ok('workers too', all(a.wait_gone(pid) for pid in workers))
        tap.equal('and what they ran', sshd.belonging_to(a.dir), [])


def main():
    for name, fn in sorted(globals().items()):
        if name.startswith('test_'):
            tap.note(name)
            fn()
    tap.done()


main()
