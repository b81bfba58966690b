# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of a plan of parts: a matrix, an included file, shards. Each command
tells what it was given by a file; one shard fails at first, so that only that
shard is run again."""

import os
import re

import tap
from plan_cli import Folder

FLEET = {'name': 'f', 'agents': [
    {'name': 'one', 'transport': 'local', 'max_workers': 2}]}

SHARD = '''
test -e DIR/again.2 || test $YARDMASTER_SHARD_INDEX != 2 || {
  : > DIR/again.2; exit 1; }
: > DIR/shard-$YARDMASTER_SHARD_INDEX-$YARDMASTER_SHARD_TOTAL
'''
MATRIX = ': > DIR/matrix-$YARDMASTER_TARGET_BROWSER-$YARDMASTER_TARGET_OS'


def write_plan(f):
    f.write('part.json', {'suites': [
        {'name': 'split', 'shards': 3, 'retries': 1, 'retry_delay': 0,
         'targets': [], 'shell': SHARD.replace('DIR', f.dir)}]})
    f.write('p.json', {'name': 'p', 'ahead': 'all', 'suites': [
        {'name': 'all', 'parallel': 'tests', 'tests': ['t'],
         'shell': MATRIX.replace('DIR', f.dir)},
        {'include': 'part.json'}],
        'targets': {'matrix': {'browser': ['chrome', 'safari'],
                               'os': ['linux', 'mac']},
                    'exclude': [{'browser': 'safari', 'os': 'linux'}]}})


def main():
    with Folder() as f:
        f.write('fleet.json', FLEET)
        write_plan(f)
        done = f.cli('run', f.dir + '/p.json', '--fleet',
                     f.dir + '/fleet.json', '--quiet')
        tap.equal('all passes or is healed', done.returncode, 0)
        tap.note(done.stderr)
        made = sorted(n for n in os.listdir(f.dir)
                      if n.startswith(('matrix-', 'shard-')))
        tap.equal('every combination and every shard ran', made, [
            'matrix-chrome-linux', 'matrix-chrome-mac', 'matrix-safari-mac',
            'shard-1-3', 'shard-2-3', 'shard-3-3'])
        run = re.search(r'run (r[0-9a-z]{10}),', done.stderr).group(1)
        report = f.json('report', run)
        rows = {s['row']: x['attempt'] for x in report['executions']
                for s in x['steps'] if s['test'] == 'split'}
        tap.equal('only the shard that failed ran twice', rows, {
            'shard 1/3': 1, 'shard 2/3': 2, 'shard 3/3': 1})
    tap.done()


main()
