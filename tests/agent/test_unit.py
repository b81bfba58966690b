# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd unit of the agent, and a daemon that is started through it. The
systemd is one of our own, a program of that name that starts what the unit
says and waits until it is ready; and, where it runs, that of the host."""

import os
import shutil
import socket
import subprocess
import tempfile
import time

import agentclient as ac
import tap
from agentclient import R, Agent, ids, work

SRC = os.environ['YM_SRCDIR']
UNIT = SRC + '/contrib/yardmaster-agent@.service'
USER = 'ym-test-user'

# Says with which words it was called, and does what systemd would.
SYSTEMCTL = '''#!/bin/sh
echo "$*" >>"$HOME/called"
[ ! -e "$HOME/refuse" ] || exit 1
name=${4#*@}
mkfifo "$HOME/ready"
env -i HOME="$HOME" USER="$USER" PATH="$PATH" SYSTEMD=1 setsid \\
	"$HOME/.local/bin/yardmaster-agent" serve --instance \\
	"${name%%.service}" --ready "$HOME/ready" \\
	>>"$HOME/journal" 2>&1 </dev/null &
said=$(cat "$HOME/ready")
rm "$HOME/ready"
[ "$said" = ok ]
'''


# A systemd of that user, the root of whose control groups is one of our own.
SYSTEMD = '''set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
mount -t tmpfs tmpfs /var/lib
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/$USER
umount -R /sys/fs/cgroup || :
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/ym-unit-$$
mkdir $group
trap "find $group -depth -type d -exec rmdir {} +" EXIT
unshare -m sh -c 'echo $$ >$1/cgroup.procs && exec unshare -C sh -c "
	umount /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
	echo \\$\\$ >$HOME/systemd &&
	exec $2 --user --unit=none.target"' sh $group %s
'''
SERVICE = 'yardmaster-agent@t.service'
SYSTEMD_PROGRAM = '/usr/lib/systemd/systemd'


def analyze(home, *args):
    return subprocess.run(
        ['systemd-analyze', *args],
        env=dict(os.environ, HOME=home, XDG_RUNTIME_DIR=home),
        capture_output=True, text=True)


def looked_at(home):
    """What systemd itself says of the unit, and of worse ones."""
    os.makedirs(home + '/.local/bin')
    shutil.copy(ac.PROGRAM, home + '/.local/bin/yardmaster-agent')
    worse = home + '/yardmaster-agent@.service'
    for what, args, line, other, says in (
            ('no fault', ('verify', '--user', '--man=no'),
             'KillMode=process', 'KillMode=x', 'kill mode'),
            ('as little exposed as it was', (
                'security', '--offline=true', '--threshold=85', '--no-pager'),
             'NoNewPrivileges=yes', '', 'EXPOSED')):
        got = analyze(home, *args, UNIT)
        if 'unrecognized option' in got.stderr:
            tap.skip(what, 'systemd-analyze is too old')
            continue
        tap.equal('systemd finds it ' + what,
                  (got.returncode, got.stderr), (0, ''))
        with open(UNIT) as f, open(worse, 'w') as to:
            to.write(f.read().replace(line, other))
        got = analyze(home, *args, worse)
        tap.ok('it would say else', (got.returncode, got.stderr) != (0, '')
               and says in got.stdout + got.stderr,
               got.stdout + got.stderr)


def verify():
    if shutil.which('systemd-analyze') is None:
        tap.skip('what systemd says of the unit', 'no systemd-analyze')
        return
    with tempfile.TemporaryDirectory(prefix='ym-unit-') as home:
        looked_at(home)


class Home(Agent):
    """An agent as a user with a systemd has it, in a name space of its own
    in which that user lingers."""

    def __init__(self):
        super().__init__(env={'USER': USER})
        self.spool = self.dir + '/.local/state/yardmaster/agent/t'
        bin_dir = self.dir + '/.local/bin'
        units = self.dir + '/.config/systemd/user'
        for folder in (bin_dir, units, self.dir + '/run/systemd'):
            os.makedirs(folder)
        for name in ('YARDMASTER_STATE', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME'):
            self.env.pop(name, None)
        self.env.update(PATH=bin_dir + ':' + self.env['PATH'],
                        XDG_RUNTIME_DIR=self.dir + '/run')
        self.program = bin_dir + '/yardmaster-agent'
        shutil.copy(ac.PROGRAM, self.program)
        shutil.copy(UNIT, units)
        self.bring_systemd(bin_dir, units)

    def bring_systemd(self, bin_dir, units):
        with open(bin_dir + '/systemctl', 'w') as f:
            f.write(SYSTEMCTL % ())
        os.chmod(bin_dir + '/systemctl', 0o755)
        with open(self.dir + '/run/systemd/private', 'w'):
            pass

    def start(self, linger=True, **env):
        """yardmaster-agent start, where the user lingers or does not."""
        script = 'mount -t tmpfs tmpfs /var/lib && mkdir -p ' \
            '/var/lib/systemd/linger && ' + \
            ('touch /var/lib/systemd/linger/%s && ' % USER if linger else '')
        return subprocess.run(
            ['unshare', '-m', 'sh', '-c', script + 'exec "$@"', 'sh',
             self.program, 'start', '--instance', 't'],
            env=dict(self.env, **env), capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=ac.WAIT_S)

    def called(self):
        try:
            with open(self.dir + '/called') as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def forget(self):
        self.run('quit')
        if os.path.exists(self.dir + '/called'):
            os.unlink(self.dir + '/called')


def from_systemd(a):
    with open('/proc/%d/environ' % a.pid(), 'rb') as f:
        return b'SYSTEMD=1' in f.read()


def started():
    a = Home()
    try:
        got = a.start()
        tap.ok('it starts', got.returncode == 0, got.stderr)
        tap.equal('by its unit', a.called(),
                  '--user --quiet start yardmaster-agent@t.service\n')
        tap.ok('the daemon is what systemd started', from_systemd(a))
        link = a.socket()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['env'])])
        link.wait_ended(ids(1))
        tap.ok('steps see nothing of it',
               b'SYSTEMD' not in link.tail(ids(1)[0])[0])
        link.ack(ids(1))
        link.ping()
        for name, linger, env in (
                ('without linger it would not last', False, {}),
                ('other folders would not be known', True,
                 {'YARDMASTER_STATE': a.dir + '/.local/state/yardmaster'}),
                ('without a systemd of the user', True,
                 {'XDG_RUNTIME_DIR': '/nowhere'})):
            a.forget()
            got = a.start(linger, **env)
            tap.ok(name + ': it starts in a session of its own',
                   got.returncode == 0 and a.called() == '' and
                   os.getsid(a.pid()) == a.pid() and not from_systemd(a),
                   got.stderr)
        a.forget()
        with open(a.dir + '/refuse', 'w'):
            pass
        got = a.start()
        tap.ok('so it does when systemd cannot', got.returncode == 0 and
               a.called() != '' and not from_systemd(a), got.stderr)
        a.forget()
        os.unlink(a.dir + '/.config/systemd/user/yardmaster-agent@.service')
        tap.ok('and where there is no unit', a.start().returncode == 0 and
               a.called() == '')
    finally:
        a.close()


class RealHome(Home):
    """The same with a systemd of the host's own, in name spaces in which
    nothing else is. why: what it wrote when it could not start, or None."""

    def bring_systemd(self, bin_dir, units):
        for name in ('none.target', 'basic.target'):
            with open(units + '/' + name, 'w') as f:
                f.write('[Unit]\nDescription=nothing\n')
        self.said = open(self.dir + '/said', 'w+')
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(self.dir + '/notify')
            s.settimeout(0.2)
            self.systemd = subprocess.Popen(
                ['unshare', '-m', 'sh', '-c', SYSTEMD % SYSTEMD_PROGRAM],
                env=dict(self.env, NOTIFY_SOCKET=self.dir + '/notify'),
                stdin=subprocess.DEVNULL, stdout=self.said,
                stderr=self.said)
            self.why = self.wait_ready(s)

    def wait_ready(self, s):
        end, said = time.monotonic() + ac.WAIT_S, b''
        while b'READY=1' not in said:
            if self.systemd.poll() is not None or time.monotonic() > end:
                self.said.seek(0)
                return self.said.read() or 'it does not get ready'
            try:
                said = s.recv(4096)
            except TimeoutError:
                pass
        return None

    def inside(self, *args):
        """Runs a command beside that systemd."""
        with open(self.dir + '/systemd') as f:
            pid = f.read().strip()
        return subprocess.run(
            ['nsenter', '-t', pid, '-m', '-C', *args], env=self.env,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=ac.WAIT_S)

    def start(self):
        return self.inside(self.program, 'start', '--instance', 't')

    def show(self, name):
        return self.inside('systemctl', '--user', 'show', '--value', '-p',
                           name, SERVICE).stdout.strip()

    def close(self):
        if self.systemd.poll() is None:
            self.inside('systemctl', '--user', 'exit')
            self.systemd.wait(ac.WAIT_S)
        self.said.close()
        super().close()


def killed_below_systemd(a, link, gate):
    """The daemon dies and comes back by itself; the worker stays."""
    pid, workers = a.pid(), a.worker_pids()
    with open('/proc/%d/cgroup' % workers[0]) as f:
        tap.ok('its worker has a group in that of the unit',
               SERVICE + '/yardmaster-' in f.read())
    a.kill()
    link.wait_closed()
    for said in iter(lambda: a.show('SubState'), None):
        if said == 'running' and a.pid() != pid or said == 'failed':
            break
    tap.equal('systemd starts another when it is killed',
              (said, a.show('MainPID'), a.show('NRestarts')),
              ('running', str(a.pid()), '1'))
    tap.equal('what ran goes on in the same worker', a.worker_pids(), workers)
    got = a.inside('systemctl', '--user', 'stop', SERVICE)
    tap.equal('a stop of the unit', (got.returncode, a.show('ActiveState')),
              (0, 'inactive'))
    tap.equal('leaves it, too', a.worker_pids(), workers)
    got = a.start()
    link = a.socket()
    link.sync(R, 1)
    link.wait_report(ids(1)[0], 'running')
    gate.open()
    tap.equal('and the next daemon hears its end',
              link.wait_ended(ids(1))[0]['outcome'], 'passed')
    with open(a.dir + '/ran') as f:
        tap.equal('it ran once', f.read(), 'x\n')
    link.ack(ids(1))
    link.ping()


def settled(a):
    """The state of the unit once systemd has seen the daemon's end."""
    until = time.monotonic() + 20
    while (state := a.show('ActiveState')) not in ('inactive', 'failed') and \
            time.monotonic() < until:
        pass
    return state


def real():
    a = RealHome()
    try:
        if a.why is not None:
            tap.skip('a start by the systemd of the host',
                     'it does not run here: ' + a.why.splitlines()[-1])
            return
        got = a.start()
        tap.ok('it starts', got.returncode == 0, got.stderr)
        tap.equal('as the main process of its unit',
                  (a.show('MainPID'), a.show('ActiveState')),
                  (str(a.pid()), 'active'))
        gate = ac.Gate(a)
        link = a.socket()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, gate.command(
            'echo x | tee -a %s/ran;' % a.dir))])
        link.wait_output(ids(1)[0])
        killed_below_systemd(a, link, gate)
        a.run('quit')
        tap.equal('quit is no failure of the unit', settled(a), 'inactive')
    finally:
        a.close()


def main():
    verify()
    if subprocess.run(['unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs',
                       '/var/lib'], capture_output=True).returncode != 0:
        tap.skip('a start by the unit', 'no mount name space can be had')
    else:
        started()
    if os.geteuid() == 0 and os.path.exists(SYSTEMD_PROGRAM):
        real()
    else:
        tap.skip('a start by the systemd of the host',
                 'only root with a systemd can make its surroundings')
    tap.done()


main()
