# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent with much to keep, with loud work, and with nothing to do."""

import contextlib
import datetime
import os
import signal
import sqlite3
import statistics
import subprocess
import time

import agentclient as ac
import tap
from agentclient import R, Gate, agent, ids, work

HELD = 1000
ROWS = 100000
PIECE = 20000000         # bytes of loud work between two looks
SAMPLES = 20


def sanitized():
    with open(ac.PROGRAM, 'rb') as f:
        return b'__asan_init' in f.read()


def proc(pid, name, key):
    """A number of a file in /proc; of all lines with that key the sum."""
    with open('/proc/%d/%s' % (pid, name)) as f:
        return sum(int(line.split()[1]) for line in f
                   if line.startswith(key + ':'))


def cpu_s(pid):
    """What a process has used of CPUs: says the same on a busy machine."""
    with open('/proc/%d/stat' % pid) as f:
        words = f.read().rpartition(')')[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


def test_held_for_an_absent_console():
    with agent(workers=8) as a:
        link = a.connect()
        link.sync(R, 1)
        mark = os.path.join(a.dir, 'ran')
        command = ['sh', '-c', 'echo $YARDMASTER_EXECUTION >> ' + mark]
        for first in range(1, HELD + 1, 100):
            link.start(R, 1, [work(R, n, command)
                              for n in range(first, first + 100)])
        link.wait_report(ids(HELD)[0], 'queued', 'running', 'ended')
        link.close()
        a.links.remove(link)
        look = a.connect('--read-only')
        look.wait_facts(lambda f: f['busy'] == 0 and f['queued'] == 0)
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        got = [link.reports['%s/%d/1' % (R, n)][-1]
               for n in range(1, HELD + 1)]
        tap.equal('all ends are told after a crash, none twice',
                  ([r['outcome'] for r in got].count('passed'),
                   sum(len(r) for r in link.reports.values())),
                  (HELD, HELD))
        with open(mark) as f:
            tap.equal('each ran once', len(set(f.read().split())), HELD)
        link.ack(['%s/%d/1' % (R, n) for n in range(1, HELD + 1)])
        link.ping()
        a.kill()
        link = a.connect()
        link.sync(R, 1)
        tap.equal('what is acknowledged is forgotten', link.reports, {})


def fill(a):
    """Makes the one ended attempt of the journal ROWS of them."""
    db = sqlite3.connect(os.path.join(a.spool, 'journal.db'))
    columns = [c[1] for c in db.execute('pragma table_info(attempts)')]
    row = dict(zip(columns, db.execute(
        'select * from attempts').fetchone()))
    with db:
        db.executemany(
            'insert into attempts values (%s)' % ','.join('?' * len(row)),
            (tuple(dict(row, execution=n, seq=n, result=row['result'].replace(
                '/1/1', '/%d/1' % n)).values()) for n in range(2, ROWS + 1)))
    db.close()


def test_many_rows():
    with agent() as a:
        link = a.connect()
        link.sync(R, 1)
        link.start(R, 1, [work(R, 1, ['true'])])
        link.wait_ended(ids(1))
        link.close()
        a.links.remove(link)
        a.run('quit')
        fill(a)
        since = time.monotonic()
        tap.equal('starts', a.run('start').returncode, 0)
        took, used = time.monotonic() - since, cpu_s(a.pid())
        tap.note('start with %d ends to keep: %.2f s, %.2f s of CPU' % (
            ROWS, took, used))
        tap.ok('soon', used < (10 if sanitized() else 2), used)
        link = a.connect()
        link.sync(R, 1)
        tap.equal('all are told, although a link takes less at once',
                  len(link.reports), ROWS)
        every = ['%s/%d/1' % (R, n) for n in range(1, ROWS + 1)]
        for i in range(0, ROWS, 10000):
            link.ack(every[i:i + 10000])
        link.ping()
        link.sync(R, 1)
        link.start(R, 1, [work(R, ROWS + 1, ['true'])])
        tap.equal('and it goes on', link.wait_ended(
            ['%s/%d/1' % (R, ROWS + 1)])[0]['outcome'], 'passed')


def seconds(text):
    return datetime.datetime.fromisoformat(
        text.replace('Z', '+00:00')).timestamp()


def delays(a, link, first, n):
    """How long after its command's last word each end was noted, in s."""
    out = []
    stamp = os.path.join(a.dir, 'stamp')
    for k in range(first, first + n):
        link.start(R, 1, [work(R, k, ['sh', '-c',
                                      'date +%s.%N > ' + stamp])])
        report = link.wait_ended(ids(k))[0]
        with open(stamp) as f:
            said = float(f.read())
        out.append(seconds(report['ended']) - said)
        link.ack(ids(k))
    return out


@contextlib.contextmanager
def beside(a, stop, command):
    """The same work, and not the agent's."""
    with open(os.path.join(a.dir, 'beside'), 'w') as f, \
            subprocess.Popen(command, stdout=f, start_new_session=True):
        try:
            yield
        finally:
            with open(stop, 'w'):
                pass
    os.unlink(stop)
    os.unlink(f.name)


def usual(delays):
    """The lower quartile: what others of the machine do is above it."""
    return statistics.quantiles(delays, n=4)[0]


def check_loud(settings, what):
    with agent(workers=2, settings=settings) as a:
        link = a.connect()
        link.sync(R, 1)
        stop = os.path.join(a.dir, 'stop')
        command = ['sh', '-c', 'while [ ! -e %s ]; do head -c %d /dev/zero; '
                   'done' % (stop, PIECE)]
        with beside(a, stop, command):
            quiet = delays(a, link, 100, SAMPLES)
        link.start(R, 1, [work(R, 1, command)])
        link.wait_report(ids(1)[0], 'running')
        loud = delays(a, link, 200, SAMPLES)
        with open(stop, 'w'):
            pass
        end = link.wait_ended(ids(1))[0]
        tap.equal('%s: all is counted' % what, (
            end['outcome'], end['out_bytes'] % PIECE), ('passed', 0))
        tap.note('%s: %d MB/s; ends noted after %.1f ms, beside the same '
                 'work of another %.1f ms' % (
                     what, end['out_bytes'] / end['elapsed_s'] / 1e6,
                     usual(loud) * 1000, usual(quiet) * 1000))
        tap.ok('%s: ends of others are not held up' % what,
               usual(loud) < usual(quiet) + 0.01, (loud, quiet))
        if sanitized():
            tap.skip('%s: memory' % what, 'built with sanitizers')
            return
        most = max(proc(pid, 'status', 'VmHWM')
                   for pid in [a.pid()] + a.worker_pids())
        tap.ok('%s: no process grew' % what, most < 12 << 10,
               '%d kB' % most)


def test_loud_work():
    check_loud({}, 'all kept')
    check_loud({'out_cap': '1M'}, 'capped')


def test_lost_events():
    """More words of the kernel about files than it keeps, while the daemon
    does not read: nobody who follows output is ended by that."""
    with open('/proc/sys/fs/inotify/max_queued_events') as f:
        most = int(f.read())
    with agent(workers=2) as a:
        link = a.connect()
        link.sync(R, 1)
        gate = Gate(a)
        link.start(R, 1, [work(R, n, gate.command('echo begin;'))
                          for n in (1, 2)] + [work(R, 3, ['echo', 'x'])])
        for i in ids(1, 2):
            link.wait_output(i)
        for n in (1, 2, 3):
            link.send(ac.TAIL, {'tag': 100 + n, 'attempt': ids(n)[0],
                                'offset': 0, 'max': 0, 'follow': True})
        link.ping()
        outs = [os.open('%s/out/worker-%d' % (a.spool, n),
                        os.O_WRONLY | os.O_APPEND) for n in (1, 2)]
        os.kill(a.pid(), signal.SIGSTOP)
        for _ in range(most // 2 + 500):
            os.write(outs[0], b'x')
            os.write(outs[1], b'x')
        os.kill(a.pid(), signal.SIGCONT)
        for _ in range(most // 128):
            link.ping()         # it reads more of them with each
        gate.open(2)
        ends = [link.wait(ac.OUTPUT_END) for _ in range(3)]
        tap.equal('each is followed to its end', sorted(
            (e['tag'] - 100, e['size'], e['code']) for e in ends), [
                (1, most // 2 + 506, 0), (2, most // 2 + 506, 0), (3, 2, 0)])


def next_facts(link):
    """Waits for facts that the agent says from now on."""
    link.inbox = [m for m in link.inbox if m[0] != ac.FACTS]
    link.wait(ac.FACTS)


def test_idle():
    with agent(workers=4) as a:
        link = a.connect()
        link.sync(R, 1)
        gate = Gate(a)
        link.start(R, 1, [work(R, n, gate.command()) for n in range(1, 5)])
        for i in ids(1, 2, 3, 4):
            link.wait_report(i, 'running')
        gate.open(4)
        link.wait_ended(ids(1, 2, 3, 4))
        link.ack(ids(1, 2, 3, 4))
        link.ping()
        pids = [a.pid()] + a.worker_pids()
        next_facts(link)
        before = [proc(p, 'status', 'voluntary_ctxt_switches') for p in pids]
        next_facts(link)
        next_facts(link)
        after = [proc(p, 'status', 'voluntary_ctxt_switches') for p in pids]
        woken = [y - x for x, y in zip(before, after)]
        tap.note('wake-ups in two samples of 5 s: %s' % woken)
        tap.ok('workers sleep, the daemon wakes to look and to tell',
               woken[0] <= 12 and not any(woken[1:]), woken)
        if sanitized():
            tap.skip('memory', 'built with sanitizers')
            return
        pss = sum(proc(p, 'smaps_rollup', 'Pss') for p in pids)
        tap.note('PSS of the daemon and %d workers: %d kB' % (
            len(pids) - 1, pss))
        tap.ok('at most 8 MB together', pss <= 8 << 10, pss)


def main():
    for name, fn in sorted(globals().items()):
        if name.startswith('test_'):
            tap.note(name)
            fn()
    tap.done()


main()
