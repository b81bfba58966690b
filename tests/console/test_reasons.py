# SPDX-License-Identifier: GPL-3.0-or-later
"""Every reason produced on real hosts, read from "why" and from the screen."""

import re
import signal

import sshd
import tap
import vt
from lab import Lab

LONG = '120'

# What each waiting test has to say; its headline, or one of several.
WANT = {
    'held': 'held', 'nobody': 'no-agent', 'offline': 'agents-offline',
    'drained': 'agents-draining', 'lock-2': 'lock', 'excl-2': 'exclusion',
    'thr-9': 'threshold', 'busy-9': 'workers-busy', 'needs-2': 'needs',
    'again': 'retry-delay', 'queued-1': 'queued',
}


def plan_of(work):
    long, short = [work, LONG], [work, '0.1']

    def suite(name, agent, tests, **more):
        return dict({'name': name, 'agents': [agent], 'command': short,
                     'tests': tests}, **more)

    return {
        'name': 'reasons', 'parallel': 'tests', 'order': 'plan',
        'exclusive': [['excl-1', 'excl-2']],
        'suites': [
            suite('free', 'lab-4', [
                {'name': 'lock-1', 'command': long, 'locks': ['db']},
                {'name': 'lock-2', 'locks': ['db']},
                {'name': 'excl-1', 'command': long}, 'excl-2',
                {'name': 'needs-1', 'command': long},
                {'name': 'needs-2', 'needs': ['needs-1']},
                {'name': 'again', 'command': [work, '0.1', '1'],
                 'retries': 1, 'retry_delay': '10m'},
                {'name': 'nobody', 'targets': ['beos']},
                {'name': 'held', 'needs': ['needs-1']}]),
            suite('threshold', 'lab-5', [
                {'name': 'thr-1', 'command': long}] +
                  ['thr-%d' % i for i in range(2, 10)]),
            suite('drain', 'lab-2', ['drained']),
            suite('off', 'lab-3', ['offline']),
            suite('busy', 'lab-1', [
                {'name': 'busy-1', 'command': long, 'estimate': '1ms'},
                {'name': 'queued-1', 'estimate': '1ms'}] + [
                {'name': 'busy-%d' % i, 'estimate': '1ms'}
                for i in range(2, 40)]),
        ]}


def main():
    sshd.need()
    vt.need()
    agents = {'lab-1': {'max_workers': 1}, 'lab-2': {'max_workers': 1},
              'lab-3': {'max_workers': 1, 'transport': 'openssh'},
              'lab-4': {'max_workers': 8},
              'lab-5': {'max_workers': 2, 'threshold': 1}}
    for a in agents.values():
        a['targets'] = ['linux']
    with Lab(5, agents) as lab:
        tap.equal('drain', lab.cli('drain', 'lab-2', '--note',
                                   'new disk').returncode, 0)
        lab.hosts[2].stop()
        plan = lab.plan(plan_of(lab.work))
        console, run = lab.start_run(plan, '--quiet')
        # Five long ones run, and what fails has failed.
        lab.watch.wait(lambda w: w.count() >= 5 and any(
            s[4] == 'again' for s in w.starts) and w.count() == 5)
        numbers = number_of(lab, plan)
        tap.equal('hold', lab.cli('hold', '%s/%d' % (run, numbers['held']),
                                  '--note', 'me first').returncode, 0)
        whys = {}
        for test, want in WANT.items():
            whys[test] = until(lab, '%s/%d' % (run, numbers[test]), want)
            tap.ok('why %s: %s' % (test, want),
                   headline(whys[test]) == want, whys[test])
        tap.ok('the drain says who and why',
               'new disk' in whys['drained'], whys['drained'])
        tap.ok('the hold says who and why',
               'me first' in whys['held'], whys['held'])
        tap.ok('the lock names its holder',
               'lock-1' in whys['lock-2'] or
               '/%d' % numbers['lock-1'] in whys['lock-2'], whys['lock-2'])
        tap.ok('cures are offered', 'undrain' in whys['drained'],
               whys['drained'])
        tap.ok('full agents say what keeps them so', lab.until(
            lambda: re.search(r'lab-1#1 execution busy/busy-1 \S+ of ',
                              lab.cli('why', '%s/%d' % (
                                  run, numbers['busy-9'])).stdout)))
        link_log(lab, '%s/%d' % (run, numbers['offline']))
        queue = lab.json('queue')['queue']
        tap.ok('no waiting row is without a reason',
               queue and all(x['reason'] for x in queue), str(queue))
        console.send_signal(signal.SIGINT)
        console.communicate()
        tap.equal('a cancelled run exits with 5', console.returncode, 5)
        tap.equal('nothing runs any more', lab.watch.wait(
            lambda w: w.count() == 0), True)
        on_screen(lab, plan)
    tap.done()


def link_log(lab, execution):
    """What ssh said of a host that is down is a cure away."""
    want = 'yardmaster fleet log lab-3 --fleet ' + lab.fleet
    offered = [e['command'] for e in lab.json('why', execution)['effects']
               if e['cure'] == 'show the SSH log']
    tap.equal('the log of the link is offered', offered, [want])
    text = lab.cli('fleet', 'log', 'lab-3').stdout
    tap.ok('it has what ssh said, from the run', all(
        re.search(words, text) for words in (
            '^of the process that drives ', '(?m)Z  connecting to .*openssh',
            '(?m)Z  said: ssh: connect to .* refused',
            '(?m)Z  ssh failed: ')), text)
    done = lab.cli('fleet', 'log', 'lab-4', '--json')
    tap.ok('a link that is up has one, too',
           '"up, agent ' in done.stdout, done.stdout)
    done = lab.cli('fleet', 'log', 'lab-x')
    tap.ok('no such agent', done.returncode == 4 and
           'lab-x' in done.stderr, done.stderr)


def number_of(lab, plan):
    """Execution numbers by test."""
    return {x['steps'][0]['test']: x['id']
            for x in lab.json('plan', 'show', plan)['executions']}


def headline(text):
    for line in text.splitlines():
        if line.startswith('* '):
            return line[2:].split(':')[0]
    return None


def until(lab, execution, want):
    """Asks until the headline is the wanted one: it may take a moment until
    an agent's answer is in. Each question is a round trip to the owner."""
    for _ in range(200):
        text = lab.cli('why', execution).stdout
        if headline(text) == want:
            return text
    return text


def on_screen(lab, plan):
    """The same from the Queue pane, one filter for each reason."""
    with lab.screen('--launch', plan) as screen:
        screen.keys('y')
        tap.ok('launched from the screen', lab.watch.wait(
            lambda w: w.count() >= 5))
        run = next(r['id'] for r in lab.json('runs')['runs']
                   if r['state'] == 'running')
        lab.cli('hold', '%s/%d' % (run, number_of(lab, plan)['held']))
        screen.keys('3f')
        for test, want in WANT.items():
            screen.keys('test:' + test)
            screen.sees('queue: %s waits for %s' % (test, want),
                        '^> %s: .*[a-z]+/%s' % (want, test[:1]))
            screen.keys(vt.BACKSPACE * len('test:' + test))


main()
