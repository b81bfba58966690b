# SPDX-License-Identifier: GPL-3.0-or-later
"""An agent whose disk has filled since it took a workspace: a later run says
what is missing, goes elsewhere, and leaves nothing half unpacked there."""

import glob
import os

import sshd
import tap
from disks import MB, fill, need_mounts, small_disk
from lab import Lab

FILES = 300


def make_tree(root):
    os.makedirs(root)
    for i in range(FILES):
        with open('%s/%d' % (root, i), 'wb') as f:
            f.write(os.urandom(40000))      # of 12 MB


def free(host):
    v = os.statvfs(host.state)
    return v.f_bavail * v.f_frsize, v.f_favail


def unpacked(host):
    return glob.glob(host.state + '/yardmaster/agent/*/ws/*/tree')


def launch(lab, agents, error_retries=1):
    """Runs one test, when the last of the agents is there: exit code, its row
    of the report, what was printed."""
    process, run = lab.start_run(lab.plan({
        'name': 'w', 'error_retries': error_retries, 'retry_delay': '0s',
        'suites': [{
            'name': 's', 'agents': agents, 'tests': ['t'], 'needs': ['up'],
            'workspace': 'tree', 'command': [
                'sh', '-c', 'test "$(ls | wc -l)" = %d' % FILES]}, {
            'name': 'up', 'agents': agents[-1:], 'tests': ['u'],
            'command': ['true']}]}))
    said = '%s%s' % process.communicate()
    return (process.returncode, lab.json('report', run)['executions'][0],
            said)


def is_error(what, lab, words):
    host = lab.hosts[0]
    before = free(host)
    code, row, said = launch(lab, ['lab-1'], 0)
    tap.ok('%s: an error that says so' % what, code == 2 and
           row['state'] == 'error' and all(
               w in row['text'] for w in words), said)
    tap.ok('%s: nothing is left there' % what, not unpacked(host) and
           lab.until(lambda: free(host)[0] >= before[0] - MB),
           '%s %s' % (before, free(host)))
    code, row, said = launch(lab, ['lab-1', 'lab-2'])
    tap.ok('%s: with another agent it goes there' % what, code == 0 and
           row['agent'] == 'lab-2', said + str(row))


def main():
    sshd.need()
    need_mounts()
    agents = {'lab-1': {'max_workers': 2, 'guards': {'free_disk': '8M'}},
              'lab-2': {'max_workers': 1}}
    with Lab(2, agents) as lab:
        host = lab.hosts[0]
        make_tree(lab.dir + '/tree')
        with small_disk(host.state, '60m', host.kill_all, 2000) as filler:
            code, _, said = launch(lab, ['lab-1'], 0)
            tap.ok('with room it passes', code == 0, said)
            tap.ok('and is removed', lab.until(lambda: not unpacked(host)))
            fill(filler, free(host)[0] - 14 * MB)
            is_error('bytes', lab, ['the workspace cannot be made: it needs',
                                    'MB are there'])
            os.unlink(filler)
            os.mkdir(filler)
            for i in range(free(host)[1] - 200):
                open('%s/%d' % (filler, i), 'w').close()
            is_error('inodes', lab, ['inodes with what has to stay free'])
            for name in os.listdir(filler):
                os.unlink(filler + '/' + name)
            code, _, said = launch(lab, ['lab-1'], 0)
            tap.ok('with room again it passes', code == 0, said)
    tap.done()


main()
