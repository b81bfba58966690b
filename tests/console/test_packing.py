# SPDX-License-Identifier: GPL-3.0-or-later
"""A large workspace is packed beside everything else: answers, keys and other
runs do not wait for it, and it can be left, killed, taken over and wrong."""

import glob
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import sshd
import tap
import vt
from lab import BUILD, Lab

FILES, BYTES = 6000, 50000      # 300 MB in all


def make_tree(root, files):
    os.makedirs(root)
    block = os.urandom(BYTES)
    for i in range(files):
        if i % 500 == 0:
            os.mkdir('%s/%d' % (root, i))
        with open('%s/%d/%d' % (root, i - i % 500, i), 'wb') as f:
            f.write(b'%d' % i + block)


def plan(lab, tree='some', n=2, **more):
    """Its commands need a file of the tree and say that they ran."""
    return lab.plan(dict({
        'name': 'w', 'parallel': 'tests', 'workspace': tree,
        'suites': [{'name': 's', 'tests': ['t%d' % i for i in range(n)],
                    'command': ['sh', '-c', 'test -s 0/0 && ' + lab.work +
                                ' 0']}]}, **more))


def trees(lab, pattern='*'):
    return glob.glob(lab.dir + '/console/yardmaster/trees/' + pattern)


def forget(lab):
    for name in trees(lab):
        os.unlink(name)


def started(lab):
    return len(lab.watch.starts)


class Asking:
    """Asks the console that drives a run, again and again, until it is over:
    what was said, and how long each answer took."""

    def __init__(self, lab, *command):
        self.lab, self.command = lab, command
        self.said, self.took = [], []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            at = time.monotonic()
            self.said.append(self.lab.cli(*self.command).stdout)
            self.took.append(time.monotonic() - at)

    def end(self):
        self.over.set()
        self.thread.join()


def headless(lab):
    at = time.monotonic()
    process, run = lab.start_run(plan(lab, 'big'))
    asking = Asking(lab, 'why', run + '/1')
    small = lab.cli('run', lab.plan({'name': 'x', 'suites': [{
        'name': 's', 'tests': ['t'], 'command': ['true']}]}))
    lab.until(lambda: not trees(lab, 'new.*') and trees(lab), 60)
    packed = time.monotonic() - at
    asking.end()
    said = process.communicate()
    tap.ok('a large workspace is packed and used', process.returncode == 0
           and '2 passed' in said[0], '%s%s' % said)
    tap.ok('another run is done meanwhile', small.returncode == 0,
           small.stderr)
    packing = [x for x in asking.said if re.search(
        r'\* setup: +packing the workspace: [0-9]+ of 2[0-9]+ MB', x)]
    tap.ok('executions wait for setup, with how far it is',
           len(packing) >= 2, asking.said[:3])
    tap.ok('why offers nothing that would not help', not any(
        'take back' in x or 'move' in x for x in packing), packing[:1])
    slowest = max(asking.took[:len(packing)] or [0])
    tap.ok('whoever asks meanwhile is answered', 0 < slowest < 2 and
           slowest < packed / 2, 'slowest %.3f s of %d, packed in %.3f s' % (
               slowest, len(packing), packed))
    tap.note('packed in %.2f s; %d answers, the slowest after %.3f s' % (
        packed, len(packing), slowest))
    tap.ok('and told on standard error, where it takes long', packed < 1 or
           re.search('packing the workspace: [0-9]+ of 2[0-9]+ MB', said[1]),
           said[1])


def cancelled(lab):
    forget(lab)
    before = started(lab)
    process, run = lab.start_run(plan(lab))
    lab.until(lambda: trees(lab, 'new.*'))
    process.send_signal(signal.SIGINT)
    said = process.communicate()
    tap.ok('Ctrl-C while it is packed: cancelled', process.returncode == 5
           and '2 cancelled' in said[0], '%s%s' % said)
    tap.equal('nothing is left of the packing', trees(lab), [])
    tap.equal('and nothing started', started(lab), before)


def killed(lab):
    forget(lab)
    process, run = lab.start_run(plan(lab))
    lab.until(lambda: trees(lab, 'new.*'))
    process.kill()
    process.wait()
    tap.ok('killed while it is packed', trees(lab, 'new.*'))
    done = lab.cli('resume', run)
    tap.ok('resume packs it anew and ends the run', done.returncode == 0 and
           '2 passed' in done.stdout, done.stdout + done.stderr)
    tap.equal('of the first packing nothing is left', trees(lab, 'new.*'), [])


def detached(lab):
    forget(lab)
    done = lab.cli('run', plan(lab), '--detach')
    tap.ok('a run is left when it is packed', done.returncode == 0 and
           len(trees(lab)) == 1, done.stdout + done.stderr)
    done = lab.cli('resume', done.stdout.strip())
    tap.ok('and goes on', done.returncode == 0 and '2 passed' in done.stdout,
           done.stdout + done.stderr)


def amended(lab):
    """What is changed while it is packed holds after a take-over."""
    forget(lab)
    process, run = lab.start_run(plan(lab, n=3))
    lab.until(lambda: trees(lab, 'new.*'))
    changed = lab.cli('amend', run, 'max_parallel=1')
    held = lab.cli('hold', run + '/3')
    tap.ok('changed while it is packed', changed.returncode == 0 and
           held.returncode == 0 and trees(lab, 'new.*'), changed.stderr)
    lab.until(lambda: not trees(lab, 'new.*'), 60)
    lab.until(lambda: 'packed the workspace' in lab.cli('events').stdout)
    packed = trees(lab)
    process.kill()
    process.wait()
    process = lab.start('resume', run)
    tap.ok('it holds after a take-over', lab.until(
        lambda: '* held: ' in lab.cli('why', run + '/3').stdout))
    tap.equal('and it is not packed again', trees(lab), packed)
    tap.ok('released', lab.cli('release', run + '/3').returncode == 0)
    said = process.communicate()
    tap.ok('it ends', process.returncode == 0 and '3 passed' in said[0],
           '%s%s' % said)


def wrong(lab):
    root = lab.dir + '/wrong'
    os.makedirs(root + '/a/b')
    for what, words, make in (
            ('a FIFO', 'a/b/x: neither a file',
             lambda: os.mkfifo(root + '/a/b/x')),
            ('a link that leaves it', 'a/b/x: a symbolic link that leaves',
             lambda: os.symlink('/etc/passwd', root + '/a/b/x'))):
        make()
        for more in ([], ['--detach']):
            done = lab.cli('run', plan(lab, 'wrong'), *more)
            tap.ok('%s: an error with its path, %s' % (what, more),
                   done.returncode == 2 and '2 error' in done.stdout and
                   'the workspace cannot be packed: %s/%s' % (root, words)
                   in done.stdout, done.stdout + done.stderr)
        os.unlink(root + '/a/b/x')
    with open(root + '/a/huge', 'w') as f:
        f.truncate(5 << 30)
    done = lab.cli('run', plan(lab, 'wrong'))
    tap.ok('too large: said before it is read, with the path',
           done.returncode == 2 and root + '/a/huge: with it the tree is too '
           'large' in done.stdout, done.stdout + done.stderr)
    done = lab.cli('run', plan(lab, 'nowhere'))
    tap.ok('a folder that is not there', done.returncode != 0 and
           'nowhere' in done.stdout + done.stderr, done.stdout + done.stderr)


NOBODY = 65534
AS_NOBODY = ['setpriv', '--reuid=%d' % NOBODY, '--regid=%d' % NOBODY,
             '--clear-groups']


def unreadable():
    """What the user of the console may not read; root may read all."""
    become = AS_NOBODY if os.geteuid() == 0 else []
    if subprocess.run(become + ['true'], stderr=subprocess.DEVNULL,
                      check=False).returncode != 0:
        tap.skip('what cannot be read', 'root cannot become another user')
        return
    with tempfile.TemporaryDirectory(prefix='ym-pack-') as folder:
        of_user(become, folder)


def of_user(become, folder):
    root = folder + '/tree'
    os.makedirs(root + '/a/b')
    with open(root + '/a/b/x', 'w') as f:
        f.write('x')
    for name in ('yardmaster', 'yardmaster-agent'):
        shutil.copy(BUILD + '/' + name, folder)
    with open(folder + '/fleet.json', 'w') as f:
        json.dump({'name': 'f', 'agents': [
            {'name': 'here', 'transport': 'local'}]}, f)
    for name, more in (('plan', {}), ('less', {'exclude': ['x', 'b']})):
        with open('%s/%s.json' % (folder, name), 'w') as f:
            json.dump({'name': 'w', 'workspace': dict({'from': 'tree'},
                                                      **more),
                       'suites': [{'name': 's', 'tests': ['t'],
                                   'command': ['test', '-d', 'a']}]}, f)
    if become:
        subprocess.run(['chown', '-R', '%d:%d' % (NOBODY, NOBODY), folder],
                       check=True)

    def run(name):
        return subprocess.run(
            become + [folder + '/yardmaster', 'run', name, '--fleet',
                      'fleet.json'], cwd=folder, stdin=subprocess.DEVNULL,
            env=dict(os.environ, HOME=folder, NO_COLOR='1',
                     XDG_STATE_HOME=folder + '/state',
                     YARDMASTER_AGENT=folder + '/yardmaster-agent'),
            capture_output=True, text=True)

    for what, path in (('file', 'a/b/x'), ('folder', 'a/b')):
        mode = os.stat(root + '/' + path).st_mode
        os.chmod(root + '/' + path, 0)
        done = run('plan.json')
        tap.ok('a %s that may not be read: an error with its path' % what,
               done.returncode == 2 and 'the workspace cannot be packed: '
               '%s/%s: Permission denied' % (root, path) in done.stdout,
               done.stdout + done.stderr)
        done = run('less.json')
        tap.ok('none when it is excluded', done.returncode == 0,
               done.stdout + done.stderr)
        os.chmod(root + '/' + path, mode)
        done = run('plan.json')
        tap.ok('nor when it may be', done.returncode == 0,
               done.stdout + done.stderr)
    subprocess.run(become + [folder + '/yardmaster-agent', 'quit',
                             '--instance', 'here'],
                   env=dict(os.environ, HOME=folder,
                            XDG_STATE_HOME=folder + '/state'))


def screen(lab):
    forget(lab)
    other = lab.plan({'name': 'other', 'suites': [{
        'name': 'quick', 'tests': ['t'], 'command': [lab.work, '0']}]})
    before = started(lab)
    # Longer than a screen takes to be used, on any machine.
    with open(lab.dir + '/big/more', 'w') as f:
        f.truncate(150 << 20)
    with lab.screen('--launch', plan(lab, 'big'), cols=120) as s:
        s.expect('start the run')
        s.keys('y')
        s.expect('run r[0-9a-z]{10} started')
        s.keys('3')
        s.sees('the queue says how far it is',
               r'setup: packing the workspace: [0-9]+ of')
        s.keys(':launch ' + other + vt.ENTER)
        s.sees('another plan can be looked at', 'start the run')
        s.keys('y')
        tap.ok('and runs', lab.watch.wait(
            lambda w: len(w.starts) == before + 1))
        tap.ok('while it is still packed', trees(lab, 'new.*'))
        tap.ok('which then runs, too', lab.watch.wait(
            lambda w: len(w.starts) == before + 3, 400))
        s.keys('q')
        s.exit()


def main():
    sshd.need()
    vt.need()
    with Lab(1, max_workers=2) as lab:
        make_tree(lab.dir + '/big', FILES)
        make_tree(lab.dir + '/some', FILES // 3)
        headless(lab)
        cancelled(lab)
        killed(lab)
        detached(lab)
        amended(lab)
        wrong(lab)
        unreadable()
        screen(lab)
    tap.done()


main()
