"""The Rust decoder as a subprocess: `pixel-pipeline explain --lines`, which answers each line with one line.

Two properties of it make a dead process harmless. It writes exactly one answer for each line, in order; and it keeps
nothing between lines. So the lines without an answer are sent to a new process.
"""
import base64
import contextlib
import hashlib
import json
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

# How often a line is sent again when the process died of it, before it becomes a dead letter.
MAX_DEATHS = 3
# The exit code of a panic in Rust.
PANIC = 101
# The keys are not in a settings file. They come from Secret Manager, or from the environment of the worker.
KEYS = ('HASH_USER_IDS', 'URL_SIGNING_KEY')


class DecoderError(Exception):
    """The decoder cannot work with these settings, or not on this machine. No line is at fault."""


@dataclass(frozen=True)
class DecoderConfig:
    """What a worker needs to start the decoder."""

    command: str
    # Settings of the deployment, by name.
    settings: dict
    # Content of the schema file.
    schema: str
    # Name of a key to its version in Secret Manager.
    secrets: dict = field(default_factory=dict)

    def environment(self, schema_file):
        """Only these settings reach the process: another variable of the worker would change rows on one machine only."""
        keys = {name: os.environ[name] for name in KEYS if name in os.environ}
        keys |= {name: read_secret(version) for name, version in self.secrets.items()}
        return {'PATH': os.environ.get('PATH', os.defpath), **self.settings, **keys, 'SCHEMA_FILE': schema_file}


class Decoder:
    """One process, started when it is first needed, and again after its death."""

    def __init__(self, config):
        self._command = [config.command, 'explain', '--lines', '--input', '-']
        self._directory = tempfile.TemporaryDirectory(prefix='pixel-beam-')
        schema_file = Path(self._directory.name, 'schema.json')
        schema_file.write_text(config.schema)
        self._environment = config.environment(str(schema_file))
        self.process = None
        # How many processes died before they had answered.
        self.deaths = 0

    def decode(self, lines):
        """The answers to lines without line ends, in order."""
        answers = self._exchange(lines)
        # The process died. With one line at a time, the line that it dies of is known.
        answers.extend(self._decode_alone(line) for line in lines[len(answers):])
        return answers

    def close(self):
        if self.process is not None:
            close(self.process.stdin)
            self._end()
        self._directory.cleanup()

    def _decode_alone(self, line):
        for _ in range(MAX_DEATHS):
            if answers := self._exchange([line]):
                return answers[0]
        return dead_letter_of_death(line)

    def _exchange(self, lines):
        """Sends all lines. Fewer answers than lines: the process died."""
        process = self._start()
        # By another thread: the process stops reading while nobody reads its answers.
        writer = threading.Thread(target=write_lines, args=(process.stdin, lines))
        writer.start()
        answers = read_answers(process.stdout, len(lines))
        has_died = len(answers) < len(lines)
        if has_died:
            self.deaths += 1
            self._end()
        writer.join()
        if has_died:
            close(process.stdin)
            self._check_exit(process.returncode)
        return answers

    def _check_exit(self, code):
        """A signal or a panic may be the fault of a line. Another exit code is an error message."""
        if 0 < code != PANIC:
            raise DecoderError(f'{" ".join(self._command)} ended with exit code {code}: fix the error that it printed to standard '
                               'error, in the log of the worker')

    def _start(self):
        if self.process is None:
            try:
                self.process = subprocess.Popen(self._command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            except OSError as error:
                raise DecoderError(f'cannot start {self._command[0]}: {error}: set --decoder to the path of pixel-pipeline') from error
        return self.process

    def _end(self):
        """Waits for the end of a process that is ending."""
        process, self.process = self.process, None
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def write_lines(stdin, lines):
    # If the process died, the reader of its answers notices.
    with contextlib.suppress(OSError):
        stdin.write(b''.join(line + b'\n' for line in lines))
        stdin.flush()


def read_answers(stdout, count):
    answers = []
    for _ in range(count):
        line = stdout.readline()
        if not line.endswith(b'\n'):
            break
        answers.append(json.loads(line))
    return answers


def close(stdin):
    """Of a process that may have died before it read everything."""
    with contextlib.suppress(OSError):
        stdin.close()


def dead_letter_of_death(line):
    """The answer to a line that kills the decoder, as the decoder would give it."""
    event_id = hashlib.sha256(b'data' + line).hexdigest()[:32]
    now = datetime.now(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')
    row = {'event_id': event_id, 'received_timestamp': now, 'reason': 'decoder_died',
           'detail': f'the decoder died {MAX_DEATHS} times of this line', 'data': base64.b64encode(line).decode()}
    return {'outcome': 'dead_letter', 'reason': row['reason'], 'event_id': event_id, 'row': row}


def read_secret(version):
    from google.cloud import secretmanager

    return secretmanager.SecretManagerServiceClient().access_secret_version(name=version).payload.data.decode()
