# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent as a script for tests of a console's side: speaks the protocol on
its standard streams and starts nothing.

    fake_agent.py [key=value...]

log=FILE       every message that comes is appended as a JSON line
noise=TEXT     printed before the banner
banner=LINE    instead of the protocol's
protocol=N     in the welcome
max=N          max workers (default 4); source=NAME where from
threshold=N    as in facts; absent: unset
readonly=1     the welcome says so
mute=WHAT      "all": no banner; "welcome": no welcome; "pong": no answer to
               pings, no facts
die=WHAT       once (see once=) exits when that message comes ("START",
               "TAIL": in the middle of the output)
once=FILE      made when it died; while it exists it does not die again
garbage=HEX    sent after the welcome
end=1          what is started ends as passed at once
lies=1         when something is started, says that execution 1 passed
files=FILE     what is started ends as passed and says that it left the files
               which FILE lists: JSON, by number of the execution a list of
               {"name", "bytes", "sha256", "content": hex}
"""

import json
import os
import struct
import sys

NUMBERS = {'HELLO': 1, 'PING': 2, 'PONG': 3, 'SYNC': 4, 'START': 5,
           'TAKE_BACK': 6, 'CANCEL': 7, 'ACK': 8, 'SET': 9, 'MODE': 10,
           'TAIL': 11, 'UNTAIL': 12, 'FETCH': 13, 'WELCOME': 20, 'REPORT': 21,
           'SYNCED': 22, 'RETURNED': 23, 'FACTS': 24, 'ANSWER': 25,
           'OUTPUT': 26, 'OUTPUT_END': 27, 'ERROR': 28}
NAMES = {v: k for k, v in NUMBERS.items()}
OUTPUT = b''.join(b'line %d\n' % i for i in range(1, 101))
OUTPUT_PIECE = 100
ROOM = 16000 - 4        # of a frame


class FakeAgent:
    def __init__(self, options):
        self.o = options
        self.guards = {}
        self.values = {'max_workers': int(options.get('max', 4)),
                       'threshold': json.loads(
                           options.get('threshold', 'null'))}
        self.source = options.get('source', 'advised')
        self.held = {}

    # ---- frames ----

    def send(self, name, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        if len(data) > ROOM:
            data = struct.pack('>I', len(data)) + data
        while True:
            piece, data = data[:ROOM], data[ROOM:]
            sys.stdout.buffer.write(struct.pack(
                '>HBB', len(piece), NUMBERS[name], 1 if data else 0) + piece)
            if not data:
                break
        sys.stdout.buffer.flush()

    def exactly(self, n):
        data = sys.stdin.buffer.read(n)
        if len(data) < n:
            sys.exit(0)
        return data

    def receive(self):
        """(name, body) of the next message, its parts put together."""
        whole = b''
        while True:
            n, number, flags = struct.unpack('>HBB', self.exactly(4))
            first = whole == b''
            part = self.exactly(n)
            if first and flags & 1:
                part = part[4:]
            whole += part
            if not flags & 1:
                return NAMES[number], json.loads(whole)

    # ---- what it says ----

    def facts(self):
        most = self.values['max_workers']
        return {'host': 'fake', 'version': '0.0.1', 'instance': 'default',
                'boot': 'b', 'max_workers': most, 'max_source': self.source,
                'advised': 4, 'threshold': self.values['threshold'],
                'effective': most, 'draining': self.held.get('drain'),
                'held': self.held.get('hold'), 'busy': 0, 'cpus': 8,
                'guards': self.guards,
                'workers': []}

    def report(self, ident, epoch, state, outcome=None):
        report = {'id': ident, 'epoch': epoch, 'state': state, 'worker': 1}
        if outcome:
            report.update(outcome=outcome, elapsed_s=0.5, steps=[
                {'outcome': outcome, 'exit_code': 0, 'elapsed_s': 0.5}])
        self.send('REPORT', {'reports': [report]})

    def die(self, name):
        if self.o.get('die') != name:
            return
        once = self.o.get('once')
        if once is None or not os.path.exists(once):
            if once:
                open(once, 'w').close()
            os._exit(1)

    # ---- what it does with what it hears ----

    def hello(self, m):
        if self.o.get('mute') == 'welcome':
            return
        self.send('WELCOME', {
            'protocol': int(self.o.get('protocol', 1)), 'version': '0.0.1',
            'features': [], 'instance': 'default', 'host': 'fake',
            'boot': 'b', 'read_only': 'readonly' in self.o,
            'facts': self.facts()})
        if 'garbage' in self.o:
            sys.stdout.buffer.write(bytes.fromhex(self.o['garbage']))
            sys.stdout.buffer.flush()

    def ping(self, m):
        if self.o.get('mute') != 'pong':
            self.send('PONG', m)

    def sync(self, m):
        self.send('SYNCED', {'run': m['run'], 'epoch': m['epoch']})

    def start(self, m):
        for work in m['works']:
            self.report(work['id'], m['epoch'], 'running')
            if 'lies' in self.o:
                self.report(work['id'].split('/')[0] + '/1/1', m['epoch'],
                            'ended', 'passed')
            if 'files' in self.o:
                self.leave(work['id'], m['epoch'])
            if 'end' in self.o:
                self.report(work['id'], m['epoch'], 'ended', 'passed')

    def left(self, ident):
        with open(self.o['files']) as f:
            return json.load(f)[ident.split('/')[1]]

    def leave(self, ident, epoch):
        said = [{k: v for k, v in x.items() if k != 'content'}
                for x in self.left(ident)]
        self.send('REPORT', {'reports': [{
            'id': ident, 'epoch': epoch, 'state': 'ended', 'worker': 1,
            'outcome': 'passed', 'elapsed_s': 0.5, 'artifacts': said,
            'steps': [{'outcome': 'passed', 'exit_code': 0,
                       'elapsed_s': 0.5}]}]})

    def fetch(self, m):
        data = bytes.fromhex(self.left(m['attempt'])[
            int(m['file'].split('.')[1])]['content'])
        for at in range(m['offset'], len(data), OUTPUT_PIECE):
            self.send('OUTPUT', struct.pack('>IQ', m['tag'], at) +
                      data[at:at + OUTPUT_PIECE])
        self.send('OUTPUT_END', {'tag': m['tag'], 'size': len(data),
                                 'dropped': 0, 'ended': True, 'code': 0})

    def take_back(self, m):
        self.send('RETURNED', {'items': [
            {'id': i, 'returned': True, 'why': 'not started'}
            for i in m['ids']]})

    def cancel(self, m):
        for i in m['ids']:
            self.report(i, m['epoch'], 'ended', 'cancelled')

    def set(self, m):
        guards = m['expect'].pop('guards', {})
        found = [(self.values[k], v) for k, v in m['expect'].items()] + \
            [(self.guards.get(k), v) for k, v in guards.items()]
        for now, value in found:
            if now != value:
                self.send('ANSWER', {
                    'tag': m['tag'], 'ok': False, 'code': -10014,
                    'text': 'now %s, not %s' % (now, value),
                    'facts': self.facts()})
                return
        self.guards.update(m.get('guards', {}))
        for key in self.values:
            if key in m:
                self.values[key] = m[key]
                self.source = 'console'
        self.send('ANSWER', {'tag': m['tag'], 'ok': True, 'code': 0,
                             'facts': self.facts()})

    def mode(self, m):
        word = {'drain': 'drain', 'undrain': 'drain', 'hold': 'hold',
                'release': 'hold'}[m['mode']]
        if m['mode'] in ('drain', 'hold'):
            self.held[word] = {'who': m['who'], 'note': m.get('note'),
                               'since': '2026-01-31T12:00:00Z'}
        else:
            self.held.pop(word, None)
        self.send('ANSWER', {'tag': m['tag'], 'ok': True, 'code': 0,
                             'facts': self.facts()})

    def tail(self, m):
        if m['attempt'].endswith('/9'):
            self.send('OUTPUT_END', {'tag': m['tag'], 'code': -10002,
                                     'text': 'no such output'})
            return
        at = m['offset'] if m['offset'] >= 0 else len(OUTPUT) + m['offset']
        while at < len(OUTPUT):
            piece = OUTPUT[at:at + OUTPUT_PIECE]
            self.send('OUTPUT', struct.pack('>IQ', m['tag'], at) + piece)
            at += len(piece)
            self.die('TAIL')
        self.send('OUTPUT_END', {'tag': m['tag'], 'size': len(OUTPUT),
                                 'dropped': 0, 'ended': True, 'code': 0})

    def run(self):
        if self.o.get('mute') == 'all':
            sys.stdin.buffer.read()
            return
        sys.stdout.write(self.o.get('noise', '') +
                         self.o.get('banner', 'yardmaster protocol 1') + '\n')
        sys.stdout.flush()
        if sys.stdin.buffer.readline() != b'yardmaster protocol 1\n':
            sys.exit('no banner came')
        while True:
            name, m = self.receive()
            if 'log' in self.o:
                with open(self.o['log'], 'a') as f:
                    f.write(json.dumps(dict(m, message=name)) + '\n')
            if name != 'TAIL':
                self.die(name)
            handler = getattr(self, name.lower(), None)
            if handler:
                handler(m)


if __name__ == '__main__':
    FakeAgent(dict(a.split('=', 1) for a in sys.argv[1:])).run()
