# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that fill: of an agent while it runs, and of the console. What cannot
be recorded is not lost, nothing runs twice, and with room again it goes on."""

import os

import sshd
import tap
from disks import MB, fill, need_mounts, small_disk
from lab import Lab

def suite(name, command, n, **more):
    return dict({'name': name, 'command': command,
                 'tests': ['%s%d' % (name, i) for i in range(n)]}, **more)


def plan_of(lab, *suites, **more):
    return lab.plan(dict({'name': 'p', 'parallel': 'tests', 'order': 'plan',
                          'suites': list(suites)}, **more))


def tests_of(lab, run):
    return {x['steps'][0]['test']: x
            for x in lab.json('report', run)['executions']}


def ran_once(lab, name, run, n):
    times = {k: v for k, v in lab.ran_times().items()
             if k.startswith(run + '/')}
    tap.equal(name + ': nothing is lost, and nothing ran twice',
              (len(times), set(times.values())), (n, {1}))


def of_agent(lab):
    host = lab.hosts[0]
    with small_disk(host.state, '160m', host.kill_all) as filler:
        fill(filler, 70 * MB)   # more than the guard of 64 MB is left
        process, run = lab.start_run(plan_of(
            lab, suite('big', ['head', '-c', '120000000', '/dev/zero'], 1,
                       agents=['lab-1'], error_retries=0),
            suite('s', [lab.work, '0.3'], 16)))
        said = process.communicate()
        tests = tests_of(lab, run)
        tap.ok('it fills while a command writes: an error that says so',
               process.returncode == 2 and tests['big0']['state'] == 'error'
               and 'disk of the spool is full' in tests['big0']['text'],
               '%s%s' % said)
        tap.ok('a long line of output is cut',
               max(len(x) for x in said[0].splitlines()) < 2000)
        del tests['big0']
        tap.equal('the others pass', {x['state'] for x in tests.values()},
                  {'passed'})
        tap.ok('what was refused once is not sent there again and again',
               max(x['attempt'] for x in tests.values()) <= 3, str(tests))
        ran_once(lab, 'a full agent', run, 16)
        listed = lab.json('agents')['agents'][0]
        tap.ok('the agent lives, and says why it starts nothing',
               listed['link'] == 'up' and 'disk' in (listed['guard'] or ''),
               str(listed))
        process, run = lab.start_run(plan_of(
            lab, suite('later', [lab.work, '0'], 4, agents=['lab-1'])))
        why = ''
        for _ in range(200):    # until the first view of it
            if 'guard' not in why:
                why = lab.cli('why', run + '/1').stdout
        tap.ok('why names the guard', '* guard: ' in why and 'disk' in why,
               why)
        os.unlink(filler)
        said = process.communicate()
        tap.ok('with room again it works', process.returncode == 0 and
               '4 passed' in said[0], '%s%s' % said)


def paused(process):
    for line in process.stderr:
        if 'console-paused' in line:
            return line
    return ''


def of_console(lab):
    state = lab.dir + '/console'
    with small_disk(state, '2m', lambda: None) as filler:
        process, run = lab.start_run(plan_of(
            lab, suite('s', [lab.work, '0.3'], 30)))
        lab.watch.wait(lambda w: w.count() == 4)
        fill(filler)
        line = paused(process)
        tap.ok('a full console says that it is paused', 'full' in line, line)
        lab.watch.wait(lambda w: w.count() == 0)
        started = len(lab.watch.starts)
        why = lab.cli('why', run + '/30').stdout
        tap.ok('and so does why', '* console-paused: ' in why and
               'full' in why, why)
        tap.ok('no more was started than had been sent', started < 30 and
               len(lab.watch.starts) == started, started)
        done = lab.cli('run', plan_of(lab, suite('x', [lab.work, '0'], 1)))
        tap.ok('a launch says what is wrong', done.returncode == 2 and
               'No space left' in done.stderr, done.stderr)
        os.unlink(filler)
        said = process.communicate()
        tap.ok('with room again it goes on', process.returncode == 0 and
               '30 passed' in said[0], '%s%s' % said)
        ran_once(lab, 'a full console', run, 30)
        listed = {r['id']: r for r in lab.json('runs')['runs']}
        tap.equal('and is over', listed[run]['state'], 'ended')
        tap.ok('the launch that failed left no run', all(
            r['state'] == 'ended' for r in listed.values()), str(listed))
        at_its_end(lab, filler)
        killed(lab, filler)
        changed(lab, filler)
        no_room_for_artifacts(lab, filler)


def at_its_end(lab, filler):
    """All results come while the disk is full."""
    process, run = lab.start_run(plan_of(
        lab, suite('end', [lab.work, '0.5'], 4)))
    lab.watch.wait(lambda w: w.count() == 4)
    fill(filler)
    paused(process)
    lab.watch.wait(lambda w: w.count() == 0)
    os.unlink(filler)
    said = process.communicate()
    tap.ok('full at the end of a run: it ends when there is room',
           process.returncode == 0 and '4 passed' in said[0] and
           'ended' in said[0], '%s%s' % said)
    tests = tests_of(lab, run)
    tap.equal('full at the end of a run: every result is recorded',
              [len(x['steps'][0]['tries']) for x in tests.values()], [1] * 4)
    listed = {r['id']: r for r in lab.json('runs')['runs']}
    tap.equal('full at the end of a run: it is over', listed[run]['state'],
              'ended')


def killed(lab, filler):
    """The console dies while it cannot write: the agents have it all."""
    process, run = lab.start_run(plan_of(
        lab, suite('k', [lab.work, '0.5'], 6)))
    lab.watch.wait(lambda w: w.count() == 4)
    fill(filler)
    paused(process)
    process.kill()
    process.wait()
    os.unlink(filler)
    done = lab.cli('resume', run)
    tap.ok('killed while full: resume ends it', done.returncode == 0 and
           '6 passed' in done.stdout, done.stdout + done.stderr)
    ran_once(lab, 'killed while full', run, 6)


def wait_for(process, word):
    for line in process.stderr:
        if word in line:
            return True
    return False


def changed(lab, filler):
    """What people change, and what happens, while it is full is recorded
    once there is room; then the console dies and another one takes over."""
    process, run = lab.start_run(plan_of(
        lab, suite('c', [lab.work, '0.5'], 4),
        suite('left', ['sh', '-c', 'echo $YARDMASTER_TEST >out; exit 1'], 1,
              workspace='empty', artifacts=['out'], needs=['c']),
        suite('d', [lab.work, '0.1'], 2, needs=['c'])))
    lab.watch.wait(lambda w: w.count() == 4)
    fill(filler)
    paused(process)
    said = [lab.cli('hold', run + '/6', '--note', 'why not'),
            lab.cli('hold', run + '/7'), lab.cli('release', run + '/7'),
            lab.cli('priority', run, '7')]
    tap.ok('changed while full: it is done, and said not to be recorded yet',
           all(x.returncode == 0 and 'cannot be recorded yet' in
               x.stdout + x.stderr for x in said), str(said))
    lab.watch.wait(lambda w: w.count() == 0)
    os.unlink(filler)
    tap.ok('changed while full: it goes on', wait_for(process, 'goes on'))
    lab.until(lambda: len(brought(lab, run)) == 1)
    tap.ok('changed while full: what failed is an event', lab.until(
        lambda: 'execution 5 (left0) failed' in lab.cli('events').stdout))
    process.kill()
    process.wait()
    process = lab.start('resume', run)
    tap.ok('taken over', wait_for(process, 'took over'))
    made = lab.json('amendments', run)['amendments']
    tap.equal('every amendment is there, once, in order',
              [(x['kind'], x['object']) for x in made],
              [('hold', run + '/6'), ('hold', run + '/7'),
               ('release', run + '/7'), ('priority', run)])
    why = lab.until(lambda: 'why not' in (
        w := lab.cli('why', run + '/6').stdout) and w)
    tap.ok('and holds', why, lab.cli('why', run + '/6').stdout)
    events = [x['text'] for x in lab.json('events')['events']
              if x['object'] == run]
    tap.equal('and so is every event', [sum(x.startswith(y) for x in events)
                                        for y in (
        'launched', 'hold %s/6' % run, 'hold %s/7' % run, 'priority',
        'execution 5 (left0) failed', 'took over')], [1] * 6)
    lab.cli('release', run + '/6')
    said = process.communicate()
    tap.ok('released, it ends', process.returncode == 1 and
           '6 passed' in said[0], '%s%s' % said)
    ran_once(lab, 'changed while full', run, 6)
    tests = tests_of(lab, run)
    tap.equal('every attempt is there once', {
        len(x['steps'][0]['tries']) for x in tests.values()}, {1})
    tap.equal('and the artifact', tests['left0']['artifacts'], ['1/out'])


def brought(lab, run):
    root = '%s/console/yardmaster/runs/%s.artifacts' % (lab.dir, run)
    return {os.path.join(d, f): os.path.getsize(os.path.join(d, f))
            for d, _, files in os.walk(root) for f in files
            if not f.endswith('.part')}


def no_room_for_artifacts(lab, filler):
    """There is room for what is recorded, but not for a large artifact."""
    go = lab.dir + '/go'
    process, run = lab.start_run(plan_of(
        lab, suite('a', ['sh', '-c', 'head -c 700000 /dev/zero >out; '
                         'while ! test -e %s; do sleep 0.1; done' % go], 1,
                   workspace='empty', artifacts=['out'])))
    disk = os.statvfs(lab.dir + '/console')
    fill(filler, disk.f_bavail * disk.f_frsize - 500000)
    open(go, 'w').close()
    tap.ok('an artifact without room waits, and that is said', lab.until(
        lambda: 'artifact out of attempt 1 waits: No space' in
        lab.cli('events').stdout))
    tap.equal('without being recorded as missing', process.poll(), None)
    os.unlink(filler)
    said = process.communicate()
    tap.ok('with room again it comes', process.returncode == 0 and
           list(brought(lab, run).values()) == [700000], '%s%s' % said)


def main():
    sshd.need()
    need_mounts()
    with Lab(2, max_workers=2) as lab:
        os.mkdir(lab.dir + '/empty')
        of_agent(lab)
        of_console(lab)
    tap.done()


main()
