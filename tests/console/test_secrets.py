# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets over real SSH hosts: steps have them, and nothing else shows or
keeps them."""

import base64
import glob
import hashlib
import os
import pty
import signal
import sqlite3
import subprocess
import sys

import sshd
import tap
from lab import SRC, Lab

# The second has what files of XML escape, the third a line break.
VALUES = {
    'FROM_ENV': 'en-vault-7fae31',
    'FROM_FILE': 'fi<le>&vault-90cd',
    'FROM_COMMAND': 'first-of-command-11\nsecond-of-command-22',
    'YARDMASTER_ROW_PIN': 'column-4711-pin',
    'TOP': 'top-of-plan-5a5a5',
}
SUM = '''
import hashlib, os, sys
for name in sys.argv[2:]:
    value = os.environ.get(name, '')
    print(name, hashlib.sha256(value.encode()).hexdigest()[:12])
    sys.stdout.flush()
    half = len(value) // 2
    os.write(1, value[:half].encode())
    os.write(2, value[half:].encode())
    os.write(1, b'\\n<' + value.encode() * 2 + b'>\\n')
open(sys.argv[1]).close()
'''


def digest(value):
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def needles(values):
    """What must be nowhere: each value, its lines, and their base64."""
    found = set()
    for value in values:
        for text in [value] + value.split('\n'):
            found.add(text.encode())
            found.add(base64.b64encode(text.encode()).rstrip(b'='))
    return found


def in_files(lab, but=()):
    """Where in the folders of console and agents a value is."""
    bad = []
    for base, _, names in os.walk(lab.dir):
        for name in names:
            path = os.path.join(base, name)
            if path in but or not os.path.isfile(path):
                continue
            with open(path, 'rb') as f:
                text = f.read()
            bad += [(path, n) for n in needles(VALUES.values()) if n in text]
    return bad


def in_processes(lab):
    """Which processes of ours, but for steps, show a value."""
    bad = []
    seen = set()
    for pid in os.listdir('/proc'):
        if not pid.isdigit() or int(pid) == os.getpid():
            continue
        try:
            exe = os.readlink('/proc/%s/exe' % pid)
            texts = []
            for name in ('cmdline', 'environ'):
                with open('/proc/%s/%s' % (pid, name), 'rb') as f:
                    texts.append(f.read())
        except OSError:
            continue
        ours = lab.dir.encode() in texts[1]
        if 'yardmaster' in exe and ours:
            seen.add(os.path.basename(exe).removeprefix('lt-'))
        for n in needles(VALUES.values()):
            if n in texts[0] or ('yardmaster' in exe and n in texts[1]):
                bad.append((pid, exe, n))
    return bad, seen


def make(lab):
    with open(lab.dir + '/sum.py', 'w') as f:
        f.write(SUM)
    with open(lab.dir + '/token', 'w') as f:
        f.write(VALUES['FROM_FILE'] + '\n')
    with open(lab.dir + '/say', 'w') as f:
        f.write("#!/bin/sh\nprintf '%s\\n' '" + VALUES['FROM_COMMAND'] +
                "'\n")
    os.chmod(lab.dir + '/say', 0o700)
    with open(lab.dir + '/rows.csv', 'w') as f:
        f.write('user,pin\nann,%s\n' % VALUES['YARDMASTER_ROW_PIN'])
    return [lab.dir + '/token', lab.dir + '/say', lab.dir + '/rows.csv']


def sum_plan(lab, gate):
    return {
        'name': 'secret', 'parallel': 'tests', 'order': 'plan',
        'secrets': ['TOP'],
        'suites': [{'name': 's', 'command': [
            sys.executable, lab.dir + '/sum.py', gate] + list(VALUES),
            'secrets': ['FROM_ENV', {'name': 'FROM_FILE', 'file': 'token'},
                        {'name': 'FROM_COMMAND', 'command': ['./say']}],
            'data': 'rows.csv', 'secret_columns': ['pin'],
            'tests': ['t', {'name': 'fails', 'shell':
                            'echo "$TOP$TOP"; exit 1'}]}]}


def check_everywhere(lab):
    kept = make(lab)
    gate = lab.dir + '/gate'
    os.mkfifo(gate)
    lab.env.update({n: VALUES[n] for n in ('FROM_ENV', 'TOP')})
    p, run = lab.start_run(lab.plan(sum_plan(lab, gate)), '--quiet',
                           '--html', 'out.html', '--junit', 'out.xml')
    log = []

    def printed():
        log[:] = [lab.cli('logs', run + '/1').stdout]
        return log[0].count('<') == len(VALUES)
    tap.ok('a step that runs has said all', lab.until(printed), log)
    for name, value in VALUES.items():
        tap.ok('the step had ' + name, '%s %s' % (name, digest(value)) in
               log[0], log[0])
    tap.equal('each time they are masked', log[0].count('***'),
              3 * len(VALUES))
    bad, seen = in_processes(lab)
    tap.equal('no process shows one', bad, [])
    tap.ok('console, links, daemons and workers were looked at',
           {'yardmaster', 'yardmaster-agent'} <= seen, seen)
    tap.equal('no file has one while it runs', in_files(lab, kept), [])
    shown = lab.cli('show', run + '/1').stdout
    tap.ok('nor does RUN.sock say one', not any(
        n.decode() in shown for n in needles(VALUES.values())), shown)
    open(gate, 'w').close()
    out, err = p.communicate(timeout=60)
    tap.equal('one failed', p.returncode, 1)
    tap.equal('no file has one at the end', in_files(lab, kept), [])
    for form in ('json', 'html', 'junit', 'csv'):
        out += lab.cli('report', run, '--format', form).stdout
    tap.equal('no report says one', [n for n in needles(VALUES.values())
                                     if n in (out + err).encode()], [])


def queued(lab):
    """Two of one worker: one runs, one waits."""
    gate = lab.dir + '/gate2'
    plan = {'name': 'q', 'parallel': 'tests', 'order': 'plan', 'ahead': 'all',
            'suites': [{'name': 's', 'agents': ['lab-1'],
                        'secrets': ['TOP'], 'tests': [
                            {'name': n, 'shell': 'echo %s; echo "$TOP" | '
                             'sha256sum; while [ ! -e %s ]; do sleep 0.1; '
                             'done' % (n, gate)} for n in ('a', 'b')]}]}
    p, run = lab.start_run(lab.plan(plan), '--quiet')
    return p, run, gate


def attempts(lab, run):
    """(execution, attempt, state, outcome) of a run."""
    path = lab.dir + '/console/yardmaster/runs/' + run + '.db'
    db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
    try:
        return db.execute('SELECT exec, attempt, state, outcome FROM '
                          'attempts ORDER BY exec, attempt').fetchall()
    finally:
        db.close()


def waits(lab, run):
    """True once the agent has said that it has the second one."""
    return 'queued' in lab.cli('why', run + '/2').stdout


def check_daemon_killed(lab):
    p, run, gate = queued(lab)
    spool = glob.glob(lab.hosts[0].state + '/yardmaster/agent/*')[0]

    tap.ok('one runs and one waits on the agent', lab.until(
        lambda: [a[2:] for a in attempts(lab, run)] == [
            ('running', 'none'), ('sent', 'none')] and
        waits(lab, run)), attempts(lab, run))
    with open(spool + '/agent.lock') as f:
        os.kill(int(f.read().split()[0]), signal.SIGKILL)
    tap.ok('after that the waiting one is given back, and sent again',
           lab.until(lambda: [a[1:3] for a in attempts(lab, run)] == [
               (1, 'running'), (1, 'returned'), (2, 'sent')]),
           attempts(lab, run))
    open(gate, 'w').close()
    p.communicate(timeout=90)
    tap.equal('all pass all the same', p.returncode, 0)
    tap.equal('each ran once', [a[2:4] for a in attempts(lab, run)],
              [('ended', 'passed'), ('returned', 'none'), ('ended', 'passed')])
    logs = [lab.cli('logs', run + '/%d' % i).stdout for i in (1, 2)]
    want = hashlib.sha256((VALUES['TOP'] + '\n').encode()).hexdigest()
    tap.ok('both with their secret', all(want in t for t in logs), logs)


def check_resume(lab):
    p, run, gate = queued(lab)
    if os.path.exists(gate):
        os.remove(gate)
    p.kill()
    p.wait()
    kept = lab.env.pop('TOP')
    done = lab.cli('resume', run, '--quiet')
    tap.ok('resume without it says which is missing', done.returncode != 0
           and 'TOP' in done.stderr, done.stderr)
    asked = ask(lab, run, kept, gate)
    tap.ok('on a terminal it is asked for', 'secret TOP' in asked[1], asked)
    tap.ok('and not shown', kept not in asked[1], asked)
    tap.equal('and the run goes on to its end', asked[0], 0)
    lab.env['TOP'] = kept


def ask(lab, run, value, gate):
    """resume on a terminal: exit code and what it showed."""
    ours, theirs = pty.openpty()
    p = subprocess.Popen(lab._args(['resume', run, '--quiet']), env=lab.env,
                         cwd=lab.dir, stdin=theirs, stdout=theirs,
                         stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = b''
    answered = False
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
        if not answered and b'(not shown): ' in said:
            os.write(ours, value.encode() + b'\n')
            answered = True
            open(gate, 'w').close()
    os.close(ours)
    return p.wait(60), said.decode(errors='replace')


def check_detached(lab):
    plan = lab.plan({'name': 'd', 'secrets': ['TOP'], 'suites': [
        {'name': 's', 'tests': [
            {'name': 't', 'shell': 'test "$TOP" = %s' % VALUES['TOP']},
            {'name': 'u', 'shell': 'test "$YARDMASTER_SECRETS" = TOP'}]}]})
    done = lab.cli('run', plan, '--detach')
    run = done.stdout.strip()
    tap.equal('a run that is handed over has its secrets', lab.cli(
        'resume', run, '--quiet').returncode, 0)


def runs_of(lab):
    """What else is there (logs of SQLite) comes and goes by itself."""
    return {name for name in os.listdir(lab.dir + '/console/yardmaster/runs')
            if name.endswith('.db')}


def check_missing(lab):
    def run(secrets, **more):
        return lab.cli('run', lab.plan(dict({
            'name': 'm', 'secrets': secrets, 'suites': [
                {'name': 's', 'tests': [{'name': 't', 'shell':
                                         'echo ran >>marks'}]}]}, **more)))
    before = runs_of(lab)
    for secrets, words in (
            (['NOT_THERE'], ['NOT_THERE', 's/t', 'export']),
            ([{'name': 'A', 'file': 'nowhere'}], ['secret A', 'nowhere']),
            ([{'name': 'A', 'command': ['false']}], ['false', '1']),
            ([{'name': 'A', 'command': ['true']}], ['empty'])):
        done = run(secrets)
        tap.ok('%s: nothing runs' % secrets, done.returncode != 0 and
               all(w in done.stderr for w in words), done.stderr)
    for secrets, words in (
            (['NO-NAME'], ['NO-NAME', 'letters']),
            (['YARDMASTER_X'], ['reserved']),
            ([{'name': 'A', 'file': 'x', 'command': ['y']}], ['give one']),
            ([{'file': 'x'}], ['needs a name']),
            ([7], ['a name or an object'])):
        done = run(secrets)
        tap.ok('%s: refused' % secrets, done.returncode == 4 and
               all(w in done.stderr for w in words), done.stderr)
    tap.equal('no run was made', runs_of(lab), before)
    for suite, words in (
            ({'secret_columns': ['pin']}, ['need data']),
            ({'data': 'rows.csv', 'secret_columns': ['pim']}, ['pin']),
            ({'data': {'rows': [{'a': 'b'}]}, 'secret_columns': ['a']},
             ['not in a file']),
            ({'data': 'rows.csv', 'secret_columns': ['pin'],
              'command': ['echo', '{row.pin}']}, ['$YARDMASTER_ROW_'])):
        suite = dict({'name': 's', 'tests': ['t'], 'command': ['true']},
                     **suite)
        done = lab.cli('check', lab.plan({'name': 'm', 'suites': [suite]}))
        tap.ok('%s: refused' % suite, done.returncode == 4 and
               all(w in done.stderr + done.stdout for w in words),
               done.stderr + done.stdout)


def check_old_agent(lab):
    """An agent whose version knows nothing of secrets is sent none."""
    said = lab.dir + '/old.log'
    lab.write_fleet(others=[{
        'name': 'old', 'transport': 'command', 'command': [
            sys.executable, os.path.abspath(SRC) + '/tests/lib/fake_agent.py',
            'log=' + said,
            'end=1']}])
    only = {'name': 'o', 'parallel': 'tests', 'secrets': ['TOP'], 'suites': [
        {'name': 's', 'agents': ['old'], 'tests': [
            {'name': 't', 'shell': 'true'}]}]}
    p, run = lab.start_run(lab.plan(only), '--quiet')
    text = ['']

    def why():
        text[0] = lab.cli('why', run + '/1').stdout
        return 'version that can take secrets (deploy' in text[0]
    tap.ok('why says that its agent is too old', lab.until(why) and
           'no-agent' in text[0], text[0])
    lab.cli('move', run + '/1', 'old')
    tap.ok('moving it there changes nothing', lab.until(
        lambda: 'no-agent' in lab.cli('why', run + '/1').stdout and
        'the version of old cannot take secrets: deploy a newer one' in
        lab.cli('why', run + '/1').stdout), lab.cli('why', run + '/1').stdout)
    p.kill()
    p.communicate()
    both = dict(only, suites=[{'name': 's', 'tests': [
        {'name': 't%d' % i, 'shell': 'test -n "$TOP"'} for i in range(4)]}])
    tap.equal('others take it', lab.cli('run', lab.plan(both), '--quiet')
              .returncode, 0)
    with open(said) as f:
        said = f.read()
    tap.ok('it was spoken to, and sent no work', '"SYNC"' in said and
           '"START"' not in said and VALUES['TOP'] not in said, said)
    lab.write_fleet(max_workers=1)


def main():
    sshd.need()
    with Lab(1, max_workers=1) as lab:
        check_everywhere(lab)
        check_daemon_killed(lab)
        check_resume(lab)
        check_detached(lab)
        check_missing(lab)
        check_old_agent(lab)
    tap.done()


if __name__ == '__main__':
    main()
