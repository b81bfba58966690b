# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command and option is completed by what "completion bash" prints."""

import os
import shutil
import subprocess
import tempfile

import tap
from commands import CONSOLE, commands, options, output

# Completes the words that it is given; prints what is offered, one a line.
ASK = '''
eval "$SCRIPT"
compopt() { :; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_yardmaster
printf '%s\\n' "${COMPREPLY[@]}"
'''


def offered(script, cwd, *words):
    env = dict(os.environ, SCRIPT=script, HOME=cwd, XDG_STATE_HOME=cwd)
    done = subprocess.run(['bash', '-c', ASK, 'bash', CONSOLE] + list(words),
                          cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding='utf-8')
    if done.returncode != 0 or done.stderr:
        tap.note(done.stderr)
    return set(done.stdout.split())


def check_command(script, cwd, command):
    words = command.split()
    tap.ok('%s is completed from its first letters' % command, words[-1] in
           offered(script, cwd, *words[:-1], words[-1][:2]))
    wanted = options(command)
    tap.equal('%s has its options' % command,
              offered(script, cwd, *words, '--'),
              {'--' + name for name, _, _ in wanted} | {'--help'})
    for name, _, arg in wanted:
        if arg in ('FILE', 'PLAN'):
            tap.ok('%s --%s takes a file' % (command, name), 'a-file' in
                   offered(script, cwd, *words, '--' + name, 'a-'))


def check_values(script, cwd):
    for words, want in (
            (('run', '--order', 'p'), {'plan'}),
            (('console', '--color', ''), {'auto', 'always', 'never'}),
            (('report', '--format', 'j'), {'junit', 'json'}),
            (('run', '--only', ''), set()),
            (('run', 'a-'), {'a-file'}),
            (('drain', 'demo-'), {'demo-1', 'demo-2', 'demo-3'}),
            (('resume', ''), set()),
            (('nonsense', '--'), set())):
        tap.equal('%s TAB' % ' '.join(words), offered(script, cwd, *words),
                  want)


def main():
    if shutil.which('bash') is None:
        tap.skip_all('bash is not installed')
    script = output('completion', 'bash')
    cwd = tempfile.mkdtemp(prefix='ym-completion-')
    try:
        open(cwd + '/a-file', 'w', encoding='utf-8').close()
        names = commands()
        tap.ok('there are commands', len(names) > 20, str(names))
        tap.ok('the first words are all there', {n.split()[0] for n in names}
               <= offered(script, cwd, ''))
        tap.equal('no command of nobody', offered(script, cwd, 'comp'), set())
        for command in names:
            check_command(script, cwd, command)
        check_values(script, cwd)
        done = subprocess.run([CONSOLE, 'completion', 'zsh'],
                              stderr=subprocess.PIPE, encoding='utf-8')
        tap.equal('another shell is refused', done.returncode, 4)
    finally:
        shutil.rmtree(cwd)
    tap.done()


main()
