# SPDX-License-Identifier: GPL-3.0-or-later
"""A host on which nothing can be started is benched: work goes to the others,
why and the console say so, and it comes back when a probe passes or somebody
clears it."""

import os

import sshd
import tap
from lab import Lab


class Broken:
    """The folder of commands of one agent, there or away."""

    def __init__(self, lab, name):
        self.path = '%s/bin-%s' % (lab.dir, name)
        self.away = self.path + '.away'

    def breaks(self):
        os.rename(self.path, self.away)

    def mended(self):
        os.rename(self.away, self.path)


def folders(lab):
    for host in lab.hosts:
        os.mkdir('%s/bin-%s' % (lab.dir, host.name))
        os.symlink(lab.work, '%s/bin-%s/work' % (lab.dir, host.name))


def plan_of(lab, n, agents=None, seconds='0.05', **more):
    suite = {'name': 's', 'tests': ['t%d' % i for i in range(n)]}
    if agents:
        suite['agents'] = agents
    return lab.plan(dict({
        'name': 'p', 'parallel': 'tests', 'order': 'plan',
        'error_retries': 9, 'retry_delay': '50ms',
        'command': [lab.dir + '/bin-{agent}/work', seconds],
        'suites': [suite]}, **more))


def agent(lab, name):
    return [a for a in lab.json('agents')['agents'] if a['name'] == name][0]


def others_take_it(lab, bad):
    bad.breaks()
    process, run = lab.start_run(plan_of(lab, 12))
    said = process.communicate()
    tap.ok('the others do it all', process.returncode == 0, '%s%s' % said)
    a = agent(lab, 'lab-1')
    tap.ok('the agent is benched', a['benched'] and a['state'] == 'benched',
           str(a))
    tap.ok('with its evidence', run + '/' in (a['errors'] or '') and
           ' of the last ' in a['errors'] and 'bin-lab-1' in a['errors'],
           str(a))
    tap.ok('no test is blamed', all('blame' not in (x['text'] or '')
           for x in lab.json('report', run)['executions']))
    with lab.screen(cols=100) as screen:
        screen.sees('the screen shows it', '! benched')
        screen.keys('0')
        screen.sees('Attention says so', 'lab-1 is benched')


def clear_without_owner(lab, bad):
    done = lab.cli('clear', 'lab-1')
    tap.ok('cleared while no run is live', done.returncode == 0,
           done.stdout + done.stderr)
    tap.ok('and it is remembered', not agent(lab, 'lab-1')['benched'])
    done = lab.cli('clear', 'lab-1')
    tap.ok('once is enough', done.returncode == 2 and
           'not benched' in done.stderr, done.stderr)
    done = lab.cli('probe', 'lab-1')
    tap.ok('nothing probes without a run', done.returncode == 2 and
           'no run is live' in done.stderr, done.stderr)
    done = lab.cli('probe', 'no agent')
    tap.equal('that is no name', done.returncode, 4)


def attempts(lab, run):
    return sum(x['attempt'] for x in lab.json('report', run)['executions'])


def probe_and_resume(lab, bad):
    """Only the broken one may run it: it waits, and says why."""
    process, run = lab.start_run(plan_of(lab, 4, ['lab-1']))
    lab.until(lambda: 'agents-benched' in lab.cli('why', run + '/4').stdout)
    why = lab.cli('why', run + '/4').stdout
    tap.ok('why says it is benched', 'lab-1' in why and
           ' of the last ' in why and 'clear' in why and 'probe' in why,
           why)
    before = attempts(lab, run)
    done = lab.cli('probe', 'lab-1')
    tap.ok('a probe is taken', done.returncode == 0, done.stderr)
    tap.ok('one execution goes there', lab.until(
        lambda: attempts(lab, run) == before + 1))
    # It waits again, and for the same reason.
    tap.ok('it errs: benched still', lab.until(
        lambda: lab.cli('why', run + '/4').stdout.count('agents-benched') and
        agent(lab, 'lab-1')['benched']) and attempts(lab, run) == before + 1)
    process.kill()
    process.communicate()
    bad.mended()
    process = lab.start('resume', run)
    why = lab.until(lambda: 'agents-benched' in lab.cli('why', run + '/4').stdout)
    tap.ok('who takes the run over has it benched', why)
    done = lab.until(lambda: lab.cli('probe', 'lab-1').returncode == 0)
    tap.ok('a probe after it was mended', done)
    out = process.communicate()
    tap.ok('passes, and all goes on', process.returncode == 0, '%s%s' % out)
    tap.ok('it is benched no more', not agent(lab, 'lab-1')['benched'])


def clear_in_a_run(lab, bad):
    bad.breaks()
    process, run = lab.start_run(plan_of(lab, 4, ['lab-1']))
    lab.until(lambda: 'agents-benched' in lab.cli('why', run + '/4').stdout)
    bad.mended()
    done = lab.cli('clear', 'lab-1')
    tap.ok('cleared in a run', done.returncode == 0 and
           'cleared' in done.stdout, done.stdout + done.stderr)
    out = process.communicate()
    tap.ok('it goes on there', process.returncode == 0, '%s%s' % out)


def blame(lab):
    """A test that cannot be started anywhere is to blame, not the agents."""
    plan = lab.plan({
        'name': 'b', 'parallel': 'tests', 'error_retries': 1,
        'retry_delay': '50ms', 'suites': [
            {'name': 'bad', 'tests': ['x%d' % i for i in range(6)],
             'command': ['/no/such/command']}]})
    process, run = lab.start_run(plan)
    out = process.communicate()
    tap.equal('errors: exit 2', process.returncode, 2)
    texts = [x['text'] or '' for x in lab.json('report', run)['executions']]
    tap.ok('each says that the test is to blame', all(
        'the test is to blame' in t and 'no/such' in t for t in texts),
        '%s\n%s%s' % ((texts,) + out))
    tap.ok('no agent is benched', not any(
        a['benched'] for a in lab.json('agents')['agents']))


def main():
    sshd.need()
    with Lab(3, max_workers=1) as lab:
        folders(lab)
        bad = Broken(lab, 'lab-1')
        others_take_it(lab, bad)
        clear_without_owner(lab, bad)
        probe_and_resume(lab, bad)
        clear_in_a_run(lab, bad)
        blame(lab)
    tap.done()


main()
