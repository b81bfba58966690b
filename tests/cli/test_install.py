# SPDX-License-Identifier: GPL-3.0-or-later
"""What "make install" leaves in a prefix is a whole yardmaster: it finds its
agent, link program, examples, themes and key maps from there, also when the
prefix is not the one it was configured for."""

import glob
import os
import shutil
import subprocess
import tempfile

import tap

BUILD = os.environ['YM_BUILDDIR']
SRC = os.environ['YM_SRCDIR']


def clean_env(home):
    """An environment that says nothing of the source tree."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(('YM_', 'YARDMASTER_', 'XDG_', 'MAKE', 'MFLAGS'))
           and k != 'PYTHONPATH'}
    return dict(env, HOME=home, PATH='/usr/bin:/bin', NO_COLOR='1')


def run(argv, env):
    return subprocess.run(argv, env=env, cwd=env['HOME'],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding='utf-8',
                          errors='replace')


def install(env, *variables):
    """Installs into scratch; the folder of the console program or None."""
    done = run(['make', '-s', '-C', BUILD, 'install'] + list(variables), env)
    tap.ok('make install %s' % ' '.join(v.split('=')[0] for v in variables),
           done.returncode == 0, done.stdout)
    for folder, _, names in os.walk(env['HOME']):
        if 'yardmaster' in names and folder.endswith('/bin'):
            return folder
    return None


def check_files(prefix):
    for pattern in ('bin/yardmaster', 'bin/yardmaster-agent',
                    'libexec/yardmaster/yardmaster-link'):
        tap.ok(pattern + ' can be executed',
               os.access(os.path.join(prefix, pattern), os.X_OK))
    static = 'yardmaster-agent-static'
    tap.equal('the static agent is there when it can be built',
              os.access(os.path.join(prefix, 'libexec/yardmaster', static),
                        os.X_OK),
              os.path.exists(os.path.join(BUILD, static)))
    for kind in ('themes', 'keymaps', 'schema', 'examples'):
        want = sorted(n for n in os.listdir(os.path.join(SRC, kind))
                      if not n.endswith('.am'))
        tap.equal(kind + ' are all installed', sorted(os.listdir(
            os.path.join(prefix, 'share/yardmaster', kind))), want)
    want = sorted(os.path.basename(p) for p in glob.glob(SRC + '/man/*.[157]'))
    tap.equal('so are the pages of the manual', sorted(
        os.path.basename(p)
        for p in glob.glob(prefix + '/share/man/man*/*')), want)


def check_completion(prefix, env):
    """bash loads the installed file when it first completes the word."""
    loaded = run(['bash', '-c', '. "$0" && complete -p yardmaster', prefix +
                  '/share/bash-completion/completions/yardmaster'],
                 dict(env, PATH=prefix + '/bin:' + env['PATH']))
    tap.ok('bash completes the command', '-F _yardmaster' in loaded.stdout,
           loaded.stdout)


def check_use(prefix, env):
    """Whatever needs a file finds it."""
    console = prefix + '/bin/yardmaster'
    data = prefix + '/share/yardmaster'
    files = [p for kind in ('examples/*.json', 'themes/*', 'keymaps/*')
             for p in sorted(glob.glob(os.path.join(data, kind)))]
    done = run([console, 'check'] + files, env)
    tap.ok('check is content with all that is installed',
           done.returncode == 0, done.stdout)
    done = run([console, 'keymap', 'dump', 'vi'], env)
    tap.ok('a key map is found by its name', done.returncode == 0 and
           'name = vi' in done.stdout, done.stdout)
    done = run([console, '--version'], env)
    tap.ok('the link program is found', 'libssh2 ' in done.stdout,
           done.stdout)


def check_demo(prefix, env):
    console = prefix + '/bin/yardmaster'
    done = run([console, 'demo', '--headless'], env)
    tap.ok('the demo has its foreseen results', done.returncode == 0,
           done.stdout)
    tap.ok('of 40 executions', '40 executions' in done.stdout, done.stdout)
    for n in '123':
        run([console + '-agent', 'quit', '--instance', 'demo-' + n], env)
    os.unlink(prefix + '/share/yardmaster/examples/demo.json')
    done = run([console, 'demo', '--headless'], env)
    tap.ok('without its plan it says so', done.returncode == 2 and
           'demo.json' in done.stdout, done.stdout)


def staged():
    """As a packager installs: under DESTDIR, for a prefix not there yet."""
    home = tempfile.mkdtemp(prefix='ym-install-')
    try:
        env = clean_env(home)
        bindir = install(env, 'DESTDIR=%s/stage' % home)
        if tap.ok('the program is under DESTDIR', bindir):
            check_files(os.path.dirname(bindir))
            check_use(os.path.dirname(bindir), env)
            check_completion(os.path.dirname(bindir), env)
    finally:
        shutil.rmtree(home)


def moved():
    """Into a prefix that configure did not know of."""
    home = tempfile.mkdtemp(prefix='ym-install-')
    try:
        env = clean_env(home)
        prefix = home + '/a prefix'
        install(env, 'prefix=' + prefix)
        check_use(prefix, env)
        check_demo(prefix, env)
        done = run(['make', '-s', '-C', BUILD, 'uninstall',
                    'prefix=' + prefix], env)
        left = [n for _, _, names in os.walk(prefix) for n in names]
        tap.ok('make uninstall leaves nothing', done.returncode == 0 and
               not left, done.stdout + str(left))
    finally:
        shutil.rmtree(home)


def main():
    if shutil.which('make', path='/usr/bin:/bin') is None:
        tap.skip_all('make is not installed')
    staged()
    moved()
    tap.done()


main()
