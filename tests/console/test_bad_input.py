# SPDX-License-Identifier: GPL-3.0-or-later
"""Faulty files and misuse of the command line: every fault is said once, with
file, line and path, all at once; the exit code is 4 and nothing starts."""

import json
import os
import re
import subprocess

import sshd
import tap
from lab import CONSOLE, Lab

HEAD = '{"name": "x", "command": ["WORK", "0"],\n'


def suites(text):
    return HEAD + ' "suites": [\n' + text + ']}\n'


def tests(text):
    return suites('  {"name": "a", "tests": [\n' + text + ']}')


# What is wrong; the text; each message from the line number on.
PLANS = [
    ('a comma is missing',
     suites('  {"name": "a", "tests": ["t" "u"]}'),
     ["3: suites[0].tests[0]: expected ',' or ']'"]),
    ('the text is cut', HEAD + ' "suites": [',
     ['2: suites[0]: the text ends too early']),
    ('no JSON', 'suites: all\n', ['1: expected a value']),
    ('an unknown key', tests('   {"name": "t", "retires": 1}'),
     ['4: suites[0].tests[0].retires: unknown key "retires" '
      '(did you mean "retries"?)']),
    ('the main key is misspelt',
     HEAD + ' "suits": [{"name": "a", "tests": ["t"]}]}',
     ['2: suits: unknown key "suits" (did you mean "suites"?)']),
    ('a key where it may not stand',
     tests('   {"name": "t", "mode": "sequential"}'),
     ['4: suites[0].tests[0].mode: "mode" may not stand on a test '
      '(it may stand on a suite)']),
    ('a wrong type', tests('   {"name": "t", "retries": "two"}'),
     ['4: suites[0].tests[0].retries: a whole number is expected, '
      'not a string']),
    ('a command as one text',
     '{"command": "make test",\n "suites": [{"name": "a", "tests": ["t"]}]}',
     ['1: command: ']),
    ('no command', '{"suites": [\n {"name": "a", "tests": ["t"]}]}',
     ['2: suites[0]: test "t" has no command']),
    ('keys that come twice',
     HEAD + ' "retries": 1,\n "retries": 2, "suites": [\n'
     '  {"name": "a", "tests": ["t"], "tests": ["u"]}]}',
     ['3: retries: this key comes twice',
      '4: suites[0].tests: this key comes twice']),
    ('no data in a file', tests('   {"name": "t", "data": "empty.csv"}'),
     ['empty.csv:1: no data']),
    ('only names in a file', tests('   {"name": "t", "data": "names.csv"}'),
     ['names.csv:2: no data']),
    ('no such file', tests('   {"name": "t", "data": "none.csv",'
                           ' "command": ["x", "{row.a}"]}'),
     ['4: suites[0].tests[0].data: .*none.csv: No such file']),
    ('ragged rows', tests('   {"name": "t", "data": "ragged.csv"}'),
     ['ragged.csv:3: 3 fields, but the first line names 2',
      'ragged.csv:4: 1 field, but the first line names 2']),
    ('no such column', tests('   {"name": "t", "data": "good.csv",\n'
                             '    "command": ["x", "{row.colour}"]}'),
     ['4: suites[0].tests[0]: {row.colour}: the data has no column '
      '"colour" (did you mean "color"?)']),
    ('rows without data', tests('   {"name": "t",\n'
                                '    "command": ["x", "{row.a}"]}'),
     ['4: suites[0].tests[0]: {row.a} needs data']),
    ('a cycle', suites('  {"name": "a", "needs": ["c"], "tests": ["t"]},\n'
                       '  {"name": "b", "needs": ["a"], "tests": ["t"]},\n'
                       '  {"name": "c", "needs": ["b"], "tests": ["t"]}'),
     ['3: suites[0].needs[0]: a cycle: a -> c -> b -> a']),
    ('a test that needs itself',
     HEAD + ' "parallel": "tests", "suites": [\n'
     '  {"name": "a", "tests": [{"name": "t", "needs": ["t"]}]}]}',
     ['3: suites[0].tests[0].needs[0]: a cycle']),
    ('more of a lock than there is',
     tests('   {"name": "t", "locks": ["db:3"]}'),
     ['4: suites[0].tests[0].locks[0]: takes 3 of lock "db", of which there '
      'is 1']),
    ('no shard', suites('  {"name": "a",\n   "shards": 0}'),
     ['4: suites[0].shards: 0 is not between 1 and 100000']),
    ('a target that nothing may use',
     HEAD + ' "targets": [{"name": "web",\n  "max": 0}],\n "suites": [\n'
     '  {"name": "a", "tests": ["t"]}]}',
     ['3: targets[0].max: 0 is not between 1 and']),
    ('a test apart from itself that may run beside itself',
     HEAD + ' "exclusive": [["t", "t"]],\n "suites": [{"name": "a", '
     '"tests": [\n  {"name": "t", "beside_itself": true}]}]}',
     ['2: exclusive[0]: the pair keeps test "t" apart from itself']),
    ('a placeholder with one wrong letter',
     tests('   {"name": "t", "command": ["x", "{tets}", "{test}"]}'),
     ['4: suites[0].tests[0].command[1]: unknown placeholder {tets} '
      '(did you mean {test}?)']),
    ('a bad duration', tests('   {"name": "t", "timeout": "ten minutes"}'),
     ['4: suites[0].tests[0].timeout: "ten minutes" is not a duration']),
    ('references to nothing',
     HEAD + ' "exclusive": [["a/t", "a/zz"]],\n "suites": [\n'
     '  {"name": "a", "tests": ["t"]},\n'
     '  {"name": "b", "needs": ["aa"], "tests": ["t"]}]}',
     ['2: exclusive[0]: no suite or test is named "a/zz"',
      '5: suites[1].needs[0]: no suite or test is named "aa" '
      '(did you mean "a"?)']),
    ('two of one name', suites('  {"name": "a", "tests": ["t", "t"]},\n'
                               '  {"name": "a", "tests": ["t"]}'),
     ['3: suites[0].tests[1]: a test named "t" was there before',
      '4: suites[1]: a suite named "a" was there before']),
    ('nothing to run', HEAD + ' "suites": []}', ['2: suites: ']),
    ('an agent the fleet has not',
     suites('  {"name": "a", "agents": ["lab-2"], "tests": ["t"]},\n'
            '  {"name": "b", "agents": ["@gpu"], "tests": ["t"]},\n'
            '  {"name": "c", "agents": ["lab-1"], "tests": ["t"]}'),
     ['3: suites[0].agents: no agent of the fleet lab meets lab-2 '
      '(did you mean "lab-1"?)',
      '4: suites[1].agents: no agent of the fleet lab meets @gpu']),
    ('nine faults at once',
     '{"name": "x",\n "comand": ["true"],\n "paralel": "tests",\n'
     ' "retries": "two",\n "timeout": "10 minits",\n "suites": [\n'
     '  {"name": "a", "tests": ["t1", "t1",\n'
     '    {"name": "t2", "dta": "x.csv", "command": ["x", "{row.x}"]}]},\n'
     '  {"name": "b", "needs": ["nothing"],\n   "locks": ["db:-1"],\n'
     '   "tests": [7]}]}',
     ['2: comand: ', '3: paralel: ', '4: retries: ', '5: timeout: ',
      '7: suites[0].tests[1]: ', '8: suites[0].tests[2].dta: ',
      '9: suites[1].needs[0]: ', '10: suites[1].locks[0]: ',
      '11: suites[1].tests[0]: ']),
]

FLEETS = [
    ('fleet: a comma is missing', '{"agents": [{"name": "a" "host": "b"}]}',
     ["1: agents[0].name: expected ',' or '}'"]),
    ('fleet: an unknown key', '{"agents": [\n {"name": "a", "hots": "b"}]}',
     ['2: agents[0].hots: unknown key "hots" (did you mean "host"?)']),
    ('fleet: the main key is misspelt',
     '{"name": "f",\n "agnets": [{"name": "a", "host": "b"}]}',
     ['2: agnets: unknown key "agnets" (did you mean "agents"?)']),
    ('fleet: no agents', '{"agents": []}', ['1: agents: ']),
    ('fleet: wrong values', '{"agents": [\n'
     ' {"name": "a", "host": "b", "port": 70000},\n'
     ' {"name": "a b", "host": "-oProxyCommand=x"},\n'
     ' {"name": "c", "host": "b", "transport": "telnet"},\n'
     ' {"name": "d", "host": "b", "agent_path": "/x y;z"},\n'
     ' {"name": "e", "host": "b", "max_workers": -1},\n'
     ' {"name": "a", "host": "b", "threshold": "-x"}]}',
     ['2: agents[0].port: ', '3: agents[1].name: ', '3: agents[1].host: ',
      '4: agents[2].transport: ', '5: agents[3].agent_path: ',
      '6: agents[4].max_workers: ', '7: agents[5].threshold: ',
      '7: agents[5]: an agent named "a" was there before']),
]

MISUSE = [
    (['rnu'], 'no command rnu; did you mean run?'),
    (['xyzzy'], 'no command xyzzy; yardmaster --help lists them'),
    (['plan'], 'plan wants one more word: plan show, plan simulate'),
    (['plan', 'shwo', 'x'], 'no command plan shwo; did you mean plan show?'),
    (['fleet', 'lsit'], 'did you mean fleet list?'),
    (['--versoin'], 'unknown option --versoin (did you mean --version?)'),
    (['run', '--flet', 'x', 'p'], 'unknown option --flet (did you mean '
     '--fleet?)'),
    (['run', '-qZd', 'p'], 'unknown option -Z;'),
    (['run', '--quiet=yes', 'p'], '--quiet takes no value'),
    (['run', '--junit'], '--junit wants an argument'),
    (['run'], 'usage: yardmaster run [options] PLAN'),
    (['run', 'a', 'b'], 'usage: yardmaster run'),
    (['run', 'none.json'], 'none.json: cannot be read: No such file'),
    (['run', 'good.json', '--give-up', 'soon'], '--give-up soon: a duration'),
    (['run', 'good.json', '--parallel', 'all'], '--parallel all: '),
    (['run', 'good.json', '--set', 'NO=1'], 'NO'),
    (['run', 'good.json', '--only', 'test=zzz'], 'nothing to run'),
    (['run', 'good.json', '--test', 'tt'], 'tt'),
    (['run', 'good.json', '--fleet', 'none.json'],
     'none.json: cannot be read'),
    (['why'], 'usage: yardmaster why'),
    (['why', 'foo'], "foo: not an execution's id"),
    (['why', 'r0123456789'], "not an execution's id"),
    (['why', 'r0123456789/1'], 'no such run here'),
    (['cancel', 'lab-1'], 'lab-1: not an id'),
    (['cancel', 'r0123456789'], 'no such run here'),
    (['requeue', 'r0123456789/0'], 'not an id'),
    (['move', 'r0123456789/1'], 'usage: yardmaster move'),
    (['move', 'r0123456789/1', 'a b'], "a b: not an agent's name"),
    (['priority', 'r0123456789', 'high'], 'high: not a priority'),
    (['priority', 'r0123456789', ''], 'not a priority'),
    (['logs', '../../etc/passwd'], "not an execution's id"),
    (['logs', 'r0123456789/1'], 'no attempt of it was ever sent'),
    (['resume', 'xx'], "xx: not a run's id"),
    (['resume', 'r0123456789'], 'no such run here'),
    (['serve', '--run', 'r0123456789'], 'no such run here'),
    (['serve', '--run', '../x'], 'no such run here'),
    (['serve', 'x'], 'usage: yardmaster serve'),
    (['serve', '--give-up', 'x'], '--give-up x: a duration'),
    (['report', 'r0123456789'], 'no such run here'),
    (['report', '../x'], 'no such run here'),
    (['report', 'r0123456789', '--format', 'pdf'], '--format pdf: junit'),
    (['set', 'lab-1'], 'usage: yardmaster set'),
    (['set', 'lab-1', 'max_workers=many'], 'max_workers=many: a number'),
    (['set', 'lab-1', 'max_worker=3'], 'max_worker=3: max_workers=N'),
    (['set', 'lab-2', 'max_workers=3'], 'no agent lab-2 in the fleet lab; '
     'did you mean lab-1?'),
    (['drain', 'nobody'], 'no agent nobody in the fleet lab'),
    (['hold', 'lab-1', '--for', 'ever'], '--for ever: a duration'),
    (['hold', 'r0123456789/1'], 'no such run here and no such agent'),
    (['fleet', 'trust', 'lab-3'], 'no agent lab-3'),
    (['agents', '--fleet', 'good.json'], 'a fleet needs agents'),
    (['agents', 'more'], 'usage: yardmaster agents'),
    (['check'], 'usage: yardmaster check'),
    (['check', '/'], '/: cannot be read'),
]

FILES = {
    'empty.csv': '', 'names.csv': 'a,b\n', 'good.csv': 'a,color\n1,red\n',
    'ragged.csv': 'a,b\n1,2\n1,2,3\n4\n',
    'bad.theme': '{"name": "x", "roels": {}}',
    'bad.keymap': 'bind no-such-action F99\n',
}


def messages(done, name):
    """Lines of standard error that name a place, and the others."""
    return [line.replace(name + ':', '', 1) if line.startswith(name) else
            re.sub(r'^.*/(\w+\.csv:)', r'\1', line)
            for line in done.stderr.splitlines()]


def same(got, want):
    """Each message begins as wanted; a wanted one may have .* in it."""
    return len(got) == len(want) and all(
        re.match('.*'.join(re.escape(part) for part in w.split('.*')), g)
        for g, w in zip(got, want))


def faulty_files(lab):
    for i, (name, text, want) in enumerate(PLANS):
        file = '%s/bad-%d.json' % (lab.dir, i)
        with open(file, 'w') as f:
            f.write(text.replace('WORK', lab.work))
        for command in ('check', 'run'):
            done = lab.cli(command, file, '--fleet', lab.fleet)
            got = messages(done, file)
            tap.ok('%s: %s' % (command, name), done.returncode == 4 and
                   same(got, want), 'exit %d\ngot\n%s\nwant\n%s' % (
                       done.returncode, '\n'.join(got), '\n'.join(want)))
    for i, (name, text, want) in enumerate(FLEETS):
        file = '%s/fleet-%d.json' % (lab.dir, i)
        with open(file, 'w') as f:
            f.write(text)
        for command in (['check', file], ['run', 'good.json', '--fleet', file],
                        ['agents', '--fleet', file]):
            done = raw(lab, *command)
            got = messages(done, file)
            tap.ok('%s: %s' % (command[0], name), done.returncode == 4 and
                   same(got, want), 'exit %d\ngot\n%s\nwant\n%s' % (
                       done.returncode, '\n'.join(got), '\n'.join(want)))


def raw(lab, *args):
    return subprocess.run([CONSOLE] + list(args), env=lab.env, cwd=lab.dir,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding='utf-8')


def more_of_files(lab):
    both = raw(lab, 'run', 'bad-3.json', '--fleet', 'fleet-1.json')
    tap.ok('faults of plan and fleet are said together',
           'retires' in both.stderr and 'hots' in both.stderr, both.stderr)
    done = raw(lab, 'check', 'bad-3.json', 'good.json', 'fleet-1.json',
               '--json')
    listed = json.loads(done.stdout)['diagnostics']
    tap.equal('check --json has them as data',
              [(d['file'], d['line'], d['path']) for d in listed],
              [('bad-3.json', 4, 'suites[0].tests[0].retires'),
               ('fleet-1.json', 2, 'agents[0].hots')])
    tap.equal('and the same exit code', done.returncode, 4)
    good = raw(lab, 'check', 'good.json', 'fleet.json')
    tap.equal('good files are ok', (good.returncode, good.stderr), (0, ''))
    for file in ('bad.theme', 'bad.keymap'):
        done = raw(lab, 'check', file)
        tap.ok('check: a broken ' + file, done.returncode == 4 and
               done.stderr.startswith(file + ':1: '), done.stderr)
        kind = file.split('.')[1]
        tap.equal('a ' + kind + ' that is not there',
                  raw(lab, 'check', 'none.' + kind).returncode, 4)


def misuse(lab):
    for args, want in MISUSE:
        needs_fleet = args[0] in ('run', 'set', 'drain', 'hold', 'logs',
                                  'fleet') and '--fleet' not in args
        more = ['--fleet', 'fleet.json'] if needs_fleet and \
            len(args) > 1 and args[-1] != '--junit' else []
        done = raw(lab, *args, *more)
        tap.ok(' '.join(args) or '(nothing)', done.returncode == 4 and
               want in done.stderr and done.stdout == '',
               'exit %d\n%s%s\nwant %s' % (done.returncode, done.stderr,
                                           done.stdout, want))


def helps(lab):
    done = raw(lab, 'plan', '--help')
    tap.ok('a first word says what may follow', done.returncode == 0 and
           'plan show' in done.stdout and 'exec ' not in done.stdout,
           done.stdout + done.stderr)
    text = raw(lab, '--help').stdout
    commands = re.findall(r'^  (\S+(?: \S+)?)  +\S', text, re.M)
    tap.ok('--help lists the commands', len(commands) > 20, text)
    for command in commands:
        done = raw(lab, *command.split(), '--help')
        options = re.findall(r'^  (?:-\w, |    )--([\w-]+)', done.stdout,
                             re.M)
        tap.ok(command + ' --help', done.returncode == 0 and
               done.stdout.startswith('usage: yardmaster ' + command) and
               'help' in options, done.stdout + done.stderr)
        for option in options:
            # Each is known: what is wrong then is said of something else.
            bad = raw(lab, *command.split(), '--' + option + 'x')
            if 'did you mean --' + option not in bad.stderr and \
                    'did you mean' not in bad.stderr:
                tap.ok('%s --%s is known' % (command, option), False,
                       bad.stderr)


def nothing_started(lab):
    tap.equal('no run was recorded', lab.json('runs')['runs'], [])
    tap.equal('no command ran', lab.ran_times(), {})
    tap.ok('no agent was started', not os.path.exists(
        lab.hosts[0].state + '/yardmaster'))


def main():
    sshd.need()
    with Lab(1) as lab:
        for name, text in FILES.items():
            with open(lab.dir + '/' + name, 'w') as f:
                f.write(text)
        with open(lab.dir + '/good.json', 'w') as f:
            f.write(tests('   "t"').replace('WORK', lab.work))
        faulty_files(lab)
        more_of_files(lab)
        nothing_started(lab)
        misuse(lab)
        helps(lab)
        tap.equal('still no run', lab.json('runs')['runs'], [])
        # All of that would have been seen.
        done = lab.cli('run', lab.dir + '/good.json')
        tap.equal('the good plan runs', done.returncode, 0)
        tap.equal('and is recorded', len(lab.json('runs')['runs']), 1)
        tap.equal('and its command ran', len(lab.ran_times()), 1)
    tap.done()


main()
