# SPDX-License-Identifier: GPL-3.0-or-later
"""Real agents behind real sshd: servers die in the middle of a run and come
back, keys change, and the rest goes on."""

import json
import os
import subprocess

import sshd
import tap

PLAN = {'name': 'p', 'parallel': 'tests',
        'command': ['sh', '-c', 'sleep 0.3; echo {test}'],
        'suites': [{'name': 's', 'tests': list('abcdefghijkl')}]}
PROGRAM = os.path.join(os.path.abspath(os.environ.get('YM_BUILDDIR', '.')),
                       'yardmaster')


def environment(hosts):
    home = os.path.join(hosts.dir, 'console')
    os.makedirs(home, 0o700, exist_ok=True)
    env = {k: v for k, v in os.environ.items() if k != 'SSH_AUTH_SOCK'}
    return dict(env, HOME=home, XDG_STATE_HOME=os.path.join(home, 'state'))


def yardmaster(hosts, *words):
    return subprocess.Popen([PROGRAM, *words], env=environment(hosts),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, encoding='utf-8')


def test_run(hosts, fleet):
    plan = os.path.join(hosts.dir, 'plan.json')
    with open(plan, 'w') as f:
        json.dump(PLAN, f)
    run = yardmaster(hosts, 'run', plan, '--fleet', fleet)
    said, cut = [], False
    for line in run.stdout:
        said.append(line)
        if 'passed' in line and not cut:
            cut = True
            for host in hosts[0], hosts[1]:
                host.stop()
            for host in hosts[0], hosts[1]:
                host.start()
    tap.ok('two of three servers die in the middle of a run: all passed',
           run.wait() == 0 and '12 passed' in said[-1] and cut,
           ''.join(said))


def test_changed_key(hosts, fleet):
    host = hosts[1]
    host.stop()
    for name in 'host_key', 'host_key.pub':
        os.unlink(host.dir + name)
    subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
                    host.dir + 'host_key'], check=True)
    host.start()
    test = yardmaster(hosts, 'fleet', 'test', '--fleet', fleet)
    lines = {line.split()[0]: line for line in test.stdout}
    test.wait()
    tap.ok('a host with a changed key is refused',
           'host key of lab-2 changed' in lines['lab-2'], lines)
    tap.ok('the others are not held up', ' ok ' in lines['lab-1'] and
           ' ok ' in lines['lab-3'], lines)
    tap.equal('an agent that runs as root is said to', [
        lines[name].rstrip().endswith(', runs as root') for name in
        ('lab-1', 'lab-3')], [os.geteuid() == 0] * 2)
    log = yardmaster(hosts, 'fleet', 'log', 'lab-2', '--fleet', fleet)
    text = log.communicate()[0]
    tap.ok('the log of a link that is tried now says how far it came',
           'Z  connecting to ' in text and
           'Z  host key of lab-2 changed' in text, text)
    listed = yardmaster(hosts, 'agents', '--json', '--fleet', fleet)
    said = listed.communicate()[0].replace(' ', '')
    tap.equal('and in the list', '"root":true' in said, os.geteuid() == 0)


def main():
    sshd.need()
    with sshd.SshHosts(3) as hosts:
        fleet = hosts.write_fleet()
        test_run(hosts, fleet)
        test_changed_key(hosts, fleet)
    tap.done()


if __name__ == '__main__':
    main()
