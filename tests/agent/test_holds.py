# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers that people take on the host: they count against max workers, are
seen, outlive the daemon, and end by release or expiry."""
import agentclient as ac
import tap
from agentclient import Gate, R, agent, ids, work


def kinds(facts):
    return [w.get('kind', 'idle') for w in facts['workers']]


def taken(facts, no):
    return [w for w in facts['workers'] if w.get('take') == no]


def test_take_and_release():
    with agent(workers=2) as a:
        r = a.run('hold', '--kind', 'recording', '--note', 'login \x1b[31mflow',
                  '--for', '1h', env={'USER': 'ann'})
        tap.equal('a daemon is started for it', (r.returncode, r.stdout),
                  (0, '1\n'))
        link = a.connect()
        worker = taken(link.facts, 1)[0]
        tap.equal('who has it and what for',
                  (worker['kind'], worker['owner'], worker['label'],
                   worker['taken']['who'], link.facts['busy']),
                  ('recording', 'ann', 'login \x1b[31mflow', 'ann', 1))
        tap.ok('since when and until when', worker['elapsed_s'] >= 0 and
               worker['taken']['since'] < worker['taken']['expires'], worker)
        status = a.run('status').stdout
        tap.ok('status says it, escaped', 'recording' in status and
               'taking 1' in status and '\x1b' not in status, status)
        link.sync(R, 1)
        gate = Gate(a)
        link.start(R, 1, [work(R, n, gate.command()) for n in (1, 2)])
        link.wait_report(ids(1)[0], 'running')
        link.wait_report(ids(2)[0], 'queued')
        tap.equal('one worker is left for work',
                  sorted(kinds(link.ask(ac.SET)['facts'])),
                  ['execution', 'recording'])
        tap.equal('release', a.run('release', '1').returncode, 0)
        link.wait_report(ids(2)[0], 'running')
        tap.ok('what waited starts', True)
        r = a.run('release', '1')
        tap.ok('once only', r.returncode == 1 and 'no taking 1' in r.stderr,
               r.stderr)
        gate.open(2)
        link.wait_ended(ids(1, 2))
        log = a.log()
        tap.ok('both are in the log with who', 'ann: takes 1 of its workers '
               '(recording, taking 1)' in log and 'given back' in log, log)


def test_threshold_is_not_asked():
    with agent(workers=2) as a:
        link = a.connect()
        link.ask(ac.SET, threshold=0)
        for kind in ('development', 'hold'):
            r = a.run('hold', '--kind', kind)
            tap.equal('%s beside threshold 0' % kind, r.returncode, 0)


def test_full():
    with agent(workers=2) as a:
        link = a.connect()
        link.sync(R, 1)
        gate = Gate(a)
        link.start(R, 1, [work(R, 1, gate.command())])
        link.wait_report(ids(1)[0], 'running')
        a.run('hold', '--kind', 'hold', '--note', 'mine', '--for', '2h',
              env={'USER': 'bob'})
        r = a.run('hold', '--kind', 'recording')
        tap.ok('refused with who has them', r.returncode == 1 and
               'execution suite/t1 of test for' in r.stderr and
               'hold mine of bob for' in r.stderr and ' more' in r.stderr,
               r.stderr)
        r = a.run('hold', '--kind', 'recording', '--workers', '3')
        tap.ok('more than there are', r.returncode == 1 and
               'from 1 to 2' in r.stderr, r.stderr)
        link.start(R, 1, [work(R, n, ['true']) for n in (2, 3)])
        waits, second = a.connect(), a.connect()
        waits.send(ac.TAKE, {'tag': 9, 'kind': 'recording', 'workers': 2,
                             'wait': True})
        waits.ping()
        second.send(ac.TAKE, {'tag': 9, 'kind': 'development', 'wait': True})
        second.ping()
        r = a.run('release', '1')
        waits.ping()
        tap.ok('not before all are free', not waits.inbox or
               waits.inbox[0][0] != ac.ANSWER, waits.inbox)
        second.close()
        a.links.remove(second)
        gate.open()
        answer = waits.wait(ac.ANSWER)
        tap.equal('who waits is next, before what is queued',
                  (answer['tag'], answer['ok'], answer.get('take')),
                  (9, True, 2))
        facts = link.ask(ac.SET)['facts']
        tap.equal('all workers at once', kinds(facts), ['recording'] * 2)
        a.run('release', '2')
        link.wait_ended(ids(1, 2, 3))
        facts = link.ask(ac.SET)['facts']
        tap.equal('who waited no more got none', facts['busy'], 0)
        r = a.run('hold', '--kind', 'hold', '--wait')
        tap.equal('on the host as well', (r.returncode, r.stdout), (0, '3\n'))


def test_expiry_and_crash():
    with agent(workers=2) as a:
        a.run('hold', '--kind', 'development', '--workers', '2', '--note', 'x',
              '--for', '1h')
        a.run('release', '1')
        a.run('hold', '--kind', 'development', '--note', 'x')
        a.run('hold', '--kind', 'recording', '--for', '30m')
        before = a.connect().facts
        a.kill()
        after = a.connect().facts
        tap.equal('outlives a crash of the daemon', kinds(after),
                  ['development', 'recording'])
        tap.equal('as it was', [w['taken'] for w in after['workers']],
                  [w['taken'] for w in before['workers']])
        a.run('quit')
        tap.equal('and its end', kinds(a.connect().facts),
                  ['development', 'recording'])
        a.run('restart')
        link = a.connect()
        tap.equal('and a restart', kinds(link.facts),
                  ['development', 'recording'])
        link.ask(ac.SET, max_workers=1)
        tap.equal('lowering max workers ends none', link.ask(ac.SET)['facts']
                  ['busy'], 2)
        a.run('release', '3')
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['true'])])
        link.wait_report(ids(1)[0], 'queued')
        link.ping()
        tap.equal('the other one keeps the only worker',
                  [r['state'] for r in link.reports[ids(1)[0]]], ['queued'])
        a.run('release', '2')
        link.wait_ended(ids(1))
        r = a.run('hold', '--kind', 'hold', '--for', '300ms')
        tap.equal('a number is never used again', r.stdout, '4\n')
        link.start(R, 1, [work(R, 2, ['true'])])
        link.wait_ended(ids(2))
        tap.ok('it expires by itself', 'taking 4 (hold) expired' in a.log())


def test_what_workers_use():
    with agent(workers=2) as a:
        link = a.connect('--idle', '0.4s')    # its tick is short, too
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, [
            'sh', '-c', 'echo x; (while :; do :; done)& wait'])])
        link.wait_report(ids(1)[0], 'running')
        facts = link.wait_facts(lambda f: f['workers'][0].get('cpu', 0) > 0)
        worker = facts['workers'][0]
        tap.ok('CPU and memory of the whole tree, age of output',
               0.05 < worker['cpu'] < 2 and worker['memory_bytes'] > 1 << 19
               and worker['output_age_s'] >= 0, worker)
        link.cancel(ids(1), grace_s=0.1)
        link.wait_ended(ids(1))
        worker = link.ask(ac.SET)['facts']['workers'][0]
        tap.ok('an idle one says none', 'cpu' not in worker and
               'memory_bytes' not in worker, worker)


def test_bad_words():
    with agent(workers=2) as a:
        for args, said in (
                (('hold', '--kind', 'execution'), 'recording, development'),
                (('hold', '--kind', ''), 'recording, development'),
                (('hold', '--wait'), 'go with --kind'),
                (('hold', '--workers', '2'), 'go with --kind'),
                (('release', 'x'), 'is not the number'),
                (('release', '-1'), 'option'),
                (('release', '1', '2'), 'at most one'),
                (('hold', '--kind', 'hold', '--for', 'x'), '--for'),
                (('hold', '--kind', 'hold', '--workers', '0'), '--workers')):
            r = a.run(*args)
            tap.ok(' '.join(args), said in r.stderr and r.returncode != 0, (r.returncode, r.stderr))
        look = a.connect(read_only=True)
        look.send(ac.TAKE, {'tag': 77, 'kind': 'hold'})
        answer = look.wait(ac.ANSWER)
        tap.equal('a link that may only look', (answer['tag'],
                                                answer['code']), (77, -10010))


def main():
    for name, fn in sorted(globals().items()):
        if name.startswith('test_'):
            tap.note(name)
            fn()
    tap.done()


main()
