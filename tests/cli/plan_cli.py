# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that need a plan but no agent: a folder of one's own, files in it,
and what a command prints."""

import json
import os
import shutil
import subprocess
import tempfile

import tap

CONSOLE = os.path.join(os.environ.get('YM_BUILDDIR', '.'), 'yardmaster')
DATA = os.path.join(os.environ.get('YM_SRCDIR', '.'), 'tests/data')


class Folder:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix='ym-plan-')
        self.env = dict(os.environ, HOME=self.dir, NO_COLOR='1',
                        XDG_STATE_HOME=self.dir + '/state',
                        XDG_CONFIG_HOME=self.dir + '/config')

    def write(self, name, value):
        """Writes a file, JSON unless it is text already; its path."""
        path = os.path.join(self.dir, name)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(value if isinstance(value, str) else json.dumps(value))
        return path

    def cli(self, *args):
        return subprocess.run([CONSOLE] + [str(a) for a in args],
                              env=self.env, cwd=self.dir,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding='utf-8', errors='replace')

    def lines(self, *args):
        """What it prints, by lines; None when it does not exit 0."""
        done = self.cli(*args)
        if done.returncode != 0:
            tap.note('%s: exit %d: %s' % (args, done.returncode, done.stderr))
            return None
        return done.stdout.splitlines()

    def json(self, *args):
        lines = self.lines(*args, '--json')
        return json.loads('\n'.join(lines)) if lines is not None else None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.dir)


def plan_of(tests, **more):
    """A plan of one suite "s"."""
    return dict({'name': 'p', 'command': ['true', '{test}'],
                 'suites': [{'name': 's', 'tests': tests}]}, **more)
