# SPDX-License-Identifier: GPL-3.0-or-later
"""Real OpenSSH servers on loopback for tests: each is a host of its own, with
its own host key, home and state folders, and so its own agent.

    sshd.need()
    with sshd.SshHosts(2) as hosts:
        fleet = hosts.write_fleet()
        hosts[0].stop(); hosts[0].start()
"""

import getpass
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import tap

SSHD = '/usr/sbin/sshd'
START_TRIES = 5
PATIENCE_MS = 10000

CONFIG = '''\
Port {port}
ListenAddress 127.0.0.1
HostKey {dir}/host_key
AuthorizedKeysFile {root}/authorized_keys
PidFile none
UsePAM no
StrictModes no
UseDNS no
PermitRootLogin yes
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
X11Forwarding no
PermitUserRC no
PrintMotd no
PrintLastLog no
MaxStartups 100
MaxSessions 100
LogLevel INFO
SetEnv {env}
{more}
'''


def why_not():
    """Why no server can be started here, or None."""
    if not os.access(SSHD, os.X_OK):
        return 'skipped: no ' + SSHD
    for program in ('ssh', 'ssh-keygen'):
        if shutil.which(program) is None:
            return 'skipped: no ' + program
    return None


def need():
    """Ends the script as skipped where there is no server."""
    why = why_not()
    if why:
        tap.skip_all(why)


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def _version():
    text = subprocess.run(['ssh', '-V'], stderr=subprocess.PIPE,
                          encoding='utf-8').stderr
    m = re.search(r'OpenSSH_(\d+)\.(\d+)', text)
    return tuple(int(x) for x in m.groups()) if m else (0, 0)


def _keygen(path):
    subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C',
                    'yardmaster-test', '-f', path], check=True)


def _read(path):
    try:
        with open(path, 'rb') as f:
            return f.read()
    except OSError:
        return b''


def _processes():
    return [int(p) for p in os.listdir('/proc') if p.isdigit()]


def _parent(pid):
    fields = _read('/proc/%d/stat' % pid).rpartition(b')')[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def descendants(root):
    """All descendants of a process, the nearest first."""
    found, parents = [root], {p: _parent(p) for p in _processes()}
    for pid in found:
        found += [p for p, parent in parents.items()
                  if parent == pid and p not in found]
    return found[1:]


def belonging_to(folder):
    """Processes that have folder in their arguments or environment, or stand
    in it: what a host has started, wherever it went."""
    mark = os.fsencode(folder)
    found = []
    for pid in _processes():
        if pid == os.getpid():
            continue
        base = '/proc/%d/' % pid
        try:
            cwd = os.fsencode(os.readlink(base + 'cwd'))
        except OSError:
            cwd = b''
        if mark in _read(base + 'environ') or mark in _read(base + 'cmdline') \
                or cwd.startswith(mark):
            found.append(pid)
    return found


def _kill(pids):
    """Kills processes and waits until they are gone."""
    fds = []
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
            fds.append(fd)
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        except ProcessLookupError:
            pass
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    left = len(fds)
    while left > 0:
        ready = poll.poll(PATIENCE_MS)
        for fd, _ in ready:
            poll.unregister(fd)
        left = left - len(ready) if ready else 0
    for fd in fds:
        os.close(fd)


class SshHost:
    """One server; port stays the same when it is stopped and started."""

    def __init__(self, hosts, number, env):
        self.name = 'lab-%d' % number
        self.dir = os.path.join(hosts.dir, 'h%d' % number, '')
        self.home = self.dir + 'home'
        self.state = self.dir + 'state'
        self.log = self.dir + 'log'
        self.root = hosts.dir
        self.user = hosts.user
        self.process = None
        self.port = None
        self.more = ''   # further lines of its configuration
        self.env = {'HOME': self.home, 'XDG_STATE_HOME': self.state,
                    'XDG_CONFIG_HOME': self.dir + 'config',
                    'PATH': '/usr/local/bin:/usr/bin:/bin'}
        self.env.update(env)
        for folder in (self.home, self.state):
            os.makedirs(folder, 0o700)
        _keygen(self.dir + 'host_key')

    def _configure(self, port):
        more = self.more
        if _version() >= (9, 8):
            more += '\nPerSourcePenalties no'
        with open(self.dir + 'sshd_config', 'w') as f:
            f.write(CONFIG.format(
                port=port, dir=self.dir, root=self.root, more=more,
                env=' '.join('"%s=%s"' % kv for kv in self.env.items())))

    def _launch(self, port):
        """Starts the server; True once it says that it listens."""
        self._configure(port)
        self.process = subprocess.Popen(
            [SSHD, '-D', '-e', '-f', self.dir + 'sshd_config'],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True)
        out = self.process.stderr
        log = open(self.log, 'ab')
        for line in out:
            log.write(line)
            if b'Server listening' in line:
                threading.Thread(target=self._drain, args=(out, log),
                                 daemon=True).start()
                return True
        log.close()
        out.close()
        self.process.wait()
        self.process = None
        return False

    @staticmethod
    def _drain(out, log):
        with out, log:
            for line in out:
                log.write(line)
                log.flush()

    def start(self):
        """Starts the server; at its old port when it had one."""
        for _ in range(START_TRIES):
            port = self.port or free_port()
            if self._launch(port):
                self.port = port
                return
        raise RuntimeError('sshd does not start: ' +
                           _read(self.log).decode(errors='replace'))

    def stop(self):
        """Ends the server and all its sessions at once, as a cut cable would.
        What has left its session, as an agent does, goes on."""
        if self.process is None:
            return
        pids = [self.process.pid] + descendants(self.process.pid)
        _kill(pids)
        self.process.wait()
        self.process = None

    def crash(self):
        """Ends all that the host runs, its agent included."""
        self.stop()
        self.kill_all()

    def kill_all(self):
        """Kills what the host has started and still runs, the server not."""
        keep = [self.process.pid] if self.process else []
        _kill([p for p in belonging_to(self.dir) if p not in keep])

    def ssh(self, *command, **more):
        """Runs a command there by the ssh of the system."""
        return subprocess.run(
            ['ssh', '-F', 'none', '-T', '-p', str(self.port),
             '-i', self.root + '/user_key', '-o', 'IdentitiesOnly=yes',
             '-o', 'IdentityAgent=none', '-o', 'BatchMode=yes',
             '-o', 'StrictHostKeyChecking=yes',
             '-o', 'UserKnownHostsFile=' + self.root + '/known_hosts',
             '%s@127.0.0.1' % self.user, ' '.join(command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, encoding='utf-8', **more)


class SshHosts:
    """n hosts, one user key, one known_hosts file. env: more environment for
    what runs on them. Everything is ended and removed on exit."""

    def __init__(self, n, env=None):
        self.dir = tempfile.mkdtemp(prefix='ym-ssh-')
        self.user = getpass.getuser()
        self.user_key = os.path.join(self.dir, 'user_key')
        self.known_hosts = os.path.join(self.dir, 'known_hosts')
        self.hosts = []
        try:
            if os.geteuid() == 0:
                os.makedirs('/run/sshd', 0o755, exist_ok=True)
            _keygen(self.user_key)
            shutil.copy(self.user_key + '.pub',
                        os.path.join(self.dir, 'authorized_keys'))
            for i in range(n):
                host = SshHost(self, i + 1, env or {})
                self.hosts.append(host)
                host.start()
            self.write_known_hosts()
        except BaseException:
            self.close()
            raise

    def write_known_hosts(self):
        with open(self.known_hosts, 'w') as f:
            for host in self.hosts:
                with open(host.dir + 'host_key.pub') as key:
                    f.write('[127.0.0.1]:%d %s\n' % (
                        host.port, ' '.join(key.read().split()[:2])))

    def agents(self, **more):
        """The hosts as agents of a fleet file; more: keys for each."""
        program = os.path.join(os.path.abspath(
            os.environ.get('YM_BUILDDIR', '.')), 'yardmaster-agent')
        return [dict({'name': h.name, 'host': '127.0.0.1', 'port': h.port,
                      'user': self.user, 'identity': self.user_key,
                      'known_hosts': self.known_hosts, 'agent_path': program,
                      'transport': 'libssh2'}, **more) for h in self.hosts]

    def write_fleet(self, path=None, **more):
        """Writes a fleet file with lab-1 to lab-n; returns its path."""
        path = path or os.path.join(self.dir, 'fleet.json')
        with open(path, 'w') as f:
            json.dump({'name': 'lab', 'agents': self.agents(**more)}, f,
                      indent=1)
        return path

    def close(self):
        for host in self.hosts:
            host.stop()
        _kill(belonging_to(self.dir))
        shutil.rmtree(self.dir, ignore_errors=True)

    def __getitem__(self, i):
        return self.hosts[i]

    def __len__(self):
        return len(self.hosts)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
