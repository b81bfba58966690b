# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a program on a terminal without a window (tests/lib/vt.c) and looks at
its screen. Nothing here waits for time: each call returns when the screen
shows what was asked for, or when its patience is over."""

import os
import subprocess

import tap

PATIENCE_MS = 10000

ENTER, ESC, TAB, BACKSPACE = '\r', '\x1b', '\t', '\x7f'
UP, DOWN, RIGHT, LEFT = '\x1bOA', '\x1bOB', '\x1bOC', '\x1bOD'
HOME, END = '\x1bOH', '\x1bOF'
PAGE_UP, PAGE_DOWN = '\x1b[5~', '\x1b[6~'
INSERT, DELETE = '\x1b[2~', '\x1b[3~'
F = [None, '\x1bOP', '\x1bOQ', '\x1bOR', '\x1bOS', '\x1b[15~', '\x1b[17~',
     '\x1b[18~', '\x1b[19~', '\x1b[20~', '\x1b[21~', '\x1b[23~', '\x1b[24~']


def ctrl(letter):
    """The key Ctrl and a letter."""
    return chr(ord(letter.upper()) & 0x1f)


def driver():
    """The path of the terminal, or None when it was not built."""
    path = os.path.join(os.environ.get('YM_BUILDDIR', '.'), 'tests/lib/vt')
    return path if os.access(path, os.X_OK) else None


def need():
    """Ends the script as skipped when there is no terminal."""
    if driver() is None:
        tap.skip_all('libvterm is not installed')


class Screen:
    """A program on a terminal of its own. Rows and columns count from 0."""

    def __init__(self, cmd, rows=24, cols=80, env=None, cwd=None, log=None):
        full = dict(os.environ, LC_ALL='C.UTF-8', TERM='xterm-256color')
        full.update(env or {})
        if log:
            full['VT_LOG'] = log
        self.process = subprocess.Popen(
            [driver(), str(rows), str(cols), '--'] + list(cmd),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=full, cwd=cwd,
            encoding='utf-8', errors='replace')
        self.log = []       # what was asked and answered

    def _ask(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip('\n')
        self.log.append('%s -> %s' % (line, answer))
        word, _, rest = answer.partition(' ')
        if word in ('error', ''):
            raise RuntimeError('vt: %s: %s' % (line, rest or 'it is gone'))
        return word, rest

    def keys(self, text):
        """Types text; use the constants of this module for other keys."""
        self._ask('keys ' + ''.join(
            '\\\\' if c == '\\' else
            c if c.isprintable() else '\\x%02x' % ord(c) for c in text))

    def expect(self, regex, ms=PATIENCE_MS):
        """Waits until a row matches; its text, or None when none did."""
        word, rest = self._ask('expect %d %s' % (ms, regex))
        return rest.partition(' ')[2] if word == 'ok' else None

    def find(self, regex, ms=PATIENCE_MS):
        """Waits like expect(); the number of the row, or None."""
        word, rest = self._ask('expect %d %s' % (ms, regex))
        return int(rest.partition(' ')[0]) if word == 'ok' else None

    def gone(self, regex, ms=PATIENCE_MS):
        """Waits until no row matches; False when one still does."""
        return self._ask('gone %d %s' % (ms, regex))[0] == 'ok'

    def quiet(self, ms=100, total=PATIENCE_MS):
        """Waits until the program wrote nothing for ms."""
        return self._ask('quiet %d %d' % (ms, total))[0] == 'ok'

    def sees(self, name, regex, ms=PATIENCE_MS):
        """A check: some row comes to match. Shows the screen when not."""
        found = self.expect(regex, ms) is not None
        return tap.ok(name, found, None if found else
                      'looked for: %s\n%s' % (regex, self.dump()))

    def loses(self, name, regex, ms=PATIENCE_MS):
        """A check: no row matches any more."""
        gone = self.gone(regex, ms)
        return tap.ok(name, gone, None if gone else
                      'still there: %s\n%s' % (regex, self.dump()))

    def dump(self):
        """The whole screen as text, one line a row."""
        n = int(self._ask('dump')[1])
        return '\n'.join(self.process.stdout.readline().rstrip('\n')
                         for _ in range(n))

    def row(self, n):
        """The text of a row, without blanks at its end."""
        return self._ask('row %d' % n)[1]

    def attrs(self, n):
        """A letter for each cell of a row: b, u, r, R (see vt.c) or '.'."""
        return self._ask('attrs %d' % n)[1]

    def cursor(self):
        """(row, column)"""
        return tuple(int(x) for x in self._ask('cursor')[1].split())

    def resize(self, rows, cols):
        self._ask('resize %d %d' % (rows, cols))

    def bytes(self):
        """How many bytes the program wrote since the last call."""
        return int(self._ask('bytes')[1])

    def kill(self, signal='TERM'):
        self._ask('kill %s' % signal)

    def pid(self):
        return int(self._ask('pid')[1])

    def exit(self, ms=PATIENCE_MS):
        """Waits for the program to end: its exit code, or None."""
        word, rest = self._ask('exit %d' % ms)
        return int(rest) if word == 'exit' else None

    def close(self):
        """Takes the terminal away. Done by 'with', too."""
        if self.process is None:
            return
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
