# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the house that a compiler does not know: who may include whom,
where each library may be used, licence lines, sizes, contracts in headers.
Each rule is also shown a small tree that breaks it."""

import os
import re
import shutil
import tempfile

import tap

FLOORS = {
    'base': 0,
    'sys': 1, 'proto': 1, 'model': 1, 'filter': 1,
    'plan': 2, 'sched': 2, 'store': 2, 'net': 2,
    'fleet': 3, 'report': 3,
    'engine': 4,
    'tui': 5,
    'cli': 6,
    'main': 7,
}
AGENT_SEES = {'base', 'sys', 'proto', 'model', 'store'}

# Headers of libraries, and the one room that may include them.
LIBRARIES = [
    (r'json(-c/|\.h)', 'base'), (r'utf8proc\.h', 'base'), (r'uv\.h', 'sys'),
    (r'pcre2', 'filter'), (r'sqlite3', 'store'), (r'libssh2', 'net'),
    (r'expat\.h', 'report'),
    (r'(.*/)?n?curses[w]?(\.h|/)|term\.h|(.*/)?panel\.h', 'tui'),
]
CURSES = LIBRARIES[-1][0]

TREES = ('src', 'include', 'tests', 'man', 'themes', 'keymaps', 'schema',
         'examples', '.ci')
TOP_FILES = ('Makefile.am', 'configure.ac', 'bootstrap', '.clang-format')
CODE = ('.c', '.h', '.py', '.sh', '.am', '.ac')

SOURCE_LINES = 600
FUNCTION_LINES = 70

MARKS = re.compile(r'\b(%s)\b' % '|'.join(('TO' 'DO', 'FIX' 'ME', 'XX' 'X')))
NAPS = {
    '.c': re.compile(r'\b(u|nano|clock_nano)?sleep\s*\('),
    '.h': re.compile(r'\b(u|nano|clock_nano)?sleep\s*\('),
    '.py': re.compile(r'\bsleep\s*\('),
    '.sh': re.compile(r'(^|[;&|])\s*sleep\s'),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


class Tree:
    """All files of a source tree, read once: [(path, text)]."""

    def __init__(self, root):
        self.files = []
        for top in TREES:
            for folder, dirs, names in os.walk(os.path.join(root, top)):
                dirs[:] = sorted(d for d in dirs if d != '__pycache__')
                self._add(root, folder, names)
        self._add(root, root, [n for n in TOP_FILES
                               if os.path.exists(os.path.join(root, n))])

    def _add(self, root, folder, names):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith(('.o', '.log', '.trs', '.pyc')):
                continue
            with open(path, encoding='utf-8', errors='replace') as f:
                self.files.append((os.path.relpath(path, root), f.read()))

    def ending(self, endings, under=''):
        return [(p, t) for p, t in self.files
                if p.endswith(endings) and p.startswith(under)]


def room_of(path):
    """The room of a file in src/ or include/, or None."""
    parts = path.split('/')
    if parts[0] == 'src' and len(parts) > 2:
        return parts[1]
    if parts[:2] == ['include', 'yardmaster'] and len(parts) > 2:
        return re.sub(r'\.h$', '', parts[2])
    return None


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if m:
            yield number, m.group(1) == '"', m.group(2)


def may_include(room, other):
    if room == other:
        return True
    if room == 'agent':
        return other in AGENT_SEES
    return other in FLOORS and FLOORS.get(room, -1) > FLOORS[other]


def check_directions(tree):
    """A room includes only rooms on lower floors; private headers of another
    room not at all."""
    for path, text in tree.ending(('.c', '.h')):
        room = room_of(path)
        if room is None:
            continue
        if room != 'agent' and room not in FLOORS:
            yield '%s: room %s is on no floor' % (path, room)
        for number, own, name in includes(text):
            parts = name.split('/')
            public = parts[0] == 'yardmaster' and len(parts) > 1
            other = re.sub(r'\.h$', '', parts[1]) if public else parts[0]
            if not own or (not public and len(parts) == 1):
                continue
            if not (may_include(room, other) if public else room == other):
                yield '%s:%d: %s must not include %s' % (
                    path, number, room, name)


def check_libraries(tree):
    """Each library is known in one room; curses in one file of tui."""
    curses = set()
    for path, text in tree.ending(('.c', '.h')):
        room = room_of(path)
        for number, own, name in includes(text):
            for pattern, home in LIBRARIES:
                if room is None or not re.match(pattern, name) or own:
                    continue
                if room != home:
                    yield '%s:%d: %s belongs to %s' % (
                        path, number, name, home)
                if pattern is CURSES:
                    curses.add(path)
    if len(curses) > 1:
        yield 'curses in more than one file: ' + ', '.join(sorted(curses))


def check_licence(tree):
    """Every source, script, header, theme and key map says its licence."""
    for path, text in tree.files:
        code = path.endswith(CODE) or path in TOP_FILES
        data = path.startswith(('themes/', 'keymaps/', '.ci/'))
        if path.startswith('tests/data/') or not (code or data):
            continue
        head = '\n'.join(text.splitlines()[:3])
        if 'SPDX-License-Identifier: GPL-3.0-or-later' not in head:
            yield '%s: no SPDX line' % path


def functions(text):
    """(name line, first line, number of lines) of each function, which house
    style begins with '{' in the first column. Tables inside do not count."""
    lines = text.splitlines()
    start = None
    for i, line in enumerate(lines):
        if line == '{' and start is None:
            start = i
            while start > 0 and lines[start - 1].strip() and \
                    not lines[start - 1].startswith(('}', '#')):
                start -= 1
        elif line.startswith('}') and start is not None:
            count = table = 0
            for inner in lines[start:i + 1]:
                if re.match(r'\t+(static )?const .*\{$', inner):
                    table = 1
                count += not table
                if re.match(r'\t+\};', inner):
                    table = 0
            yield lines[start], start + 1, count
            start = None


def check_sizes(tree):
    """Sources of at most 600 lines, functions of at most 70."""
    for path, text in tree.ending(('.c', '.h', '.py', '.sh')):
        n = text.count('\n')
        if n > SOURCE_LINES:
            yield '%s: %d lines' % (path, n)
        if not path.endswith('.c'):
            continue
        for _, line, count in functions(text):
            if count > FUNCTION_LINES:
                yield '%s:%d: a function of %d lines' % (path, line, count)


def check_naps(tree):
    """Tests wait for events, not for time to pass."""
    for path, text in tree.ending(tuple(NAPS), 'tests/'):
        pattern = NAPS[os.path.splitext(path)[1]]
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                yield '%s:%d: waits for time' % (path, number)


def check_marks(tree):
    """Nothing is left to be done later."""
    for path, text in tree.ending(CODE + ('.1', '.5', '.7', '.json')):
        for number, line in enumerate(text.splitlines(), 1):
            if MARKS.search(line):
                yield '%s:%d: a mark of unfinished work' % (path, number)


def statements(text):
    """(line number, text, has a comment above it in its paragraph) of each
    statement that begins in the first column."""
    commented = in_comment = False
    statement, first = '', 0
    for number, line in enumerate(text.splitlines(), 1):
        if in_comment or line.startswith('/*'):
            in_comment = '*/' not in line
            commented = True
            continue
        if not line.strip() and not statement:
            commented = False
            continue
        if statement or re.match(r'[A-Za-z_]', line):
            first = first or number
            statement += ' ' + re.sub(r'/\*.*?(\*/|$)', '', line).strip()
            if statement.count('{') == statement.count('}') and \
                    statement.rstrip().endswith(';'):
                yield first, statement.strip(), commented
                statement, first = '', 0


def check_contracts(tree):
    """Every prototype of a public header has its contract above it, or above
    its group."""
    for path, text in tree.ending('.h', 'include/yardmaster/'):
        for number, line, commented in statements(text):
            prototype = '(' in line and '{' not in line and \
                not line.startswith(('typedef', 'struct', 'enum', 'union')) \
                or re.match(r'(struct|enum)\s+\w+\s+\**\w+\(', line)
            if prototype and not commented:
                yield '%s:%d: no contract: %s' % (path, number, line)


CHECKS = [check_directions, check_libraries, check_licence, check_sizes,
          check_naps, check_marks, check_contracts]

SPDX = '/* SPDX-License-Identifier: GPL-3.0-or-later */\n'
LONG = 'int\nf(void)\n{\n' + '\ti++;\n' * 80 + '}\n'
TABLE = ('int\nf(void)\n{\n\tstatic const int t[] = {\n' + '\t\t1,\n' * 80 +
         '\t};\n\n\treturn t[0];\n}\n')

# check, file, text, how many faults it has to find
BROKEN = [
    (check_directions, 'src/base/x.c', '#include "yardmaster/sys/fs.h"\n', 1),
    (check_directions, 'src/sys/x.c', '#include "yardmaster/proto/msg.h"', 1),
    (check_directions, 'src/agent/x.c', '#include "yardmaster/net/link.h"', 1),
    (check_directions, 'src/agent/x.c', '#include "yardmaster/sys/fs.h"', 0),
    (check_directions, 'src/sys/x.c', '#include "base/jscan.h"', 1),
    (check_directions, 'src/sys/x.c', '#include "sys/a.h"\n#include "b.h"', 0),
    (check_directions, 'src/cellar/x.c', '', 1),
    (check_directions, 'src/cli/x.c', '#include "yardmaster/tui/tui.h"', 0),
    (check_directions, 'src/tui/x.c', '#include "yardmaster/cli/cli.h"', 1),
    (check_directions, 'include/yardmaster/plan/x.h',
     '#include "yardmaster/sched/s.h"\n', 1),
    (check_directions, 'include/yardmaster/plan.h',
     '#include "yardmaster/sched.h"\n', 1),
    (check_libraries, 'src/sys/x.c', '#include <json-c/json.h>\n', 1),
    (check_libraries, 'src/engine/x.c', '#include <sqlite3.h>\n', 1),
    (check_libraries, 'src/tui/x.c', '#include <ncursesw/curses.h>\n', 0),
    (check_libraries, 'src/cli/x.c', '#include <curses.h>\n', 1),
    (check_libraries, 'src/base/x.c', '#include <uv.h>\n', 1),
    (check_licence, 'src/base/x.c', 'int a;\n', 1),
    (check_licence, 'themes/dark.theme', '{}\n', 1),
    (check_licence, 'tests/data/x.c', 'int a;\n', 0),
    (check_sizes, 'src/base/x.c', LONG, 1),
    (check_sizes, 'src/base/x.c', TABLE, 0),
    (check_sizes, 'src/base/x.c', '\n' * 601, 1),
    (check_naps, 'tests/base/x.c', '\tus' 'leep (5);\n', 1),
    (check_naps, 'tests/base/x.py', 'time.sle' 'ep(1)\n', 1),
    (check_naps, 'tests/base/x.sh', 'true; sleep 1\n', 1),
    (check_naps, 'tests/base/x.py', '["sleep", "2"]\n', 0),
    (check_naps, 'src/base/x.c', 'sle' 'ep(1);\n', 0),
    (check_marks, 'src/base/x.c', '/* ' + 'TO' + 'DO */\n', 1),
    (check_contracts, 'include/yardmaster/base/x.h', 'int f(void);\n', 1),
    (check_contracts, 'include/yardmaster/base/x.h',
     '/* Does. */\nint f(void);\nstruct x *g(int a,\n    int b);\n', 0),
    (check_contracts, 'include/yardmaster/base/x.h',
     '/* Does. */\nint f(void);\n\nstruct x *g(int a,\n    int b);\n', 1),
    (check_contracts, 'include/yardmaster/base/x.h',
     'struct s {\n\tint (*f)(int);\n};\ntypedef int (*t)(void);\n', 0),
]


def faults_of(check, path, text):
    root = tempfile.mkdtemp(prefix='ym-lint-')
    try:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full))
        with open(full, 'w', encoding='utf-8') as f:
            f.write(text)
        return list(check(Tree(root)))
    finally:
        shutil.rmtree(root)


def main():
    root = os.environ.get('YM_SRCDIR') or os.path.join(
        os.path.dirname(os.path.abspath(__file__)), '..', '..')
    for check, path, text, want in BROKEN:
        got = faults_of(check, path, text)
        tap.ok('%s sees %d in %s' % (check.__name__, want, path),
               len(got) == want, '\n'.join(got) or 'nothing found')
    two = tempfile.mkdtemp(prefix='ym-lint-')
    for name in ('a.c', 'b.c'):
        os.makedirs(os.path.join(two, 'src/tui'), exist_ok=True)
        with open(os.path.join(two, 'src/tui', name), 'w') as f:
            f.write('#include <curses.h>\n')
    tap.equal('curses in two files', len(list(check_libraries(Tree(two)))), 1)
    shutil.rmtree(two)
    tree = Tree(root)
    tap.ok('the tree is there', len(tree.files) > 50, root)
    for check in CHECKS:
        faults = list(check(tree))
        tap.ok(check.__doc__.split('.')[0], not faults, '\n'.join(faults))
    tap.done()


if __name__ == '__main__':
    main()
