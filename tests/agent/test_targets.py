# SPDX-License-Identifier: GPL-3.0-or-later
"""How many attempts of a target run on an agent, over all owners: what none
of them could see for itself."""
import agentclient as ac
import tap
from agentclient import R, Gate, agent, ids, work

R2 = 'r0000000002'
SAFARI = [{'name': 'safari', 'max_per_agent': 1}]
PLAIN = [{'name': 'safari'}]


def links(a):
    one, two = a.connect(who='ann@desk'), a.connect(who='bob@sofa')
    one.sync(R, 1)
    two.sync(R2, 1)
    return one, two


def on(a, run, n, gate, targets, **more):
    return work(run, n, None, targets=targets,
                label='%s/t%d' % (run, n), owner='of ' + run,
                steps=[{'label': '%s/t%d' % (run, n),
                        'argv': gate.command('echo begun;')}], **more)


def taken(facts):
    return {t['name']: (t.get('max', 0), [k['attempt'] for k in t['taken']])
            for t in facts.get('targets', [])}


def test_two_owners():
    with agent(workers=4) as a:
        one, two = links(a)
        gate = Gate(a)
        one.start(R, 1, [on(a, R, 1, gate, SAFARI)])
        one.wait_report(ids(1)[0], 'running')
        two.start(R2, 1, [on(a, R2, 1, gate, SAFARI),
                          on(a, R2, 2, gate, [{'name': 'chrome',
                                               'max_per_agent': 1}])])
        while not (got := [b for n, b in two.inbox if n == ac.RETURNED]):
            two.inbox.append(two.recv())
        tap.equal('facts come before the answer and say who has it',
                  taken(two.facts)['safari'], (1, ids(1)))
        item = got[0]['items'][0]
        tap.ok('the other is given back with words', item['returned'] and
               item['full'] and item['id'] == R2 + '/1/1' and
               item['why'] == 'safari: 1 of 1 here, held by %s (of %s)' % (
                   ids(1)[0], R), item)
        two.wait_report(R2 + '/2/1', 'running')
        tap.ok('another target is not in its way', True)
        tap.equal('whose it is, is said', [k['owner'] for t in one.wait_facts(
            lambda f: 'chrome' in taken(f))['targets'] for k in t['taken']
            if t['name'] == 'chrome'], ['of ' + R2])
        gate.open(2)
        one.wait_ended(ids(1))
        two.wait_facts(lambda f: 'safari' not in taken(f))
        two.start(R2, 1, [on(a, R2, 1, gate, SAFARI, id=R2 + '/1/2')])
        two.wait_report(R2 + '/1/2', 'running')
        one.start(R, 1, [on(a, R, 2, gate, PLAIN)])
        tap.ok('what names no limit keeps to it as well',
               one.returned(ids(2)[0]).get('full'))
        gate.open(1)
        two.wait_ended([R2 + '/1/2'])


def test_limit_of_a_run_changes():
    with agent(workers=4) as a:
        one, two = links(a)
        gate = Gate(a)
        one.start(R, 1, [on(a, R, 1, gate, SAFARI)])
        one.wait_report(ids(1)[0], 'running')
        one.start(R, 1, [on(a, R, 2, gate, [
            {'name': 'safari', 'max_per_agent': 2}])])
        one.wait_report(ids(2)[0], 'running')
        tap.equal('what a run says last counts', [
            k['max'] for k in one.wait_facts(lambda f: len(
                f['targets'][0]['taken']) == 2)['targets'][0]['taken']],
            [2, 2])
        two.start(R2, 1, [on(a, R2, 1, gate, [
            {'name': 'safari', 'max_per_agent': 9}])])
        item = two.returned(R2 + '/1/1')
        tap.ok('the least of two runs counts', item.get('full') and
               '2 of 2' in item['why'], item)
        gate.open(2)
        one.wait_ended(ids(1, 2))
        two.start(R2, 1, [on(a, R2, n, gate, [
            {'name': 'safari', 'max_per_agent': 9}]) for n in (1, 2, 3)])
        for n in (1, 2, 3):
            two.wait_report('%s/%d/1' % (R2, n), 'running', 'queued')
        one.start(R, 1, [on(a, R, 3, gate, SAFARI)])
        tap.ok('one that allows fewer than run waits',
               one.returned(ids(3)[0]).get('full'))
        tap.equal('and who has it is told also where no limit is reached',
                  len(taken(one.facts)['safari'][1]), 3)
        gate.open(3)
        two.wait_ended(['%s/%d/1' % (R2, n) for n in (1, 2, 3)])


def test_taken_back():
    """What is taken back before it starts makes room at once."""
    with agent(workers=2) as a:
        one, two = links(a)
        gate = Gate(a)
        one.ask(ac.MODE, mode='hold', who='ann')
        one.start(R, 1, [on(a, R, 1, gate, SAFARI)])
        one.wait_report(ids(1)[0], 'queued')
        two.wait_facts(lambda f: 'safari' in taken(f))
        one.take_back(ids(1))
        tap.ok('it is given back', one.returned(ids(1)[0])['returned'])
        two.wait_facts(lambda f: 'safari' not in taken(f), 3)
        one.ask(ac.MODE, mode='release', who='ann')
        two.start(R2, 1, [on(a, R2, 1, gate, SAFARI)])
        two.wait_report(R2 + '/1/1', 'running')
        tap.ok('and another has the target', True)
        gate.open()
        two.wait_ended([R2 + '/1/1'])


def held_back(a, end):
    """Two of one target wait while the agent is held; end() makes it another
    daemon; the second starts after the first has ended."""
    one, two = links(a)
    first, second = Gate(a), Gate(a, 'second')
    one.ask(ac.MODE, mode='hold', who='ann')
    one.start(R, 1, [on(a, R, 1, first, PLAIN)])
    one.wait_report(ids(1)[0], 'queued')
    two.start(R2, 1, [on(a, R2, 1, second, SAFARI)])
    two.wait_report(R2 + '/1/1', 'queued')
    end()
    one, two = links(a)
    one.ask(ac.MODE, mode='release', who='ann')
    one.wait_report(ids(1)[0], 'running')
    two.ping()
    tap.equal('queued ones keep to it', [
        r['state'] for r in two.reports[R2 + '/1/1']], ['queued'])
    first.open()
    two.wait_output(R2 + '/1/1')
    one.wait_ended(ids(1))
    return second


def test_other_daemon():
    for what in ('kill', 'restart'):
        with agent(workers=2) as a:
            gate = held_back(a, a.kill if what == 'kill' else
                             lambda: a.run('restart'))
            if what == 'kill':
                a.kill()
            else:
                a.run('restart')
            one, two = links(a)
            tap.equal(what + ': what runs is still counted',
                      taken(one.facts), {'safari': (1, [R2 + '/1/1'])})
            one.start(R, 1, [on(a, R, 2, gate, SAFARI)])
            tap.ok('and keeps others out',
                   one.returned(ids(2)[0]).get('full'))
            gate.open()
            two.wait_ended([R2 + '/1/1'])
            one.wait_facts(lambda f: not taken(f))
            one.start(R, 1, [on(a, R, 2, gate, SAFARI, id=ids(2)[0][:-1] +
                                '2')])
            one.wait_report(ids(2)[0][:-1] + '2', 'running')
            gate.open()
            one.wait_ended([ids(2)[0][:-1] + '2'])


def main():
    for name, test in sorted(globals().items()):
        if name.startswith('test_'):
            test()
    tap.done()


if __name__ == '__main__':
    main()
