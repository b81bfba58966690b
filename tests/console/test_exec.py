# SPDX-License-Identifier: GPL-3.0-or-later
"""Ad-hoc work over real hosts: a job for each agent, argument or line, its
output and exit codes, limits, cancelling, and going on after a crash."""
import json
import os
import re
import signal
import subprocess

import sshd
import tap
import vt
from lab import CONSOLE, Lab

AGENTS = {'lab-1': {'max_workers': 2, 'threshold': 1, 'labels': ['linux']},
          'lab-2': {'max_workers': 2, 'threshold': 0, 'labels': ['linux']},
          'lab-3': {'max_workers': 1, 'targets': ['pixel']}}


def words(lab, args):
    return [CONSOLE, 'exec', '--fleet', lab.fleet] + list(args)


def execute(lab, *args, stdin=None):
    more = {'stdin': subprocess.DEVNULL} if stdin is None else {
        'input': stdin}
    return subprocess.run(words(lab, args), env=lab.env, cwd=lab.dir,
                          capture_output=True, encoding='utf-8',
                          errors='replace', **more)


def lines(done):
    return sorted(done.stdout.splitlines())


def test_per_agent(lab):
    got = execute(lab, 'sh', '-c', 'echo $YARDMASTER_AGENT {} {test}')
    tap.equal('one job for each agent, braces stay', (
        got.returncode, lines(got)),
        (0, ['lab-%d {} {test}' % n for n in (1, 2, 3)]))
    for on, names in ((['@linux'], ['1', '2']), (['lab-1,lab-3'], ['1', '3']),
                      (['!lab-2'], ['1', '3']), (['/-[23]$/'], ['2', '3']),
                      (['lab-1', '--on', 'lab-2'], ['1', '2'])):
        got = execute(lab, '--on', *on, '--line', 'echo', 'here')
        tap.equal('--on ' + ' '.join(on), lines(got),
                  ['lab-%s: here' % n for n in names])
    got = execute(lab, '--target', 'pixel', '--on', 'lab-3', '--', 'sh',
                  '-c', 'echo $YARDMASTER_TARGET')
    tap.equal('a target', lines(got), ['pixel'])
    got = execute(lab, '--per-agent', 'echo', 'x', stdin='1\n2\n')
    tap.equal('standard input is not read where that is said', lines(got),
              ['x'] * 3)


ODD = ['a b', "it's", '"q"', '$HOME `id`', '-n', '--', '\\', 'two\nlines',
       '{row.arg}', 'ü', 'a b']


def test_arguments(lab):
    show = ['sh', '-c', 'printf "<%s>" "$@"; echo', 'sh']
    got = execute(lab, '--jobs', '1', *show, ':::', *ODD)
    tap.equal('odd arguments stay as they are, in order', (
        got.returncode, got.stdout),
        (0, ''.join('<%s>\n' % a for a in ODD)))
    got = execute(lab, *show, 'x{}y', '{}', 'z', ':::', 'a b', '-v')
    tap.equal('put where {} stands, as often as it does', lines(got),
              ['<x-vy><-v><z>', '<xa by><a b><z>'])
    got = execute(lab, '--jobs', '1', *show, stdin='one\n\n two \nlast')
    tap.equal('one for each line', got.stdout, '<one>\n< two >\n<last>\n')
    got = execute(lab, '--jobs', '1', '--null', *show, stdin='a\nb\0c\0')
    tap.equal('or for each text', got.stdout, '<a\nb>\n<c>\n')
    got = execute(lab, *show, ':::', ':::', 'b', stdin='not read')
    tap.equal('only the first ::: counts', lines(got), ['<:::>', '<b>'])
    for args, stdin, said in (
            (['echo', ':::'], None, 'no arguments'),
            (['echo'], '', 'no arguments'), ([':::', 'a'], None, 'a command'),
            (['--jobs', '0', 'echo'], None, '--jobs'),
            (['--timeout', 'x', 'echo'], None, '--timeout'),
            (['--on', 'nobody', 'echo'], None, 'no agent'),
            (['--on', '/(/', 'echo'], None, '--on'),
            (['--on', 'lab-3', '--target', 'ship', 'echo'], None, 'no agent'),
            (['--group', '--line', 'echo'], None, 'not both'),
            (['echo'], 'a\0b\n', 'NUL'),
            (['echo', ':::', b'\xff'], None, 'not UTF-8')):
        got = execute(lab, *args, stdin=stdin)
        tap.ok('refused: %s' % args, got.returncode == 4 and
               said in got.stderr, (got.returncode, got.stderr))
    got = execute(lab)
    tap.equal('nothing at all', got.returncode, 4)


def test_ends(lab):
    got = execute(lab, 'sh', '-c', 'exit $1', 'x', ':::', '0', '3')
    tap.ok('1 when one failed, and how', got.returncode == 1 and
           '3: failed: exit 3' in got.stderr, got.stderr)
    got = execute(lab, '/no/such', ':::', 'a')
    tap.ok('2 for errors', got.returncode == 2 and
           'a: error: ' in got.stderr and 'No such file' in got.stderr,
           got.stderr)
    got = execute(lab, 'sh', '-c', 'test $1 = a || exec /no/such; exit 1',
                  'x', ':::', 'a')
    tap.equal('no retry', got.stderr.count('a: failed'), 1)
    got = execute(lab, '--timeout', '0.3', 'sleep', '1000', ':::', '1')
    tap.ok('a timeout is a failure', got.returncode == 1, got)
    got = execute(lab, '--json', 'sh', '-c', 'exit $1', 'x', ':::', '0', '1')
    report = json.loads(got.stdout)
    tap.ok('--json', got.returncode == 1 and report['plan'].startswith(
        'exec sh'), got.stdout[:300])


def test_output(lab):
    loud = ['sh', '-c', 'echo $1 one; printf "\\033[2J$1 two"; '
            'echo err >&2', 'sh']
    got = execute(lab, *loud, ':::', 'a', 'b')
    for name in 'ab':
        tap.ok('grouped: %s whole' % name, '%s one\n\x1b[2J%s twoerr\n' % (
            name, name) in got.stdout, got.stdout)
    got = execute(lab, '--line', *loud, ':::', 'a', 'n\nl')
    tap.ok('each line has its name, which stays on it',
           'a: a one\n' in got.stdout and 'n^Jl: n l one\n' in got.stdout,
           got.stdout)
    with vt.Screen(words(lab, loud + [':::', 'a', 'b']), 24, 80, env=lab.env,
                   cwd=lab.dir) as screen:
        screen.sees('on a terminal line by line, escaped', 'b: .*b two')
        tap.ok('nothing wiped it', screen.find(r'a: \^\[\[2Ja two'))
    with vt.Screen(words(lab, ['--group'] + loud + [':::', 'a']), 24, 80,
                   env=lab.env, cwd=lab.dir) as screen:
        screen.sees('groups have a head there', '==> a <==')
    got = execute(lab, 'head', '-c', '300000', ':::', '/dev/zero')
    tap.equal('bytes are as they are', len(got.stdout), 300000)


def busy(lab):
    return [w for w in lab.json('workers')['workers'] if w['state'] == 'busy']


def test_limits(lab):
    lab.watch.most.clear()
    got = execute(lab, lab.work, ':::', *['0.2'] * 12)
    tap.equal('the threshold is not asked, max workers is', (
        got.returncode, {k: min(v, 2) for k, v in lab.watch.most.items()}),
        (0, {'lab-1': 2, 'lab-2': 2, 'lab-3': 1}))
    tap.ok('never more', max(lab.watch.most.values()) == 2, lab.watch.most)
    lab.watch.most.clear()
    lab.watch.starts.clear()
    p = subprocess.Popen(words(lab, ['--jobs', '1', lab.work, ':::', '1000',
                                     '1001']), env=lab.env, cwd=lab.dir,
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                         stdout=subprocess.PIPE, encoding='utf-8')
    lab.watch.wait(lambda w: len(w.running) == 1)
    found = lab.until(lambda: busy(lab))
    tap.ok('seen as a job, and whose', len(found) == 1 and
           found[0]['kind'] == 'job' and found[0]['owner'], found)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate()
    tap.ok('an interrupt cancels all of it', p.returncode == 5 and
           'cancelling' in err and len(lab.watch.starts) == 1, err)
    tap.ok('nothing is left running',
           lab.watch.wait(lambda w: not w.running), lab.watch.running)


def test_take(lab):
    got = lab.cli('take', 'lab-1', 'lab-3', '--kind', 'recording', '--note',
                  'login flow', '--for', '1h')
    tap.equal('a worker of each is taken', got.returncode, 0)
    workers = {(w['agent'], w['worker']): w for w in busy(lab)}
    one = workers.get(('lab-3', 1), {})
    tap.ok('with who, what for and until when', len(workers) == 2 and
           one['kind'] == 'recording' and one['what'] == 'login flow' and
           one['owner'] and one['taken']['expires'], workers)
    got = lab.cli('take', 'lab-3')
    tap.ok('refused when full, with who has it', got.returncode == 2 and
           'recording login flow of' in got.stderr, got.stderr)
    with lab.screen() as screen:
        screen.keys('4')
        screen.sees('the pane shows it', 'lab-3/1 .*recording.*login flow')
        screen.keys('/lab-3' + vt.ENTER + 'a')
        screen.sees('it can be given back', 'B +give-back')
        screen.keys('B')
        screen.expect('lab-3/1, recording of')
        screen.keys('y')
        screen.sees('and is', 'lab-3/1.*given back')
        screen.keys('a')
        screen.expect('T +take')
        screen.keys('T')
        screen.expect('for .*2h')
        screen.keys('mine' + vt.TAB + vt.TAB + 'x' + vt.ENTER)
        screen.expect('recording, development or hold')
        screen.keys(vt.BACKSPACE + 'development' + vt.ENTER)
        screen.sees('what it means is said first', 'one worker less')
        screen.keys('y')
        screen.sees('taken from the pane', 'lab-3/1 .*development.*mine')
    for agent, worker in (('lab-1', '1'), ('lab-3', '1')):
        tap.equal('given back: ' + agent, lab.cli(
            'give-back', agent, worker).returncode, 0)
    got = lab.cli('give-back', 'lab-1', '1')
    tap.ok('once only', got.returncode == 2 and 'nobody' in got.stderr, got)
    tap.equal('all are free', busy(lab), [])


def test_console(lab):
    mark = lab.dir + '/from-console'
    with lab.screen() as screen:
        screen.keys('2')
        screen.expect('lab-3')
        screen.keys(":exec sh -c 'echo x >>%s'" % mark + vt.ENTER)
        screen.sees('asked first, with the agents', 'on lab-3')
        screen.keys('y')
        screen.expect('run r.* started')
        tap.ok('a job on every agent', lab.until(
            lambda: os.path.exists(mark) and
            open(mark).read() == 'x\n' * 3))


def test_crash(lab):
    lab.watch.starts.clear()
    gate = lab.dir + '/gate'
    p = subprocess.Popen(words(lab, ['sh', '-c', lab.work + ' 0; until test '
                                     '-e %s; do sleep 0.1; done; echo $1' %
                                     gate, 'sh', ':::'] +
                               [str(n) for n in range(9)]),
                         env=lab.env, cwd=lab.dir, stdin=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, stdout=subprocess.PIPE,
                         encoding='utf-8')
    for line in p.stderr:
        if (m := re.search('run (r[0-9a-z]{10}),', line)):
            run = m.group(1)
            break
    lab.watch.wait(lambda w: len(w.starts) >= 5)
    p.kill()
    p.communicate()
    open(gate, 'w').close()
    lab.cli('resume', run)
    counts = [r for r in lab.json('runs')['runs'] if r['id'] == run][0][
        'counts']
    tap.equal('a killed console is resumed', counts['passed'], 9)
    times = {k: v for k, v in lab.ran_times().items() if k.startswith(run)}
    tap.equal('each ran once', sorted(times.values()), [1] * 9)


def main():
    sshd.need()
    vt.need()
    with Lab(3, AGENTS) as lab:
        for name, fn in sorted(globals().items()):
            if name.startswith('test_'):
                tap.note(name)
                fn(lab)
    tap.done()


main()
