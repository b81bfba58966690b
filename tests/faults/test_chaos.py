# SPDX-License-Identifier: GPL-3.0-or-later
"""A few rounds of chance with fixed seeds, at the same time; make check-faults
and make check-long play many more."""

import tempfile
from concurrent.futures import ThreadPoolExecutor

import chaos
import judge
import tap
from round import Round

RUN = 'r0000000000'
SEEDS = (1, 2, 3, 4)
FAULTS = 5


class Fake:
    """A round that was not played: two tests, and what is said of them."""

    def __init__(self, folder, noted, executions):
        self.dir, self.lab, self.run = folder, self, RUN
        self.injected = {'console': 1}
        self.plan = {'suites': [{'tests': [1]}, {'tests': [2]}]}
        self.executions = executions
        with open(folder + '/noted', 'w') as f:
            f.write(noted)

    def json(self, *args):
        counts = dict.fromkeys(judge.FINAL, 0)
        for x in self.executions:
            counts[x['state']] += 1
        return {'counts': counts, 'executions': self.executions}

    def strays(self):
        return []

    def complaints(self):
        return []


def execution(n, suite, state, *codes):
    return {'id': '%s/%d' % (RUN, n), 'suite': suite, 'state': state,
            'steps': [{'test': 't', 'state': state, 'text': None, 'tries': [
                dict({'attempt': i + 1},
                     **({} if code is None else {'exit_code': code}))
                for i, code in enumerate(codes)]}]}


def test_judge():
    """The judge finds what is wrong, else nothing that follows says much."""
    good = [execution(1, 'often', 'failed', 3),
            execution(2, 'once', 'passed', 0)]
    twice = execution(1, 'often', 'failed', 3, 3)
    twice['steps'][0]['tries'][1]['attempt'] = 1
    lines = ['S %s/1/1:t a', 'E %s/1/1:t 3', 'S %s/2/1:t a', 'E %s/2/1:t 0']
    for name, executions, more, wrong in (
            ('nothing', good, [], 0),
            ('an attempt that started twice', good, ['S %s/1/1:t b'], 1),
            ('one that must not be repeated', good,
             ['S %s/2/2:t b', 'E %s/2/2:t 0'], 2),
            ('a lock held by two', good, ['V %s/1/1:t x:db'], 1),
            ('a lost execution', good[:1], [], 1),
            ('another exit code', [execution(1, 'often', 'failed', 4),
                                   good[1]], [], 1),
            ('a lost result', [execution(1, 'often', 'error'), good[1]], [],
             2),
            ('a result without a code', [execution(
                1, 'often', 'error', None), good[1]], [], 2),
            ('a result counted twice', [twice, good[1]], [], 1)):
        with tempfile.TemporaryDirectory() as folder:
            noted = ''.join(x % RUN + '\n' for x in lines + more)
            got = judge.Verdict(Fake(folder, noted, executions), True)
            tap.equal('the judge finds ' + name, len(got.wrong), wrong)


def main():
    test_judge()
    chaos.need()
    rounds = [Round(seed, chaos.kinds_of(seed), FAULTS) for seed in SEEDS]
    with ThreadPoolExecutor(len(rounds)) as pool:
        verdicts = list(pool.map(lambda rnd: rnd.play(), rounds))
    for rnd, verdict in zip(rounds, verdicts):
        chaos.tell(rnd, verdict)
    tap.ok('faults were injected', sum(
        sum(rnd.injected.values()) for rnd in rounds) >= len(SEEDS))
    tap.done()


main()
