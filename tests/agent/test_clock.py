# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall clocks that jump, by days, while things run: of an agent and its
workers, and of a console. Lengths and deadlines do not follow them."""

import datetime
import json
import os
import re
import shutil
import struct
import subprocess
import tempfile
import threading
import time

import agentclient as ac
import tap
from agentclient import R, Agent, Gate, ids, work

DAY = 86400
SRC = os.environ.get('YM_SRCDIR', '.')
CONSOLE = os.path.join(os.environ.get('YM_BUILDDIR', '.'), 'yardmaster')


class Clock:
    """A wall clock for those who are started with env."""

    def __init__(self, folder):
        self.path = folder + '/shift'
        self.jump(0)
        library = folder + '/shift.so'
        if subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', library,
                           SRC + '/tests/lib/clock_shift.c']).returncode:
            tap.skip_all('skipped: no library can be built to be preloaded')
        self.env = {'LD_PRELOAD': library, 'YM_CLOCK_SHIFT': self.path}

    def jump(self, seconds):
        """It is off by so much from now on."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(fd, struct.pack('=q', seconds), 0)
        os.close(fd)


def until(what):
    end, tick = time.monotonic() + 30, threading.Event()
    while not what() and time.monotonic() < end:
        tick.wait(0.01)


def set_meanwhile(a, link, clock):
    """What an attempt wrote, and how long a hold lasts, when the clock is set
    in between."""
    gate, folder = Gate(a, 'other'), a.dir + '/shared'
    os.mkdir(folder)
    clock.jump(DAY)
    link.start(R, 1, [work(R, 5, gate.command('echo x;', 'echo y >found'),
                           cwd=folder, artifacts=['found'],
                           artifacts_max=1000)])
    link.wait_output(ids(5)[0])
    clock.jump(0)
    gate.open()
    tap.equal('its files are found though they are older than its start', [
        f['name'] for f in link.wait_ended(ids(5))[0].get('artifacts', [])],
        ['found'])
    link.ack(ids(5))
    soon = datetime.datetime.now(datetime.timezone.utc) + \
        datetime.timedelta(hours=1)
    link.ask(ac.MODE, mode='hold',
             expires=soon.strftime('%Y-%m-%dT%H:%M:%SZ'))
    tap.ok('held', link.wait_facts(lambda f: f.get('held')))
    link.ping()
    link.inbox.clear()
    clock.jump(DAY)
    tap.ok('a hold ends when the clock has passed its time',
           not link.wait_facts(lambda f: not f.get('held')).get('held'))


def of_agent(clock):
    a = Agent()
    a.configure({'max_workers': 3, 'env': clock.env})
    daemon = subprocess.Popen(
        [ac.PROGRAM, 'serve', '--instance', 't'],
        env=dict(a.env, **clock.env), stdin=subprocess.DEVNULL)
    try:
        gate = Gate(a)
        until(lambda: os.path.exists(a.spool + '/agent.sock'))
        link = a.connect()
        tap.equal('the daemon has that clock', a.pid(), daemon.pid)
        link.sync(R, 1)
        steps = [{'label': 's', 'argv': gate.command(), 'timeout_s': 600,
                  'silence_s': 600}]
        link.start(R, 1, [work(R, 1, None, steps=steps)])
        link.wait_report(ids(1)[0], 'running')
        for shift in (DAY, -2 * DAY, 3 * DAY):
            clock.jump(shift)
            link.wait(ac.FACTS)
            link.wait(ac.FACTS)
        tap.equal('what runs goes on', [r['state'] for r in
                                        link.reports[ids(1)[0]]],
                  ['running'])
        if len(link.reports[ids(1)[0]]) > 1:
            tap.note(str(link.reports))
        steps = [{'label': 's2', 'argv': ['sleep', '1000'], 'timeout_s': 3}]
        link.start(R, 1, [work(R, 2, None, steps=steps)])
        link.wait_report(ids(2)[0], 'running')
        clock.jump(-DAY)
        late = link.wait_ended(ids(2))[0]
        tap.ok('a timeout comes when it is due, back or not',
               late['outcome'] == 'timeout' and 3 <= late['elapsed_s'] < 100,
               late)
        set_meanwhile(a, link, clock)
        clock.jump(4 * DAY)
        link.start(R, 1, [work(R, 4, gate.command('echo x;'))])
        link.wait_output(ids(4)[0])
        a.kill()
        daemon.wait()
        link = a.connect()      # to a daemon whose clock is right
        link.sync(R, 1)
        lengths = [w['elapsed_s'] for w in link.facts['workers']
                   if w.get('busy')] + \
            [link.wait_report(i, 'running').get('elapsed_s', 0)
             for i in ids(1, 4)]
        tap.ok('what a daemon finds has no length below nothing',
               len(lengths) == 4 and min(lengths) >= 0, lengths)
        clock.jump(-3 * DAY)
        gate.open(2)
        done = link.wait_ended(ids(1, 4))[0]
        tap.ok('its length is that of what passed', done['outcome'] ==
               'passed' and 10 <= done['elapsed_s'] < 300, done)
        tap.ok('though it ended before it began, on the wall',
               done['ended'] < done['started'], done)
        link.ack(ids(1, 2, 4))
        link.ping()
        a.kill()
        clock.jump(5 * DAY)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 3, ['true'])])
        tap.equal('its next daemon goes on', link.wait_ended(ids(3))[0][
            'outcome'], 'passed')
    finally:
        a.close()
        daemon.wait()


def console(clock, folder):
    """A console whose clock jumps between any two ends."""
    env = dict(os.environ, HOME=folder, XDG_STATE_HOME=folder + '/state',
               XDG_CONFIG_HOME=folder + '/config', NO_COLOR='1', **clock.env)
    with open(folder + '/fleet.json', 'w') as f:
        json.dump({'name': 'f', 'agents': [
            {'name': 'here', 'transport': 'local', 'max_workers': 2}]}, f)
    with open(folder + '/plan.json', 'w') as f:
        json.dump({'name': 'p', 'parallel': 'tests', 'lost_after': '30s',
                   'retries': 1, 'retry_delay': '1s', 'timeout': '10m',
                   'suites': [{'name': 's', 'tests': [
                       't%d' % i for i in range(8)], 'command': [
                       'sh', '-c', 'test "${YARDMASTER_ATTEMPT##*/}" = 2']}]},
                  f)
    p = subprocess.Popen(
        [CONSOLE, 'run', 'plan.json', '--fleet', 'fleet.json'], env=env,
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, encoding='utf-8')
    run = next(m.group(1) for m in (re.search(
        r'run (r[0-9a-z]{10}),', line) for line in p.stderr) if m)
    shifts, said = [DAY, -2 * DAY, 3 * DAY, -DAY, 0], []
    for n, line in enumerate(p.stdout):
        said.append(line)
        clock.jump(shifts[n % len(shifts)])
    err = p.stderr.read()
    tap.equal('all are healed', (p.wait(), len([
        x for x in said if '] healed' in x])), (0, 8))
    report = json.loads(subprocess.run(
        [CONSOLE, 'report', run], env=env, cwd=folder,
        stdout=subprocess.PIPE).stdout)
    tries = [t for x in report['executions'] for s in x['steps']
             for t in s['tries']]
    tap.ok('by two tries each, none of them long, none lost',
           len(tries) == 16 and not re.search('lost|silent', err), tries)
    events = subprocess.run(
        [CONSOLE, 'runs', '--json'], env=env, cwd=folder,
        stdout=subprocess.PIPE).stdout
    tap.equal('the run has ended', [r['state'] for r in json.loads(events)[
        'runs']], ['ended'])


def main():
    if shutil.which('cc') is None:
        tap.skip_all('skipped: no C compiler')
    with tempfile.TemporaryDirectory(prefix='ym-clock-') as folder:
        clock = Clock(folder)
        of_agent(clock)
        clock.jump(0)
        console(clock, folder)
    tap.done()


main()
