# SPDX-License-Identifier: GPL-3.0-or-later
"""Trees that a console sends to an agent, in pieces, over links and daemons
that end, and what is prepared from them."""

import hashlib
import os
import struct
import threading
import time

import tap
from agentclient import MODE, Gate, agent, work

TREE, TREE_DATA, HAVE = 14, 15, 30
R = 'r0001abcdef'
ID = R + '/1/1'
MAGIC = b'yardmaster tree 1\n'
NO_SPACE, TOO_LARGE, PROTOCOL = -28, -10001, -10006


def entry(kind, name, content=b'', mode=0o644):
    return struct.pack('>cHHQ', kind, mode, len(name), len(content)) + \
        name + content


def pack(*entries):
    data = MAGIC + b''.join(entries) + b'e'
    return data, hashlib.sha256(data).hexdigest()


def offer(link, tag, digest, size):
    link.send(TREE, {'tag': tag, 'hash': digest, 'size': size})
    return link.wait(HAVE, lambda b: b['tag'] == tag)


def give(link, tag, data, start, end):
    for at in range(start, end, 12000):
        link.send(TREE_DATA, struct.pack('>IQ', tag, at) +
                  data[at:min(at + 12000, end)])


def stored(link, tag):
    return link.wait(HAVE, lambda b: b['tag'] == tag and
                     (b['stored'] or b['code'] < 0))


def need(digest, size, argv, **more):
    return work(R, 1, argv, prepare=dict(
        {'no': 1, 'tree': digest, 'tree_bytes': size, 'setup_s': 60,
         'teardown_s': 60}, **more))


def test_resume():
    data, digest = pack(entry(b'f', b'big', os.urandom(600000)))
    with agent() as a:
        link = a.connect()
        tap.equal('nothing is there at first',
                  offer(link, 1, digest, len(data))['offset'], 0)
        give(link, 1, data, 0, 240000)
        link.ping()
        link.close()
        link = a.connect()
        have = offer(link, 2, digest, len(data))['offset']
        tap.equal('a new link goes on where the old one was', have, 240000)
        give(link, 2, data, have, 360000)
        link.ping()
        a.kill()
        link = a.connect()
        have = offer(link, 3, digest, len(data))['offset']
        tap.equal('and so does a new daemon', have, 360000)
        link.sync(R, 1)
        link.start(R, 1, [need(digest, len(data), ['cmp', 'big', 'big'])])
        said = link.wait_report(ID, 'queued')
        tap.ok('what needs it waits and says so', 'on its way' in said['text'],
               said)
        give(link, 3, data, have, len(data))
        tap.ok('whole, it is stored', stored(link, 3)['stored'])
        tap.equal('and what waited runs in it',
                  link.wait_report(ID, 'ended')['outcome'], 'passed')
        tap.ok('it is not wanted twice',
               offer(link, 4, digest, len(data))['stored'])


def test_refused():
    data, digest = pack(entry(b'f', b'x', b'content'))
    with agent(settings={'workspace_max': 1000}) as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [need(digest, 5000, ['true'])])
        link.wait_report(ID, 'queued')
        tap.equal('one that is too large is refused',
                  offer(link, 1, digest, 5000)['code'], TOO_LARGE)
        report = link.wait_report(ID, 'ended')
        tap.ok('what waits for it is an error that says so',
               report['outcome'] == 'error' and 'at most' in report['text'],
               report)
        bad = data[:-2] + b'?e'
        offer(link, 2, digest, len(bad))
        give(link, 2, bad, 0, len(bad))
        tap.equal('what has another hash does not count',
                  stored(link, 2)['code'], PROTOCOL)
        tap.equal('and is begun anew',
                  offer(link, 3, digest, len(data))['offset'], 0)


def test_full():
    with agent(settings={'guards': {'free_disk': '900T'}}) as a:
        link = a.connect()
        tap.equal('a disk that is too small is said',
                  offer(link, 1, 'a' * 64, 1000)['code'], NO_SPACE)


def test_hostile():
    for name, tree in (('..', entry(b'f', b'../evil', b'x')),
                       ('link', entry(b'l', b'up', b'..') +
                        entry(b'f', b'up/evil', b'x')),
                       ('absolute', entry(b'f', b'/tmp/ym-evil', b'x'))):
        data, digest = pack(tree)
        with agent() as a:
            link = a.connect()
            link.sync(R, 1)
            link.start(R, 1, [need(digest, len(data), ['true'])])
            offer(link, 1, digest, len(data))
            give(link, 1, data, 0, len(data))
            report = link.wait_report(ID, 'ended')
            tap.ok('%s: a name that leaves the tree is refused' % name,
                   report['outcome'] == 'error' and
                   'leaves the tree' in report['text'], report)
            evil = [os.path.join(d, 'evil') for d, _, files in
                    os.walk(a.spool) if 'evil' in files]
            tap.equal('%s: and not made' % name, evil, [])


def test_crash():
    """The daemon is killed in the midst of a setup: it goes on; its worker is
    killed there: the setup is run again, the attempt is lost."""
    data, digest = pack(entry(b'f', b'x', b'content'))
    with agent() as a:
        gate, marks = Gate(a), a.dir + '/marks'
        setup = ['sh', '-c', 'echo setup >>%s; read x <%s' % (
            marks, gate.path)]
        teardown = ['sh', '-c', 'echo down >>%s' % marks]
        works = [dict(need(digest, len(data), ['cat', 'x'], setup=setup,
                           teardown=teardown), id='%s/%d/1' % (R, n))
                 for n in (1, 2)]
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, works)
        offer(link, 1, digest, len(data))
        give(link, 1, data, 0, len(data))
        link.wait_report(ID, 'running')
        wait_lines(marks, 1)
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        tap.ok('killed in a setup: one prepares, the other waits',
               link.wait_report(ID, 'running') and
               link.wait_report(works[1]['id'], 'queued')['text'])
        a.kill(a.worker_pids()[0])
        tap.equal('its worker killed: lost',
                  link.wait_report(ID, 'lost')['outcome'], 'error')
        wait_lines(marks, 2)
        gate.open()
        tap.equal('the setup is run again, for the next',
                  link.wait_report(works[1]['id'], 'ended')['outcome'],
                  'passed')
        tap.equal('and no more', read_lines(marks), ['setup'] * 2)
        link.send(4, {'run': R, 'epoch': 1, 'owner': 'test', 'over': True})
        wait_lines(marks, 3)
        tap.equal('torn down once', read_lines(marks)[2:], ['down'])
        link.ack([ID, works[1]['id']])
        link.ping()
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        tap.equal('also for the next daemon', read_lines(marks)[2:], ['down'])


def test_held():
    """An agent that is held or drained starts no test, but cleans up."""
    for mode in ('hold', 'drain'):
        with agent() as a:
            marks = a.dir + '/marks'
            link = a.connect()
            link.sync(R, 1)
            prepare = {'no': 1, 'setup_s': 60, 'teardown_s': 60,
                       'teardown': ['sh', '-c', 'echo down >>%s' % marks]}
            link.start(R, 1, [work(R, 1, ['true'], prepare=prepare)])
            link.wait_report(ID, 'ended')
            link.ack([ID])
            link.ask(MODE, mode=mode)
            link.start(R, 1, [work(R, 2, ['sh', '-c', 'echo ran >>%s' % marks],
                                   prepare=dict(prepare, no=2))])
            link.ping()
            link.send(4, {'run': R, 'epoch': 1, 'owner': 'test',
                          'over': True})
            wait_lines(marks, 1)
            tap.equal('%s: it is torn down, and nothing else runs' % mode,
                      read_lines(marks), ['down'])


def begin(link, execution, data, digest, tag, **more):
    """Has an execution of R run in a tree, to its end."""
    w = dict(need(digest, len(data), ['true'], **more),
             id='%s/%d/1' % (R, execution))
    w['prepare']['no'] = execution
    link.start(R, 1, [w])
    offer(link, tag, digest, len(data))
    give(link, tag, data, 0, len(data))
    return link.wait_report(w['id'], 'ended')['outcome']


def until(what):
    end, tick = time.monotonic() + 30, threading.Event()
    while not (said := what()) and time.monotonic() < end:
        tick.wait(0.01)
    return said


def there(a):
    return {n for n in os.listdir(a.spool + '/trees') if n != 'boot'}


def used(a, digest, days):
    """Makes it used last so many days ago."""
    at = time.time() - days * 86400
    os.utime(a.spool + '/trees/' + digest, (at, at))


def test_sweep():
    """What is stored goes by age, and then what was used longest ago until
    the rest fits; what a run needs stays, however old and large."""
    packed = [pack(entry(b'f', b'%d' % i, os.urandom(1 << 20)))
              for i in range(5)]
    digests = [d for _, d in packed]
    with agent(settings={'keep_workspaces': '3500k',
                         'keep_workspaces_for': '10d'}) as a:
        link = a.connect()
        link.sync(R, 1)
        tap.equal('one that a run goes on with', begin(
            link, 1, *packed[0], 1), 'passed')
        for i in range(1, 5):
            offer(link, 9 + i, digests[i], len(packed[i][0]))
            give(link, 9 + i, packed[i][0], 0, len(packed[i][0]))
            stored(link, 9 + i)
        tap.equal('all are there', there(a), set(digests))
        for digest, days in zip(digests, (99, 11, 2, 3, 1)):
            used(a, digest, days)
        a.kill()
        link = a.connect()  # which looks a second after its start
        tap.ok('the old one goes, then the least recently used, and neither '
               'the newest nor the one in use', until(
                   lambda: there(a) == {digests[0], digests[2], digests[4]}),
               [digests.index(d) for d in there(a)])
        link.sync(R, 1)
        link.ack([ID])
        link.send(4, {'run': R, 'epoch': 1, 'owner': 'test', 'over': True})
        tap.ok('the run is over', until(
            lambda: not os.listdir(a.spool + '/ws')))
        a.kill()
        a.connect()
        tap.ok('then it goes as any other', until(
            lambda: there(a) == {digests[2], digests[4]}),
            [digests.index(d) for d in there(a)])


def test_no_console():
    """The console dies and never comes back: the agent tears down by itself,
    once; who comes after all finds the result, and nothing happens twice."""
    data, digest = pack(entry(b'f', b'x', b'content'))
    with agent() as a:
        gate, marks = Gate(a), a.dir + '/marks'
        link = a.connect('--idle', '0.5s')
        link.sync(R, 1)
        manner = {'setup': ['sh', '-c', 'echo setup >>%s' % marks],
                  'teardown': ['sh', '-c', 'echo down >>%s' % marks]}
        link.start(R, 1, [need(digest, len(data), gate.command(), **manner)])
        offer(link, 1, digest, len(data))
        give(link, 1, data, 0, len(data))
        link.wait_report(ID, 'running')
        wait_lines(marks, 1)
        pid = a.pid()
        link.close()
        a.links.remove(link)
        # Ticks of the agent pass while it runs: it is in use.
        look = a.socket('look.sock')
        for _ in range(2):
            look.wait(24)
        tap.equal('not while something of it runs', read_lines(marks),
                  ['setup'])
        gate.open()
        wait_lines(marks, 2)
        tap.equal('alone, it is torn down', read_lines(marks),
                  ['setup', 'down'])
        tap.ok('and its folder goes', until(
            lambda: not os.listdir(a.spool + '/ws')))
        for _ in range(2):
            look.wait(24)
        tap.equal('once', read_lines(marks), ['setup', 'down'])
        tap.equal('the agent keeps the result, and lives', a.pid(), pid)
        late = a.connect()
        late.sync(R, 2)
        tap.equal('who comes after all gets it', late.wait_report(
            ID, 'ended')['outcome'], 'passed')
        late.send(4, {'run': R, 'epoch': 2, 'owner': 'test', 'over': True})
        late.ping()
        a.kill()
        again = a.connect()
        again.sync(R, 2)
        again.ping()
        tap.equal('and nothing is torn down twice', read_lines(marks),
                  ['setup', 'down'])


def read_lines(path):
    try:
        with open(path) as f:
            return f.read().split()
    except FileNotFoundError:
        return []


def wait_lines(path, n):
    end, tick = time.monotonic() + 30, threading.Event()
    while len(read_lines(path)) < n and time.monotonic() < end:
        tick.wait(0.01)


def main():
    for test in (test_resume, test_refused, test_full, test_hostile,
                 test_crash, test_held, test_sweep, test_no_console):
        tap.note(test.__name__)
        test()
    tap.done()


main()
