# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills a process at the Nth of some of its system calls, with strace."""

import re
import shutil
import subprocess


def why_not():
    """Why nothing can be traced here, or None."""
    if shutil.which('strace') is None:
        return 'no strace'
    done = subprocess.run(command('getpid', 1) + ['true'],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding='utf-8')
    return None if done.returncode == 0 else 'strace cannot trace here: ' + \
        done.stdout.strip()


def command(calls, n):
    """What to put before a command, so that it is killed as it enters its nth
    call of these; its children are not."""
    return ['strace', '-qq', '-o', '/dev/null', '-e', 'trace=' + calls,
            '-e', 'inject=%s:signal=KILL:when=%d' % (calls, n)]


class Attached:
    """The same for a process that runs."""

    def __init__(self, pid, calls, n):
        args = command(calls, n)
        args.remove('-qq')
        self.strace = subprocess.Popen(
            args + ['-p', str(pid)], stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, encoding='utf-8')
        line = self.strace.stderr.readline()
        if not re.search('attached', line):
            raise RuntimeError('strace: ' + line)

    def close(self):
        self.strace.terminate()
        self.strace.communicate()
