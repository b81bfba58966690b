# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops and goes on (SIGSTOP, SIGCONT): a daemon, a worker, a bridge.
The console says that it hears nothing; nothing is lost, nothing runs twice."""

import os
import signal

import sshd
import tap
from lab import Lab

TESTS = 12


def words_of(pid):
    try:
        with open('/proc/%d/cmdline' % pid, 'rb') as f:
            return f.read().split(b'\0')
    except OSError:
        return []


def pids_of(host, word):
    return [p for p in sshd.belonging_to(host.dir)
            if words_of(p)[1:2] == [word]]


def is_stopped(pid):
    with open('/proc/%d/stat' % pid) as f:
        return f.read().rpartition(')')[2].split()[0] == 'T'


def ran_once(lab, what, run):
    times = {k: v for k, v in lab.ran_times().items()
             if k.startswith(run + '/')}
    tap.equal('%s: nothing is lost, and nothing runs twice' % what,
              (len(times), set(times.values())), (TESTS, {1}))


def launch(lab):
    gate = '%s/gate-%d' % (lab.dir, lab.plans)
    process, run = lab.start_run(lab.plan({
        'name': 'p', 'parallel': 'tests', 'lost_after': '5m', 'suites': [{
            'name': 's', 'tests': ['t%d' % i for i in range(TESTS)],
            'command': ['sh', '-c', lab.work + ' 0; while ! test -e %s; do '
                        'sleep 0.1; done' % gate]}]}))
    lab.watch.wait(lambda w: len([
        x for x in w.starts if x[2].startswith(run)]) == 4)
    return process, run, gate


def ends(lab, what, process, run):
    said = process.communicate()
    tap.ok('%s: all pass' % what, process.returncode == 0 and
           '%d passed' % TESTS in said[0], '%s%s' % said)
    ran_once(lab, what, run)


def silent(lab, what, word):
    """One of lab-1's is stopped until the console says that it is silent."""
    process, run, gate = launch(lab)
    pids = pids_of(lab.hosts[0], word)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    tap.ok('%s: it is stopped' % what, pids and all(
        lab.until(lambda p=p: is_stopped(p)) for p in pids))
    tap.ok('%s: the console says that it is silent' % what, lab.until(
        lambda: any(x['object'] == 'lab-1' and 'silent for' in x['text']
                    for x in lab.json('events')['events']), 60))
    open(gate, 'w').close()
    tap.ok('%s: the other agent goes on' % what, lab.watch.wait(
        lambda w: len([x for x in w.starts if x[2].startswith(run + '/') and
                       x[1] == 'lab-2']) > 2))
    why = lab.cli('queue').stdout
    tap.equal('%s: the run waits for what is there' % what, process.poll(),
              None)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    tap.ok('%s: nothing was taken for lost' % what, '(lost)' not in why, why)
    ends(lab, what, process, run)


def worker(lab):
    """Its command goes on; that it ended is told when it goes on itself."""
    process, run, gate = launch(lab)
    pids = pids_of(lab.hosts[0], b'worker')
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    tap.ok('worker: it is stopped', pids and all(
        lab.until(lambda p=p: is_stopped(p)) for p in pids))
    open(gate, 'w').close()
    tap.ok('worker: the other agent does what can be done', lab.until(
        lambda: json_counts(lab, run).get('passed', 0) == TESTS - len(pids)),
        json_counts(lab, run))
    tap.equal('worker: what it has is shown as running',
              json_counts(lab, run).get('running'), len(pids))
    tap.equal('worker: the agent is heard', {
        a['link'] for a in lab.json('agents')['agents']}, {'up'})
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    ends(lab, 'worker', process, run)


def json_counts(lab, run):
    return next(r['counts'] for r in lab.json('runs')['runs']
                if r['id'] == run)


def main():
    sshd.need()
    with Lab(2, max_workers=2) as lab:
        worker(lab)
        silent(lab, 'daemon', b'serve')
        silent(lab, 'bridge', b'connect')
    tap.done()


main()
