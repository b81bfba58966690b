# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed, side by side: executions that do nothing, over four SSH hosts with
four workers each, beside bare posix_spawn(), xargs and GNU parallel. What
counts are the ratios within one run: rounds are interleaved, because no
machine is equally fast twice.

    bench.py [--executions N] [--rounds N] [--out FILE]
"""

import argparse
import datetime
import os
import resource
import select
import shutil
import statistics
import subprocess
import time

import sshd
from lab import BUILD, Lab

HOSTS = 4
WORKERS = 4
# GNU parallel is slow: so many are enough, and no round waits for it.
PARALLEL_SHARE = 16
PATIENCE_S = 10
# What connecting costs is known from a run of so many, and left out of the
# CPU time of one execution.
FEW = 16
# More than this by others, and the figures say so.
NOISE = 0.05

GOAL_SPAWN = 0.8
GOAL_PARALLEL = 25
GOAL_AGENT_KB = 8 << 10
GOAL_LINK_KB = 600


def cpu_of_children():
    """CPU seconds of all children so far, and of what they waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of(pid):
    """CPU seconds of a process, and of the children it waited for."""
    with open('/proc/%d/stat' % pid) as f:
        fields = f.read().rpartition(')')[2].split()
    tick = os.sysconf('SC_CLK_TCK')
    return (int(fields[11]) + int(fields[12])) / tick, \
        (int(fields[13]) + int(fields[14])) / tick


def timed(argv, **more):
    """Runs a command that must succeed; the seconds it took."""
    began = time.monotonic()
    done = subprocess.run(argv, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding='utf-8', **more)
    took = time.monotonic() - began
    if done.returncode != 0:
        raise RuntimeError('%s: exit %d: %s' % (
            argv[0], done.returncode, done.stderr[-2000:]))
    return took


def busy_s():
    """CPU seconds that all programs took since boot, and that there were."""
    with open('/proc/stat') as f:
        ticks = [int(x) for x in f.readline().split()[1:9]]
    tick = os.sysconf('SC_CLK_TCK')
    return (sum(ticks) - ticks[3] - ticks[4]) / tick, sum(ticks) / tick


def spawn_rate(n):
    """Starts a second, the CPU seconds of one start, and the share of the
    CPUs that other programs had meanwhile."""
    busy, there = busy_s()
    own = cpu_of_children()
    out = subprocess.run([os.path.join(BUILD, 'tests/bench/spawn_rate'),
                          str(n)], stdout=subprocess.PIPE, check=True)
    busy_after, there_after = busy_s()
    others = busy_after - busy - (cpu_of_children() - own)
    rate, _, cpu_s = out.stdout.split()
    return float(rate), float(cpu_s), others / (there_after - there)


def xargs_rate(n):
    lines = ''.join('%d\n' % i for i in range(n))
    return n / timed(['xargs', '-P%d' % (HOSTS * WORKERS), '-n1', 'true'],
                     input=lines)


def seconds_of(text):
    return datetime.datetime.strptime(
        text, '%Y-%m-%dT%H:%M:%S.%fZ').timestamp()


def noop_plan(lab, n):
    return lab.plan({
        'name': 'noop-%d' % n, 'parallel': 'tests', 'command': ['true'],
        'suites': [{'name': 'noop',
                    'tests': ['t%d' % i for i in range(n)]}]})


class Cpu:
    """The CPU seconds that a run takes, by who takes them."""

    def __init__(self, lab):
        self.daemons = pids_of(lab, 'yardmaster-agent', 'serve')
        self.workers = pids_of(lab, 'yardmaster-agent', 'worker')
        self.servers = [h.process.pid for h in lab.hosts.hosts]
        self.others = self.sessions()
        self.before = self.now()

    def sessions(self):
        return {p for s in self.servers for p in sshd.descendants(s)}

    def now(self):
        workers = [cpu_of(p) for p in self.workers]
        return {
            'console and links': cpu_of_children(),
            'sshd and bridges': sum(cpu_of(p)[1] for p in self.servers),
            'agents': sum(cpu_of(p)[0] for p in self.daemons),
            'workers': sum(own for own, _ in workers),
            'true': sum(children for _, children in workers),
        }

    def wait_sessions(self):
        """A server knows what a session took once it waited for it."""
        for pid in self.sessions() - self.others:
            try:
                fd = os.pidfd_open(pid)
            except ProcessLookupError:
                continue
            ended = select.select([fd], [], [], PATIENCE_S)[0]
            os.close(fd)
            while ended and os.path.exists('/proc/%d' % pid):
                os.sched_yield()

    def used(self):
        self.wait_sessions()
        return {k: v - self.before[k] for k, v in self.now().items()}


def run_rates(lab, plan, n):
    """Runs the plan: executions a second from the first start to the last
    end, as the agents saw them, and over the whole command; and the CPU
    seconds by who used them."""
    cpu = Cpu(lab)
    took = timed(lab._args(['run', plan, '--quiet']), env=lab.env,
                 cwd=lab.dir)
    used = cpu.used()
    newest = max(lab.json('runs')['runs'], key=lambda r: r['started'])
    report = lab.json('report', newest['id'])
    tries = [t for x in report['executions'] for s in x['steps']
             for t in s['tries']]
    if report['counts']['passed'] != n or len(tries) != n:
        raise RuntimeError('not all passed: %r' % report['counts'])
    starts = [seconds_of(t['started']) for t in tries]
    ends = [s + t['elapsed_s'] for s, t in zip(starts, tries)]
    return n / (max(ends) - min(starts)), n / took, used


class Parallel:
    """GNU parallel over the same servers, its connections kept open."""

    def __init__(self, lab):
        self.env = dict(lab.env, HOME=lab.dir)
        config = lab.dir + '/ssh_config'
        with open(config, 'w') as f:
            for h in lab.hosts.hosts:
                f.write('Host %s\n  HostName 127.0.0.1\n  Port %d\n' %
                        (h.name, h.port))
            f.write('''Host *
  User %s
  IdentityFile %s
  IdentitiesOnly yes
  IdentityAgent none
  BatchMode yes
  UserKnownHostsFile %s
  StrictHostKeyChecking yes
  ControlMaster auto
  ControlPath %s/cm-%%n
  ControlPersist 600
''' % (lab.hosts.user, lab.hosts.user_key, lab.hosts.known_hosts, lab.dir))
        self.ssh = ['ssh', '-F', config]
        self.masters = [h.name for h in lab.hosts.hosts]
        for name in self.masters:
            timed(self.ssh + [name, 'true'], env=self.env,
                  stdin=subprocess.DEVNULL)

    def rate(self, n):
        argv = ['parallel', '--will-cite', '--ssh', ' '.join(self.ssh), '-S',
                ','.join('%d/%s' % (WORKERS, m) for m in self.masters),
                'true', ':::'] + [str(i) for i in range(n)]
        return n / timed(argv, env=self.env, stdin=subprocess.DEVNULL)

    def close(self):
        for name in self.masters:
            subprocess.run(self.ssh + ['-O', 'exit', name],
                           stderr=subprocess.DEVNULL, env=self.env)


class Rows:
    """Rates by name, one a round, and the table of them."""

    def __init__(self):
        self.rates = {}
        self.noise = []
        self.spawn_cpu = []     # CPU seconds of one start
        self.run_cpu = []       # of one execution: {who: seconds}
        self.lines = []

    def add(self, name, rate):
        self.rates.setdefault(name, []).append(rate)
        print('  %-44s %8.0f /s' % (name, rate), flush=True)

    def ratio(self, name, base):
        """The median of the ratios of the rounds, or the ratio of the best
        rates, which are the least disturbed ones: the smaller of the two."""
        mine, other = self.rates[name], self.rates[base]
        return min(max(mine) / max(other),
                   statistics.median(a / b for a, b in zip(mine, other)))

    def say(self, text=''):
        self.lines.append(text)


SPAWN = 'posix_spawn of true, bare'
XARGS = 'xargs -P%d true, local' % (HOSTS * WORKERS)
RUN = 'yardmaster run, first start to last end'
WHOLE = 'yardmaster run, the whole command'
PARALLEL = 'parallel over SSH with ControlMaster'


def measure(lab, args, rows):
    plan = noop_plan(lab, args.executions)
    parallel = Parallel(lab) if shutil.which('parallel') else None
    try:
        # Agents and their workers are up, folders are there.
        run_rates(lab, noop_plan(lab, 200), 200)
        few = noop_plan(lab, FEW)
        for i in range(args.rounds):
            print('round %d of %d' % (i + 1, args.rounds), flush=True)
            spawns = [spawn_rate(args.executions)]
            _, _, cpu_few = run_rates(lab, few, FEW)
            inner, whole, cpu = run_rates(lab, plan, args.executions)
            spawns.append(spawn_rate(args.executions))
            rows.add(SPAWN, statistics.mean(s[0] for s in spawns))
            rows.spawn_cpu.append(statistics.mean(s[1] for s in spawns))
            rows.noise += [s[2] for s in spawns]
            rows.run_cpu.append({
                k: (v - cpu_few[k]) / (args.executions - FEW)
                for k, v in cpu.items()})
            rows.add(RUN, inner)
            rows.add(WHOLE, whole)
            rows.add(XARGS, xargs_rate(args.executions))
            if parallel:
                rows.add(PARALLEL, parallel.rate(
                    max(args.executions // PARALLEL_SHARE, 32)))
    finally:
        if parallel:
            parallel.close()


def rate_table(rows):
    rows.say('%-44s %10s %12s %12s' % (
        'executions that do nothing', 'median /s', 'least-most',
        'of spawn'))
    for name, rates in rows.rates.items():
        rows.say('%-44s %10.0f %12s %12.2f' % (
            name, statistics.median(rates),
            '%.0f-%.0f' % (min(rates), max(rates)),
            rows.ratio(name, SPAWN)))


def noise(rows):
    most = max(rows.noise)
    rows.say('CPU that other programs took beside posix_spawn: %.0f to '
             '%.0f%%' % (100 * min(rows.noise), 100 * most))
    if most > NOISE:
        rows.say('That is not a quiet machine. What keeps more processes '
                 'ready gets more\nof it, so that rates beside posix_spawn '
                 'and xargs flatter the run.')


def verdict(rows, text, value, goal):
    rows.say('%-44s %10.2f   goal %g: %s' % (
        text, value, goal, 'reached' if value >= goal else 'NOT reached'))


def cpu_medians(rows):
    """CPU seconds of one bare start, and of one execution."""
    return statistics.median(rows.spawn_cpu), \
        statistics.median(sum(c.values()) for c in rows.run_cpu)


def cpu_table(rows):
    """Less disturbed by other programs than rates are. On a quiet machine
    whose CPUs a run keeps busy, the quotient is that of the rates."""
    spawn, whole = cpu_medians(rows)
    rows.say('%-44s %10s' % ('CPU time of one execution', 'us'))
    rows.say('%-44s %10.0f' % (SPAWN, 1e6 * spawn))
    rows.say('%-44s %10.0f   spawn / run %.2f' % (
        'yardmaster run', 1e6 * whole, spawn / whole))
    for who in rows.run_cpu[0]:
        rows.say('%-44s %10.0f' % ('  ' + who, 1e6 * statistics.median(
            c[who] for c in rows.run_cpu)))


def goals(rows):
    ratio, (spawn, whole) = rows.ratio(RUN, SPAWN), cpu_medians(rows)
    if max(rows.noise) > NOISE and spawn / whole < ratio:
        verdict(rows, 'run / posix_spawn, by CPU time (see below)',
                spawn / whole, GOAL_SPAWN)
    else:
        verdict(rows, 'run / posix_spawn', ratio, GOAL_SPAWN)
    verdict(rows, 'run / xargs', rows.ratio(RUN, XARGS), 1)
    if PARALLEL in rows.rates:
        verdict(rows, 'run / parallel', rows.ratio(RUN, PARALLEL),
                GOAL_PARALLEL)
    else:
        rows.say('run / parallel: skipped, GNU parallel is not installed')


# ---- memory -------------------------------------------------------------------

def memory_kb(pid):
    """Proportional and private memory of a process, kB."""
    kb = {'Pss': 0, 'Private_Clean': 0, 'Private_Dirty': 0}
    with open('/proc/%d/smaps_rollup' % pid) as f:
        for line in f:
            key = line.split(':')[0]
            if key in kb:
                kb[key] += int(line.split()[1])
    return kb['Pss'], kb['Private_Clean'] + kb['Private_Dirty']


def command_of(pid):
    with open('/proc/%d/cmdline' % pid) as f:
        return f.read().split('\0')


def pids_of(lab, *words):
    found = []
    for pid in sshd.belonging_to(lab.dir):
        try:
            argv = command_of(pid)
        except OSError:
            continue
        if os.path.basename(argv[0]).startswith(words[0]) and \
                all(w in argv for w in words[1:]):
            found.append(pid)
    return found


def memory_row(rows, name, kb, goal=None):
    text = '%-44s %7d kB' % (name, kb)
    if goal:
        text += '   goal %d: %s' % (
            goal, 'reached' if kb <= goal else 'NOT reached')
    rows.say(text)


def memory(lab, rows):
    """While a run waits: what each process takes."""
    fifo = lab.dir + '/gate'
    os.mkfifo(fifo)
    plan = lab.plan({'name': 'waits', 'command': ['cat', fifo],
                     'suites': [{'name': 's', 'tests': ['t']}]})
    p, _ = lab.start_run(plan, '--quiet')
    with open(fifo, 'w'):       # opens once the command reads
        rows.say('%-44s' % 'memory')
        memory_row(rows, 'console, while a run waits (PSS)',
                   memory_kb(p.pid)[0])
        links = [memory_kb(pid)[1]
                 for pid in pids_of(lab, 'yardmaster-link')]
        memory_row(rows, 'link processes, the largest (private)',
                   max(links), GOAL_LINK_KB)
        agents = pids_of(lab, 'yardmaster-agent', 'serve')
        daemons = [memory_kb(pid)[0] for pid in agents]
        workers = [memory_kb(pid)[0]
                   for pid in pids_of(lab, 'yardmaster-agent', 'worker')]
        memory_row(rows, 'agent, its daemon, the largest (PSS)',
                   max(daemons))
        memory_row(rows, 'agent, a worker, mean of %d (PSS)' % len(workers),
                   statistics.mean(workers))
        memory_row(rows, 'agent with its %d workers (PSS)' % WORKERS,
                   (sum(daemons) + sum(workers)) / len(agents),
                   GOAL_AGENT_KB)
    p.communicate()


# ---- the scheduler alone --------------------------------------------------------

def scheduler(rows, name):
    program = os.path.join(BUILD, 'tests/sched', name)
    if not os.access(program, os.X_OK):
        rows.say('scheduler: skipped, %s is not built' % program)
        return
    done = subprocess.run([program], stdout=subprocess.PIPE,
                          encoding='utf-8')
    rows.say('scheduler alone (%s)' % name)
    for line in done.stdout.splitlines():
        rows.say(line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--executions', type=int, default=4000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--out')
    args = parser.parse_args()
    why = sshd.why_not()
    if why:
        print(why)
        return
    rows = Rows()
    rows.say('yardmaster bench, %s, %d CPUs, %d hosts x %d workers, '
             '%d executions a round' % (
                 time.strftime('%Y-%m-%d'), os.cpu_count(), HOSTS, WORKERS,
                 args.executions))
    rows.say()
    with Lab(HOSTS, max_workers=WORKERS) as lab:
        measure(lab, args, rows)
        rate_table(rows)
        rows.say()
        cpu_table(rows)
        rows.say()
        goals(rows)
        noise(rows)
        rows.say()
        memory(lab, rows)
    rows.say()
    scheduler(rows, 'bench_sched')
    rows.say()
    scheduler(rows, 'bench_makespan')
    text = '\n'.join(rows.lines) + '\n'
    print('\n' + text, end='')
    if args.out:
        with open(args.out, 'w') as f:
            f.write(text)


main()
