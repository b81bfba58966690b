# SPDX-License-Identifier: GPL-3.0-or-later
"""Suites whose parts run together on several hosts: they meet, share values
and fail together, through crashes of agents and of the console."""

import json
import os
import signal
import subprocess

import sshd
import tap
from lab import BUILD, Lab

AGENT = os.path.abspath(os.path.join(BUILD, 'yardmaster-agent'))


class Said:
    """Lines that parts write on a FIFO."""

    def __init__(self, lab, name):
        self.path = lab.dir + '/' + name
        os.mkfifo(self.path)
        self.lines = os.fdopen(os.open(self.path, os.O_RDWR),
                               encoding='utf-8')

    def next(self):
        return self.lines.readline().strip()


def plan_of(lab, parts, **more):
    """parts: shell text by role; $A is the agent's program."""
    return lab.plan({'name': 'p', 'env': {'A': AGENT}, 'timeout': '60s',
                     'suites': [dict({'name': 'chat', 'together': [
                         {'role': role, 'shell': 'set -e; ' + text}
                         if isinstance(text, str) else dict(text, role=role)
                         for role, text in parts.items()]}, **more)]})


def counts(lab, run):
    runs = {r['id']: r for r in lab.json('runs')['runs']}
    return {k: v for k, v in runs[run]['counts'].items() if v > 0}


def log_of(lab, execution):
    done = lab.cli('logs', execution)
    return done.stdout + done.stderr


def finish(name, process, code=0):
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
    tap.equal(name, process.returncode, code)
    if process.returncode != code:
        tap.note(out[-2000:])
        tap.note(err[-2000:])


def meet(lab):
    """A value goes from one to the other, and both meet, twice."""
    said = Said(lab, 'meet')
    plan = plan_of(lab, {
        'server': '$A put port 8080; $A sync ready; $A sync ready; '
                  '$A progress "half way"; echo $YARDMASTER_ROLE '
                  '$YARDMASTER_ROLES $YARDMASTER_HOST_CLIENT >%s; '
                  '$A sync done' % said.path,
        'client': 'port=$($A get port --timeout 30s); $A sync ready '
                  '--timeout 30s; $A sync ready; $A sync done; '
                  'echo "port $port on $YARDMASTER_HOST_SERVER"'})
    process, run = lab.start_run(plan)
    tap.equal('parts know their role and hosts', said.next(),
              'server server client ' + lab.hosts.agents()[1]['host'])
    finish('two parts share a value and meet', process)
    tap.equal('both passed', counts(lab, run), {'passed': 2})
    tap.ok('the value came over', 'port 8080 on ' in log_of(lab, run + '/2'),
           log_of(lab, run + '/2'))


def progress(lab):
    """What a step says of itself is seen."""
    said, go = Said(lab, 'pro'), Said(lab, 'gress')
    plan = lab.plan({'name': 'p', 'suites': [{'name': 's', 'tests': ['t'],
        'env': {'A': AGENT}, 'shell': '$A progress "step 3 of 5" && '
        'echo x >%s; read y <%s; $A sync x; echo code $?'
        % (said.path, go.path)}]})
    process, run = lab.start_run(plan)
    said.next()
    rows = [w['progress'] for w in lab.json('workers')['workers']
            if w.get('progress')]
    tap.equal('progress is listed', rows, ['step 3 of 5'])
    with open(go.path, 'w') as f:
        f.write('\n')
    finish('the run ends', process)
    log = log_of(lab, run + '/1')
    tap.ok('who runs alone has nobody to meet', 'no part of a together suite'
           in log and 'code 1' in log, log)


def dies(lab):
    """A part that dies fails the others at once."""
    plan = plan_of(lab, {
        'server': '$A sync up; exit 3',
        'client': '$A sync up; $A sync never || echo "sync: $?"; '
                  '$A get nothing || echo "get: $?"; exit 5'})
    process, run = lab.start_run(plan)
    finish('the run fails', process, 1)
    log = log_of(lab, run + '/2')
    tap.ok('the other is told which part is over', 'its part server' in log
           and 'is over: failed' in log, log)
    tap.ok('with an exit code', 'sync: 1' in log and 'get: 1' in log, log)
    tap.equal('both failed', counts(lab, run), {'failed': 2})


def retried(lab):
    """A failed part makes all run again."""
    flag = lab.dir + '/flag'
    plan = plan_of(lab, {
        'server': '$A sync up; test -e %s || { touch %s; exit 1; }'
                  % (flag, flag),
        'client': '$A sync up; echo ran >>%s.client' % flag},
        retries=1, retry_delay='0s')
    process, run = lab.start_run(plan)
    finish('the second round passes', process)
    with open(flag + '.client') as f:
        tap.equal('and the part that passed ran again', f.read(),
                  'ran\nran\n')
    tap.equal('no part is counted twice', counts(lab, run),
              {'passed': 1, 'healed': 1})


def times_out(lab):
    plan = plan_of(lab, {
        'server': '$A sync up --timeout 300ms || echo "code $?"; '
                  '$A put late 1',
        'client': '$A get late'})
    process, run = lab.start_run(plan)
    finish('a barrier may time out', process)
    log = log_of(lab, run + '/1')
    tap.ok('and says so', 'timed out' in log and 'code 2' in log, log)


def too_few(lab):
    """Nothing starts while a part has no host; the reason says so."""
    lab.hosts[1].stop()
    plan = plan_of(lab, {'server': '$A sync up', 'client': '$A sync up'})
    process, run = lab.start_run(plan)
    why = ''
    for line in iter(lambda: lab.cli('why', run + '/1').stdout, None):
        why = line
        if '1 worker is missing' in why:
            break
        if process.poll() is not None:
            break
    tap.ok('the reason is together', 'together' in why and
           '1 worker is missing' in why, why)
    tap.equal('nothing was sent', counts(lab, run), {'waiting': 2})
    lab.hosts[1].start()
    finish('it runs when the host is there', process)


def daemon_dies(lab):
    """A helper whose daemon is killed and started anew is met all the same."""
    said, go = Said(lab, 'dd1'), Said(lab, 'dd2')
    plan = plan_of(lab, {
        'server': 'echo $YARDMASTER_SPOOL >%s; $A put k v1; $A sync up'
                  % said.path,
        'client': 'read x <%s; $A sync up; test "$($A get k)" = v1'
                  % go.path})
    process, run = lab.start_run(plan)
    spool = said.next()
    with open(spool + '/agent.lock') as f:
        pid = int(f.read().split()[0])
    os.kill(pid, signal.SIGKILL)
    with open(go.path, 'w') as f:
        f.write('\n')
    finish('the barrier is met after its daemon was killed', process)
    tap.equal('and both passed', counts(lab, run), {'passed': 2})


def console_dies(lab):
    """A console killed in the middle is resumed; what waited is met."""
    said, go = Said(lab, 'cd1'), Said(lab, 'cd2')
    plan = plan_of(lab, {
        'server': '$A put k v2; $A sync one; echo x >%s; '
                  '$A sync two --timeout 20s' % said.path,
        'client': '$A sync one; read x <%s; $A sync two; '
                  'test "$($A get k)" = v2' % go.path})
    process, run = lab.start_run(plan)
    said.next()
    process.kill()
    process.communicate()
    with open(go.path, 'w') as f:
        f.write('\n')
    finish('the resumed run passes', lab.start('resume', run))
    tap.equal('both passed', counts(lab, run), {'passed': 2})


def bad_input(lab):
    parts = {'a': 'true', 'b': 'true', 'c': 'true'}
    done = lab.cli('run', plan_of(lab, parts), '--fleet', lab.fleet)
    tap.equal('more parts than agents are refused', done.returncode, 4)
    tap.ok('with the reason', 'its 3 parts run on different agents'
           in done.stderr, done.stderr)
    done = lab.cli('check', plan_of(lab, parts), '--fleet', lab.fleet)
    tap.ok('by check, too', done.returncode != 0 and 'its 3 parts' in
           done.stdout + done.stderr, done.stdout + done.stderr)
    process, run = lab.start_run(plan_of(lab, parts, same_agent=True))
    finish('they may share agents when told', process)
    plan = plan_of(lab, {
        'a': '$A put k "$(head -c 70000 /dev/zero | tr "\\0" x)" 2>&1 || '
             'echo "long $?"; $A sync e',
        'b': '$A sync; echo "usage $?"; $A sync x --timeout soon || '
             'echo "usage $?"; $A sync e'})
    process, run = lab.start_run(plan)
    finish('wrong use', process, 1)
    for args, word in ((('sync', 'x'), 'not called by an execution'),
                       (('get',), 'takes KEY'), (('put', 'k'), 'KEY VALUE')):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith('YARDMASTER_')}
        done = subprocess.run([AGENT] + list(args), env=env,
                              stderr=subprocess.PIPE, encoding='utf-8')
        tap.ok('%s outside of an execution' % args[0],
               done.returncode in (1, 4) and word in done.stderr,
               done.stderr)


def simulated(lab):
    plan = plan_of(lab, {'a': {'shell': 'true', 'estimate': '10s'},
                         'b': {'shell': 'true', 'estimate': '30s'}})
    done = lab.cli('plan', 'simulate', plan, '--fleet', lab.fleet, '--json')
    rows = json.loads(done.stdout)['executions']
    tap.equal('a simulation starts parts together, on different agents',
              [(r['agent'], r['start_s'], r['end_s']) for r in rows],
              [('lab-1', 0, 10), ('lab-2', 0, 30)])


def main():
    sshd.need()
    with Lab(2, max_workers=3) as lab:
        for test in (meet, progress, dies, retried, times_out, daemon_dies,
                     console_dies, bad_input, simulated, too_few):
            test(lab)
    tap.done()


main()
