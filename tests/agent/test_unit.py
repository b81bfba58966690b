# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd unit of the agent, and a daemon that is started through it. The
systemd is one of our own: a program of that name that starts what the unit
says and waits until it is ready."""

import os
import shutil
import subprocess
import tempfile

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


def verify():
    if shutil.which('systemd-analyze') is None:
        tap.skip('systemd-analyze verify', 'there is no systemd-analyze')
        return
    home = tempfile.mkdtemp(prefix='ym-unit-')
    try:
        os.makedirs(home + '/.local/bin')
        shutil.copy(ac.PROGRAM, home + '/.local/bin/yardmaster-agent')

        def look(path):
            return subprocess.run(
                ['systemd-analyze', 'verify', '--user', '--man=no', path],
                env=dict(os.environ, HOME=home, XDG_RUNTIME_DIR=home),
                capture_output=True, text=True)

        got = look(UNIT)
        if 'unrecognized option' in got.stderr:
            tap.skip('systemd-analyze verify', 'it is too old')
            return
        tap.equal('systemd finds nothing to say of the unit',
                  (got.returncode, got.stderr), (0, ''))
        wrong = home + '/yardmaster-agent@.service'
        with open(UNIT) as f, open(wrong, 'w') as to:
            to.write(f.read().replace('KillMode=process', 'KillMode=x'))
        tap.ok('it would', 'kill mode' in look(wrong).stderr)
    finally:
        shutil.rmtree(home)


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


def main():
    verify()
    if subprocess.run(['unshare', '-m', 'mount', '-t', 'tmpfs', 'tmpfs',
                       '/var/lib'], capture_output=True).returncode != 0:
        tap.skip('a start by the unit', 'no mount name space can be had')
    else:
        started()
    tap.done()


main()
