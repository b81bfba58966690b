# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks what runs, at random:

    chaos.py SEED ROUNDS [FAULT...]     rounds with the seeds SEED, SEED + 1...
    chaos.py --table SEED ROUNDS        ROUNDS rounds of each fault alone

A round that fails names its seed; the same seed chooses the same again."""

import os
import shutil
import sys

sys.path.insert(1, os.path.join(os.path.dirname(__file__), '..', 'lib'))

import faults
import judge
import sshd
import tap
from round import Round

PER_ROUND = 6


def need():
    sshd.need()
    if shutil.which('flock') is None:
        tap.skip_all('skipped: no flock')


def kinds_of(seed):
    """Half of the rounds know no fault that may lose an attempt, so that
    every result is foreseen there; half of the others wait long."""
    return [k for k, f in faults.FAULTS.items()
            if seed % 4 == 0 or seed % 4 == 2 and k != 'away' or not f[2]]


def tell(rnd, verdict):
    """The verdict on a round as a line of TAP."""
    name = 'seed %d: %d executions on %d hosts, %s' % (
        rnd.seed, len(judge.planned(rnd.plan)), len(rnd.lab.hosts),
        ', '.join('%d %s' % (n, k) for k, n in rnd.injected.items()))
    if not tap.ok(name, not verdict.wrong, '\n'.join(verdict.wrong)):
        tap.note('\n'.join(rnd.history))
        tap.note('again: YM_BUILDDIR=... tests/faults/chaos.py %d 1 %s' % (
            rnd.seed, ' '.join(rnd.kinds)))


def play(seed, kinds=None):
    """One round and its verdict."""
    rnd = Round(seed, kinds or kinds_of(seed), PER_ROUND)
    verdict = rnd.play()
    tell(rnd, verdict)
    return rnd, verdict


def table(seed, rounds):
    rows = []
    for kind, (how, _, _) in faults.FAULTS.items():
        trials = lost = doubled = spoiled = ran = 0
        for i in range(rounds):
            rnd, v = play(seed + i, [kind])
            trials += rnd.injected.get(kind, 0)
            lost, doubled = lost + v.lost, doubled + v.doubled
            spoiled, ran = spoiled + v.spoiled, ran + len(v.starts)
        rows.append((kind, how, trials, ran, spoiled, lost, doubled))
    tap.note('%-14s %-42s %6s %8s %8s %5s %7s' % (
        'fault', 'injected by', 'trials', 'attempts', 'cut off', 'lost',
        'doubled'))
    for row in rows:
        tap.note('%-14s %-42s %6d %8d %8d %5d %7d' % row)


def main(args):
    need()
    if args[:1] == ['--table']:
        table(int(args[1]), int(args[2]))
    else:
        for i in range(int(args[1])):
            play(int(args[0]) + i, args[2:])
    tap.done()


if __name__ == '__main__':
    main(sys.argv[1:])
