# SPDX-License-Identifier: GPL-3.0-or-later
"""Real agents: starts, limits, cancel, take-back, values, output, ends."""

import json
import os
import re
import struct
import sys

import agentclient as ac
import tap
from agentclient import R, Gate, agent, ids, work


def test_outcomes():
    with agent() as a:
        link = a.connect()
        tap.equal('welcome names the instance', link.welcome['instance'], 't')
        tap.ok('synced', link.sync(R, 1)['ok'])
        steps = [{'argv': ['sh', '-c', 'echo one; exit 1']},
                 {'shell': 'echo two; echo $YARDMASTER_ATTEMPT'},
                 {'argv': ['false'], 'expect_fail': True}]
        link.start(R, 1, [
            work(R, 1, ['true']), work(R, 2, ['false']),
            work(R, 3, ['/no/such/program']),
            work(R, 4, ['sh', '-c', 'kill -9 $$']),
            work(R, 5, None, steps=steps),
            work(R, 6, None, steps=steps, stop_at_failure=True),
            work(R, 7, ['true'], cwd='/no/such/folder'),
            work(R, 8, ['sleep', '60'], steps=[
                {'argv': ['sleep', '60'], 'timeout_s': 0.05}])])
        got = link.wait_ended(ids(*range(1, 9)))
        tap.equal('outcomes', [r['outcome'] for r in got],
                  ['passed', 'failed', 'error', 'failed', 'failed', 'failed',
                   'error', 'timeout'])
        tap.ok('exec failure is said in words',
               'No such file' in got[2]['steps'][0]['text'], got[2])
        tap.equal('the signal is said', got[3]['steps'][0].get('signal'), 9)
        tap.equal('each step has its outcome',
                  [s['outcome'] for s in got[4]['steps']],
                  ['failed', 'passed', 'passed'])
        tap.equal('the rest is skipped when told',
                  [s['outcome'] for s in got[5]['steps']],
                  ['failed', 'skipped', 'skipped'])
        tap.ok('a missing folder is named',
               '/no/such/folder' in got[6]['steps'][0]['text'], got[6])
        data, end = link.tail(ids(5)[0])
        tap.equal('output of all steps', data,
                  b'one\ntwo\n' + ids(5)[0].encode() + b'\n')
        two = got[4]['steps'][1]
        tap.equal('offsets of a step', data[two['out_from']:two['out_to']],
                  b'two\n' + ids(5)[0].encode() + b'\n')
        tap.equal('tail has ended', (end['ended'], end['size']),
                  (True, len(data)))


def test_idempotent():
    with agent() as a:
        mark = os.path.join(a.dir, 'mark')
        link = a.connect()
        link.sync(R, 2)
        w = work(R, 1, ['sh', '-c', 'echo x; echo x >> ' + mark])
        link.start(R, 2, [w])
        link.start(R, 2, [w])
        link.wait_ended(ids(1))
        link.start(R, 2, [w])
        link.ping()
        tap.ok('ran once', open(mark).read() == 'x\n')
        link.start(R, 1, [work(R, 2, ['true'])])
        answer = link.returned(ids(2)[0])
        tap.ok('an older epoch is refused', answer['returned'] and
               'newer owner' in answer['why'], answer)
        other = a.connect()
        other.start(R, 2, [work(R, 3, ['true'])])
        answer = other.returned(ids(3)[0])
        tap.ok('a link that has not synced is refused', answer['returned'],
               answer)
        synced = other.sync(R, 1)
        tap.equal('an older sync is told the epoch',
                  (synced['ok'], synced['epoch']), (False, 2))
        tap.ok('a newer sync takes over', other.sync(R, 3)['ok'])
        tap.equal('and hears what is held',
                  other.wait_report(ids(1)[0], 'ended')['outcome'], 'passed')
        link.start(R, 3, [work(R, 4, ['true'])])
        answer = link.returned(ids(4)[0])
        tap.ok('the old link cannot start any more', answer['returned'])
        other.ack(ids(1), epoch=3)
        other.ping()
        other.reports.clear()
        other.sync(R, 3)
        tap.equal('what is acknowledged is forgotten', other.reports, {})
        tap.equal('but its output can be read',
                  other.tail(ids(1)[0])[1]['code'], 0)
        tap.equal('of what never was it cannot',
                  other.tail(ids(9)[0])[1]['code'], -10002)


def test_limits():
    with agent(workers=2) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, n, gate.command()) for n in range(1, 5)])
        for i in ids(1, 2):
            link.wait_report(i, 'running')
        tap.equal('two queued', [link.wait_report(i, 'queued')['place']
                                 for i in ids(3, 4)], [3, 4])
        link.ping()
        tap.ok('no more than two run', not any(
            r['state'] == 'running' for i in ids(3, 4)
            for r in link.reports[i]))
        answer = link.ask(ac.SET, expect={'max_workers': 2}, max_workers=3)
        tap.equal('raised', (answer['ok'], answer['facts']['max_workers'],
                             answer['facts']['max_source']),
                  (True, 3, 'console-until-restart'))
        link.wait_report(ids(3)[0], 'running')
        tap.ok('raising starts one more', True)
        answer = link.ask(ac.SET, expect={'max_workers': 2}, max_workers=9)
        tap.equal('compare and set', (answer['ok'], answer['code']),
                  (False, -10014))
        answer = link.ask(ac.SET, max_workers=0)
        tap.equal('out of range', answer['code'], -10004)
        link.ask(ac.SET, max_workers=1)
        gate.open(1)
        link.wait_facts(lambda f: f['busy'] == 2)
        tap.ok('lowering starts nothing',
               link.facts['queued'] == 1, link.facts)
        gate.open(3)
        link.wait_ended(ids(1, 2, 3, 4))
        tap.ok('and kills nothing', all(
            link.reports[i][-1]['outcome'] == 'passed'
            for i in ids(1, 2, 3, 4)))


def test_threshold():
    with agent(workers=3, settings={'threshold': '-2'}) as a:
        gate = Gate(a)
        link = a.connect()
        tap.equal('threshold of the file', link.facts['effective'], 1)
        link.sync(R, 1)
        link.start(R, 1, [work(R, n, gate.command()) for n in (1, 2)] +
                   [work(R, 3, gate.command(), **{'class': 'pinned'})])
        link.wait_report(ids(3)[0], 'running')
        tap.ok('a pinned one passes', not any(
            r['state'] == 'running' for r in link.reports.get(ids(2)[0], [])))
        answer = link.ask(ac.SET, expect={'threshold': '-2'}, threshold=None)
        tap.equal('unset', (answer['ok'], answer['facts']['threshold']),
                  (True, None))
        link.wait_report(ids(2)[0], 'running')
        gate.open(3)
        link.wait_ended(ids(1, 2, 3))


def test_modes():
    with agent(workers=1) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, n, gate.command()) for n in (1, 2)])
        link.wait_report(ids(1)[0], 'running')
        link.take_back(ids(2, 1, 7))
        tap.equal('what waits is given back', link.returned(ids(2)[0])
                  ['returned'], True)
        link.start(R, 1, [work(R, 3, ['true'])])
        link.ping()
        link.take_back(ids(1))
        answer = link.returned(ids(1)[0])
        tap.equal('what runs is not', (answer['returned'], answer['why']),
                  (False, 'already started'))
        answer = link.ask(ac.MODE, mode='hold', note='lunch')
        tap.equal('held by whom', answer['facts']['held']['who'], 'test@here')
        gate.open(1)
        link.wait_ended(ids(1))
        link.wait_facts(lambda f: f['busy'] == 0)
        tap.equal('hold keeps what is queued', link.facts['queued'], 1)
        answer = link.ask(ac.MODE, mode='drain', who='ann')
        tap.equal('drained by whom', answer['facts']['draining']['who'],
                  'ann')
        answer = link.returned(ids(3)[0])
        tap.equal('drain gives back', (answer['returned'], answer['why']),
                  (True, 'draining'))
        link.start(R, 1, [work(R, 4, ['true'])])
        tap.equal('and takes none', link.returned(ids(4)[0])['why'],
                  'draining')
        link.ask(ac.MODE, mode='undrain')
        link.start(R, 1, [work(R, 5, ['true'])])
        link.wait_report(ids(5)[0], 'queued')
        tap.equal('release on the host', a.run('release').returncode, 0)
        link.wait_ended(ids(5))
        answer = link.ask(ac.MODE, mode='dance')
        tap.equal('unknown mode', answer['code'], -10000)


ESCAPE = ("import os, signal, sys\n"
          "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
          "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
          "if os.fork() == 0:\n"
          "    os.setsid()\n"
          "    if os.fork(): os._exit(0)\n"
          "    sys.stdout.write('%d\\n' % os.getpid())\n"
          "    sys.stdout.flush()\n"
          "while True: signal.pause()\n")


def test_cancel():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        gate = Gate(a)
        link.start(R, 1, [
            work(R, 1, [sys.executable, '-c', ESCAPE]),
            work(R, 2, gate.command(before='trap "exit 0" INT;'))])
        link.wait_report(ids(1)[0], 'running')
        pid = int(link.wait_output(ids(1)[0]))
        tap.ok('the escaped child lives', os.path.exists('/proc/%d' % pid))
        link.cancel(ids(1, 2), grace_s=0.1)
        tap.equal('state ending', link.wait_report(ids(1)[0], 'ending')
                  ['state'], 'ending')
        tap.equal('cancelled', [r['outcome'] for r in
                                link.wait_ended(ids(1, 2))],
                  ['cancelled', 'cancelled'])
        tap.ok('a child in a session of its own died too',
               not os.path.exists('/proc/%d' % pid))
        link.start(R, 1, [work(R, 3, ['sh', '-c',
                                      'setsid sleep 600 & echo $!'])])
        tap.equal('leaving a process behind is no failure',
                  link.wait_ended(ids(3))[0]['outcome'], 'passed')
        pid = int(link.tail(ids(3)[0])[0])
        tap.ok('but it is ended', not os.path.exists('/proc/%d' % pid))
        link.ask(ac.MODE, mode='hold')
        link.start(R, 1, [work(R, 4, ['true'])])
        link.wait_report(ids(4)[0], 'queued')
        link.cancel(ids(4))
        tap.equal('a queued one just ends',
                  link.wait_ended(ids(4))[0]['outcome'], 'cancelled')
        link.cancel(ids(8))
        tap.ok('an unknown one is said to be',
               link.returned(ids(8)[0])['returned'])


def test_tail():
    with agent() as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, gate.command(
            'printf abcdef;', 'head -c 300000 /dev/zero'))])
        link.wait_report(ids(1)[0], 'running')
        link.send(ac.TAIL, {'tag': 5, 'attempt': ids(1)[0], 'offset': -2,
                            'max': 0, 'follow': True})
        first = link.wait(ac.OUTPUT)
        gate.open()
        link.wait_ended(ids(1))
        data, end = link.tail(ids(1)[0], offset=3)
        tap.equal('from an offset', (data[:3], len(data)),
                  (b'def', 300003))
        data, end = link.tail(ids(1)[0], offset=-4, follow=False)
        tap.equal('from the end', data, b'\0\0\0\0')
        data, end = link.tail(ids(1)[0], offset=1, limit=2)
        tap.equal('at most so many', data, b'bc')
        data, end = link.tail(ids(1)[0], offset=10 ** 9)
        tap.equal('behind the end', (data, end['size']), (b'', 300006))
        if not any(n == ac.OUTPUT_END for n, _ in link.inbox):
            link.inbox.append((ac.OUTPUT_END, link.wait(ac.OUTPUT_END)))
        followed = len(first) - 12 + sum(
            len(b) - 12 for n, b in link.inbox if n == ac.OUTPUT)
        ends = [b for n, b in link.inbox if n == ac.OUTPUT_END]
        tap.ok('following gave everything once', followed >= 300000 and
               ends and ends[0]['ended'], (followed, ends))


def test_tail_of_one_that_waits():
    with agent(workers=1) as a:
        gate = Gate(a)
        link, other = a.connect(), a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, gate.command()),
                          work(R, 2, gate.command('echo two;')),
                          work(R, 3, ['echo', 'three'])])
        link.wait_report(ids(3)[0], 'queued')
        data, end = other.tail(ids(2)[0], follow=False)
        tap.equal('nothing yet', (data, end['ended'], end['code']),
                  (b'', False, 0))
        other.send(ac.TAIL, {'tag': 71, 'attempt': ids(1)[0], 'offset': 0,
                             'max': 0, 'follow': True})
        other.send(ac.TAIL, {'tag': 72, 'attempt': ids(2)[0], 'offset': 0,
                             'max': 0, 'follow': True})
        other.ping()
        gate.open(2)
        end = other.wait(ac.OUTPUT_END, lambda b: b['tag'] == 71)
        tap.equal('one without output ends', (end['size'], end['ended']),
                  (0, True))
        end = other.wait(ac.OUTPUT_END, lambda b: b['tag'] == 72)
        tap.equal('one that waited is followed', [
            b for n, b in other.inbox if n == ac.OUTPUT],
            [b'\0\0\0\x48' + bytes(8) + b'two\n'])
        link.wait_ended(ids(1, 2, 3))
        tap.equal('none has the output of another',
                  [link.tail(i)[0] for i in ids(1, 2, 3)],
                  [b'', b'two\n', b'three\n'])
        tap.equal('no file for nothing', sorted(
            n for n in os.listdir(os.path.join(a.spool, 'out'))
            if n.startswith('r')), [R + '.2.1', R + '.3.1'])


def test_capped_output():
    with agent(settings={'out_cap': 1000}) as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [
            work(R, 1, None, steps=[
                {'shell': 'printf "%0500d" 7; head -c 500000 /dev/zero'},
                {'shell': 'printf "%0500d" 8'}]),
            work(R, 2, ['printf', '%01000d', '5']),
            work(R, 3, None, steps=[{'shell': 'printf %0700d 6'}] * 2)])
        got = link.wait_ended(ids(1, 2, 3))
        tap.equal('all is counted', [(r['out_bytes'], r.get('out_dropped', 0))
                                     for r in got],
                  [(501000, 500000), (1000, 0), (1400, 400)])
        data, end = link.tail(ids(1)[0])
        tap.equal('head and tail stay', (data[:500], data[-500:]),
                  (b'%0500d' % 7, b'%0500d' % 8))
        tap.ok('what is between is said', b'500000 bytes' in data[500:-500] and
               end['dropped'] == 500000, (data[500:-500], end))
        tap.equal('what fits is whole', link.tail(ids(2)[0])[0],
                  b'%01000d' % 5)
        whole = b'%0700d' % 6 * 2
        data = link.tail(ids(3)[0])[0]
        tap.equal('a ring in the midst of its turn',
                  (data[:500], data[-500:]), (whole[:500], whole[-500:]))


def test_read_only():
    with agent() as a:
        link = a.connect('--read-only')
        tap.ok('the welcome says so', link.welcome['read_only'])
        tap.ok('may ask for reports', link.sync(R, 1)['ok'])
        tap.equal('may not set', link.ask(ac.SET, max_workers=9)['code'],
                  -10010)
        tap.equal('may not drain', link.ask(ac.MODE, mode='drain')['ok'],
                  False)
        link.start(R, 1, [work(R, 1, ['true'])])
        tap.equal('starting ends the link', link.wait_closed()['code'],
                  -10010)
        link = a.connect(read_only=True)
        link.cancel(ids(1))
        tap.equal('also when only the console said so',
                  link.wait_closed()['code'], -10010)


# What a console may say on a link that looks and does not touch. Every other
# message of the table is to be refused, also those that are yet to come.
LOOKS = {'hello', 'ping', 'pong', 'sync', 'tail', 'untail', 'fetch', 'error'}
ANSWERED = {'set': {'expect': {}, 'max_workers': 9}, 'mode': {
    'mode': 'hold'}, 'take': {'kind': 'hold', 'workers': 1}}


def messages():
    """(name, number) of all that a console says to an agent."""
    src = os.environ.get('YM_SRCDIR', '.')
    with open(src + '/include/yardmaster/proto/msg.h') as f:
        numbers = dict(re.findall(r'(MSG_[A-Z_]+) = ([0-9]+),', f.read()))
    with open(src + '/src/proto/msg.c') as f:
        rows = re.findall(r'\{ (MSG_[A-Z_]+), "([a-z-]+)",\s*(FROM_[A-Z]+),'
                          r'\s*([A-Z_| ]+),', f.read())
    return [(name, int(numbers[key])) for key, name, who, phases in rows
            if who != 'FROM_AGENT' and phases != 'PHASE_OWNER']


def test_read_only_table():
    """Each message of the table over a link that may only look."""
    with agent(workers=2) as a:
        gate = Gate(a)
        full = a.connect()
        full.sync(R, 1)
        full.start(R, 1, [work(R, 1, gate.command()), work(R, 2, ['true'])])
        full.wait_report(ids(1)[0], 'running')
        full.wait_report(ids(2)[0], 'ended')
        table = messages()
        tap.ok('the table is read', {n for n, _ in table} > LOOKS, table)
        body = {'run': R, 'epoch': 7, 'ids': ids(1, 2), 'grace_s': 0,
                'works': [work(R, 3, ['touch', a.dir + '/touched'])],
                'hash': 'a' * 64, 'size': 1, 'told': [], 'files': True,
                'over': True}
        for name, number in table:
            if name in LOOKS:
                continue
            link = a.connect('--read-only')
            link.sync(R, 1)
            if name in ANSWERED:
                answer = link.ask(number, who='x', **ANSWERED[name])
                tap.equal('refused: ' + name, (answer['ok'], answer['code']),
                          (False, -10010))
            elif name == 'tree-data':
                link.send(number, struct.pack('>IQ', 1, 0) + b'x')
                tap.ok('refused: ' + name, link.wait_closed()['code'] < 0)
            else:
                link.send(number, body)
                tap.equal('refused: ' + name, link.wait_closed()['code'],
                          -10010)
        link = a.connect('--read-only')
        link.send(ac.SYNC, {'run': R, 'epoch': 9, 'owner': 'x', 'over': True})
        link.wait(ac.SYNCED)
        full.ping()
        facts = full.ask(ac.SET, expect={}, max_workers=2)['facts']
        tap.equal('nothing of it was done', (
            facts['max_workers'], facts['held'], os.path.exists(
                a.dir + '/touched'), len(facts['workers']),
            [w.get('taken') for w in facts['workers']]),
            (2, None, False, 2, [None] * 2))
        gate.open()
        tap.equal('what ran goes on, for its owner',
                  full.wait_ended(ids(1))[0]['outcome'], 'passed')
        full.ack(ids(1, 2))
        full.ping()
        full.reports = {}
        full.sync(R, 1)
        tap.equal('and its epoch is as it was', full.reports, {})


def test_bad_peers():
    with agent() as a:
        a.connect()
        for name, send in (
                ('no greeting', lambda l: l.send(ac.SYNC, {})),
                ('unknown message', lambda l: l.send(99, {})),
                ('message of an agent', lambda l: l.send(ac.FACTS, {})),
                ('not JSON', lambda l: l.send(ac.HELLO, b'{"protocol": 1')),
                ('no object', lambda l: l.send(ac.HELLO, b'[1]')),
                ('other version', lambda l: l.send(ac.HELLO,
                                                   {'protocol': 9}))):
            link = a.bridge()
            link.send_raw(ac.BANNER)
            send(link)
            error = link.wait_closed()
            tap.ok(name + ' ends the link', error and error['code'] < 0,
                   error)
        link = a.connect()
        link.send(ac.SYNC, {'run': '../../x', 'epoch': 1})
        tap.ok('a run that is no id', link.wait_closed() is not None)
        link = a.connect()
        link.sync(R, 1)
        bad = work(R, 1, ['true'])
        bad['steps'] = []
        link.start(R, 1, [bad, work('r1111111111', 2, ['true']),
                          {'id': 5}, work(R, 3, ['true'])])
        tap.ok('a work without steps is returned',
               link.returned(ids(1)[0])['returned'])
        tap.equal('others of the message run',
                  link.wait_ended(ids(3))[0]['outcome'], 'passed')


def test_values():
    with agent(workers=5) as a:
        link = a.connect()
        tap.equal('of the file', (link.facts['max_workers'],
                                  link.facts['max_source']), (5, 'file'))
        link.ask(ac.SET, max_workers=6)
        a.configure({'max_workers': 7})
        tap.equal('restart', a.run('restart').returncode, 0)
        link = a.connect()
        tap.equal('PW5a: as read at the full start',
                  (link.facts['max_workers'], link.facts['max_source']),
                  (5, 'file'))
        a.run('quit')
        link = a.connect()
        tap.equal('PW5b: read again', link.facts['max_workers'], 7)
        a.run('quit')
        a.run('start', env={'YARDMASTER_MAX_WORKERS': '2'})
        a.kill()
        link = a.connect()
        tap.equal('PW9: of the last full start',
                  (link.facts['max_workers'], link.facts['max_source']),
                  (2, 'environment'))
        a.run('quit')
        a.run('start', '--local', env={'YARDMASTER_MAX_WORKERS': '2'})
        tap.equal('local ignores the environment',
                  json.loads(a.run('status', '--json').stdout)
                  ['max_workers'], 7)


def test_wrong_file():
    with agent() as a:
        path = a.configure('{\n  "max_workers": 0,\n  "treshold": 2\n}\n')
        got = a.run('start')
        tap.equal('does not start', got.returncode, 1)
        tap.ok('file, line and key', path + ':2' in got.stderr and
               'max_workers' in got.stderr, got.stderr)
        tap.ok('all faults, with the nearest key', path + ':3' in got.stderr
               and '"threshold"' in got.stderr, got.stderr)
        a.configure('{"max_workers": 3}', 'agent-t.json')
        tap.equal('the file of the instance comes first',
                  a.connect().facts['max_workers'], 3)


def test_one_daemon():
    with agent() as a:
        a.connect()
        got = a.run('serve')
        tap.ok('a second one is refused with the pid of the first',
               got.returncode == 1 and 'pid %d' % a.pid() in got.stderr,
               got.stderr)
        tap.equal('status of none', a.run('status', '--json').returncode, 0)
        a.run('quit')
        tap.equal('none runs', a.run('status').returncode, 3)
        links = [a.bridge() for _ in range(5)]
        for link in links:
            link.hello()
        tap.equal('bridges at once share one', a.log().count('agent t '), 2)


def test_fetch():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        gate = Gate(a)
        name = 'printf %s "$1" > "${1#--out=}"'

        def writes(n, script, argument='--out=', at=6):
            return work(R, n, None, steps=[
                {'argv': ['sh', '-c', script, 'sh', argument],
                 'results_at': [[4, at]]}])

        link.start(R, 1, [
            writes(1, name), work(R, 2, ['true']),
            writes(3, 'ln -s /etc/passwd "$1"', '', 0),
            writes(4, 'mkfifo "$1"', '', 0),
            writes(5, 'head -c 300000 /dev/zero > "$1"', '', 0)])
        link.wait_ended(ids(1, 2, 3, 4, 5))
        link.start(R, 1, [work(R, 6, gate.command())])
        link.wait_report(ids(6)[0], 'running')
        path = os.path.join(a.spool, 'files', ids(1)[0].replace('/', '.'),
                            'results')
        data, end = link.fetch(ids(1)[0], 'results')
        tap.equal('the path is put in, the file comes back',
                  (data, end['code']), (b'--out=' + path.encode(), 0))
        tap.equal('from an offset, so many bytes',
                  link.fetch(ids(1)[0], 'results', 2, 3)[0], b'out')
        data, end = link.fetch(ids(5)[0], 'results')
        tap.equal('a long one is whole', (data, end['size']),
                  (bytes(300000), 300000))
        tap.equal('there is none, or it is no file',
                  [link.fetch(ids(n)[0], 'results')[1]['code']
                   for n in (2, 3, 4, 9)], [-10002] * 4)
        tap.equal('what is no name is refused',
                  [link.fetch(ids(1)[0], n)[1]['code']
                   for n in ('../results', '/etc/passwd', '', '..', 'a/b',
                             'x' * 65, '.x')], [-10000] * 7)
        tap.equal('nothing before the end',
                  link.fetch(ids(6)[0], 'results')[1]['code'], -10016)
        link.ack(ids(1))
        link.ping()
        tap.equal('it stays when acknowledged',
                  link.fetch(ids(1)[0], 'results')[1]['code'], 0)
        gate.open()


def test_idle_exit():
    with agent() as a:
        link = a.connect('--idle', '0.2s')
        link.sync(R, 1)
        pid = a.pid()
        link.start(R, 1, [work(R, 1, ['true'])])
        link.wait_ended(ids(1))
        link.ack(ids(1))
        link.ping()
        link.close()
        a.links.remove(link)
        tap.ok('ends with nothing to do', a.wait_gone(pid))
        tap.ok('and says so', 'nothing to do' in a.log(), a.log())
        for worker in a.worker_pids():
            a.wait_gone(worker)
        tap.equal('its workers too', a.worker_pids(), [])
        link = a.connect('--idle', '1000')
        pid = a.pid()
        os.rename(a.spool, a.spool + '.gone')
        tap.ok('ends when its spool is gone', a.wait_gone(pid))


def main():
    for name, fn in sorted(globals().items()):
        if name.startswith('test_'):
            tap.note(name)
            fn()
    tap.done()


main()
