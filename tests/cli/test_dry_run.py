# SPDX-License-Identifier: GPL-3.0-or-later
"""run --dry-run on agents of this host: who takes part, who does not and why,
when it would end and what it would cost; and that nothing runs."""

import glob

import tap
from plan_cli import Folder, plan_of


def fleet(dead):
    local = {'transport': 'local', 'max_workers': 2}
    return {'name': 'f', 'agents': [
        dict(local, name='one', threshold=1, cost_per_hour=36),
        dict(local, name='two', labels=['spare']),
        {'name': 'gone', 'transport': 'command', 'command': [dead]}]}


def rounded(v):
    """Without the round trips, which take milliseconds, under load many."""
    if isinstance(v, dict):
        return {k: rounded(x) for k, x in v.items()}
    if isinstance(v, list):
        return [rounded(x) for x in v]
    if isinstance(v, float):
        return round(v) if v > 20 else round(v, 1)
    return v


def check_forecast(f, path):
    plan = f.write('plan.json', plan_of(
        [{'name': t, 'estimate': '100s', 'agents': ['one', 'gone']}
         for t in 'abc'], parallel='tests', command=['touch', f.dir + '/ran']))
    done = f.cli('run', plan, '--fleet', path, '--dry-run')
    tap.equal('text: exits 0', (done.returncode, done.stderr), (0, ''))
    tap.ok('text: says how long', 'would take 5m00s, no less than' in
           done.stdout, done.stdout)
    out = rounded(f.json('run', plan, '--fleet', path, '--dry-run'))
    tap.ok('text: a line for each worker', any(
        line.startswith('one#1') and line.endswith('| 100%') for line in
        (' '.join(x.replace('│', '|').split()) for x in
         done.stdout.splitlines())), done.stdout)
    tap.equal('the timeline', [(
        x['agent'], x['start_s'], x['end_s'], x['steps'][0]['test'])
        for x in out['timeline']],
        [('one', 0, 100, 'a'), ('one', 100, 200, 'b'),
         ('one', 200, 300, 'c')])
    tap.equal('nothing made it longer than it must be',
              (out['ratio'], out['causes'], out['deadline']), (1, [], None))
    want = {'plan': 'p', 'executions': 3, 'steps': 3, 'never': 0,
            'unknown': 0, 'workers': 2, 'makespan_s': 300,
            'worker_minutes': 5, 'cost': 3}
    tap.equal('the sums', {k: out.get(k) for k in want}, want)
    tap.equal('who takes part, by its own values', out['agents'], [
        {'name': 'one', 'max_workers': 2, 'threshold': 1, 'busy': 0,
         'executions': 3, 'busy_s': 300, 'end_s': 300, 'cost': 3}])
    tap.equal('who does not', [(x['name'], x['reason'])
                               for x in out['excluded']],
              [('two', 'requirement'), ('gone', 'agents-offline')])
    tap.ok('and in words', all(x['text'] for x in out['excluded']), out)


def check_deadline(f):
    """Saved is what the others need not be paid for."""
    local = {'transport': 'local', 'max_workers': 1, 'cost_per_hour': 36}
    path = f.write('paid.json', {'name': 'f', 'agents': [
        dict(local, name='x%d' % i) for i in range(3)]})
    plan = f.write('late.json', plan_of(
        list('abcd'), parallel='tests', estimate='100s'))
    args = ('run', plan, '--fleet', path, '--dry-run', '--deadline')
    out = rounded(f.json(*args, '10m'))['deadline']
    tap.equal('one agent meets the deadline', {
        k: out[k] for k in ('met', 'workers', 'end_s', 'cost')},
        {'met': True, 'workers': 1, 'end_s': 400, 'cost': 4})
    tap.equal('all of them would take', out['full_width'], {
        'end_s': 200, 'workers': 3, 'worker_minutes': 6.7, 'cost': 4})
    text = f.cli(*args, '10m').stdout
    tap.ok('and what that saves is said', 'met at 6m40s with 1 worker; '
           'saves 0.0 worker-minutes against 3m20s with 3' in text, text)
    text = f.cli(*args, '1m').stdout
    tap.ok('or the earliest end', 'deadline 1m00s: cannot be met, the '
           'earliest end is at 3m20s with 3 workers' in text, text)


def check_drained(f, path):
    plan = f.write('plan.json', plan_of(['a', 'b'], parallel='tests'))
    f.cli('drain', 'one', '--fleet', path)
    out = rounded(f.json('run', plan, '--fleet', path, '--dry-run'))
    tap.equal('a drained agent takes no part', (
        [x['name'] for x in out['agents']],
        [(x['name'], x['reason']) for x in out['excluded']]),
        (['two'], [('one', 'agents-draining'), ('gone', 'agents-offline')]))
    tap.equal('lengths that nobody knows are told, costs that nobody set '
              'are not', (out['unknown'], out['cost'], out['makespan_s']),
              (2, None, 60))
    f.cli('undrain', 'one', '--fleet', path)


def check_nothing(f, path):
    plan = f.write('plan.json', plan_of(['a'], agents=['gone']))
    done = f.cli('run', plan, '--fleet', path, '--dry-run')
    tap.equal('exits 4 when nothing could start', done.returncode, 4)
    tap.ok('and still says why', 'agents-offline' in done.stdout and
           'nothing could start' in done.stderr, done.stdout + done.stderr)
    plan = f.write('plan.json', plan_of(['a'], agents=['nobody']))
    done = f.cli('run', plan, '--fleet', path, '--dry-run')
    tap.equal('an agent that is not in the fleet is a fault of the plan',
              (done.returncode, done.stdout), (4, ''))


def main():
    with Folder() as f:
        path = f.write('fleet.json', fleet(f.dir + '/no-such-agent'))
        check_forecast(f, path)
        check_deadline(f)
        check_drained(f, path)
        check_nothing(f, path)
        tap.equal('nothing ran, nothing was recorded',
                  glob.glob(f.dir + '/ran') +
                  glob.glob(f.dir + '/state/yardmaster/runs/*'), [])
    tap.done()


main()
