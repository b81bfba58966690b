# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are mute, rude, noisy, changed, empty or dead: each is named
with its cause, and the good ones go on."""

import os
import socket
import threading
import time

import sshd
import tap
from lab import Lab

SOON = 8        # less than any deadline of a mute host

NOISY = '''#!/bin/sh
i=0
while [ $i -lt %d ]; do
	echo "Welcome! This machine is watched. $i ----------------------------"
	i=$((i + 1))
done
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
'''

# What "fleet test" and "agents" say of each host.
CAUSES = {
    'lab-3': 'permission denied',
    'lab-4': 'host key of lab-4 changed',
    'lab-5': 'yardmaster fleet trust lab-5',
    'lab-6': 'no agent installed on lab-6',
    'lab-7': 'connection refused',
    'lab-8': 'login files print',
    'web': 'closed the connection before the key exchange',
    'mute': 'no answer for 10 s (key exchange',
}


def listener(serve=None):
    """A server on loopback that is no sshd; serve(connection) or silence."""
    s = socket.socket()
    s.bind(('127.0.0.1', 0))
    s.listen(16)

    def accept():
        while True:
            try:
                serve(s.accept()[0])
            except OSError:
                return

    if serve is not None:
        threading.Thread(target=accept, daemon=True).start()
    return s


def web(connection):
    with connection:
        connection.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n<html>\r\n')


def noisy(host, lines):
    host.stop()
    with open(host.dir + 'noisy', 'w') as f:
        f.write(NOISY % lines)
    os.chmod(host.dir + 'noisy', 0o755)
    host.more = 'ForceCommand %snoisy' % host.dir
    host.start()


def spoil(lab):
    """lab-1 stays good, lab-2 is noisy, the others are of no use."""
    hosts = lab.hosts
    noisy(hosts[1], 150)
    hosts[2].stop()
    hosts[2].more = 'DenyUsers ' + hosts.user
    hosts[2].start()
    hosts[3].stop()
    for name in ('host_key', 'host_key.pub'):
        os.unlink(hosts[3].dir + name)
    sshd._keygen(hosts[3].dir + 'host_key')
    hosts[3].start()
    with open(hosts.known_hosts) as f:
        lines = [x for x in f if ':%d ' % hosts[4].port not in x]
    with open(hosts.known_hosts, 'w') as f:
        f.writelines(lines)
    hosts[6].stop()
    noisy(hosts[7], 2000)


def write_fleet(lab, others):
    lab.write_fleet({'lab-6': {'agent_path': '/nonexistent/agent'}},
                    max_workers=2, others=others)


def plan_of(lab, n, seconds='0.1', **more):
    return lab.plan(dict({
        'name': 'p', 'parallel': 'tests', 'order': 'plan',
        'lost_after': '2s', 'command': [lab.work, seconds],
        'suites': [{'name': 's', 'tests': ['t%d' % i for i in range(n)]}]},
        **more))


def causes(lab, others):
    done = lab.cli('fleet', 'test')
    said = {line.split()[0]: line for line in done.stdout.splitlines()}
    tap.equal('fleet test exits with 2', done.returncode, 2)
    for name in ('lab-1', 'lab-2'):
        tap.ok('fleet test: %s is ok' % name, said[name].split()[1] == 'ok',
               said[name])
    for name, cause in CAUSES.items():
        tap.ok('fleet test: %s: %s' % (name, cause), 'FAILED' in said[name]
               and cause in said[name], said[name])
    write_fleet(lab, others)
    listed = {a['name']: a for a in lab.json('agents')['agents']}
    for name, cause in CAUSES.items():
        if name not in listed:
            continue
        a = listed[name]
        tap.ok('agents: ' + name, a['state'] == 'offline' and
               a['link'] == 'down' and cause in a['error'], str(a))


def trust(lab):
    with open(lab.hosts.known_hosts) as f:
        before = f.read()
    done = lab.cli('fleet', 'trust', 'lab-5')
    tap.ok('nobody there to look at the key: not trusted',
           done.returncode == 2 and '--yes' in done.stderr, done.stderr)
    with open(lab.hosts.known_hosts) as f:
        tap.equal('and nothing is written', f.read(), before)
    done = lab.cli('fleet', 'trust', 'lab-5', '--yes')
    tap.ok('fleet trust --yes', done.returncode == 0 and
           'SHA256:' in done.stdout, done.stdout + done.stderr)
    with open(lab.hosts[4].dir + 'host_key.pub') as f:
        key = ' '.join(f.read().split()[:2])
    with open(lab.hosts.known_hosts) as f:
        tap.equal('one line is appended to the known_hosts of the fleet',
                  f.read(), before + '[127.0.0.1]:%d %s\n' % (
                      lab.hosts[4].port, key))
    tap.ok('and to no other', not os.path.exists(lab.dir + '/.ssh'))
    done = lab.cli('fleet', 'trust', 'lab-4', '--yes')
    tap.ok('a changed key is not trusted, whoever says yes',
           done.returncode == 2 and 'changed' in done.stdout, done.stdout)
    run(lab, 'lab-5 works now', agents=['lab-5'])


def run(lab, name, **more):
    begun = time.monotonic()
    done = lab.cli('run', plan_of(lab, 6, **more), '--quiet')
    took = time.monotonic() - begun
    tap.ok(name, done.returncode == 0 and '6 passed' in done.stdout,
           done.stdout + done.stderr)
    tap.ok(name + ': nobody waits for the others', took < SOON, took)


def bad_hosts():
    silent, http = listener(), listener(web)
    with Lab(8) as lab:
        spoil(lab)
        first = lab.hosts.agents()[0]
        others = [dict(first, name=name, port=s.getsockname()[1])
                  for name, s in (('mute', silent), ('web', http))]
        write_fleet(lab, others)
        run(lab, 'a run on what is left')
        run(lab, 'a run on the noisy one', agents=['lab-2'])
        begun = time.monotonic()
        done = lab.cli('set', 'lab-1', 'max_workers=3')
        tap.ok('set waits for the agent it is for only',
               done.returncode == 0 and time.monotonic() - begun < SOON,
               done.stderr)
        done = lab.cli('set', 'lab-7', 'max_workers=3')
        tap.ok('set on a dead one says the cause', done.returncode == 2 and
               'connection refused' in done.stderr, done.stderr)
        causes(lab, others[1:])
        trust(lab)
        begun = time.monotonic()
        done = lab.cli('run', plan_of(lab, 2, agents=['lab-6', 'lab-7']),
                       '--give-up', '3s')
        tap.ok('nobody can run it: error', done.returncode == 2 and
               '2 error' in done.stdout and 'agents-offline' in done.stderr,
               done.stdout + done.stderr)
    silent.close()
    http.close()


def main():
    sshd.need()
    bad_hosts()
    tap.done()


main()
