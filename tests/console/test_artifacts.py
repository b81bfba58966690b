# SPDX-License-Identifier: GPL-3.0-or-later
"""Artifacts when something ends at a bad time: the console, the link, the
host; and where they are seen: copies, reports, pages."""

import glob
import hashlib
import os
import re
import sqlite3
import urllib.parse

import sshd
import tap
from lab import Lab

MB = 1 << 20
FILES = 6
SIZE = 8 * MB
# Each file has content of its own, and says when it was written.
MAKE = ('for i in 1 2 3 4 5 6; do head -c %d /dev/zero | tr "\\0" $i >f$i; '
        'done; echo x >>%%s' % SIZE)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def rows(lab, run, what='state'):
    path = lab.dir + '/console/yardmaster/runs/' + run + '.db'
    try:
        db = sqlite3.connect('file:%s?mode=ro' % path, uri=True)
        return db.execute('SELECT %s FROM artifacts' % what).fetchall()
    except sqlite3.Error:
        return []


def states(lab, run):
    return sorted(r[0] for r in rows(lab, run))


def root(lab, run):
    return '%s/console/yardmaster/runs/%s.artifacts' % (lab.dir, run)


def below(folder):
    found = {}
    for d, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(d, name)
            with open(path, 'rb') as f:
                found[os.path.relpath(path, folder)] = digest(f.read())
    return found


def expected():
    return {'1/1/f%d' % i: digest(b'%d' % i * SIZE)
            for i in range(1, FILES + 1)}


def plan(lab, marks):
    return lab.plan({
        'name': 'a', 'parallel': 'tests', 'artifacts': ['f*'],
        'artifacts_max': '1G', 'suites': [{
            'name': 's', 'agents': ['lab-1'], 'command': [
                'sh', '-c', MAKE % marks], 'tests': ['t']}]})


def kept(lab):
    """What agents still have of files."""
    return [n for h in lab.hosts for n in glob.glob(
        h.state + '/yardmaster/agent/*/files/*')]


def test_console_killed(lab):
    """Between the result and the last artifact; one came, one is on its
    way."""
    marks = lab.dir + '/killed'
    process, run = lab.start_run(plan(lab, marks))
    tap.ok('some came and some did not', lab.until(
        lambda: {'here', 'awaited'} <= set(states(lab, run))),
        states(lab, run))
    process.kill()
    process.communicate()
    said = states(lab, run)
    tap.ok('the run has not ended', 'awaited' in said, said)
    there = {n: os.stat(root(lab, run) + '/1/1/' + n).st_ino for n in
             os.listdir(root(lab, run) + '/1/1')}
    done = lab.cli('resume', run)
    tap.ok('it is resumed', done.returncode == 0, done.stdout + done.stderr)
    tap.equal('all there, equal by hash', below(root(lab, run)), expected())
    tap.equal('what was there is not brought again',
              {n: os.stat(root(lab, run) + '/1/1/' + n).st_ino
               for n in there}, there)
    tap.equal('nothing ran twice', open(marks).read(), 'x\n')
    tap.equal('each is recorded once', len(rows(lab, run)), FILES)
    tap.ok('and the agent keeps none', lab.until(lambda: not kept(lab)))


def test_link_cut(lab):
    """In mid-transfer; it goes on where it was."""
    marks = lab.dir + '/cut'
    process, run = lab.start_run(plan(lab, marks))
    tap.ok('some came', lab.until(
        lambda: {'here', 'awaited'} <= set(states(lab, run))),
        states(lab, run))
    lab.hosts[0].stop()
    tap.ok('the run goes on', process.poll() is None)
    lab.hosts[0].start()
    out, err = process.communicate()
    tap.ok('it ends well', process.returncode == 0, out + err)
    tap.equal('after a cut all there, equal by hash',
              below(root(lab, run)), expected())
    tap.equal('and nothing ran twice', open(marks).read(), 'x\n')


def test_host_away(lab):
    """It does not come back: the run ends without them and says so; resume of
    the ended run fetches them."""
    marks = lab.dir + '/away'
    process, run = lab.start_run(plan(lab, marks))
    tap.ok('some came', lab.until(
        lambda: {'here', 'awaited'} <= set(states(lab, run))),
        states(lab, run))
    lab.hosts[0].stop()
    out, err = process.communicate()
    tap.ok('the result counts', process.returncode == 0, out + err)
    tap.ok('and it says what is missing', 'missing' in out and
           'did not' in out and 'awaited' not in states(lab, run), out)
    missing = lab.json('report', run)['executions'][0]['artifacts_missing']
    tap.ok('so does the report', missing and all(
        'silent' in m['text'] for m in missing), missing)
    lab.hosts[0].start()
    done = lab.cli('resume', run)
    tap.ok('resume of the ended run asks for them', done.returncode == 0 and
           'asking for' in done.stderr, done.stdout + done.stderr)
    tap.equal('then they are there, equal by hash',
              below(root(lab, run)), expected())
    tap.equal('the report misses none', lab.json('report', run)[
        'executions'][0]['artifacts_missing'], [])
    tap.equal('it did not run again', open(marks).read(), 'x\n')


def test_copies(lab):
    names = ['plain', 'a b%41', 'new\nline', '<b>&"']
    script = ''.join("printf %%s '%s' >'%s'\n" % (n, n) for n in names)
    copies, page = lab.dir + '/copies', lab.dir + '/page/run.html'
    os.mkdir(lab.dir + '/page')
    path = lab.plan({
        'name': 'c', 'parallel': 'tests', 'artifacts': ['*'],
        'artifacts_max': 100, 'suites': [{'name': 's', 'command': [
            'sh', '-c', script + 'head -c 200 /dev/zero >big'],
            'tests': ['t']}]})
    done = lab.cli('run', path, '--artifacts', copies, '--html', page)
    run = re.search('r[0-9a-z]{10}', done.stderr).group(0)
    tap.ok('a run with copies', done.returncode == 0,
           done.stdout + done.stderr)
    files = {'1/1/' + n.replace('%', '%25').replace('\n', '%0A'):
             digest(n.encode()) for n in names}
    tap.equal('they are where they were wanted, names escaped',
              below(copies), files)
    report = lab.json('report', run)['executions'][0]
    tap.equal('the report has the names', sorted(report['artifacts']),
              sorted('1/' + n for n in names))
    tap.equal('and what a limit left out', report['artifacts_left_out'], 1)
    tap.ok('the summary says it', '1 were left out' in done.stdout,
           done.stdout)
    with open(page) as f:
        links = re.findall('href="([^"]*)"', f.read())
    tap.equal('links of the page are relative and lead there', sorted(
        os.path.relpath(os.path.join(lab.dir, 'page',
                                     urllib.parse.unquote(x)), copies)
        for x in links if not x.startswith('/')), sorted(files))
    page = lab.cli('report', run, '--format', 'html').stdout
    links = [urllib.parse.unquote(x) for x in
             re.findall('href="([^"]*)"', page)]
    tap.ok('those of the state folder as well', len(links) == 4 and
           all(os.path.exists(os.path.join(lab.dir, x)) for x in links),
           links)
    again = lab.cli('resume', run, '--artifacts', lab.dir + '/again')
    tap.equal('resume copies, too', (again.returncode, below(
        lab.dir + '/again')), (0, files))
    bad = lab.cli('resume', run, '--artifacts', '/proc/none')
    tap.ok('a folder that cannot be is said', bad.returncode == 2 and
           '--artifacts' in bad.stderr, bad.stderr)
    bad = lab.cli('run', path, '--artifacts', copies, '--detach')
    tap.equal('nobody copies of what is detached', bad.returncode, 4)


def main():
    sshd.need()
    with Lab(1, max_workers=2) as lab:
        for test in (test_console_killed, test_link_cut, test_host_away,
                     test_copies):
            tap.note(test.__name__)
            test(lab)
    tap.done()


main()
