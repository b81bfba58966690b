# SPDX-License-Identifier: GPL-3.0-or-later
"""CPython's own regression tests, one process each, over three SSH hosts."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET

import sshd
import tap

PYTHON = 'python3.11'
ONLY = ('test_(abc|abstract_numbers|aifc|array|asdl_parser|atexit|audioop|'
        'augassign|base64|baseexception|bdb|binascii|binop|bisect|bool|bufio|'
        'call|cgi|cgitb|charmapcodec|class|cmath|cmd|code|codeop|collections|'
        'colorsys|compare|complex|configparser|contains|contextlib|copy|'
        'copyreg|coroutines|csv|dataclasses|decorators|defaultdict|deque|'
        'descrtut|dict|dictcomps|dictviews|difflib|dis|dynamic|enum|enumerate|'
        'eof|errno|extcall|filecmp|fileinput|float|fnmatch|format|fractions|'
        'frame|fstring|funcattrs|functools|grammar|opcodes|types)')

sshd.need()
SRC = os.environ.get('YM_SRCDIR', '.')
CONSOLE = os.path.join(os.environ.get('YM_BUILDDIR', '.'), 'yardmaster')


def listed():
    """The names that CPython lists, as a person would count them."""
    try:
        out = subprocess.run(['/usr/bin/' + PYTHON, '-m', 'test',
                              '--list-tests'], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, encoding='utf-8')
    except FileNotFoundError:
        return []
    return out.stdout.split() if out.returncode == 0 else []


def fails_by_hand(name, folder):
    return subprocess.run(['/usr/bin/' + PYTHON, '-m', 'test', name],
                          cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode != 0


def main():
    want = [n for n in listed() if re.search('^' + ONLY + '$', n)]
    if not want:
        tap.skip_all('libpython3.11-testsuite is not installed')
    with sshd.SshHosts(3) as hosts:
        env = dict(os.environ, HOME=hosts.dir, PATH='/usr/bin:/bin',
                   XDG_STATE_HOME=hosts.dir + '/console')
        junit = hosts.dir + '/junit.xml'
        run = subprocess.run(
            [CONSOLE, 'run', SRC + '/examples/cpython.json',
             '--fleet', hosts.write_fleet(max_workers=2),
             '--only', 'test:/^%s$/' % ONLY, '--junit', junit, '--json'],
            env=env, cwd=hosts.dir, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding='utf-8')
        tap.ok('the run ends', run.returncode in (0, 1), run.stderr)
        report = json.loads(run.stdout)
        names = [s['test'] for x in report['executions'] for s in x['steps']]
        tap.ok('at least 60 tests were chosen', len(want) >= 60, str(want))
        tap.equal('planned is what the list has', sorted(names), sorted(want))
        tap.equal('the sum of states is the plan',
                  sum(report['counts'].values()), len(want))
        agents = {x['agent'] for x in report['executions']}
        tap.equal('all three hosts worked', agents,
                  {'lab-1', 'lab-2', 'lab-3'})
        for x in report['executions']:
            if x['state'] not in ('passed', 'healed'):
                name = x['steps'][0]['test']
                tap.ok('%s fails by hand, too' % name,
                       fails_by_hand(name, hosts.dir), json.dumps(x))
        cases = ET.parse(junit).getroot().iter('testcase')
        tap.equal('the JUnit report has a row for each',
                  len(list(cases)), len(want))
    tap.done()


main()
