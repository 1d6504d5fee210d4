"""Shared by the tests of deploy/beam: entries, files, and what `pixel-pipeline explain` says of them.

PIXEL_TEST_BINARY is the path of pixel-pipeline. PYTHONPATH has deploy/beam.
"""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BEAM = ROOT / 'deploy/beam'


def binary():
    path = os.environ.get('PIXEL_TEST_BINARY')
    if not path:
        raise AssertionError('PIXEL_TEST_BINARY is not set: set it to the path of pixel-pipeline')
    return str(Path(path).resolve())


def entries(count):
    """Different log entries as bytes: those of the fixture again and again, each with another insertId."""
    known = (ROOT / 'tests/fixtures/load_balancer.jsonl').read_text().splitlines()
    return [json.dumps({**json.loads(known[number % len(known)]), 'insertId': f'id-{number}'}).encode() for number in range(count)]


def explain(lines, settings=None):
    """The explanations of entries, as a user sees them."""
    environment = {'PATH': os.environ['PATH'], **(settings or {})}
    done = subprocess.run([binary(), 'explain', '--input', '-'], input=b'\n'.join(lines), env=environment, capture_output=True)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def stored(explanations):
    """(table, row) of each event, in the form of `sorted_rows`."""
    return sorted_rows({e['insert_id']: (e['table'], e['row']) for e in explanations if e['outcome'] == 'stored'}.values())


def sorted_rows(rows):
    return sorted((table, json.dumps(row, sort_keys=True)) for table, row in rows)


class BeamTest(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def write(self, name, content):
        """The path of a new file."""
        path = self.directory / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def program(self, name, text):
        """The path of a new program."""
        path = self.write(name, text)
        os.chmod(path, 0o755)
        return path

    def output(self, name):
        """(table, row) of each line that the sink of files wrote."""
        lines = [line for file in self.directory.glob(f'out-{name}-*') for line in file.read_text().splitlines()]
        return [(line['table'], line['row']) for line in map(json.loads, lines)]
