# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards of an agent: what keeps new work from starting, where each value
comes from, and settings that went wrong."""
import json
import os
import stat

import agentclient as ac
import tap
from agentclient import R, agent, ids, work



def script(a, name, text):
    path = os.path.join(a.dir, name)
    with open(path, 'w') as f:
        f.write('#!/bin/sh\n' + text)
    os.chmod(path, stat.S_IRWXU)
    return path


def is_queued(link):
    link.wait_report(ids(1)[0], 'queued')
    link.ping()
    return [r['state'] for r in link.reports[ids(1)[0]]] == ['queued']


def test_edits():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        tap.equal('none is given', link.facts['guards'], {})
        answer = link.ask(ac.SET, expect={'guards': {'free_memory': None}},
                          guards={'free_memory': 1 << 60})
        tap.ok('set', answer['ok'] and 'free_memory' in answer['text'],
               answer)
        facts = link.wait_facts(lambda f: f.get('guard'))
        tap.ok('past it', facts['guard'].startswith('memory: '), facts)
        link.start(R, 1, [work(R, 1, ['true'])])
        tap.ok('nothing new starts', is_queued(link), link.reports)
        answer = link.ask(ac.SET, expect={'guards': {'free_memory': 5}},
                          guards={'free_memory': None})
        tap.equal('compare and set', answer['code'], -10014)
        tap.ok('which says the value', 'free_memory is 1048576T' in
               answer['text'], answer)
        for wrong in ({'free_disk': -1}, {'load_per_cpu': 10001},
                      {'health': 'x'}, {'health': ['']},
                      {'health': ['x' * 600]}, [1]):
            answer = link.ask(ac.SET, guards=wrong)
            tap.ok('refused: %s' % str(wrong)[:30], not answer['ok'], answer)
        link.ask(ac.SET, guards={'free_memory': None})
        link.wait_ended(ids(1))
        tap.ok('and starts when it is gone', True)
        answer = link.ask(ac.SET, guards={'load_per_cpu': 0.000001})
        tap.ok('load', answer['facts']['guard'].startswith('load per CPU'),
               answer['facts'])
        link.ask(ac.SET, guards={'load_per_cpu': 10000})
        a.kill()
        tap.equal('outlives a crash', a.connect().facts['guards'],
                  {'load_per_cpu': 10000})


def test_file_and_console():
    with agent(settings={'guards': {'free_disk': '1M',
                                    'free_memory': '2M'}}) as a:
        link = a.connect()
        tap.equal('of the file', (link.facts['guards'],
                                  sorted(link.facts['guards_local'])),
                  ({'free_disk': 1 << 20, 'free_memory': 2 << 20},
                   ['free_disk', 'free_memory']))
        answer = link.ask(ac.SET, guards={'free_memory': 3 << 20})
        tap.equal('a console counts over it',
                  (answer['facts']['guards']['free_memory'],
                   answer['facts']['guards_local']),
                  (3 << 20, ['free_disk']))
        a.run('restart')
        tap.equal('until the agent starts again',
                  a.connect().facts['guards']['free_memory'], 2 << 20)
        with open(os.path.join(a.spool, 'agent.log')) as f:
            tap.ok('who is noted', 'free_memory 3M' in f.read())


def test_health():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        bad = script(a, 'bad', 'echo first; echo "no licence"; exit 3\n')
        link.ask(ac.SET, guards={'health': [bad]})
        facts = link.wait_facts(lambda f: 'exit' in (f.get('guard') or ''))
        tap.equal('what it said', facts['guard'],
                  'health: exit 3: no licence')
        link.start(R, 1, [work(R, 1, ['true'])])
        tap.ok('nothing new starts', is_queued(link), link.reports)
        link.ask(ac.SET, guards={'health': ['/no/such/program']})
        facts = link.wait_facts(
            lambda f: '/no/such' in (f.get('guard') or ''))
        tap.ok('cannot be started', 'No such file' in facts['guard'], facts)
        link.ask(ac.SET, guards={'health': ['sh', '-c', 'kill -9 $$']})
        link.wait_facts(lambda f: 'signal 9' in (f.get('guard') or ''))
        link.ask(ac.SET, guards={'health': ['true']})
        link.wait_ended(ids(1))
        tap.ok('healthy again: goes on', True)
        note = os.path.join(a.dir, 'pid')
        os.mkfifo(note)
        fd = os.open(note, os.O_RDWR)
        hang = script(a, 'hang', 'sleep 1000 & echo $! > %s; wait\n' % note)
        link.ask(ac.SET, guards={'health': [hang]})
        pid = int(os.read(fd, 20))
        os.close(fd)
        tap.ok('not known yet', 'not known yet' in
               json.loads(a.run('status', '--json').stdout)['guard'])
        link.ask(ac.SET, guards={'health': []})
        tap.ok('one that runs is ended with what it started',
               a.wait_gone(pid))


def test_hanging_health():
    with agent(settings={'guards': {'health': ['sleep', '1000']}}) as a:
        facts = a.connect().wait_facts(
            lambda f: 'no answer' in (f.get('guard') or ''))
        tap.equal('takes too long', facts['guard'],
                  'health: no answer in 10 s')


def test_settings_go_wrong():
    with agent(workers=3) as a:
        a.connect()
        a.run('quit')
        a.configure('{\n"max_workers": 3,\n"gards": {}\n}')
        facts = a.connect().facts
        tap.equal('the last good ones count', facts['max_workers'], 3)
        tap.ok('with file, line and key', 'agent.json:3' in
               facts['warning'] and 'gards' in facts['warning'], facts)
        tap.ok('in the log', 'the last good settings count' in a.log())
        a.run('quit')
        a.configure('{"max_workers": 2}')
        facts = a.connect().facts
        tap.equal('mended', (facts['max_workers'], facts.get('warning')),
                  (2, None))


def main():
    for name, fn in sorted(globals().items()):
        if name.startswith('test_'):
            tap.note(name)
            fn()
    tap.done()


main()
