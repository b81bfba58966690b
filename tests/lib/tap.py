# SPDX-License-Identifier: GPL-3.0-or-later
"""Test results as TAP: one line a check, the plan at the end."""

import sys

_count = 0
_failed = 0


def _line(word, name, after=''):
    global _count
    _count += 1
    name = name.replace('#', '_').replace('\n', ' ')
    print('%s %d - %s%s' % (word, _count, name, after), flush=True)


def note(text):
    """Writes lines that a person reads when something failed."""
    for line in str(text).splitlines():
        print('# ' + line, flush=True)


def ok(name, cond, detail=None):
    """Records a check; detail is shown when it failed. Returns cond."""
    global _failed
    if cond:
        _line('ok', name)
    else:
        _failed += 1
        _line('not ok', name)
        if detail is not None:
            note(detail if isinstance(detail, str) else repr(detail))
    return bool(cond)


def equal(name, got, want):
    """Records that two values are equal."""
    return ok(name, got == want, 'got  %r\nwant %r' % (got, want))


def skip(name, why):
    """Records a check that cannot be made here."""
    _line('ok', name, ' # SKIP ' + why)


def skip_all(why):
    """Ends the script: nothing of it can be checked here."""
    print('1..0 # SKIP ' + why, flush=True)
    sys.exit(0)


def done():
    """Writes the plan and ends the script; 1 when a check failed."""
    print('1..%d' % _count, flush=True)
    sys.exit(1 if _failed else 0)
