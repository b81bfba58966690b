# SPDX-License-Identifier: GPL-3.0-or-later
"""plan simulate: the chart, what made a run as long as it is, each option,
and that round trips are hidden by what is sent ahead."""

import json
import os

import tap
from plan_cli import DATA, Folder, plan_of


def fleet_of(*agents):
    return {'name': 'f', 'agents': [
        dict({'name': 'a%d' % i, 'transport': 'local', 'max_workers': n},
             **more) for i, (n, more) in enumerate(agents)]}


def costs(out):
    return {x['cause']: x['cost_s'] for x in out['causes']}


def check_chart(f):
    fleet = f.write('two.json', fleet_of((2, {}), (1, {})))
    plan = f.write('chart.json', plan_of(
        [{'name': t, 'estimate': e} for t, e in
         (('a', '30s'), ('b', '10s'), ('c', '10s'), ('d', '20s'))],
        parallel='tests', order='plan'))
    args = ('plan', 'simulate', plan, '--fleet', fleet)
    f.env['LC_ALL'] = 'C'
    lines = f.lines(*args)
    tap.equal('a line for each worker: what it does, gaps, the end', lines[:4],
              ['WORKER 0' + ' ' * 62 + '30s   BUSY',
               'a0#1   ' + '#' * 65 + '|  100%',
               'a0#2   ' + '#' * 22 + '.' * 43 + '|   33%',
               'a1#1   ' + '#' * 21 + '=' * 44 + '|  100%'])
    tap.ok('80 cells at most without a terminal',
           max(len(x) for x in lines[:4]) <= 80, lines)
    tap.equal('then the sums', lines[4],
              '4 executions, 4 attempts; makespan 30s, lower bound 30s, '
              'ratio 1.000')
    f.env['LC_ALL'] = 'C.UTF-8'
    tap.ok('other blocks where they may be drawn', '█▓' in
           f.lines(*args)[3], f.lines(*args))
    f.env['LC_ALL'] = 'C'
    wide = f.write('wide.json', fleet_of((60, {}), (2, {})))
    many = f.write('many.json', plan_of(['t%d' % i for i in range(62)],
                                        parallel='tests'))
    lines = f.lines('plan', 'simulate', many, '--fleet', wide)
    tap.ok('by agent where they do not fit, with how many work', lines[0]
           .startswith('AGENT') and '++++' in lines[1] and '2222' in lines[2],
           lines)


def check_causes(f):
    """One cause at a time, where it is known what it costs."""
    fleet = f.write('one.json', fleet_of((2, {})))

    def causes(plan, *args, fleet=fleet):
        out = f.json('plan', 'simulate', f.write('c.json', plan), '--fleet',
                     fleet, *args)
        return costs(out)

    four = plan_of(list('abcd'), parallel='tests', estimate='10s')
    tap.equal('nothing costs, nothing is said', causes(four), {})
    tap.equal('the start of processes', causes(four, '--startup', '5s'),
              {'start-cost': 10})
    tap.equal('a lock', causes(dict(four, locks={'db': 1}, suites=[
        dict(four['suites'][0], locks=['db'])])).get('limits'), 20)
    tap.equal('a limit of all', causes(dict(four, max_parallel=1))
              .get('limits'), 20)
    tap.equal('what is needed', causes(plan_of([
        'a', {'name': 'b', 'needs': ['a']}], parallel='tests',
        estimate='10s')).get('needs'), 10)
    got = causes(plan_of(
        ['a', 'b', 'c', 'd', {'name': 'e', 'estimate': '90s'}],
        parallel='tests', estimate='10s'))
    tap.equal('the longest, and the end', (got['longest'], got['end']),
              (25, 25))
    got = causes(four, fleet=f.write('slow.json', fleet_of(
        (1, {}), (1, {'speed': 0.5}))))
    tap.equal('a slow agent', got.get('slow-agents'), 10)
    got = causes(four, '--fail', '1')
    tap.ok('nothing for tries again where none are', 'retries' not in got,
           got)
    got = causes(dict(four, retries=1), '--fail', '0.999999')
    tap.ok('tries again', 20 <= got.get('retries', 0) <= 22, got)
    history = f.write('history', dict({t: 10 for t in 'abc'}, d=1))
    actual = f.write('actual', {'a': 10, 'b': 10, 'c': 10, 'd': 30})
    tap.equal('a length that was other than predicted', causes(
        four, '--history', history, '--actual', actual).get('lengths'), 10)
    got = causes(four, '--startup', '5s', '--rtt', '2000')
    tap.equal('largest first', list(got.values()),
              sorted(got.values(), reverse=True))


def check_random(f):
    fleet = f.write('one.json', fleet_of((4, {})))
    plan = f.write('r.json', plan_of(['t%d' % i for i in range(40)],
                                     parallel='tests', retries=3))

    def play(seed):
        return f.json('plan', 'simulate', plan, '--fleet', fleet, '--fail',
                      '0.3', '--seed', seed)
    tap.equal('the same seed, the same timeline', play(7), play(7))
    tap.ok('another seed, another', play(7) != play(8))
    outs = [x['outcome'] for s in range(10) for x in play(s)['executions']]
    rate = outs.count('failed') / len(outs)
    tap.ok('as many fail as are to', 0.25 <= rate <= 0.35, rate)


def check_round_trips(f):
    """2,000 of 100 ms on 16 workers, 100 ms away: what is sent ahead hides
    the way; without, each waits for it."""
    fleet = f.write('four.json', fleet_of(*[(4, {})] * 4))
    spans = {}
    for ahead in ('auto', 0):
        plan = f.write('ahead.json', plan_of(
            ['t%d' % i for i in range(2000)], parallel='tests',
            estimate='100ms', ahead=ahead))
        for rtt in (0, 100):
            spans[ahead, rtt] = f.json(
                'plan', 'simulate', plan, '--fleet', fleet, '--rtt',
                rtt)['makespan_s']
    ratio = {a: spans[a, 100] / spans[a, 0] for a in ('auto', 0)}
    tap.ok('a round trip of 100 ms is hidden: %.3f' % ratio['auto'],
           ratio['auto'] <= 1.05, spans)
    tap.ok('and it is not when nothing is sent ahead: %.2f' % ratio[0],
           ratio[0] > 1.5, spans)
    out = f.json('plan', 'simulate', f.write('one.json', plan_of(
        ['a'], estimate='10s')), '--fleet', fleet, '--rtt', 1000)
    x = out['executions'][0]
    tap.equal('a send takes half of it', (x['start_s'], x['end_s']),
              (0.5, 10.5))


def check_locks(f):
    """20 of 40 s that take turns are the bound, as long as no worker that is
    free for the next of them takes something queued behind it."""
    fleet = f.write('two.json', fleet_of((4, {}), (4, {})))
    plan = f.write('locks.json', plan_of(
        [{'name': 'l%d' % i, 'locks': ['db'], 'estimate': '40s'}
         for i in range(20)] +
        [{'name': 't%d' % i, 'estimate': '30s'} for i in range(200)],
        parallel='tests', order='longest'))
    out = f.json('plan', 'simulate', plan, '--fleet', fleet, '--rtt', 10)
    ratio = out['makespan_s'] / out['lower_bound_s']
    plan = f.write('wide.json', plan_of(
        [{'name': 'w', 'workers': 4, 'estimate': '10s'}] +
        [{'name': 't%d' % i, 'estimate': '10s'} for i in range(4)],
        parallel='tests'))
    tap.equal('the bound counts the workers of what takes several', f.json(
        'plan', 'simulate', plan, '--fleet', f.write(
            'one.json', fleet_of((4, {}))))['lower_bound_s'], 20)
    tap.ok('what is sent ahead stands in the way of no lock: %.3f' % ratio,
           ratio <= 1.05, out['makespan_s'])
    plan = f.write('nobody.json', plan_of(
        [{'name': 'n', 'agents': ['@none'], 'estimate': '50s'},
         {'name': 't', 'estimate': '10s'}], parallel='tests'))
    out = f.json('plan', 'simulate', plan, '--fleet', f.dir + '/one.json')
    tap.equal('and nothing of what never starts', (
        out['makespan_s'], out['lower_bound_s']), (10, 10))


def check_wide(f):
    """One that needs all workers is passed by 64, whatever the round trip;
    what is sent ahead keeps no worker from it for ever."""
    fleet = f.write('eight.json', fleet_of((8, {})))
    plan = f.write('passed.json', plan_of(
        [{'name': 'l%d' % i, 'estimate': '%dms' % (3000 + i * 130)}
         for i in range(8)] +
        [{'name': 'wide', 'workers': 8, 'estimate': '5s'}] +
        [{'name': 't%d' % i, 'estimate': '%dms' % (900 + i % 7 * 37)}
         for i in range(300)], parallel='tests', order='plan'))
    for rtt in (0, 1, 100):
        out = f.json('plan', 'simulate', plan, '--fleet', fleet, '--rtt', rtt)
        start = next(x['start_s'] for x in out['executions']
                     if x['steps'][0]['test'] == 'wide')
        before = [x for x in out['executions'] if x['start_s'] < start]
        tap.equal('a wide one is passed by 64 at %d ms' % rtt, len(before),
                  8 + 64)


def check_slower(f):
    """All take longer than predicted: more workers are taken, and the
    deadline is met all the same."""
    fleet = f.write('ten.json', fleet_of((20, {'cost_per_hour': 36})))
    names = ['t%02d' % i for i in range(60)]
    plan = f.write('late.json', plan_of(names, parallel='tests',
                                        estimate='10s'))
    for factor, most in ((1, 7), (1.5, 12), (2, 20)):
        actual = f.write('actual', {n: 10 * factor for n in names})
        out = f.json('plan', 'simulate', plan, '--fleet', fleet, '--actual',
                     actual, '--deadline', '110s')['deadline']
        tap.ok('all take %g times as long: met with %d workers' %
               (factor, out['workers']), out['met'] and
               out['workers'] <= most, out)
    first = [x for x in f.json(
        'plan', 'simulate', plan, '--fleet', fleet, '--actual', actual,
        '--deadline', '110s')['executions'] if x['start_s'] == 0]
    tap.ok('it began with those that were enough by prediction',
           len(first) <= 7, len(first))


def check_batch(f):
    """One row for a batch, its members as steps."""
    fleet = f.write('one.json', fleet_of((1, {})))
    plan = f.write('batch.json', {
        'name': 'p', 'command': ['true', '{tests}'], 'estimate': '1s',
        'suites': [{'name': 's', 'batch': True, 'tests': [
            'a', {'name': 'b', 'data': {'rows': [
                {'x': '1'}, {'x': '2', '_name': 'two'}]}}],
            'targets': ['t'],
            'results': {'junit': '{results}', 'name': '{name}'},
            'command': ['tool', '--junitxml={results}', '{tests}']}]})
    done = f.cli('plan', 'simulate', plan, '--fleet', fleet, '--startup',
                 '2s', '--json')
    if not tap.ok('a batch plan is simulated', done.returncode == 0,
                  done.stderr):
        return
    out = json.loads(done.stdout)
    want = [('a', None), ('b', 1), ('b', 'two')]
    steps = [(s['test'], s['row']) for x in out['executions']
             for s in x['steps']]
    tap.equal('each member is a step, with its row', sorted(
        steps, key=str), sorted(want, key=str))
    tap.equal('of one row', [(
        x['suite'], x['target'], x['attempt'], x['agent'], x['worker'],
        x['start_s'], x['end_s']) for x in out['executions']],
        [('s', 't', 1, 'a0', 1, 0, 5)])
    tap.equal('after the start of the process, one after the other', [
        (s['target'], s['start_s'], s['end_s'])
        for s in out['executions'][0]['steps']],
        [('t', 2, 3), ('t', 3, 4), ('t', 4, 5)])
    tap.equal('the lower bound has the start in it', out['lower_bound_s'], 5)


def check_schedules(f):
    """What waits for an instant starts then, not sooner; the bound knows."""
    fleet = f.write('one.json', fleet_of((2, {})))
    plan = f.write('due.json', plan_of([
        {'name': 'a', 'estimate': '5s'},
        {'name': 'b', 'estimate': '5s', 'schedule': '+10m'},
        {'name': 'c', 'estimate': '7s', 'schedule': '2031-01-02T03:00:00Z'}],
        parallel='tests'))
    out = f.json('plan', 'simulate', plan, '--fleet', fleet, '--at',
                 '2031-01-02T02:40:00Z')
    tap.equal('they start when they are due', [
        (x['steps'][0]['test'], x['start_s']) for x in out['executions']],
        [('a', 0), ('b', 600), ('c', 1200)])
    tap.equal('and so ends the run, and the bound', (
        out['makespan_s'], out['lower_bound_s']), (1207, 1207))
    done = f.cli('plan', 'simulate', plan, '--fleet', fleet, '--at',
                 '2031-01-02T04:00:00Z', '--json')
    out = json.loads(done.stdout)
    tap.equal('what has passed is not waited for', (
        out['makespan_s'], 'has passed' in done.stderr), (605, True))


def check_files(f):
    """What knapsack wrote is read like what pytest-split wrote."""
    path = DATA + '/durations/knapsack_rspec_report.json'
    with open(path, encoding='utf-8') as file:
        known = json.load(file)
    fleet = f.write('one.json', fleet_of((1, {})))
    plan = f.write('known.json', plan_of(list(known), parallel='tests'))
    out = f.json('plan', 'simulate', plan, '--fleet', fleet, '--history',
                 path)
    tap.ok('knapsack', abs(out['makespan_s'] - sum(known.values())) < 0.01,
           out['makespan_s'])
    tap.equal('nothing was made in the state folder',
              os.path.exists(f.dir + '/state'), False)


def main():
    with Folder() as f:
        check_chart(f)
        check_causes(f)
        check_random(f)
        check_round_trips(f)
        check_locks(f)
        check_wide(f)
        check_slower(f)
        check_batch(f)
        check_schedules(f)
        check_files(f)
        for bad in (('--rtt', '-1'), ('--fail', '2'), ('--startup', 'x'),
                    ('--seed', 'x'), ('--at', 'soon'), ('--history', f.dir + '/none')):
            done = f.cli('plan', 'simulate', f.dir + '/known.json',
                         '--fleet', f.dir + '/one.json', *bad)
            tap.equal('refused: ' + ' '.join(bad[:1]), (
                done.returncode, done.stdout), (4, ''))
    tap.done()


main()
