# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a round: what the run file says against what the executions
themselves noted."""

import faults

FINAL = ('passed', 'healed', 'failed', 'timeout', 'error', 'cancelled',
         'skipped')


def planned(plan):
    return [t for s in plan['suites'] for t in s['tests']]


class Verdict:
    """wrong: every broken promise, in words."""

    def __init__(self, rnd, ended):
        self.rnd, self.wrong, self.report = rnd, [], {}
        # A late result of a lost attempt is kept and does not count.
        self.late = 'lost_after' in rnd.plan
        self.lossy = self.late or any(faults.FAULTS[k][2]
                                      for k in rnd.injected)
        self.starts, self.ends = {}, {}
        self.lost = self.doubled = self.spoiled = 0
        self._read_noted(rnd.lab.dir + '/noted')
        self._once()
        if not ended:
            self.wrong.append('the run %s does not end' % rnd.run)
            return
        self.report = rnd.lab.json('report', rnd.run)
        self._counts()
        for x in self.report['executions']:
            self._execution(x)
        self.wrong += rnd.complaints()
        for pid, words in rnd.strays():
            self.wrong.append('process %d is left: %s' % (pid, words))

    def _read_noted(self, path):
        with open(path, 'a+') as f:
            f.seek(0)
            for sign, attempt, what in (line.split() for line in f):
                if sign == 'S':
                    self.starts.setdefault(attempt, []).append(what)
                elif sign == 'E':
                    self.ends.setdefault(attempt, []).append(int(what))
                else:
                    self.doubled += 1
                    self.wrong.append('%s runs while another holds %s' % (
                        attempt, what))

    def _once(self):
        for attempt, agents in self.starts.items():
            if len(agents) > 1:
                self.doubled += 1
                self.wrong.append('attempt %s started %d times: %s' % (
                    attempt, len(agents), agents))

    def _counts(self):
        """A sequential suite is one execution, the others one a test."""
        want = sum(1 if s.get('mode') == 'sequential' else len(s['tests'])
                   for s in self.rnd.plan['suites'])
        counts = self.report['counts']
        final = sum(counts[s] for s in FINAL)
        if final != want or len(self.report['executions']) != want:
            self.lost += want - final
            self.wrong.append('%d executions planned: %s' % (want, counts))

    def _execution(self, x):
        for step in x['steps']:
            self._step(x, step)

    def _step(self, x, step):
        tries = {}
        for t in step['tries']:
            if t['attempt'] in tries:
                self.doubled += 1
                self.wrong.append('%s: attempt %d counted twice' % (
                    x['id'], t['attempt']))
            tries[t['attempt']] = t
        head, tail = x['id'] + '/', ':' + step['test']
        numbers = sorted(int(a[len(head):-len(tail)]) for a in self.starts
                         if a.startswith(head) and a.endswith(tail))
        started = ['%s%d%s' % (head, n, tail) for n in numbers]
        if x['suite'] == 'once' and len(started) > 1:
            self.doubled += 1
            self.wrong.append('%s may not be repeated and ran as %s' % (
                x['id'], started))
        for n, attempt in zip(numbers, started):
            self._attempt(attempt, tries.get(n))
        self._state(x, step, started)

    def _attempt(self, attempt, told):
        """An attempt that started, and what was told of it."""
        code = self.ends.get(attempt, [None])[0]
        if told is None or told.get('exit_code') is None:
            self.spoiled += 1
            if not self.lossy:
                self.lost += 1
                self.wrong.append('%s started, exit %s, its result is not '
                                  'there: %s' % (attempt, code, told))
        elif told['exit_code'] != code:
            self.wrong.append('%s exits with %s, told %s' % (
                attempt, code, told))

    def _state(self, x, step, started):
        """The state against what the last attempt did."""
        codes = [self.ends.get(a, [None])[0] for a in started]
        last = codes[-1] if codes else None
        state = step['state']
        if self.late:
            good = state not in ('passed', 'healed') or 0 in codes
        elif state in ('passed', 'healed'):
            good = last == 0
        elif state == 'failed':
            good = last not in (0, None)
        else:
            good = self.lossy
        if not good:
            self.wrong.append('%s %s is %s (%s), its attempts exit with %s' % (
                x['id'], step['test'], state, step['text'], codes))
