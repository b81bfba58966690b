# SPDX-License-Identifier: GPL-3.0-or-later
"""A console's side of the agent protocol, as small as tests need it.

    agent = Agent()                     # a spool of its own
    link = agent.connect()              # through the bridge
    link.sync('r0000000000', 1)
    link.start('r0000000000', 1, [work('r0000000000', 1, ['true'])])
    report = link.wait_report('r0000000000/1/1', 'ended')
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

BANNER = b'yardmaster protocol 1\n'
HELLO, PING, PONG, SYNC, START, TAKE_BACK, CANCEL, ACK, SET, MODE, TAIL, \
    UNTAIL, FETCH = range(1, 14)
WELCOME, REPORT, SYNCED, RETURNED, FACTS, ANSWER, OUTPUT, OUTPUT_END, \
    ERROR = range(20, 29)
FRAME_MAX = 16000
PROGRAM = os.path.join(os.environ.get('YM_BUILDDIR', '.'), 'yardmaster-agent')
TAKE = 18
WAIT_S = 60


class Closed(Exception):
    """The other side ended the link."""


class Link:
    """One link to a daemon; keeps what came and was not asked for yet."""

    def __init__(self, rfd, wfd, process=None):
        self.rfd, self.wfd, self.process = rfd, wfd, process
        self.got = b''
        self.banner = False
        self.parts = b''
        self.inbox = []
        self.reports = {}
        self.facts = None
        self.next_tag = 0

    # ---- bytes ---------------------------------------------------------
    def send_raw(self, data):
        while data:
            data = data[os.write(self.wfd, data):]

    def send(self, number, body):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        room = FRAME_MAX - 4
        if len(data) > room:
            data = struct.pack('>I', len(data)) + data
        while True:
            piece, data = data[:room], data[room:]
            self.send_raw(struct.pack('>HBB', len(piece), number,
                                      1 if data else 0) + piece)
            if not data:
                return

    def _read(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.rfd], [], [], left)[0]:
            raise TimeoutError('nothing came in time')
        data = os.read(self.rfd, 65536)
        if not data:
            raise Closed()
        self.got += data

    def _take(self):
        """The next whole message in what came, or None."""
        if not self.banner:
            at = self.got.find(BANNER)
            if at < 0:
                return None
            self.banner = True
            self.got = self.got[at + len(BANNER):]
        while len(self.got) >= 4:
            n, number, flags = struct.unpack('>HBB', self.got[:4])
            if len(self.got) < 4 + n:
                return None
            body, self.got = self.got[4:4 + n], self.got[4 + n:]
            self.parts += body
            if flags & 1:
                self.multi = True
                continue
            body, self.parts = self.parts, b''
            if getattr(self, 'multi', False):
                body, self.multi = body[4:], False
            return number, body if number == OUTPUT else json.loads(body)
        return None

    def recv(self, timeout=WAIT_S):
        """The next message (number, body); notes reports and facts."""
        deadline = time.monotonic() + timeout
        while (message := self._take()) is None:
            self._read(deadline)
        number, body = message
        if number == REPORT:
            for report in body['reports']:
                self.reports.setdefault(report['id'], []).append(report)
        elif number == FACTS:
            self.facts = body
        elif number == PING:
            self.send(PONG, body)
        return message

    def wait(self, number, match=lambda body: True, timeout=WAIT_S):
        """The body of the next such message, those before are kept."""
        for i, (n, body) in enumerate(self.inbox):
            if n == number and match(body):
                del self.inbox[i]
                return body
        deadline = time.monotonic() + timeout
        while True:
            n, body = self.recv(deadline - time.monotonic())
            if n == number and match(body):
                return body
            self.inbox.append((n, body))

    # ---- what a console says --------------------------------------------
    def hello(self, **more):
        body = {'protocol': 1, 'version': 'test', 'features': [],
                'who': 'test@here', 'console': 'test', 'read_only': False}
        body.update(more)
        self.send_raw(BANNER)
        self.send(HELLO, body)
        self.welcome = self.wait(WELCOME)
        self.facts = self.welcome['facts']
        return self.welcome

    def sync(self, run, epoch):
        self.send(SYNC, {'run': run, 'epoch': epoch, 'owner': 'test'})
        return self.wait(SYNCED, lambda b: b['run'] == run)

    def start(self, run, epoch, works):
        self.send(START, {'run': run, 'epoch': epoch, 'works': works})

    def _ids(self, number, ids, epoch, **more):
        run = ids[0].split('/')[0]
        self.send(number, dict(run=run, epoch=epoch, ids=ids, **more))

    def take_back(self, ids, epoch=1):
        self._ids(TAKE_BACK, ids, epoch)

    def cancel(self, ids, epoch=1, grace_s=5):
        self._ids(CANCEL, ids, epoch, grace_s=grace_s)

    def ack(self, ids, epoch=1):
        self._ids(ACK, ids, epoch)

    def ask(self, number, **body):
        """SET or MODE; returns the answer."""
        self.next_tag += 1
        self.send(number, dict(body, tag=self.next_tag))
        return self.wait(ANSWER, lambda b: b['tag'] == self.next_tag)

    def ping(self):
        """Waits until all that was sent before has been acted on."""
        self.next_tag += 1
        self.send(PING, {'n': self.next_tag})
        return self.wait(PONG, lambda b: b['n'] == self.next_tag)

    # ---- what a test waits for -------------------------------------------
    def wait_report(self, ident, *states, timeout=WAIT_S):
        """The first report of ident in one of these states."""
        deadline = time.monotonic() + timeout
        seen = 0
        while True:
            known = self.reports.get(ident, [])
            for report in known[seen:]:
                seen += 1
                if report['state'] in states:
                    return report
            n, body = self.recv(deadline - time.monotonic())
            if n not in (REPORT, FACTS):
                self.inbox.append((n, body))

    def wait_ended(self, idents, timeout=WAIT_S):
        return [self.wait_report(i, 'ended', 'lost', timeout=timeout)
                for i in idents]

    def wait_facts(self, match, timeout=WAIT_S):
        if self.facts is not None and match(self.facts):
            return self.facts
        return self.wait(FACTS, match, timeout)

    def returned(self, ident):
        """The answer to a take-back or a refused start."""
        body = self.wait(RETURNED, lambda b: any(
            item['id'] == ident for item in b['items']))
        return [i for i in body['items'] if i['id'] == ident][0]

    def tail(self, ident, offset=0, follow=True, limit=0):
        """All output until OUTPUT_END; returns (bytes, end)."""
        return self._bytes(TAIL, attempt=ident, offset=offset, max=limit,
                           follow=follow)

    def fetch(self, ident, name, offset=0, limit=0):
        """A file that an attempt left; returns (bytes, end)."""
        return self._bytes(FETCH, attempt=ident, file=name, offset=offset,
                           max=limit)

    def _bytes(self, number, **body):
        self.next_tag += 1
        tag, data, at = self.next_tag, b'', None
        self.send(number, dict(body, tag=tag))
        while True:
            number, body = self.recv()
            if number == OUTPUT and body[:4] == struct.pack('>I', tag):
                pos = struct.unpack('>Q', body[4:12])[0]
                assert at is None or pos == at
                data += body[12:]
                at = pos + len(body) - 12
            elif number == OUTPUT_END and body['tag'] == tag:
                return data, body
            else:
                self.inbox.append((number, body))

    def wait_output(self, ident):
        """Waits until it has written something, and returns that."""
        self.next_tag += 1
        tag = self.next_tag
        self.send(TAIL, {'tag': tag, 'attempt': ident, 'offset': 0, 'max': 0,
                         'follow': True})
        data = self.wait(OUTPUT, lambda b: struct.unpack('>I', b[:4])[0]
                         == tag)[12:]
        self.send(UNTAIL, {'tag': tag})
        return data

    def wait_closed(self, timeout=WAIT_S):
        """Reads until the other side ends; returns the last ERROR or None."""
        deadline, error = time.monotonic() + timeout, None
        try:
            while True:
                number, body = self.recv(deadline - time.monotonic())
                if number == ERROR:
                    error = body
        except (Closed, ConnectionError):
            return error

    def close(self):
        for fd in {self.rfd, self.wfd}:
            os.close(fd)
        if self.process is not None:
            self.process.wait(WAIT_S)


def work(run, execution, argv, attempt=1, **more):
    """A work of one step; more may replace any key, steps too."""
    body = {'id': '%s/%d/%d' % (run, execution, attempt), 'epoch': 1,
            'class': 'auto', 'workers': 1, 'label': 'suite/t%d' % execution,
            'owner': 'test', 'steps': [{'label': 'suite/t%d' % execution,
                                        'argv': argv}]}
    body.update(more)
    return body


class Agent:
    """An agent with folders of its own; ends what it started."""

    def __init__(self, instance='t', env=None, state=None):
        self.dir = tempfile.mkdtemp(prefix='ym-agent-')
        self.instance = instance
        self.state = state or os.path.join(self.dir, 'state')
        self.spool = os.path.join(self.state, 'agent', instance)
        self.config = os.path.join(self.dir, 'config', 'yardmaster')
        os.makedirs(self.config)
        self.env = dict(os.environ, HOME=self.dir,
                        YARDMASTER_STATE=self.state,
                        XDG_CONFIG_HOME=os.path.join(self.dir, 'config'))
        self.env.pop('YARDMASTER_MAX_WORKERS', None)
        self.env.update(env or {})
        self.links = []

    def configure(self, text, name='agent.json'):
        path = os.path.join(self.config, name)
        with open(path, 'w') as f:
            f.write(text if isinstance(text, str) else json.dumps(text))
        return path

    def run(self, *args, env=None):
        """Runs a command of yardmaster-agent for this instance."""
        return subprocess.run(
            [PROGRAM, args[0], '--instance', self.instance, *args[1:]],
            env=dict(self.env, **(env or {})), capture_output=True,
            text=True, timeout=WAIT_S, stdin=subprocess.DEVNULL)

    def bridge(self, *args):
        """A connect without greeting."""
        p = subprocess.Popen(
            [PROGRAM, 'connect', '--instance', self.instance, *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.env)
        link = Link(os.dup(p.stdout.fileno()), os.dup(p.stdin.fileno()), p)
        p.stdout.close()
        p.stdin.close()
        self.links.append(link)
        return link

    def connect(self, *args, **hello):
        link = self.bridge(*args)
        link.hello(**hello)
        return link

    def socket(self, name='agent.sock', **hello):
        """A link straight to a daemon that runs."""
        s = socket.socket(socket.AF_UNIX)
        s.connect(os.path.join(self.spool, name))
        fd = s.detach()
        link = Link(fd, fd)
        self.links.append(link)
        link.hello(**hello)
        return link

    def pid(self):
        with open(os.path.join(self.spool, 'agent.lock')) as f:
            return int(f.read().split()[0])

    def kill(self, pid=None, signo=signal.SIGKILL):
        """Kills (the daemon) and waits until it is gone."""
        pid = pid or self.pid()
        fd = os.pidfd_open(pid)
        signal.pidfd_send_signal(fd, signo)
        select.select([fd], [], [], WAIT_S)
        os.close(fd)

    def wait_gone(self, pid):
        """Waits until a process has ended by itself."""
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        gone = bool(select.select([fd], [], [], WAIT_S)[0])
        os.close(fd)
        return gone

    def log(self):
        """What daemon and workers wrote."""
        with open(os.path.join(self.spool, 'agent.log')) as f:
            return f.read()

    def worker_pids(self):
        """The worker processes of this spool that live."""
        found = []
        for name in os.listdir('/proc'):
            try:
                with open('/proc/%s/cmdline' % name, 'rb') as f:
                    words = f.read().split(b'\0')
                if words[1:2] == [b'worker'] and os.readlink(
                        '/proc/%s/cwd' % name) == os.path.realpath(
                            self.spool):
                    found.append(int(name))
            except (OSError, ValueError):
                continue
        return found

    def close(self):
        """Ends daemon and workers, removes the folders."""
        for link in self.links:
            try:
                link.close()
            except OSError:
                pass
        if os.path.exists(os.path.join(self.spool, 'agent.lock')):
            self.run('quit')
        for pid in self.worker_pids():
            try:
                self.kill(pid)
            except OSError:
                pass
        log = self.log() if os.path.exists(
            os.path.join(self.spool, 'agent.log')) else ''
        shutil.rmtree(self.dir, ignore_errors=True)
        if 'Sanitizer' in log or 'runtime error' in log:
            raise AssertionError(log)


R = 'r0000000000'


def ids(*numbers):
    return ['%s/%d/1' % (R, n) for n in numbers]


@contextlib.contextmanager
def agent(workers=4, settings=None, **more):
    a = Agent(**more)
    try:
        a.configure(dict({'max_workers': workers}, **(settings or {})))
        yield a
    finally:
        a.close()


class Gate:
    """Commands that run until they are let go: they read a FIFO."""

    def __init__(self, a, name='gate'):
        self.path = os.path.join(a.dir, name)
        os.mkfifo(self.path)
        self.fd = os.open(self.path, os.O_RDWR)

    def command(self, before='', after=''):
        return ['sh', '-c', '%s read x < %s; %s' % (before, self.path, after)]

    def open(self, n=1):
        os.write(self.fd, b'go\n' * n)
