# SPDX-License-Identifier: GPL-3.0-or-later
"""A link of the console without a console: linkcat, told what to open."""

import json
import os
import queue
import subprocess
import threading

PATIENCE_S = 60


def _built(name):
    return os.path.join(os.path.abspath(os.environ.get('YM_BUILDDIR', '.')),
                        name)


class Cat:
    """One link. What happens is read as events; what the far end says as
    bytes."""

    def __init__(self, spec, env=None):
        base = {'PATH': os.environ['PATH'],
                'YARDMASTER_LINK': _built('yardmaster-link')}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LD_LIBRARY_PATH'):
            if name in os.environ:
                base[name] = os.environ[name]
        base.update(env or {})
        self.process = subprocess.Popen(
            [_built('tests/net/linkcat'), json.dumps(spec)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=base)
        self.events = queue.Queue()
        self.said = []
        threading.Thread(target=self._read_events, daemon=True).start()

    def _read_events(self):
        for line in self.process.stderr:
            try:
                event = json.loads(line)
            except ValueError:
                event = {'event': 'noise', 'text': line.decode(
                    errors='replace')}
            self.events.put(event)
        self.events.put(None)

    def event(self, kind):
        """The next event of that kind; None when the link ended without."""
        while True:
            event = self.events.get(timeout=PATIENCE_S)
            if event is None:
                return None
            self.said.append(event)
            if event['event'] == kind:
                return event

    def phase(self, name):
        """Waits for a phase; its event or None."""
        while True:
            event = self.event('phase')
            if event is None or event['value'] == name:
                return event

    def end(self):
        """Waits for the end; (code, text)."""
        event = self.event('end')
        self.close()
        return (event['code'], event['text']) if event else (0, 'no end')

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def read(self, n):
        data = b''
        while len(data) < n:
            piece = self.process.stdout.read1(n - len(data))
            if not piece:
                break
            data += piece
        return data

    def read_until(self, mark):
        data = b''
        while mark not in data:
            piece = self.process.stdout.read1(65536)
            if not piece:
                break
            data += piece
        return data

    def close(self):
        """Closes the link; its exit code."""
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        code = self.process.wait(PATIENCE_S)
        self.process.stdout.close()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
