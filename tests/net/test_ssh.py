# SPDX-License-Identifier: GPL-3.0-or-later
"""Links through libssh2 to real sshd: what works, what is refused, and in
which words."""

import os
import random
import shutil
import signal
import socket
import subprocess
import threading

import sshd
import tap
from linkcat import Cat

BANNER = b'yardmaster protocol 1\n'
ERR_CLOSED, ERR_TIMEOUT = -10008, -10009
ERR_NOT_FOUND, ERR_AUTH, ERR_HOST_KEY = -10002, -10011, -10012


def keygen(path, kind='ed25519', phrase='', *more):
    subprocess.run(['ssh-keygen', '-q', '-t', kind, '-N', phrase, '-C', '',
                    '-f', path, *more], check=True)


class Lab:
    """One host whose agent echoes, and the files of its user."""

    def __init__(self, hosts):
        self.hosts, self.host = hosts, hosts[0]
        self.dir = hosts.dir
        self.agent = self.program('echo-agent', 'exec cat')
        self.client = os.path.join(self.dir, 'client')
        os.makedirs(self.client, 0o700)
        self.env = {'HOME': self.client, 'USER': hosts.user}

    def program(self, name, rest):
        path = os.path.join(self.dir, name)
        with open(path, 'w') as f:
            f.write('#!/bin/sh\nprintf "yardmaster protocol 1\\n"\n%s\n' % rest)
        os.chmod(path, 0o755)
        return path

    def spec(self, **more):
        spec = {'name': 'lab-1', 'via': 'libssh2', 'host': '127.0.0.1',
                'port': self.host.port, 'user': self.hosts.user,
                'identity': self.hosts.user_key,
                'known_hosts': self.hosts.known_hosts,
                'agent_path': self.agent}
        spec.update(more)
        return {k: v for k, v in spec.items() if v is not None}

    def cat(self, env=None, **more):
        return Cat(self.spec(**more), dict(self.env, **(env or {})))

    def file(self, name, text=''):
        path = os.path.join(self.dir, name)
        with open(path, 'w') as f:
            f.write(text)
        return path

    def host_line(self):
        with open(self.hosts.known_hosts) as f:
            return f.read()

    def authorize(self, *keys):
        with open(os.path.join(self.dir, 'authorized_keys'), 'w') as f:
            for key in keys:
                with open(key + '.pub') as pub:
                    f.write(pub.read())


def works(name, cat):
    """The link opens and echoes; closes it."""
    with cat:
        opened = cat.phase('open')
        if opened:
            cat.write(b'hello\n')
        data = cat.read(len(BANNER) + 6) if opened else b''
        tap.ok(name, data == BANNER + b'hello\n', (data, cat.said))


def fails(name, cat, code, *words):
    """The link ends with that code and all of the words."""
    got, text = cat.end()
    tap.ok(name, got == code and all(w in text for w in words),
           '%r %r\n%r' % (got, text, cat.said))
    return text


def both_ways(lab, name, n):
    text = bytes(i % 251 for i in range(4096)) * (n // 4096)
    with lab.cat() as cat:
        cat.phase('open')
        writer = threading.Thread(target=cat.write, args=(text,))
        writer.start()
        data = cat.read(len(BANNER) + n)
        writer.join()
        tap.ok(name, data == BANNER + text, (len(data), cat.said))


def bursts(lab, n):
    """Each burst is whole before the next one is sent: the last packet of one
    must not lie about until something else comes."""
    sizes = random.Random(1)
    with lab.cat() as cat:
        cat.phase('open')
        cat.read(len(BANNER))
        got = 0
        for _ in range(n):
            data = bytes(sizes.randrange(1, 100000))
            writer = threading.Thread(target=cat.write, args=(data,))
            writer.start()
            got += cat.read(len(data)) == data
            writer.join()
        tap.equal('%d bursts there and back' % n, got, n)


def one_way(lab, n):
    """The far window closes; then only leave to send more comes back."""
    sink = lab.program('sink-agent', 'sleep 0.5; head -c %d | wc -c' % n)
    with lab.cat(agent_path=sink) as cat:
        cat.phase('open')
        writer = threading.Thread(target=cat.write, args=(bytes(n),))
        writer.start()
        data = cat.read_until(b'%d\n' % n)
        writer.join()
        tap.ok('12 MB one way', data.endswith(b'%d\n' % n), data)


def test_basics(lab):
    works('a known host, a key file', lab.cat())
    works('the same in a process of its own', lab.cat(nest=False))
    works('the same through openssh', lab.cat(via='openssh'))
    both_ways(lab, '3 MB there and back at once', 3 << 20)
    lab.host.stop()
    lab.host.more = 'RekeyLimit 200K'
    lab.host.start()
    both_ways(lab, '4 MB, with new keys all the time', 4 << 20)
    lab.host.stop()
    lab.host.more = ''
    lab.host.start()
    one_way(lab, 12 << 20)
    bursts(lab, 1000)
    proof = os.path.join(lab.dir, 'proof')
    slow = lab.program('slow-agent', 'cat >%s.part && mv %s.part %s' %
                       (proof, proof, proof))
    with lab.cat(agent_path=slow) as cat:
        cat.phase('open')
        cat.write(b'last words\n')
        cat.close()
    wait_for(proof)
    with open(proof) as f:
        tap.equal('what was written before the close arrives', f.read(),
                  'last words\n')


def wait_for(path):
    """Waits until path is there."""
    pause = threading.Event()
    for _ in range(400):
        if os.path.exists(path):
            return
        pause.wait(0.05)


def test_host_keys(lab):
    empty = lab.file('kh_empty')
    fails('an unknown key is refused without a person',
          lab.cat(known_hosts=empty, headless=True), ERR_HOST_KEY,
          'not known', 'SHA256:', 'yardmaster fleet trust lab-1')
    tap.equal('nothing was stored', os.path.getsize(empty), 0)

    with lab.cat(known_hosts=empty) as cat:
        question = cat.event('question')
        tap.ok('an unknown key is asked about',
               question and question['value'] == 'host-key' and
               'SHA256:' in question['text'], question)
    fails('no is no', lab.cat(known_hosts=empty, answers=['no']),
          ERR_HOST_KEY, 'not accepted')
    fails('a refusal is no', lab.cat(known_hosts=empty, answers=[None]),
          ERR_HOST_KEY, 'not accepted')
    works('trusted after yes', lab.cat(known_hosts=empty, answers=['yes']))
    with open(empty) as f:
        tap.equal('one line was stored', f.read(), lab.host_line())
    works('and known from then on', lab.cat(known_hosts=empty, headless=True))
    home_file = os.path.join(lab.client, '.ssh', 'known_hosts')
    works('without a file of its own, that of the user is written',
          lab.cat(known_hosts=None, answers=['yes']))
    tap.ok('which is made', os.path.exists(home_file))
    shutil.rmtree(os.path.dirname(home_file))

    hashed = lab.file('kh_hashed', lab.host_line())
    subprocess.run(['ssh-keygen', '-q', '-H', '-f', hashed], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    works('a hashed name', lab.cat(known_hosts=hashed, headless=True))
    wild = lab.file('kh_wild', 'x' * 70000 + '\nbroken\n' +
                    '[127.0.0.*]:* ' + lab.host_line().split(' ', 1)[1])
    works('a wildcard, behind bad lines',
          lab.cat(known_hosts=wild, headless=True))

    keygen(os.path.join(lab.dir, 'other'))
    with open(os.path.join(lab.dir, 'other.pub')) as f:
        other = f.read()
    name = lab.host_line().split(' ')[0]
    changed = lab.file('kh_changed', '# mine\n' + name + ' ' + other)
    fails('a changed key is refused', lab.cat(known_hosts=changed,
          answers=['yes']), ERR_HOST_KEY, 'changed', 'kh_changed line 2')
    revoked = lab.file('kh_revoked', lab.host_line() + '@revoked * ' +
                       lab.host_line().split(' ', 1)[1])
    fails('a revoked key is refused', lab.cat(known_hosts=revoked,
          answers=['yes']), ERR_HOST_KEY, 'revoked', 'kh_revoked line 2')
    keygen(os.path.join(lab.dir, 'ec'), 'ecdsa')
    with open(os.path.join(lab.dir, 'ec.pub')) as f:
        kh = lab.file('kh_type', name + ' ' + f.read())
    fails('another type of key is not taken for a first contact',
          lab.cat(known_hosts=kh, headless=True), ERR_HOST_KEY,
          'kh_type line 1 knows it by an ECDSA key')


def test_stored_type_first(lab):
    """The host has two keys; the one that is known is asked for."""
    ec = os.path.join(lab.dir, 'host_ec')
    keygen(ec, 'ecdsa')
    lab.host.stop()
    lab.host.more = 'HostKey ' + ec
    lab.host.start()
    name = lab.host_line().split(' ')[0]
    with open(ec + '.pub') as f:
        kh = lab.file('kh_ec', name + ' ' + f.read())
    works('the stored type is asked for first', lab.cat(known_hosts=kh,
                                                        headless=True))
    lab.host.stop()
    lab.host.more = ''
    lab.host.start()


def test_keys(lab):
    locked = os.path.join(lab.dir, 'locked')
    wrong = os.path.join(lab.dir, 'wrong')
    rsa = os.path.join(lab.dir, 'rsa')
    ec = os.path.join(lab.dir, 'user_ec')
    keygen(locked, phrase='open sesame')
    keygen(wrong)
    keygen(rsa, 'rsa')
    keygen(ec, 'ecdsa')
    lab.authorize(lab.hosts.user_key, locked, rsa, ec)

    works('an ECDSA key', lab.cat(identity=ec))
    with lab.cat(identity=locked, answers=['wrong', 'open sesame']) as cat:
        cat.phase('open')
        tap.equal('a passphrase is asked for until it is right',
                  [e['value'] for e in cat.said if e['event'] == 'question'],
                  ['passphrase', 'passphrase'])
    fails('no passphrase, no link', lab.cat(identity=locked, answers=[None]),
          ERR_AUTH, 'permission denied', 'was not given')
    fails('without a person a locked key says so',
          lab.cat(identity=locked, headless=True), ERR_AUTH,
          'locked by a passphrase')
    fails('a key the host does not know', lab.cat(identity=wrong), ERR_AUTH,
          'permission denied', 'none of 1 key file was accepted')
    fails('a file that is no key',
          lab.cat(identity=lab.file('nokey', 'x\n')), ERR_AUTH,
          'not a private key')
    fails('no such file', lab.cat(identity='/nonexistent'), ERR_AUTH,
          'No such file')
    text = fails('an RSA key', lab.cat(identity=rsa), ERR_AUTH,
                 'permission denied') if not rsa_works() else 'openssh'
    tap.ok('the way out is named', 'openssh' in text, text)

    home = os.path.join(lab.client, '.ssh')
    os.makedirs(home, 0o700)
    shutil.copy(lab.hosts.user_key, os.path.join(home, 'id_ed25519'))
    works('the usual key file', lab.cat(identity=None))
    shutil.rmtree(home)
    agent_keys(lab, locked, wrong)


def rsa_works():
    link = os.path.join(os.environ.get('YM_BUILDDIR', '.'), 'yardmaster-link')
    text = subprocess.run([link, '--version'], stdout=subprocess.PIPE,
                          encoding='utf-8', check=True).stdout
    return tuple(int(x) for x in text.split()[1].strip(',').split('.')[:2]) \
        >= (1, 11)


def agent_keys(lab, locked, wrong):
    sock = os.path.join(lab.dir, 'agent.sock')
    agent = subprocess.Popen(['ssh-agent', '-D', '-a', sock],
                             stdout=subprocess.DEVNULL)
    wait_for(sock)
    env = {'SSH_AUTH_SOCK': sock}
    full = dict(os.environ, **env)

    def add(key):
        subprocess.run(['ssh-add', '-q', key], env=full, check=True,
                       stdin=subprocess.DEVNULL)
    fails('an empty ssh-agent', lab.cat(env=env, identity=wrong), ERR_AUTH,
          'none of 1 key file and 0 keys of the ssh-agent')
    add(wrong)
    fails('a wrong key there, once', lab.cat(env=env, identity=wrong),
          ERR_AUTH, 'none of 0 key files and 1 key of the ssh-agent')
    add(lab.hosts.user_key)
    works('a key of the ssh-agent', lab.cat(env=env, identity=None))
    subprocess.run(['ssh-keygen', '-q', '-p', '-P', 'open sesame', '-N', '',
                    '-f', locked], check=True, stdout=subprocess.DEVNULL)
    add(locked)
    subprocess.run(['ssh-keygen', '-q', '-p', '-P', '', '-N', 'open sesame',
                    '-f', locked], check=True, stdout=subprocess.DEVNULL)
    works('a locked identity that the ssh-agent holds needs no passphrase',
          lab.cat(env=env, identity=locked, headless=True))
    os.kill(agent.pid, signal.SIGSTOP)
    with lab.cat(env=env, identity=locked) as cat:
        tap.ok('an ssh-agent that hangs', cat.phase('connected'), cat.said)
    os.kill(agent.pid, signal.SIGKILL)
    agent.wait()
    works('no ssh-agent behind the socket', lab.cat(env=env))


def test_far_side(lab):
    fails('no agent installed', lab.cat(agent_path=None), ERR_NOT_FOUND,
          'no agent installed on lab-1', 'agent_path')
    fails('not where it was said', lab.cat(agent_path='/nonexistent/agent'),
          ERR_NOT_FOUND, '/nonexistent/agent not found')
    fails('openssh: no agent installed',
          lab.cat(agent_path=None, via='openssh'), ERR_NOT_FOUND,
          'no agent installed')
    bad = lab.program('bad-agent', 'echo no space left >&2; exit 3')
    fails('an agent that ends says why', lab.cat(agent_path=bad), ERR_CLOSED,
          'exit status 3', 'no space left')
    with lab.cat(agent_path='/bin/sh;x') as cat:
        tap.ok('only plain words are sent to a shell', cat.event('refused'),
               cat.said)

    lab.host.stop()
    lab.host.more = 'ForceCommand cd %s && echo Welcome to lab-1 && ' \
        'exec $SSH_ORIGINAL_COMMAND' % lab.dir
    os.makedirs(os.path.join(lab.dir, '.local', 'bin'))
    shutil.copy(lab.agent, os.path.join(lab.dir, '.local', 'bin',
                                        'yardmaster-agent'))
    lab.host.start()
    for via in ('libssh2', 'openssh'):
        with lab.cat(agent_path=None, via=via) as cat:
            cat.phase('open')
            cat.write(b'hello\n')
            data = cat.read_until(b'hello\n')
            tap.ok('%s: noise before, and the second place for an agent' % via,
                   data.startswith(b'Welcome to lab-1\n') and
                   data.endswith(BANNER + b'hello\n'), data)
    lab.host.stop()
    lab.host.more = ''
    lab.host.start()


class Silent:
    """A host that accepts and never speaks, and a link to it: what becomes of
    the link takes a while."""

    def __init__(self, lab):
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.cat = lab.cat(port=self.socket.getsockname()[1])
        self.peer = self.socket.accept()[0]

    def end(self):
        fails('a host that accepts and never speaks', self.cat, ERR_TIMEOUT,
              'no answer for 10 s', 'key exchange')
        self.peer.close()
        self.socket.close()


def test_network(lab):
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
        fails('a dead port', lab.cat(port=port), -111, 'connection refused',
              '127.0.0.1:%d' % port)
        s.listen(1)
        with lab.cat(port=port) as cat:
            s.accept()[0].close()
            code, text = cat.end()
            tap.ok('a port that hangs up', code == ERR_CLOSED and
                   'before the key exchange' in text, text)
        with lab.cat(port=port) as cat:
            peer = s.accept()[0]
            peer.sendall(b'HTTP/1.0 400 Bad Request\r\n\r\n')
            peer.close()
            code, text = cat.end()
            tap.ok('a port of something else', code < 0 and text, text)
    fails('a name without an address', lab.cat(host='no-such-host.invalid'),
          ERR_NOT_FOUND, 'no address for no-such-host.invalid')

    for nest in (True, False):
        with lab.cat(nest=nest) as cat:
            opened = cat.phase('open')
            os.kill(int(opened['text']), signal.SIGKILL)
            code, text = cat.end()
            tap.ok('a link process that is killed, nest %s' % nest,
                   code == ERR_CLOSED and 'signal 9' in text, text)
    with lab.cat() as cat:
        opened = cat.phase('open')
        with open('/proc/%s/stat' % opened['text']) as f:
            nest = int(f.read().rpartition(')')[2].split()[1])
        os.kill(nest, signal.SIGKILL)
        code, text = cat.end()
        tap.ok('a nest that is killed', code == ERR_CLOSED, text)
    with lab.cat() as cat:
        cat.phase('open')
        lab.host.stop()
        code, text = cat.end()
        tap.ok('a host that dies', code == ERR_CLOSED, text)
    lab.host.start()
    works('and comes back', lab.cat())


def main():
    sshd.need()
    with sshd.SshHosts(1) as hosts:
        lab = Lab(hosts)
        silent = Silent(lab)
        for test in (test_basics, test_host_keys, test_stored_type_first,
                     test_keys, test_far_side, test_network):
            test(lab)
        silent.end()
    tap.done()


if __name__ == '__main__':
    main()
