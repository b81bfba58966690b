# SPDX-License-Identifier: GPL-3.0-or-later
"""Workspaces, setup, teardown and artifacts over real SSH hosts."""

import glob
import hashlib
import json
import os
import signal
import subprocess

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
    done = lab.cli('run', lab.plan(plan))
    tap.ok('a tree with odd names and modes is there',
           done.returncode == 0 and '8 passed' in done.stdout,
           done.stdout + done.stderr)
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
    run = lab.json('runs')['runs'][0]['id']
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


def main():
    sshd.need()
    with Lab(2, max_workers=2) as lab:
        test_tree(lab)
    tap.done()


main()
