"""The service in a container: starts it, waits until it listens, and stops it."""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

START_TIMEOUT = 30
# A command may print this line when its own setup is done; the start time counts from there.
STARTING = "starting"


class Container:
    def __init__(self, command, environment=None):
        """Without an environment, the command inherits this process's."""
        self._stderr = []
        self._started = time.monotonic()
        self._process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        self._kill = threading.Timer(START_TIMEOUT, self._signal, [signal.SIGKILL])
        self._kill.start()

    def wait_until_listening(self):
        """Returns the port."""
        for line in self._process.stderr:
            now = time.monotonic()
            self._stderr.append(line)
            if line.strip() == STARTING:
                self._started = now
            if '"listening"' in line:
                self.seconds_to_listening = now - self._started
                return json.loads(line)["port"]
        raise SystemExit(f"error: cannot start the container: it does not listen; its output:\n{self.stderr()}")

    def stop(self):
        """SIGTERM, as Cloud Run sends it. Returns the exit code."""
        self._signal(signal.SIGTERM)
        self._stderr.extend(self._process.stderr)
        return self._process.wait()

    def _signal(self, number):
        try:
            os.kill(last_descendant(self._process.pid), number)
        except (FileNotFoundError, ProcessLookupError):
            pass  # It has ended already; its exit code is checked by the caller.

    def stderr(self):
        return "".join(self._stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._kill.cancel()
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process.stderr.close()


def last_descendant(pid):
    """The last process in the chain of children. Buildah does not forward signals."""
    children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return last_descendant(int(children[0])) if children else pid
