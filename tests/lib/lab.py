# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: real SSH hosts, a console's own folders, and work that says by itself
when it starts and ends."""

import json
import os
import re
import subprocess
import threading
import time

import sshd
import tap
import vt

BUILD = os.environ.get('YM_BUILDDIR', '.')
SRC = os.environ.get('YM_SRCDIR', '.')
CONSOLE = os.path.join(BUILD, 'yardmaster')

# Says "+ agent execution worker test" and the same with "-" on a FIFO, and
# leaves a line in a file, so that what ran twice is seen.
WORK = '''#!/bin/sh
# work SECONDS [EXIT]
say() { echo "$1 $YARDMASTER_AGENT $YARDMASTER_EXECUTION \\
$YARDMASTER_WORKER $YARDMASTER_TEST" >%(fifo)s; }
echo "$YARDMASTER_EXECUTION" >>%(ran)s
say +
trap 'say -; exit 130' INT TERM
sleep "$1" &
wait $!
say -
exit "${2:-0}"
'''


class Watch:
    """What the commands themselves say of their starts and ends."""

    def __init__(self, fifo):
        os.mkfifo(fifo)
        # Open for writing, too: the last writer's end is not the end.
        self.fd = os.open(fifo, os.O_RDWR)
        self.changed = threading.Condition()
        self.running = {}       # execution -> agent
        self.starts = []        # (time, agent, execution, worker, test)
        self.most = {}          # agent -> most at once
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        with os.fdopen(self.fd, encoding='utf-8') as lines:
            for line in lines:
                self._take(line.split())

    def _take(self, words):
        if len(words) < 4:
            return
        with self.changed:
            sign, agent, execution, worker = words[:4]
            test = words[4] if len(words) > 4 else ''
            if sign == '+':
                self.running[execution] = agent
                self.starts.append((time.monotonic(), agent, execution,
                                    int(worker), test))
                self.most[agent] = max(self.most.get(agent, 0),
                                       self.count(agent))
            else:
                self.running.pop(execution, None)
            self.changed.notify_all()

    def count(self, agent=None):
        return sum(1 for a in self.running.values()
                   if agent is None or a == agent)

    def wait(self, true, seconds=20):
        """Waits until true(self); False when it never became so."""
        with self.changed:
            return self.changed.wait_for(lambda: true(self), seconds)


class Lab:
    """n hosts lab-1 to lab-n; agents: keys of the fleet file by name."""

    def __init__(self, n, agents=None, **more):
        self.hosts = sshd.SshHosts(n)
        self.dir = self.hosts.dir
        self.ran = self.dir + '/ran'
        fifo = self.dir + '/said'
        self.watch = Watch(fifo)
        self.work = self.dir + '/work'
        with open(self.work, 'w') as f:
            f.write(WORK % {'fifo': fifo, 'ran': self.ran})
        os.chmod(self.work, 0o755)
        self.fleet = self.dir + '/fleet.json'
        self.write_fleet(agents, **more)
        self.env = dict(os.environ, HOME=self.dir, NO_COLOR='1',
                        XDG_STATE_HOME=self.dir + '/console',
                        XDG_CONFIG_HOME=self.dir + '/config')
        self.plans = 0

    def write_fleet(self, agents=None, others=(), **more):
        """agents: further keys by name; others: agents that are no hosts of
        the lab; more: keys for each host."""
        listed = self.hosts.agents(**more) + list(others)
        for a in listed:
            a.update((agents or {}).get(a['name'], {}))
        with open(self.fleet, 'w') as f:
            json.dump({'name': 'lab', 'agents': listed}, f, indent=1)

    def plan(self, plan):
        """Writes a plan file; its path."""
        self.plans += 1
        path = '%s/plan-%d.json' % (self.dir, self.plans)
        with open(path, 'w') as f:
            json.dump(plan, f, indent=1)
        return path

    def _args(self, args):
        args = [CONSOLE] + list(args)
        if args[1] in ('run', 'resume', 'agents', 'workers', 'set', 'drain',
                       'undrain', 'hold', 'release', 'logs', 'fleet', 'clear',
                       'take', 'give-back', 'serve',
                       'console'):
            args += ['--fleet', self.fleet]
        return args

    def cli(self, *args):
        """Runs a command of the console program to its end."""
        return subprocess.run(self._args(args), env=self.env, cwd=self.dir,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding='utf-8', errors='replace')

    def json(self, *args):
        """What a command prints with --json."""
        done = self.cli(*args, '--json')
        try:
            return json.loads(done.stdout)
        except ValueError:
            tap.note('%s: exit %d' % (args, done.returncode))
            tap.note(done.stdout[-2000:] + done.stderr[-2000:])
            raise

    def start(self, *args):
        """Starts one and goes on; stderr can be read."""
        return subprocess.Popen(self._args(args), env=self.env, cwd=self.dir,
                                stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, encoding='utf-8',
                                errors='replace')

    def start_run(self, plan, *args):
        """Starts "run" of a plan file: the process and the run's id."""
        p = self.start('run', plan, *args)
        for line in p.stderr:
            m = re.search(r'run (r[0-9a-z]{10}),', line)
            if m:
                return p, m.group(1)
            tap.note(line)
        raise RuntimeError('the run did not start')

    def screen(self, *args, rows=24, cols=80):
        """The console on a terminal."""
        return vt.Screen([CONSOLE, 'console', '--fleet', self.fleet] +
                         list(args), rows, cols, env=self.env, cwd=self.dir)

    def take_over(self, console, run):
        """Kills the console of a run; the one that has taken it over."""
        console.kill()
        console.wait()
        return self.resume(run)

    def resume(self, run):
        """A console that has taken over a run that nobody drives."""
        resumed = self.start('resume', run, '--quiet')
        for line in resumed.stderr:
            if 'took over' in line:
                break
        return resumed

    def until(self, what, seconds=20):
        """Looks until what() is true: its last value."""
        end = time.monotonic() + seconds
        tick = threading.Event()
        while not (said := what()) and time.monotonic() < end:
            tick.wait(0.02)
        return said

    def ran_times(self):
        """How often each execution ran, by what they wrote."""
        times = {}
        try:
            with open(self.ran) as f:
                for line in f:
                    times[line.strip()] = times.get(line.strip(), 0) + 1
        except FileNotFoundError:
            pass
        return times

    def close(self):
        self.hosts.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
