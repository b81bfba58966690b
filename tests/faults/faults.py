# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults: each breaks one thing of a round that runs, and says how many
it broke. What they wait for are starts of executions, never time alone."""

import contextlib
import os
import signal
import sqlite3
import subprocess

import sshd

AGENT = os.path.join(os.path.abspath(os.environ.get('YM_BUILDDIR', '.')),
                     'yardmaster-agent')
STOPPED_S = 2       # at most, when nothing starts meanwhile


def _read(path):
    try:
        with open(path, 'rb') as f:
            return f.read()
    except OSError:
        return b''


def words_of(pid):
    return _read('/proc/%d/cmdline' % pid).split(b'\0')


def daemon_pid(host):
    """The daemon of a host, or None."""
    text = _read(host.spool + '/agent.lock').split()
    pid = int(text[0]) if text else 0
    return pid if pid and words_of(pid)[1:2] == [b'serve'] else None


def worker_pids(host):
    return [p for p in sshd.belonging_to(host.dir)
            if words_of(p)[1:2] == [b'worker']]


def link_pids(rnd):
    """The links of the console that drives the run."""
    pid = rnd.owner_pid()
    return [p for p in (sshd.descendants(pid) if pid else [])
            if words_of(p)[0].endswith(b'yardmaster-link')]


def bridge_pids(host):
    return [p for p in sshd.belonging_to(host.dir)
            if words_of(p)[1:2] == [b'connect']]


def send(pid, signo):
    """Signals a process; whether it was there."""
    try:
        os.kill(pid, signo)
        return True
    except ProcessLookupError:
        return False


def _kill_one(rnd, pids):
    return send(rnd.random.choice(pids), signal.SIGKILL) if pids else False


def _kill_owner(rnd):
    pid = rnd.owner_pid()
    if not pid:
        return False
    sshd._kill([pid])
    rnd.reap_console()
    return True


def console(rnd):
    """Kills the owner; what resumes it may be killed again before long."""
    if not _kill_owner(rnd):
        return False
    if rnd.random.random() < 0.3:
        rnd.wait_starts(rnd.random.randint(1, 6))
    rnd.resume()
    if rnd.random.random() < 0.4:
        rnd.wait_owner_change()
    return True


def daemon(rnd):
    pid = daemon_pid(rnd.host())
    return bool(pid) and send(pid, signal.SIGKILL)


def worker(rnd):
    return _kill_one(rnd, worker_pids(rnd.host()))


def link(rnd):
    return _kill_one(rnd, link_pids(rnd))


def bridge(rnd):
    return _kill_one(rnd, bridge_pids(rnd.host()))


def sessions(rnd):
    host = rnd.host()
    host.stop()
    if rnd.random.random() < 0.5:
        rnd.wait_starts(rnd.random.randint(1, 5))
    host.start()
    return True


def away(rnd):
    """Long enough for a plan that does not wait long."""
    host = rnd.host()
    host.stop()
    rnd.wait_starts(1000, STOPPED_S)
    host.start()
    return True


def hangup(rnd):
    """The terminal is gone: a process of its own goes on with the run."""
    if rnd.console is None or rnd.over() or \
            not send(rnd.console.pid, signal.SIGHUP):
        return False
    rnd.reap_console()
    return True


def _fill(rnd, folder):
    """The disk is full for a while."""
    if folder not in rnd.disks:
        return False
    path = folder + '/filled'
    try:
        with open(path, 'wb', buffering=0) as f:
            for size in (1 << 20, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(bytes(size))
        rnd.wait_starts(rnd.random.randint(1, 8), STOPPED_S)
    finally:
        os.unlink(path)
    return True


def agent_disk(rnd):
    return _fill(rnd, rnd.host().state)


def console_disk(rnd):
    return _fill(rnd, rnd.lab.env['XDG_STATE_HOME'])


def registry(rnd):
    """Another process has the registry: the owner takes results and decides
    nothing; it may be killed before it can."""
    db = sqlite3.connect(rnd.lab.env['XDG_STATE_HOME'] +
                         '/yardmaster/registry.db', isolation_level=None)
    with contextlib.closing(db):
        try:
            db.execute('BEGIN IMMEDIATE')
        except sqlite3.OperationalError:
            return False
        rnd.wait_starts(1000, STOPPED_S * rnd.random.random())
        killed = rnd.random.random() < 0.5 and _kill_owner(rnd)
    if killed:
        rnd.resume()
    return True


def operator(rnd):
    """Somebody stops an agent or the run, or changes max workers, and takes
    that back, perhaps from another owner than it was said to."""
    name = rnd.host().name
    do, undo = rnd.random.choice((
        (('drain', name), ('undrain', name)),
        (('hold', name), ('release', name)),
        (('hold', rnd.run), ('release', rnd.run)),
        (('set', name, 'max_workers=1'), ('set', name, 'max_workers=3'))))
    if rnd.lab.cli(*do).returncode != 0:
        return False
    rnd.note(' '.join(do))
    rnd.wait_starts(rnd.random.randint(1, 6), STOPPED_S)
    if rnd.random.random() < 0.4 and _kill_owner(rnd):
        rnd.resume()
    rnd.lab.until(lambda: rnd.over() or
                  rnd.lab.cli(*undo).returncode == 0, 60)
    return True


def _freeze(rnd, pid):
    if not pid or not send(pid, signal.SIGSTOP):
        return False
    rnd.wait_starts(rnd.random.randint(1, 8), STOPPED_S)
    send(pid, signal.SIGCONT)
    return True


def daemon_stops(rnd):
    return _freeze(rnd, daemon_pid(rnd.host()))


def link_stops(rnd):
    pids = link_pids(rnd)
    return _freeze(rnd, rnd.random.choice(pids) if pids else None)


def bridge_stops(rnd):
    pids = bridge_pids(rnd.host())
    return _freeze(rnd, rnd.random.choice(pids) if pids else None)


def console_stops(rnd):
    return _freeze(rnd, rnd.owner_pid())


def worker_stops(rnd):
    pids = worker_pids(rnd.host())
    return _freeze(rnd, rnd.random.choice(pids) if pids else None)


def _agent(rnd, command):
    host = rnd.host()
    done = subprocess.run([AGENT, command], stdin=subprocess.DEVNULL,
                          env=dict(os.environ, **host.env), cwd=host.dir,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding='utf-8')
    rnd.note('%s of %s: exit %d %s' % (command, host.name, done.returncode,
                                       done.stdout.strip()))
    return done.returncode == 0


def restart(rnd):
    return _agent(rnd, 'restart')


def terminate(rnd):
    pid = daemon_pid(rnd.host())
    return bool(pid) and send(pid, signal.SIGTERM)


def crash(rnd):
    host = rnd.host()
    host.crash()
    host.start()
    return True


# name: (how it is injected, function, whether attempts that run may be lost)
FAULTS = {
    'console': ('kill -9 of the owner, then resume', console, False),
    'daemon': ('kill -9 of the agent daemon', daemon, False),
    'worker': ('kill -9 of a worker process', worker, True),
    'link': ('kill -9 of a link process', link, False),
    'bridge': ('kill -9 of a bridge on the host', bridge, False),
    'sessions': ('sshd and its sessions killed, then started', sessions,
                 False),
    'away': ('the same, for longer than lost_after', away, True),
    'hangup': ('SIGHUP to the owner', hangup, False),
    'agent-disk': ('the disk of an agent is full for a while', agent_disk,
                   False),
    'console-disk': ('the disk of the console is full for a while',
                     console_disk, False),
    'registry': ('another process has the registry for a while', registry,
                 False),
    'operator': ('an operator stops an agent or the run for a while',
                 operator, False),
    'daemon-stops': ('SIGSTOP, SIGCONT of the daemon', daemon_stops, False),
    'link-stops': ('SIGSTOP, SIGCONT of a link', link_stops, False),
    'bridge-stops': ('SIGSTOP, SIGCONT of a bridge on the host', bridge_stops,
                     False),
    'console-stops': ('SIGSTOP, SIGCONT of the owner', console_stops, False),
    'worker-stops': ('SIGSTOP, SIGCONT of a worker', worker_stops, False),
    'restart': ('yardmaster-agent restart', restart, False),
    'terminate': ('SIGTERM to the daemon', terminate, False),
    'crash': ('all of a host killed, then started', crash, True),
}
