# SPDX-License-Identifier: GPL-3.0-or-later
"""What an agent promises through crashes: started at most once, every end
reported, nothing forgotten that was not acknowledged."""

import collections
import contextlib
import fcntl
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile

import agentclient as ac
import tap
from agentclient import R, Agent, Gate, agent, ids, work


def counted(a, gate=None):
    """A command that notes that it ran, then waits for the gate."""
    mark = os.path.join(a.dir, 'ran')
    note = 'echo $YARDMASTER_ATTEMPT >> %s; echo x;' % mark
    return gate.command(note) if gate else ['sh', '-c', note]


def ran(a):
    with open(os.path.join(a.dir, 'ran')) as f:
        return collections.Counter(f.read().split())


def test_daemon_killed_while_it_runs():
    with agent(workers=2) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, n, counted(a, gate)) for n in (1, 2, 3)])
        for i in ids(1, 2):
            link.wait_output(i)
        workers = a.worker_pids()
        a.kill()
        link.wait_closed()
        link = a.connect()
        link.sync(R, 1)
        tap.equal('found running', sorted(
            (i, rs[0]['state']) for i, rs in link.reports.items()),
            list(zip(ids(1, 2, 3), ('running', 'running', 'queued'))))
        tap.equal('by the same workers', sorted(a.worker_pids()),
                  sorted(workers))
        gate.open(3)
        got = link.wait_ended(ids(1, 2, 3))
        tap.equal('all passed', [r['outcome'] for r in got], ['passed'] * 3)
        tap.equal('each ran once', set(ran(a).values()), {1})
        gate.open(1)
        link.start(R, 1, [work(R, 4, counted(a, gate))])
        tap.equal('adopted workers go on',
                  link.wait_ended(ids(4))[0]['outcome'], 'passed')


def test_ends_while_no_daemon_is_there():
    with agent(workers=2) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, n, counted(a, gate)) for n in (1, 2)])
        for i in ids(1, 2):
            link.wait_output(i)
        workers = a.worker_pids()
        a.kill()
        gate.open(2)
        for pid in workers:
            a.wait_gone(pid)
        tap.equal('workers end when alone', a.worker_pids(), [])
        link = a.connect()
        link.sync(R, 1)
        tap.equal('their results are reported', [
            link.reports[i][0].get('outcome') for i in ids(1, 2)],
            ['passed', 'passed'])
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        tap.equal('and again until acknowledged', len(link.reports), 2)
        link.ack(ids(1, 2))
        link.ping()
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        tap.equal('then no more', link.reports, {})
        tap.equal('each ran once', set(ran(a).values()), {1})


def test_group_of_a_worker():
    """What left its session and its environment is ended with its worker,
    where the host lets us make groups."""
    with agent(workers=1) as a:
        gate, note = Gate(a), Gate(a, 'note')
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, gate.command(
            'setsid env -i /bin/sh -c "echo \\$\\$ > %s; exec sleep 1000" &'
            % note.path))])
        pid = int(os.read(note.fd, 20))
        tap.ok('it runs', os.path.exists('/proc/%d' % pid))
        file = os.path.join(a.spool, 'worker-1.group')
        if not os.path.exists(file):
            a.kill(pid)
            tap.skip('ended with its worker', 'no control groups here')
            return
        with open(file) as f:
            group = f.read()
        a.kill(a.worker_pids()[0])
        link.wait_report(ids(1)[0], 'lost')
        tap.ok('ended with its worker', a.wait_gone(pid))
        a.run('quit')
        link.wait_closed()
        tap.ok('its group is gone', not os.path.exists(group), group)


def test_worker_killed():
    with agent(workers=1) as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['sh', '-c', 'echo $$; exec sleep 600']),
                          work(R, 2, ['true'])])
        pid = int(link.wait_output(ids(1)[0]))
        a.kill(a.worker_pids()[0])
        got = link.wait_ended(ids(1))[0]
        tap.equal('lost', (got['state'], got['outcome']), ('lost', 'error'))
        tap.ok('the worker is named', 'worker 1' in got['text'], got)
        tap.ok('its step is ended', a.wait_gone(pid))
        tap.equal('the next one has a new worker',
                  link.wait_ended(ids(2))[0]['outcome'], 'passed')


def test_same_attempt_of_another_agent():
    """Whose worker dies ends its own processes, not those of an agent that
    happens to run an attempt of the same name."""
    with agent(workers=1) as a, agent(workers=1) as other:
        gates, links = [], []
        for x in (a, other):
            gates.append(Gate(x))
            links.append(x.connect())
            links[-1].sync(R, 1)
            links[-1].start(R, 1, [work(R, 1, gates[-1].command('echo x;'))])
            links[-1].wait_output(ids(1)[0])
        a.kill(a.worker_pids()[0])
        tap.equal('lost', links[0].wait_ended(ids(1))[0]['state'], 'lost')
        gates[1].open()
        tap.equal('that of the other agent goes on',
                  links[1].wait_ended(ids(1))[0]['outcome'], 'passed')


def test_helper_loses_its_daemon():
    """A helper whose daemon dies between its connect and its question."""
    if shutil.which('strace') is None:
        tap.skip('a helper asks again', 'no strace to be in between')
        return
    with agent(workers=1, settings={
            'env': {'ASAN_OPTIONS': 'detect_leaks=0'}}) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, gate.command(
            'strace -qq -o %s/trace -e inject=write:error=EPIPE:'
            'signal=SIGPIPE:when=1 %s progress half; echo code $?;' % (
                a.dir, os.path.abspath(ac.PROGRAM))))])
        tap.equal('it lives', link.wait_output(ids(1)[0]), b'code 0\n')
        link.wait_facts(lambda f: f['workers'][0].get('progress') == 'half')
        tap.ok('and asks again', True)
        gate.open()
        link.wait_ended(ids(1))


def test_all_killed():
    with agent(workers=1) as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['sh', '-c', 'echo $$; exec sleep 600']),
                          work(R, 2, ['true'])])
        pid = int(link.wait_output(ids(1)[0]))
        daemon, worker = a.pid(), a.worker_pids()[0]
        os.kill(daemon, signal.SIGSTOP)
        a.kill(worker)
        a.kill(daemon)
        link = a.connect()
        link.sync(R, 1)
        got = link.wait_ended(ids(1))[0]
        tap.equal('lost', got['state'], 'lost')
        tap.ok('its step is ended', a.wait_gone(pid))
        tap.equal('what was queued runs',
                  link.wait_ended(ids(2))[0]['outcome'], 'passed')


@contextlib.contextmanager
def idle_worker_stopped():
    """An agent whose one worker is stopped and has been given execution 2,
    which it has not begun: (agent, link, worker)."""
    with agent(workers=1) as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['true'])])
        link.wait_ended(ids(1))
        worker = a.worker_pids()[0]
        os.kill(worker, signal.SIGSTOP)
        link.start(R, 1, [work(R, 2, counted(a))])
        link.wait_report(ids(2)[0], 'running')
        yield a, link, worker


def never_ran(a):
    return not os.path.exists(os.path.join(a.dir, 'ran'))


def test_worker_killed_before_it_begins():
    with idle_worker_stopped() as (a, link, worker):
        a.kill(worker)
        got = link.wait_ended(ids(2))[0]
        tap.equal('another worker runs it', got.get('outcome'), 'passed')
        tap.equal('once', ran(a), {ids(2)[0]: 1})


def test_all_killed_before_it_begins():
    with idle_worker_stopped() as (a, link, worker):
        os.kill(a.pid(), signal.SIGSTOP)
        a.kill(worker)
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        got = link.wait_ended(ids(2))[0]
        tap.equal('it goes back in line', got.get('outcome'), 'passed')
        tap.equal('and runs once', ran(a), {ids(2)[0]: 1})


def test_cancelled_before_it_begins():
    with idle_worker_stopped() as (a, link, worker):
        link.cancel(ids(2))
        link.wait_report(ids(2)[0], 'ending')
        os.kill(a.pid(), signal.SIGSTOP)
        a.kill(worker)
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        got = link.wait_ended(ids(2))[0]
        tap.equal('what was to be cancelled is not put back',
                  (got['state'], got['outcome']), ('ended', 'cancelled'))
        tap.ok('and never runs', never_ran(a))


def test_cancel_is_said_again():
    with agent(workers=1) as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['sh', '-c', 'echo x; exec sleep 600'])])
        link.wait_output(ids(1)[0])
        worker = a.worker_pids()[0]
        os.kill(worker, signal.SIGSTOP)
        link.cancel(ids(1), grace_s=0.1)
        link.wait_report(ids(1)[0], 'ending')
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        os.kill(worker, signal.SIGCONT)
        tap.equal('a cancel outlives the daemon',
                  link.wait_ended(ids(1))[0]['outcome'], 'cancelled')


def test_worker_slower_than_the_death_of_its_daemon():
    with agent(workers=1) as a:
        link = a.connect()
        link.sync(R, 1)
        with open(os.path.join(a.spool, 'worker-1.lock'), 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            link.start(R, 1, [work(R, 1, counted(a))])
            link.wait_report(ids(1)[0], 'running')
            # It may be about to become the program, and show no name yet.
            with open('/proc/%d/task/%d/children' % (a.pid(), a.pid())) as f:
                worker = int(f.read().split()[0])
            a.kill()
        a.wait_gone(worker)
        tap.ok('it begins nothing any more', never_ran(a))
        link = a.connect()
        link.sync(R, 1)
        tap.equal('which another one does',
                  link.wait_ended(ids(1))[0].get('outcome'), 'passed')
        tap.equal('once', ran(a), {ids(1)[0]: 1})


def test_reboot():
    with agent(workers=1) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, gate.command('echo log;')),
                          work(R, 2, ['true'])])
        link.wait_output(ids(1)[0])
        worker = a.worker_pids()[0]
        a.kill()
        a.kill(worker)
        gate.open()
        db = sqlite3.connect(os.path.join(a.spool, 'journal.db'))
        with db:
            db.execute("UPDATE attempts SET boot = 'another' "
                       "WHERE boot != ''")
            db.execute("UPDATE settings SET value = 'another' "
                       "WHERE key = 'boot'")
        db.close()
        a.configure({'max_workers': 3})
        link = a.connect()
        link.sync(R, 1)
        got = link.wait_ended(ids(1))[0]
        tap.ok('what ran is lost, and says why',
               got['state'] == 'lost' and 'host' in got['text'], got)
        tap.ok('with the log so far',
               link.tail(ids(1)[0])[0].startswith(b'log'))
        tap.equal('what was queued runs',
                  link.wait_ended(ids(2))[0]['outcome'], 'passed')
        tap.equal('it was a full start', link.facts['max_workers'], 3)


def storm(name, how):
    """Many short attempts while the daemon goes down again and again."""
    with agent(workers=3) as a:
        link = a.connect()
        link.sync(R, 1)
        all_ids = ids(*range(1, 301))
        link.start(R, 1, [work(R, n, counted(a), cwd=a.dir)
                          for n in range(1, 301)])
        ended = {}
        for until in (50, 100, 150, 200, 250, 300):
            while len(ended) < until:
                number, _ = link.recv()
                if number == ac.REPORT:
                    ended.update({i: rs[-1] for i, rs in link.reports.items()
                                  if rs[-1]['state'] in ('ended', 'lost')})
            if until < 300:
                how(a)
                link = a.connect()
                link.sync(R, 1)
        counts = ran(a)
        lost = [i for i in all_ids if ended[i]['state'] == 'lost']
        tap.ok(name + ': none ran twice', max(counts.values()) == 1,
               counts.most_common(3))
        tap.ok(name + ': what passed ran', all(
            counts[i] == 1 for i in all_ids if i not in lost))
        tap.equal(name + ': none is lost', lost, [])


def test_storm_of_restarts():
    storm('restart', lambda a: a.run('restart'))


def test_storm_of_kills():
    storm('kill -9', lambda a: a.kill())


def test_quit_keeps_the_queue():
    with agent(workers=1) as a:
        gate = Gate(a)
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, counted(a, gate)),
                          work(R, 2, counted(a))])
        link.wait_report(ids(1)[0], 'running')
        a.run('quit')
        link = a.connect()
        link.sync(R, 1)
        gate.open()
        tap.equal('both end', [r['outcome'] for r in
                               link.wait_ended(ids(1, 2))], ['passed'] * 2)
        tap.equal('each ran once', set(ran(a).values()), {1})


def test_damaged_journal():
    with agent() as a:
        a.connect()
        a.run('quit')
        path = os.path.join(a.spool, 'journal.db')
        with open(path, 'r+b') as f:
            f.write(b'no database at all' * 50)
        got = a.run('start')
        tap.ok('is refused with its name', got.returncode == 1 and
               'journal.db' in got.stderr, got.stderr)


@contextlib.contextmanager
def small_disk(size):
    """A file system of that size, or None where none can be made."""
    where = tempfile.mkdtemp(prefix='ym-disk-')
    made = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=' + size,
                           'tmpfs', where], capture_output=True)
    try:
        yield where if made.returncode == 0 else None
    finally:
        if made.returncode == 0:
            subprocess.run(['umount', '-l', where], check=True)
        os.rmdir(where)


def test_full_disk():
    with small_disk('8m') as disk:
        if disk is None:
            tap.skip('full disk', 'cannot mount a small tmpfs here')
            return
        a = Agent(state=os.path.join(disk, 's'))
        try:
            link = a.connect()
            link.sync(R, 1)
            link.start(R, 1, [work(R, 1, ['true'])])
            got = link.returned(ids(1)[0])
            tap.ok('too little room: not taken', got['returned'] and
                   'disk' in got['why'], got)
            tap.ok('the guard is shown', 'disk' in
                   (link.wait_facts(lambda f: f['guard'])['guard']))
            a.run('quit')
            a.configure({'guards': {'free_disk': '1M'}, 'max_workers': 1})
            link = a.connect()
            link.sync(R, 1)
            fill = os.path.join(disk, 'fill')
            link.start(R, 1, [work(R, 2, [
                'sh', '-c', 'cat /dev/zero; exit 1']), work(R, 3, ['true'])])
            got = link.wait_ended(ids(2))[0]
            tap.ok('full while it runs: an error that says so',
                   got['outcome'] == 'error' and
                   'full' in got['steps'][0]['text'], got)
            with open(fill, 'wb') as f, contextlib.suppress(OSError):
                f.write(b'x' * (8 << 20))
            link.ping()
            tap.ok('the next one waits', link.facts['queued'] == 1 or
                   ids(3)[0] not in link.reports or
                   link.reports[ids(3)[0]][-1]['state'] != 'lost')
            a.kill()
            os.unlink(os.path.join(a.spool, 'out', R + '.2.1'))
            with contextlib.suppress(OSError):
                os.unlink(fill)
            link = a.connect()
            link.sync(R, 1)
            tap.equal('nothing recorded is lost',
                      link.reports[ids(2)[0]][0]['outcome'], 'error')
            tap.equal('with room again it goes on',
                      link.wait_ended(ids(3))[0]['outcome'], 'passed')
        finally:
            a.close()


def test_full_disk_and_capped_output():
    with small_disk('8m') as disk:
        if disk is None:
            tap.skip('capped output', 'cannot mount a small tmpfs here')
            return
        a = Agent(state=os.path.join(disk, 's'))
        try:
            a.configure({'guards': {'free_disk': '1M'}, 'out_cap': '64M'})
            link = a.connect()
            link.sync(R, 1)
            link.start(R, 1, [work(R, 1, [
                'head', '-c', '20000000', '/dev/zero'])])
            got = link.wait_ended(ids(1))[0]
            tap.equal('output that finds no room: an error that says so',
                      (got['outcome'], got['text'], got['out_bytes']),
                      ('error', 'cannot write its output: '
                       'No space left on device', 20000000))
        finally:
            a.close()


def main():
    for name, fn in sorted(globals().items()):
        if name.startswith('test_'):
            tap.note(name)
            fn()
    tap.done()


main()
