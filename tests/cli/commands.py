# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands and options of the console program, as its help shows them."""

import os
import re
import subprocess

CONSOLE = os.path.join(os.environ.get('YM_BUILDDIR', '.'), 'yardmaster')


def output(*args):
    done = subprocess.run([CONSOLE] + list(args), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, encoding='utf-8')
    return done.stdout


def commands():
    """The names of all commands, "plan show" and so on."""
    listed = output('--help').partition('\ncommands:\n')[2]
    return re.findall(r'^  ([a-z-]+(?: [a-z]+)?) {2,}', listed, re.M)


def options(command):
    """[(long name, letter or None, argument or None)] without help."""
    listed = output(*command.split(), '--help').partition('\noptions:\n')[2]
    found = re.findall(r'^  (?:-(\w), |    )--([a-z-]+)(?: ([A-Z=*]+))?(?:  |$)',
                       listed, re.M)
    return [(name, letter or None, arg or None) for letter, name, arg in found
            if name != 'help']
