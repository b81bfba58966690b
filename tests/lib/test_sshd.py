# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH servers for tests themselves."""

import json
import os

import sshd
import tap

sshd.need()
with sshd.SshHosts(2, env={'LAB': 'a b'}) as hosts:
    one, two = hosts
    tap.ok('two ports', one.port != two.port)
    for host in hosts:
        r = host.ssh('echo "$HOME $LAB"')
        tap.equal('%s has a home of its own' % host.name,
                  (r.returncode, r.stdout), (0, host.home + ' a b\n'))
    with open(hosts.write_fleet(max_workers=3)) as f:
        agents = json.load(f)['agents']
    tap.equal('a fleet of both', [a['name'] for a in agents],
              ['lab-1', 'lab-2'])
    tap.equal('with more keys', agents[1]['max_workers'], 3)
    tap.ok('absolute agent path', os.path.isabs(agents[0]['agent_path']))

    r = one.ssh('setsid tail -f /dev/null >/dev/null 2>&1 </dev/null &'
                ' echo started')
    tap.equal('something stays behind', r.stdout, 'started\n')
    port = one.port
    one.stop()
    tap.equal('stopped', one.ssh('true').returncode, 255)
    tap.equal('the other is not', two.ssh('true').returncode, 0)
    tap.ok('what left its session lives', sshd.belonging_to(one.dir))
    one.start()
    tap.equal('at the same port again', (one.port, one.ssh('true').returncode),
              (port, 0))
    left = sshd.belonging_to(one.dir)
    one.crash()
    tap.ok('a crash ends it', all(
        sshd._read('/proc/%d/cmdline' % pid) == b'' for pid in left))
    place = hosts.dir
tap.ok('nothing is left', not os.path.exists(place))
tap.ok('nothing runs', not sshd.belonging_to(place))
tap.done()
