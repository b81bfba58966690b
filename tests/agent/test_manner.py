# SPDX-License-Identifier: GPL-3.0-or-later
"""How steps are run: niceness, limits, silence, a home of their own, and the
folders that stay."""

import os
import resource

import tap
from agentclient import R, Gate, agent, ids, work


def run(link, n, argv, **manner):
    """Runs a step in that manner; its report."""
    link.start(R, 1, [work(R, n, argv, steps=[
        {'label': 'suite/t%d' % n, 'argv': argv, 'manner': manner}])])
    return link.wait_ended(ids(n))[0]


def says(link, n, script, **manner):
    """What a script prints in that manner."""
    run(link, n, ['sh', '-c', script], **manner)
    return link.tail(ids(n)[0])[0].decode().strip()


def test_nice_and_limits():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        nice = int(says(link, 1, 'nice'))
        tap.equal('niceness is added', int(says(link, 2, 'nice', nice=3)),
                  nice + 3)
        got = says(link, 3, 'ulimit -t; ulimit -v; ulimit -f; ulimit -s; '
                   'ulimit -c; ulimit -n; ulimit -H -n',
                   limits={'cpu': 77, 'memory': 1 << 33, 'file_size': 1 << 20,
                           'stack': 1 << 20, 'core': 0, 'files': 55})
        tap.equal('limits, soft and hard', got.split(),
                  ['77', str(1 << 23), str(1 << 11), '1024', '0', '55', '55'])
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        tap.equal('none is above what the agent may have', says(
            link, 4, 'ulimit -n', limits={'files': hard * 2}), str(hard))
        report = run(link, 5, ['sh', '-c', 'while :; do :; done'],
                     limits={'cpu': 1})
        tap.equal('the system ends what passes one',
                  (report['outcome'], report['steps'][0].get('signal')),
                  ('failed', 9))
        for wrong in ({'nice': 20}, {'nice': -1}, {'keep': 3}, {'home': 2},
                      {'limits': {'cpu': -1}}, {'limits': []},
                      {'silence_s': 'x'}):
            link.start(R, 1, [work(R, 9, ['true'], steps=[
                {'label': 'x', 'argv': ['true'], 'manner': wrong}])])
            got = link.returned(ids(9)[0])
            tap.ok('refused: %s' % wrong, got['returned'], got)


def test_silence():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        gate = Gate(a)
        report = run(link, 1, ['sh', '-c', 'echo said; read x < ' +
                               gate.path], silence_s=0.4)
        step = report['steps'][0]
        tap.equal('ended as timeout', (report['outcome'], step['text']),
                  ('timeout', 'wrote nothing for 0.4 s'))
        report = run(link, 2, [
            'sh', '-c', 'for i in 1 2 3 4 5 6 7; do echo $i; '
            'timeout 0.35 head -c 1 %s; done; true' % gate.path], silence_s=2)
        tap.ok('what writes now and then goes on',
               report['outcome'] == 'passed' and report['elapsed_s'] > 2,
               report)


def test_home():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        shared = says(link, 1, 'echo $HOME')
        own = says(link, 2, 'touch $HOME/x $TMPDIR/y && echo $HOME $TMPDIR',
                   home=1, keep=0)
        home, tmp = own.split()
        tap.ok('a home of its own, in the spool', home != shared and
               home.startswith(a.spool) and tmp == home + '/tmp', own)
        tap.ok('gone afterwards', not os.path.exists(home))
        home = says(link, 3, 'touch $HOME/x; echo $HOME; exit 1', home=1)
        tap.ok('kept when it failed', os.path.exists(home + '/x'))
        link.start(R, 1, [work(R, 4, [], env=['HOME=/elsewhere'], steps=[
            {'label': 't', 'argv': ['sh', '-c', 'echo $HOME'],
             'manner': {'home': 1}}])])
        link.wait_ended(ids(4))
        tap.equal('what the plan says counts over it',
                  link.tail(ids(4)[0])[0].decode().strip(), '/elsewhere')


def test_keep():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        cases = [(0, 0, False), (0, 1, False), (1, 0, False), (1, 1, True),
                 (2, 0, True), (2, 1, True)]
        for n, (keep, code, stays) in enumerate(cases, 1):
            cwd = says(link, n, 'touch x; pwd; exit %d' % code, keep=keep)
            tap.equal('keep %s, exit %d' % (('never', 'failed', 'always')[
                keep], code), os.path.exists(cwd), stays)


def main():
    for name, fn in sorted(globals().items()):
        if name.startswith('test_'):
            tap.note(name)
            fn()
    tap.done()


main()
