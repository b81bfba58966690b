# SPDX-License-Identifier: GPL-3.0-or-later
"""Small file systems, and how to fill them."""

import contextlib
import os
import subprocess
import tempfile

import tap

MB = 1 << 20


def mount(path, size, inodes=0):
    """A small file system there; False where that cannot be done."""
    os.makedirs(path, 0o700, exist_ok=True)
    return subprocess.run(
        ['mount', '-t', 'tmpfs', '-o', 'size=%s,mode=700,nr_inodes=%d' % (size, inodes), 'tmpfs',
         path], stderr=subprocess.DEVNULL).returncode == 0


@contextlib.contextmanager
def small_disk(path, size, users, inodes=0):
    """users(): ends what stands on it."""
    mount(path, size, inodes)
    try:
        yield path + '/fill'
    finally:
        users()
        subprocess.run(['umount', '-l', path], check=True)


def need_mounts():
    where = tempfile.mkdtemp(prefix='ym-disk-')
    can = mount(where, '1m')
    if can:
        subprocess.run(['umount', where], check=True)
    os.rmdir(where)
    if not can:
        tap.skip_all('skipped: no small tmpfs can be mounted here')


def fill(path, size=None):
    """Writes size bytes, or until there is no room."""
    block = 65536
    with open(path, 'wb', buffering=0) as f:
        while block > 0 and (size is None or f.tell() < size):
            try:
                f.write(b'x' * block)
            except OSError:
                block //= 2
