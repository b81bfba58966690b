# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent that lies about the files its attempts left: nothing is written but
what was announced, below the folder of that attempt."""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time

import tap
from plan_cli import CONSOLE, Folder

FAKE = os.path.join(os.environ.get('YM_SRCDIR', '.'),
                    'tests/lib/fake_agent.py')


def file(name, content=b'evil', said=None, **more):
    """One that is announced as said (default: as it is)."""
    said = content if said is None else said
    return dict({'name': name, 'bytes': len(said), 'content': content.hex(),
                 'sha256': hashlib.sha256(said).hexdigest()}, **more)


def start(f, left, **more):
    """Launches a test for each list of files: the process, its run's id."""
    f.write('left.json', {str(i + 1): files for i, files in enumerate(left)})
    f.write('fleet.json', {'name': 'f', 'agents': [{
        'name': 'liar', 'transport': 'command', 'max_workers': 1,
        'command': [sys.executable, FAKE, 'files=' + f.dir + '/left.json']}]})
    plan = f.write('plan.json', dict({
        'name': 'p', 'parallel': 'tests', 'command': ['true'],
        'error_retries': 0, 'artifacts': ['**/*'], 'suites': [{
            'name': 's', 'tests': ['t%d' % i for i in range(len(left))]}]},
        **more))
    p = subprocess.Popen(
        [CONSOLE, 'run', plan, '--quiet', '--fleet', f.dir + '/fleet.json'],
        env=f.env, cwd=f.dir, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
    for line in p.stderr:
        said = re.search(r'run (r[0-9a-z]{10}),', line)
        if said:
            return p, said.group(1)
    raise RuntimeError('nothing was launched')


def written(f, run):
    """Below the artifacts of a run, and whatever has their content."""
    root = '%s/state/yardmaster/runs/%s.artifacts' % (f.dir, run)
    below, evil = {}, []
    for folder, _, names in os.walk(f.dir):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.isfile(path):
                continue
            with open(path, 'rb') as x:
                data = x.read(100)
            if path.startswith(root + '/'):
                below[os.path.relpath(path, root)] = data
            elif data.startswith(b'evil'):
                evil.append(path)
    return below, evil


def until(what, seconds=20):
    end, tick = time.monotonic() + seconds, threading.Event()
    while not (said := what()) and time.monotonic() < end:
        tick.wait(0.05)
    return said


def test_names():
    """Names that the protocol does not allow end the link."""
    for what, files in (
            ('a way up', [file('../evil')]),
            ('a way up inside', [file('x/../../../evil')]),
            ('a way up at the end', [file('x/..')]),
            ('absolute', [file('/tmp/ym-evil')]),
            ('empty', [file('')]), ('a dot', [file('./evil')]),
            ('an empty part', [file('x//evil')]),
            ('a slash at the end', [file('evil/')]),
            ('a NUL', [file('evil\0x')]),
            ('too long', [file('x/' * 600 + 'evil')]),
            ('one twice', [file('evil'), file('evil')]),
            ('out of order', [file('evil2'), file('evil1')]),
            ('too many', [file('%05d' % i) for i in range(1001)]),
            ('a negative length', [file('evil', bytes=-1)]),
            ('no hash', [file('evil', sha256='../../evil')])):
        with Folder() as f:
            p, run = start(f, [files], lost_after='3s')
            tap.ok('%s: ends the link, with a text' % what, until(
                lambda: 'sent a report that cannot be read' in f.cli(
                    'events').stdout))
            out = p.communicate()
            tap.ok('%s: is no result' % what, p.returncode == 2, out)
            tap.equal('%s: nothing is written' % what, written(f, run),
                      ({}, []))
            tap.ok('%s: also not elsewhere' % what,
                   not os.path.exists('/tmp/ym-evil'))


def test_contents():
    """What does not fit is missing, with a text; the rest is there."""
    long_part = 'y' * 300
    left = [
        [file('more', b'evil' * 99, b'evil')],
        [file('less', b'ev', b'evil')],
        [file('other', b'live', b'evil')],
        [file('huge', b'evil', bytes=1 << 62)],
        [file(long_part)],
        [file('d', b'1'), file('d/x', b'2')],
        [file('CASE', b'1'), file('Case', b'2'), file('case', b'3')],
        [file('a\x01\n\x1b[2J', b'1'), file('a%2Fb', b'2'),
         file('u\u202ex', b'3')],
        [file('last', b'1'), file('lasu', b'bad', b'evil'),
         file('lasv', b'3')]]
    with Folder() as f:
        p, run = start(f, left)
        out = p.communicate()
        tap.ok('results count all the same', p.returncode == 0, out)
        below, evil = written(f, run)
        tap.equal('what is right is there, under names that can be shown',
                  below, {
                      '6/1/d': b'1', '7/1/CASE': b'1', '7/1/Case': b'2',
                      '7/1/case': b'3', '8/1/a%01%0A%1B[2J': b'1',
                      '8/1/a%252Fb': b'2', '8/1/u\u202ex': b'3',
                      '9/1/last': b'1', '9/1/lasv': b'3'})
        tap.equal('nothing else is anywhere', evil, [])
        rows = {x['id'].split('/')[1]: x for x in json.loads(
            f.cli('report', run, '--json').stdout)['executions']}
        missing = {n: [(y['name'].rpartition('/')[2], y['text'])
                       for y in x.get('artifacts_missing', [])]
                   for n, x in rows.items()}
        not_so = 'what came is not what was announced'
        tap.equal('what is missing is said, with why', missing, {
            '1': [('more', not_so)], '2': [('less', not_so)],
            '3': [('other', not_so)], '4': [('huge', not_so)],
            '5': [(long_part, 'File name too long')],
            '6': [('x', 'Not a directory')], '7': [], '8': [],
            '9': [('lasu', not_so)]})


def main():
    test_contents()
    test_names()
    tap.done()


main()
