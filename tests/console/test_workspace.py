# SPDX-License-Identifier: GPL-3.0-or-later
"""Workspaces, setup, teardown and artifacts over real SSH hosts."""

import glob
import hashlib
import os
import signal

import sshd
import tap
from lab import Lab

ODD = 'a b\nc*'


def write(path, data, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)
    os.chmod(path, mode)


def make_tree(root):
    write(root + '/run.sh', b'#!/bin/sh\ncat "$1"\n', 0o755)
    write(root + '/' + ODD, b'odd')
    write(root + '/d/ro', b'x', 0o444)
    write(root + '/.git/secret', b'no')
    os.symlink('../run.sh', root + '/d/link')


def spools(lab):
    return [glob.glob(h.state + '/yardmaster/agent/*')[0] for h in lab.hosts]


def trees(lab):
    """The packed trees of each agent: {name: (inode, mtime)}."""
    found = []
    for spool in spools(lab):
        found.append({n: os.stat(spool + '/trees/' + n).st_ino
                      for n in os.listdir(spool + '/trees') if n != 'boot'})
    return found


def gone(lab):
    """Waits until nothing is prepared any more."""
    watch = lab.until(lambda: not any(os.listdir(s + '/ws')
                                      for s in spools(lab)))
    return watch


def lines(path):
    try:
        with open(path) as f:
            return f.read().split('\n')[:-1]
    except FileNotFoundError:
        return []


def test_tree(lab):
    root = lab.dir + '/tree'
    make_tree(root)
    marks = lab.dir + '/marks'
    plan = {'name': 'w', 'parallel': 'tests',
            'workspace': {'from': 'tree', 'exclude': ['.git']},
            'setup': ['sh', '-c', 'echo in setup; echo "setup $PWD" >>%s; '
                      'echo made >made' % marks],
            'teardown': ['sh', '-c', 'echo in teardown; '
                         'echo "teardown $PWD" >>%s' % marks],
            'suites': [{'name': 's', 'command': [
                'sh', '-c', 'test "$PWD" = "$YARDMASTER_WORKSPACE" && '
                'test "$(d/link "%s")" = odd && test "{workspace}" = "$PWD" '
                '&& test ! -e .git && test "$(stat -c %%a d/ro)" = 444 && '
                'test -e made && sleep 0.2' % ODD.replace('\n', '\n')],
                'tests': ['t%d' % i for i in range(8)]}]}
    run, code, said = launch(lab, plan)
    tap.ok('a tree with odd names and modes is there',
           code == 0 and '8 passed' in said, said)
    first = trees(lab)
    tap.ok('each of two agents has it once',
           [len(t) for t in first] == [1, 1], first)
    said = lines(marks)
    tap.equal('setup once on each agent',
              len([x for x in said if x.startswith('setup')]), 2)
    tap.ok('what was prepared goes', gone(lab))
    said = lines(marks)
    tap.equal('teardown once on each agent, in the same folder',
              sorted(x[9:] for x in said if x.startswith('teardown')),
              sorted(x[6:] for x in said if x.startswith('setup')))
    tap.equal('its log can be read', lab.cli(
        'logs', run + '/1', '--teardown').stdout, 'in teardown\n')
    logs = [lab.cli('logs', '%s/%d' % (run, i)).stdout for i in range(1, 9)]
    tap.equal('and that of the setup', logs.count('in setup\n'), 2)
    done = lab.cli('run', lab.plan(plan))
    tap.ok('a second run', done.returncode == 0, done.stdout + done.stderr)
    tap.equal('sends nothing', trees(lab), first)
    tap.ok('and goes too', gone(lab))
    write(root + '/' + 'new', b'new')
    done = lab.cli('run', lab.plan(plan))
    tap.ok('changed content', done.returncode == 0, done.stdout)
    tap.equal('is sent anew', [len(t) for t in trees(lab)], [2, 2])
    tap.ok('and is gone', gone(lab))


def launch(lab, plan):
    """Runs a plan to its end: its id, exit code and what it printed."""
    process, run = lab.start_run(lab.plan(plan))
    out, err = process.communicate()
    return run, process.returncode, out + err


def brought(lab, run):
    root = '%s/console/yardmaster/runs/%s.artifacts' % (lab.dir, run)
    return {os.path.relpath(os.path.join(d, f), root):
            hashlib.sha256(open(os.path.join(d, f), 'rb').read()).hexdigest()
            for d, _, files in os.walk(root) for f in files}


def test_artifacts(lab):
    big = hashlib.sha256(b'\0' * 5000000).hexdigest()
    plan = {'name': 'a', 'parallel': 'tests', 'artifacts': [
        'out/*.bin', '**/log', 'link'], 'suites': [{'name': 's', 'command': [
            'sh', '-c', 'mkdir -p out deep/er && head -c 5000000 /dev/zero '
            '>out/x.bin && echo "$YARDMASTER_TEST" >deep/er/log && echo no '
            '>other && ln -s /etc/passwd link && exit {row.exit}'],
            'tests': [{'name': 't', 'data': {'rows': [
                {'exit': '0'}, {'exit': '1'}]}}]}]}
    run, code, said = launch(lab, plan)
    log = hashlib.sha256(b't\n').hexdigest()
    tap.equal('artifacts of passed and failed are equal by hash',
              brought(lab, run), {
                  '%d/1/%s' % (x, n): h for x in (1, 2)
                  for n, h in (('out/x.bin', big), ('deep/er/log', log))})
    tap.equal('the report lists them', lab.json('report', run)[
        'executions'][0]['artifacts'], ['1/deep/er/log', '1/out/x.bin'])
    tap.ok('results are not changed by them', code == 1 and
           '1 passed' in said, said)
    plan['artifacts_max'] = 1000
    run, code, said = launch(lab, plan)
    tap.equal('what is over the limit is left out',
              set(brought(lab, run).values()), {log})
    tap.ok('agents keep none of them', lab.until(lambda: not any(
        os.listdir(s + '/files') for s in spools(lab))))


def test_setup_fails(lab):
    marks = lab.dir + '/fails'
    plan = {'name': 'f', 'parallel': 'tests', 'error_retries': 0,
            'workspace': 'tree', 'setup': [
                'sh', '-c', 'echo why it failed; echo x >>%s; exit 3' % marks],
            'teardown': ['sh', '-c', 'echo down >>%s' % marks],
            'suites': [{'name': 's', 'agents': ['lab-1'], 'command': ['true'],
                        'tests': ['t1', 't2', 't3']}]}
    run, code, said = launch(lab, plan)
    report = lab.json('report', run)
    tap.ok('a setup that fails is an error that says so',
           code == 2 and all('setup failed: exit 3' in x['text']
                                        for x in report['executions']),
           said)
    tap.equal('each of them has its log', [
        lab.cli('logs', '%s/%d' % (run, i)).stdout for i in (1, 2, 3)],
        ['why it failed\n'] * 3)
    tap.ok('and it is torn down', gone(lab) and 'down' in lines(marks))


def test_cancel(lab):
    marks = lab.dir + '/cancelled'
    plan = {'name': 'c', 'parallel': 'tests', 'workspace': 'tree',
            'teardown': ['sh', '-c', 'echo down >>%s' % marks],
            'suites': [{'name': 's', 'command': [lab.work, '60'],
                        'tests': ['t1']}]}
    process, _ = lab.start_run(lab.plan(plan))
    lab.watch.wait(lambda w: w.count() == 1)
    process.send_signal(signal.SIGINT)
    process.communicate()
    tap.equal('cancelled', process.returncode, 5)
    tap.ok('a teardown follows a cancel', gone(lab))
    tap.equal('once', lines(marks), ['down'])


def test_killed(lab):
    """The console is killed while tests run and comes back later."""
    marks, gate = lab.dir + '/left', lab.dir + '/left-gate'
    plan = {'name': 'k', 'parallel': 'tests', 'workspace': 'tree',
            'setup': ['sh', '-c', 'echo setup >>%s' % marks],
            'teardown': ['sh', '-c', 'echo down >>%s' % marks],
            'suites': [{'name': 's', 'agents': ['lab-1'], 'tests': [
                't1', 't2', 't3'], 'command': ['sh', '-c', lab.work +
                ' 0; while ! test -e %s; do sleep 0.1; done' % gate]}]}
    before = len(lab.watch.starts)
    process, run = lab.start_run(lab.plan(plan))
    lab.watch.wait(lambda w: len(w.starts) == before + 2)
    process.kill()
    process.wait()
    open(gate, 'w').close()
    tap.ok('what was sent goes on without it', lab.watch.wait(
        lambda w: len(w.starts) >= before + 2))
    tap.equal('nothing is torn down meanwhile', lines(marks), ['setup'])
    done = lab.cli('resume', run)
    tap.ok('it comes back and ends the run', done.returncode == 0 and
           '3 passed' in done.stdout, done.stdout + done.stderr)
    tap.ok('then it is torn down', gone(lab))
    tap.equal('once, as it was set up', lines(marks), ['setup', 'down'])


def main():
    sshd.need()
    with Lab(2, max_workers=2) as lab:
        test_tree(lab)
        test_artifacts(lab)
        test_setup_fails(lab)
        test_cancel(lab)
        test_killed(lab)
    tap.done()


main()
