# SPDX-License-Identifier: GPL-3.0-or-later
"""What links ask is answered on the screen: unknown host keys one by one, and
the passphrase of a key, which is not shown."""

import subprocess

import sshd
import tap
import vt
from lab import Lab

SECRET = 'open sesame'


def host_keys(lab):
    with open(lab.hosts.known_hosts, 'w'):
        pass
    with lab.screen() as screen:
        screen.sees('the header counts one thing to do', 'links 0/2.*!1')
        screen.keys('0')
        screen.sees('hosts that ask are one row', '2 hosts ask')
        screen.keys(vt.ENTER)
        screen.sees('the fingerprint is shown', 'SHA256:')
        screen.sees('so is the way out', 'Later')
        screen.keys('y')
        screen.sees('one host is left', '1 host asks')
        screen.sees('its key is asked about, too', 'lab-2 .*unknown host key')
        screen.keys('y')
        screen.sees('both links come up', 'links 2/2')
        screen.loses('nothing is left to do', 'hosts? asks?')
    with open(lab.hosts.known_hosts) as f:
        tap.equal('both keys were written', len(f.readlines()), 2)


def passphrase(lab):
    subprocess.run(['ssh-keygen', '-q', '-p', '-P', '', '-N', SECRET, '-f',
                    lab.hosts.user_key], check=True,
                   stdout=subprocess.DEVNULL)
    lab.env.pop('SSH_AUTH_SOCK', None)
    done = lab.cli('fleet', 'test')
    tap.ok('headless says that the key is locked', 'passphrase' in
           done.stdout + done.stderr, done.stdout + done.stderr)
    with lab.screen() as screen:
        screen.sees('it is asked for', '!1')
        screen.keys('0' + vt.ENTER)
        screen.sees('the dialog says of which key', 'user_key|passphrase')
        screen.keys(SECRET)
        tap.ok('it is not shown', SECRET not in screen.dump(), screen.dump())
        screen.keys(vt.ENTER)
        screen.sees('that link comes up', 'links 1/2')


def main():
    sshd.need()
    vt.need()
    with Lab(2, max_workers=1) as lab:
        host_keys(lab)
        passphrase(lab)
    tap.done()


main()
