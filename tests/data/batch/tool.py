# SPDX-License-Identifier: GPL-3.0-or-later
"""A test tool as small as can be: tool.py FOLDER MBYTES RESULT NAME...

What a test does is in its name: fail, skip, missing, crash. FOLDER has the
FIFO "said" and the file "ran", a line for each test that was begun. The
result file is so many MB long."""

import os
import signal
import sys

BODY = {'fail': '<failure message="wrong">1 is 2</failure>',
        'skip': '<skipped message="not here"/>'}


def say(folder, sign):
    e = os.environ
    with open(folder + '/said', 'w') as f:
        f.write(' '.join([sign, e['YARDMASTER_AGENT'],
                          e['YARDMASTER_EXECUTION'],
                          e['YARDMASTER_WORKER'],
                          e['YARDMASTER_BATCH']]) + '\n')


def main(folder, size, result, *names):
    say(folder, '+')
    cases = []
    for name in names:
        with open(folder + '/ran', 'a') as f:
            f.write('%s %s\n' % (os.environ['YARDMASTER_RUN'], name))
        kind = name.split('_')[0]
        if kind == 'crash':
            say(folder, '-')
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind != 'missing':
            cases.append('<testcase classname="mod.Tests" name="%s" '
                         'time="0.25">%s</testcase>'
                         % (name.split('::')[-1], BODY.get(kind, '')))
    with open(result, 'w') as f:
        f.write('<testsuite name="x">' + ''.join(cases) + '<system-out>')
        for _ in range(int(size) << 4):
            f.write('x' * 65536)
        f.write('</system-out></testsuite>')
    say(folder, '-')


main(*sys.argv[1:])
