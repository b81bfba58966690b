# SPDX-License-Identifier: GPL-3.0-or-later
"""deploy over real SSH: an agent comes to a host that has none, is renewed
while it works, and goes without leaving anything."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import agentclient as ac
import sshd
import tap
from agentclient import R, Agent, Gate, ids, work

BUILD = os.path.abspath(os.environ.get('YM_BUILDDIR', '.'))
CONSOLE = os.path.join(BUILD, 'yardmaster')
STATIC = os.path.join(BUILD, 'yardmaster-agent-static')
OLD = os.path.join(BUILD, 'yardmaster-agent')
PLACE = '/.local/bin/yardmaster-agent'


class Place:
    """Where deploy is called: a console beside the hosts."""

    def __init__(self, hosts):
        self.hosts = hosts
        self.fleet = hosts.dir + '/fleet.json'
        self.env = dict(os.environ, HOME=hosts.dir, NO_COLOR='1',
                        XDG_STATE_HOME=hosts.dir + '/console',
                        XDG_CONFIG_HOME=hosts.dir + '/config')

    def write_fleet(self, **more):
        agents = self.hosts.agents(**more)
        # sshd starts in the home folder that the user database names.
        for a, host in zip(agents, self.hosts):
            a['agent_path'] = host.home + PLACE
        with open(self.fleet, 'w') as f:
            json.dump({'name': 'lab', 'agents': agents}, f)

    def run(self, *args, **env):
        return subprocess.run(
            [CONSOLE, *args, '--fleet', self.fleet],
            env=dict(self.env, **env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            encoding='utf-8', timeout=90)

    def deploy(self, *args, **env):
        return self.run('deploy', *args, **env)


def tree(host):
    """All that a host has, but for what its server writes."""
    return sorted(os.path.join(folder, name)
                  for folder, subs, names in os.walk(host.dir)
                  for name in subs + names
                  if os.path.join(folder, name) != host.log)


def digest(path):
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).hexdigest()


def client(host):
    """The daemon of a host, as agentclient reaches it."""
    return Agent('default', state=host.state + '/yardmaster')


def words(done):
    return done.stdout + done.stderr


def life(place, host):
    """Installed, used, renewed under work, removed."""
    before = tree(host)
    got = place.deploy(host.name, '--agent-path', OLD)
    tap.ok('installed', got.returncode == 0 and 'installed 0.1.0' in
           got.stdout, words(got))
    tap.equal('it is what was sent', digest(host.home + PLACE), digest(OLD))
    got = place.run('fleet', 'test')
    tap.ok('links find it', re.search(
        host.name + ' *ok  version 0.1.0', got.stdout), words(got))
    a = client(host)
    gate = Gate(a)
    mark = a.dir + '/mark'
    link = a.socket()
    link.sync(R, 1)
    link.start(R, 1, [work(R, n, gate.command('echo x >>%s;' % mark))
                      for n in (1, 2)])
    for n in (1, 2):
        link.wait_report(ids(n)[0], 'running', 'queued')
    link.wait_report(ids(1)[0], 'running')
    pid = a.pid()
    got = place.deploy(host.name)
    tap.ok('renewed', got.returncode == 0 and
           'upgraded from 0.1.0 to 0.1.0' in got.stdout, words(got))
    tap.equal('it is the new one', digest(host.home + PLACE), digest(STATIC))
    tap.ok('the daemon is another, of the new program', a.pid() != pid and
           digest('/proc/%d/exe' % a.pid()) == digest(STATIC))
    tap.equal('the old one is not kept', os.listdir(
        os.path.dirname(host.home + PLACE)), ['yardmaster-agent'])
    got = place.deploy(host.name, '--uninstall')
    tap.ok('it does not go while it works', got.returncode == 2 and
           'running' in got.stderr and '--force' in got.stderr, words(got))
    link = a.socket()
    link.sync(R, 1)
    gate.open(2)
    tap.equal('what ran goes on to its end',
              [r['outcome'] for r in link.wait_ended(ids(1, 2))],
              ['passed', 'passed'])
    with open(mark) as f:
        tap.equal('each once', f.read(), 'x\nx\n')
    got = place.deploy(host.name, '--uninstall')
    tap.ok('nor while it has results', got.returncode == 2, words(got))
    link.ack(ids(1, 2))
    link.ping()
    pid = a.pid()
    got = place.deploy(host.name)
    tap.ok('the same again is not sent, and does no harm',
           got.returncode == 0 and 'has 0.1.0 already' in got.stdout,
           words(got))
    got = place.deploy(host.name, '--uninstall')
    tap.ok('removed', got.returncode == 0 and 'removed' in got.stdout,
           words(got))
    tap.equal('nothing is left behind', tree(host), before)
    for pid in sshd.belonging_to(host.home):
        a.wait_gone(pid)
    tap.equal('no process either', sshd.belonging_to(host.home) +
              a.worker_pids(), [])
    shutil.rmtree(a.dir)


def forced(place, host):
    """What runs is ended when that is asked for."""
    before = tree(host)
    place.deploy(host.name)
    a = client(host)
    link = a.socket()
    link.sync(R, 1)
    link.start(R, 1, [work(R, 1, ['setsid', 'sleep', '1000'])])
    link.wait_report(ids(1)[0], 'running')
    got = place.deploy(host.name, '--uninstall', '--force')
    tap.equal('removed by force', (got.returncode, tree(host)), (0, before))
    for pid in sshd.belonging_to(host.dir):
        if pid != host.process.pid:
            a.wait_gone(pid)
    tap.equal('with all that ran', [p for p in sshd.belonging_to(host.dir)
                                    if p != host.process.pid], [])
    shutil.rmtree(a.dir)


def refused(place, host):
    """What cannot work is said, and changes nothing."""
    before = tree(host)
    other = place.hosts.dir + '/other'
    with open(STATIC, 'rb') as f:
        data = bytearray(f.read(4096))
    data[18:20] = b'\xb7\x00' if data[18] != 0xb7 else b'\x3e\x00'
    broken = place.hosts.dir + '/broken'
    for path, head in ((other, data), (broken, data[:18] + b'\0\0')):
        with open(path, 'wb') as f:
            f.write(head)
    with open(STATIC, 'rb') as f, open(broken, 'wb') as to:
        to.write(f.read(2000))
    for name, args, want in (
            ('another machine', ('--agent-path', other), 'make agent-static'),
            ('one that does not run', ('--agent-path', broken),
             'does not run there'),
            ('no program', ('--agent-path', '/etc/passwd'), 'no program'),
            ('no such file', ('--agent-path', '/no/such'), '/no/such'),
            ('nothing to remove', ('--uninstall',), 'there is no')):
        got = place.deploy(host.name, *args)
        tap.ok(name + ' is refused with words', got.returncode == 2 and
               want in got.stderr, words(got))
    for name, args in (('--force alone', (host.name, '--force')),
                       ('a name of no grammar', ('a b',)),
                       ('an option as host', ('u@-oProxyCommand=x',))):
        got = place.deploy(*args)
        tap.equal(name + ' is wrong use', got.returncode, 4)
    host.more = 'ForceCommand echo noise; echo yardmaster done; exit 0'
    host.stop()
    host.start()
    got = place.deploy(host.name)
    tap.ok('a host that starts no shell', got.returncode == 2, words(got))
    host.more = ''
    host.stop()
    host.start()
    tap.equal('nothing has changed there', tree(host), before)


def kept(place, host):
    """A new agent that starts but does not answer makes way for the old."""
    place.deploy(host.name)
    config = host.dir + 'config/yardmaster/agent.json'
    os.makedirs(os.path.dirname(config))
    subprocess.run([host.home + PLACE, 'quit'], env=host.env)
    shutil.rmtree(host.state + '/yardmaster')
    with open(config, 'w') as f:
        f.write('{"max_workers": 0}')
    got = place.deploy(host.name, '--agent-path', OLD)
    tap.ok('the words of one that does not start come back',
           got.returncode == 2 and 'max_workers' in got.stderr, words(got))
    tap.equal('the one before is back', digest(host.home + PLACE),
              digest(STATIC))
    os.unlink(config)
    tap.equal('and works', place.deploy(host.name).returncode, 0)
    place.deploy(host.name, '--uninstall')
    shutil.rmtree(os.path.dirname(config))


def shells(place):
    """Any sh will do, whoever is called so, and so will this host."""
    for name in ('dash', 'bash', 'busybox', 'ksh', 'mksh', 'zsh'):
        path = shutil.which(name)
        if path is None:
            continue
        home = os.path.join(place.hosts.dir, 'home of ' + name)
        bin_dir = home + '/bin'
        os.makedirs(bin_dir)
        os.symlink(path, bin_dir + '/sh')
        with open(place.fleet, 'w') as f:
            json.dump({'name': 'here', 'agents': [
                {'name': 'here', 'transport': 'local'}]}, f)
        env = {'HOME': home, 'PATH': bin_dir + ':' + os.environ['PATH'],
               'XDG_STATE_HOME': '', 'XDG_CONFIG_HOME': ''}
        before = sorted(os.listdir(home))
        got = place.deploy('here', **env)
        tap.ok(name + ' installs it', got.returncode == 0 and 'installed' in
               got.stdout and digest(home + PLACE) == digest(STATIC),
               words(got))
        tap.ok('and it runs', os.path.exists(
            home + '/.local/state/yardmaster/agent/here/agent.lock'))
        got = place.deploy('here', '--uninstall', **env)
        tap.equal('and removes it', (words(got), sorted(os.listdir(home))),
                  ('here: removed\n', before))


def looks_only(place, host):
    """A key whose forced command is connect --read-only."""
    place.write_fleet()
    place.deploy(host.name)
    host.more = 'ForceCommand %s connect --read-only' % (host.home + PLACE)
    host.stop()
    host.start()
    got = place.run('fleet', 'test')
    tap.ok('such a key shows the agent', re.search(
        host.name + ' *ok', got.stdout), words(got))
    got = place.run('set', host.name, 'max_workers=9')
    tap.ok('and cannot change it', got.returncode != 0 and
           'only look' in words(got), words(got))
    got = place.deploy(host.name, '--uninstall', '--force')
    tap.ok('nor remove it, which is said at once', got.returncode == 2 and
           'an agent answers there, no shell' in got.stderr, words(got))
    host.more = ''
    host.stop()
    host.start()
    tap.equal('another key may', place.deploy(
        host.name, '--uninstall').returncode, 0)


def main():
    sshd.need()
    if not os.path.exists(STATIC):
        tap.skip_all('no static archives of the agent\'s libraries here')
    with sshd.SshHosts(2) as hosts:
        place = Place(hosts)
        for transport, host in zip(('libssh2', 'openssh'), hosts):
            tap.note(transport)
            place.write_fleet(transport=transport)
            life(place, host)
        tap.note('force')
        forced(place, hosts[0])
        tap.note('refusals')
        refused(place, hosts[0])
        tap.note('an agent that does not start')
        kept(place, hosts[1])
        tap.note('a key that may only look')
        looks_only(place, hosts[0])
        tap.note('shells')
        shells(place)
    tap.done()


main()
