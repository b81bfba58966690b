# SPDX-License-Identifier: GPL-3.0-or-later
"""plan split: the worked examples, the files of pytest-split and knapsack,
and what is refused."""

import json

import tap
from plan_cli import DATA, Folder, plan_of

PYTEST = DATA + '/durations/pytest-split.test_durations'
KNAPSACK = DATA + '/durations/knapsack_rspec_report.json'


def check_cases(f, cases):
    for case in cases['split']:
        plan = f.write('plan.json', plan_of(case['tests']))
        durations = f.write('durations', case['durations'])
        for rule in ('chunks', 'least'):
            args = ('plan', 'split', case['splits'], plan, '--durations',
                    durations, '--algorithm', rule)
            got = [''.join(f.lines(*args, '--group', i + 1) or '')
                   for i in range(case['splits'])]
            tap.equal('%s: %s' % (case['id'], rule), got, case[rule])
            out = f.json(*args)
            tap.equal('%s: %s as JSON' % (case['id'], rule),
                      [''.join(g['tests']) for g in out['groups']],
                      case[rule])
    for case in cases['split_errors']:
        done = f.cli('plan', 'split', case['splits'], plan, '--group',
                     case['group'])
        tap.equal(case['id'] + ': exits 4 and prints nothing',
                  (done.returncode, done.stdout), (4, ''))


def check_edges(f):
    plan = f.write('plan.json', plan_of(['a', 'b', 'c']))
    tap.equal('without a group all are shown, with a line before each',
              f.lines('plan', 'split', 2, plan),
              ['# group 1 of 2: 2 tests, 2.0s', 'a', 'b',
               '# group 2 of 2: 1 tests, 1.0s', 'c'])
    tap.equal('an empty group prints nothing',
              f.lines('plan', 'split', 5, plan, '--group', 5), [])
    tap.equal('what is chosen is split', f.lines('plan', 'split', 1, plan,
              '--group', 1, '--not', 'test:b'), ['a', 'c'])
    for bad in (('0', plan), ('x', plan), ('-1', plan), ('1e9', plan),
                ('2', plan, '--algorithm', 'fair'),
                ('2', plan, '--group', 'one'),
                ('2', plan, '--durations', f.dir + '/none')):
        done = f.cli('plan', 'split', *bad)
        tap.equal('refused: ' + ' '.join(bad[:1] + bad[2:]),
                  (done.returncode, done.stdout, done.stderr != ''),
                  (4, '', True))


def check_keys(f):
    """A key is suite/test or test, rows count together, estimates help."""
    plan = f.write('plan.json', {
        'name': 'p', 'command': ['true', '{test}'], 'parallel': 'tests',
        'suites': [
            {'name': 's', 'tests': ['a', 'b']},
            {'name': 't', 'tests': [
                'a', {'name': 'r', 'data': {'rows': [{'x': '1'}, {'x': '2'}]},
                      'command': ['true', '{row.x}']},
                {'name': 'e', 'estimate': '9s'}]}]})
    file = f.write('d', {'s/a': 1, 't/a': 2, 'b': 3, 'r[1]': 4, 'r': 5})
    out = f.json('plan', 'split', 5, plan, '--durations', file,
                 '--algorithm', 'least')
    tap.equal('lengths by the most specific key', {
        g['tests'][0]: g['duration_s'] for g in out['groups']},
        {'s/a': 1, 't/a': 2, 'b': 3, 'r': 9, 'e': 9})


def check_files(f):
    for path in (PYTEST, KNAPSACK):
        with open(path, encoding='utf-8') as file:
            known = json.load(file)
        plan = f.write('plan.json', plan_of(list(known) + ['new']))
        out = f.json('plan', 'split', 1, plan, '--durations', path)
        total = sum(known.values()) * (len(known) + 1) / len(known)
        tap.ok('%s is read' % path.split('/')[-1],
               abs(out['groups'][0]['duration_s'] - total) < 0.001, out)
    out = f.json('plan', 'split', 1, f.dir + '/plan.json', '--durations',
                 f.write('pairs', '[["new", 2.5], ["other", 1]]'))
    tap.ok('a list of pairs, as pytest-split wrote it once',
           abs(out['groups'][0]['duration_s'] - 2.5 * (len(known) + 1)) <
           0.001, out)
    for what, text in (('a list', '[1]'), ('pairs without a name',
                                           '[[1, 2]]'),
                       ('pairs without seconds', '[["a", "b"]]'),
                       ('one pair twice', '[["a", 1], ["a", 2]]'),
                       ('a word', '{"a": "1"}'),
                       ('a negative', '{"a": 1,\n "b": -1}'),
                       ('an object inside', '{"a": {"b": 1}}'),
                       ('no JSON', 'a,1'), ('one key twice',
                                            '{"a": 1, "a": 2}')):
        done = f.cli('plan', 'split', 1, f.dir + '/plan.json', '--durations',
                     f.write('bad', text))
        tap.ok('refused with the file named: ' + what,
               done.returncode == 4 and done.stdout == '' and
               'bad:' in done.stderr, done.stderr)


def main():
    with open(DATA + '/conformance/rules.json', encoding='utf-8') as f:
        cases = json.load(f)
    with Folder() as folder:
        check_cases(folder, cases)
        check_edges(folder)
        check_keys(folder)
        check_files(folder)
    tap.done()


main()
