# SPDX-License-Identifier: GPL-3.0-or-later
"""After a run with secrets has ended, no process of ours that still lives has
one in its memory: console, link, bridge, daemon, worker."""

import json
import os
import re
import resource
import signal
import subprocess

import sshd
import tap
import vt
from lab import CONSOLE, Lab

# The middle of each is looked for: what is freed loses its first bytes anyway.
FILE = 'begin-of-file-' + 'a7Qx93Kd0bVm' + '-"end"'
COMMAND = 'begin-of-command-' + 'Zp55rTw81LfC' + '\nsecond line'
COLUMN = 'begin-of-column-' + 'uN27hEy64SgJ' + '-end'
LONG = 'begin-of-long-' + ''.join('%04d-mB39wXo-' % i for i in range(2000))
NEEDLES = {'file': b'a7Qx93Kd0bVm', 'command': b'Zp55rTw81LfC',
           'column': b'uN27hEy64SgJ', 'long': b'mB39wXo'}


def sanitized():
    with open(CONSOLE, 'rb') as f:
        return b'__asan_init' in f.read()


def ours(lab):
    """(pid, name) of the processes of this lab that are yardmaster's."""
    found = []
    for pid in os.listdir('/proc'):
        try:
            exe = os.path.basename(os.readlink('/proc/%s/exe' % pid))
            with open('/proc/%s/environ' % pid, 'rb') as f:
                mine = lab.dir.encode() in f.read()
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                words = f.read().split(b'\0')
        except OSError:
            continue
        if mine and exe.removeprefix('lt-').startswith('yardmaster'):
            found.append((int(pid), ' '.join(
                [exe.removeprefix('lt-')] + [w.decode() for w in words[1:2]])))
    return sorted(found)


def in_memory(pid):
    """Which needles are in what a process can write to, and where."""
    found = []
    with open('/proc/%d/maps' % pid) as maps, \
            open('/proc/%d/mem' % pid, 'rb', 0) as mem:
        for line in maps:
            m = re.match(r'([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)',
                         line)
            if 'w' not in m.group(3) or m.group(4) in ('[vvar]', '[vsyscall]'):
                continue
            start, end = int(m.group(1), 16), int(m.group(2), 16)
            try:
                mem.seek(start)
                data = mem.read(end - start)
            except OSError:
                continue
            for name, needle in NEEDLES.items():
                at = data.find(needle)
                if at >= 0:
                    found.append((name, m.group(4) or 'mapped', '%x' % (
                        start + at), data[max(0, at - 40):at + 24]))
    return found


def make(lab):
    for name, text in (('token', FILE), ('long', LONG),
                       ('rows.csv', 'user,pin\nann,%s\n' % COLUMN),
                       ('words', COMMAND)):
        with open(lab.dir + '/' + name, 'w') as f:
            f.write(text)
    return lab.plan({
        'name': 'w', 'parallel': 'tests', 'suites': [{
            'name': 's', 'data': 'rows.csv', 'secret_columns': ['pin'],
            'secrets': [{'name': 'A', 'file': 'token'},
                        {'name': 'B', 'command': ['cat', 'words']},
                        {'name': 'C', 'file': 'long'}],
            'tests': [{'name': 't%d' % i, 'shell':
                       'echo $A; echo $B$C; test -n "$YARDMASTER_ROW_PIN" &&'
                       ' test -n "$C"'} for i in range(4)]}]})


def look(lab, words):
    seen = {}
    for pid, name in ours(lab):
        try:
            seen.setdefault(name, []).extend(in_memory(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
    for name in sorted(seen):
        tap.equal('%s: nothing is left in %s' % (words, name), seen[name], [])
    return set(seen)


def can_dump(folder):
    """Whether a process that aborts in a folder leaves its core there."""
    os.mkdir(folder)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    subprocess.run(['sh', '-c', 'kill -ABRT $$'], cwd=folder, check=False)
    return any(n.startswith('core') for n in os.listdir(folder))


def check_cores(lab, plan):
    """All of them abort while a step has the secrets."""
    with open(plan) as f:
        p = json.load(f)
    gate, begun = lab.dir + '/gate', lab.dir + '/begun'
    p['suites'][0]['tests'] = [{'name': 't', 'shell': (
        'test -n "$A" && touch %s; while [ ! -e %s ]; do sleep 0.1; done') % (
            begun, gate)}]
    console, _ = lab.start_run(lab.plan(p), '--quiet')
    tap.ok('a step has them', lab.until(lambda: os.path.exists(begun)))
    names = set()
    for pid, name in sorted(ours(lab), key=lambda w: 'worker' not in w[1]):
        try:
            # The link has a limit of its own, as libraries run in it.
            if name.split()[-1] != '--nest':
                resource.prlimit(pid, resource.RLIMIT_CORE,
                                 resource.getrlimit(resource.RLIMIT_CORE))
            os.kill(pid, signal.SIGABRT)
            names.add(name.split()[-1])
        except ProcessLookupError:
            pass
    tap.ok('console, worker, daemon and link abort', {
        'run', 'worker', 'serve', '--nest'} <= names, names)
    console.communicate(timeout=60)
    tap.ok('all have ended', lab.until(lambda: not [
        w for w in ours(lab) if w[1].split()[-1] in names]), ours(lab))
    open(gate, 'w').close()
    bad = []
    for base, _, files in os.walk(lab.dir):
        for name in files:
            if not name.startswith('core'):
                continue
            with open(os.path.join(base, name), 'rb') as f:
                text = f.read()
            bad += [(base, n) for n in NEEDLES if NEEDLES[n] in text]
    # A worker that has none at the moment may leave one.
    tap.equal('no core file has one', bad, [])


def main():
    if sanitized():
        tap.skip_all('built with sanitizers: too much memory to be read')
    sshd.need()
    vt.need()
    with Lab(1, max_workers=2) as lab:
        plan = make(lab)
        dumps = can_dump(lab.dir + '/canary')
        try:
            with open('/proc/self/mem', 'rb'):
                pass
            readable = os.geteuid() == 0
        except OSError:
            readable = False
        if not readable:
            tap.skip_all('memory of such processes is for root to read')
        with lab.screen('--launch', plan) as screen:
            screen.expect('start the run')
            screen.keys('y')
            tap.ok('a run with secrets passes', lab.until(
                lambda: '4 passed' in lab.cli('runs').stdout, 60),
                lab.cli('runs').stdout)
            tap.ok('the console sees it', lab.until(lambda: all(
                a['busy'] == 0 for a in lab.json('agents')['agents'])))
            names = look(lab, 'ended')
            tap.ok('all kinds of processes were looked at', {
                'yardmaster console', 'yardmaster-link --nest', 'yardmaster-agent '
                'connect', 'yardmaster-agent serve', 'yardmaster-agent '
                'worker'} <= names, names)
        if dumps:
            check_cores(lab, plan)
        else:
            tap.skip('cores', 'this system writes no core files to folders')
    tap.done()


if __name__ == '__main__':
    main()
