# SPDX-License-Identifier: GPL-3.0-or-later
"""man/yardmaster.1 knows every command of the program with its options, and
no other; all pages are good mdoc where there is a mandoc to say so."""

import glob
import os
import re
import shutil
import subprocess

import tap
from commands import commands, options

SRC = os.environ['YM_SRCDIR']


def blocks(text):
    """{command: the text of its item}; items without a text of their own
    share that of the next."""
    found, names, body = {}, [], []
    section = re.search(r'^\.Sh COMMANDS\n(.*?)^\.Sh ', text, re.M | re.S)
    for line in section.group(1).splitlines() + ['.It Ic']:
        if not line.startswith('.It Ic'):
            body.append(line)
            continue
        if [b for b in body if not b.startswith('.It ')]:
            for name in names:
                found[name] = '\n'.join(body)
            names, body = [], []
        body.append(line)
        # The names end where the first macro begins.
        listed = re.split(r' (?:Ar|Fl|Op|Cm) ', line[6:] + ' ', 1)[0]
        names += [n.strip() for n in listed.split(' , ') if n.strip()]
    return found


def shared(text):
    """The options that the description explains for several commands."""
    head = text.partition('.Sh COMMANDS')[0]
    return '\n'.join(re.findall(r'^\.It Fl .*$', head, re.M))


def check_options(command, text):
    for name, letter, _ in options(command):
        for form in ['-' + name] + ([letter] if letter else []):
            tap.ok('%s -%s is in the manual' % (command, form),
                   re.search(r'Fl %s(?![a-z-])' % form, text), text)


def check_mdoc():
    pages = sorted(glob.glob(SRC + '/man/*.[1-9]'))
    tap.ok('there are pages', len(pages) >= 5, str(pages))
    if shutil.which('mandoc') is None:
        return
    for page in pages:
        done = subprocess.run(['mandoc', '-Tlint', '-Wwarning', page],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding='utf-8')
        tap.ok(os.path.basename(page) + ' is good mdoc',
               done.returncode == 0, done.stdout)


def main():
    with open(SRC + '/man/yardmaster.1', encoding='utf-8') as f:
        text = f.read()
    items = blocks(text)
    names = commands()
    tap.equal('the manual has the commands of the program',
              sorted(items), sorted(names))
    for name in names:
        check_options(name, items.get(name, '') + '\n' + shared(text))
    check_mdoc()
    tap.done()


main()
