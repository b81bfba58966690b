# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball has every file of the repository."""

import os
import shutil
import subprocess
import tempfile

import tap

SRC = os.environ['YM_SRCDIR']
BUILD = os.environ['YM_BUILDDIR']
ONLY_IN_GIT = {'.gitignore'}


def known_to_git():
    done = subprocess.run(['git', '-C', SRC, 'ls-files', '-z'],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          encoding='utf-8')
    files = done.stdout.split('\0') if done.returncode == 0 else []
    return {f for f in files if f and os.path.exists(os.path.join(SRC, f))}


def distributed():
    """What "make dist" would pack, and what make said."""
    top = tempfile.mkdtemp(prefix='ym-dist-')
    try:
        env = {k: v for k, v in os.environ.items()
               if not k.startswith(('MAKE', 'MFLAGS'))}
        done = subprocess.run(['make', '-s', '-C', BUILD, 'distdir',
                               'distdir=' + top + '/d'], env=env,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding='utf-8')
        found = {os.path.relpath(os.path.join(folder, name), top + '/d')
                 for folder, _, names in os.walk(top + '/d')
                 for name in names}
    finally:
        shutil.rmtree(top)
    return found, done.stdout


def main():
    if shutil.which('git') is None or not os.path.exists(SRC + '/.git'):
        tap.skip_all('this is no clone of the repository')
    want = known_to_git() - ONLY_IN_GIT
    tap.ok('the repository is there', len(want) > 100, str(len(want)))
    found, said = distributed()
    tap.ok('the tarball has all of it', want <= found,
           '\n'.join(sorted(want - found)) + '\n' + said)
    tap.done()


main()
