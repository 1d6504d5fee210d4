"""The service in a container: when it listens, and how it ends."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

# What takes longer will never come.
PATIENCE = 30
# The line with which a command may say that its preparations are over.
STARTING = "starting"


class Container:
    def __init__(self, command, environment=None):
        """Without an environment, the command has ours."""
        self._said = []
        self._started = time.monotonic()
        self._process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self._kill = threading.Timer(PATIENCE, self._signal, [signal.SIGKILL])
        self._kill.start()

    def wait_until_listening(self):
        """Returns the port."""
        for line in self._process.stderr:
            now = time.monotonic()
            self._said.append(line)
            if line.strip() == STARTING:
                self._started = now
            if '"listening"' in line:
                self.seconds_to_listening = now - self._started
                return json.loads(line)["port"]
        raise SystemExit(f"the image is wrong: it does not listen; it said:\n{self.said()}")

    def stop(self):
        """SIGTERM, as Cloud Run sends it. Returns the exit code."""
        self._signal(signal.SIGTERM)
        self._said.extend(self._process.stderr)
        return self._process.wait()

    def _signal(self, number):
        try:
            os.kill(last_of(self._process.pid), number)
        except (FileNotFoundError, ProcessLookupError):
            pass  # It has ended already, and its exit code tells how.

    def said(self):
        return "".join(self._said)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._kill.cancel()
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process.stderr.close()


def last_of(pid):
    """The process that was started by the process that was started by this one, and so on. Buildah does not hand
    signals down."""
    children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return last_of(int(children[0])) if children else pid
