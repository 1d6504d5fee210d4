"""Shared by the tests of deploy/: the real gcloud, bq and Terraform against a local fake of Google Cloud.

The tools in tests/deploy/tools are `gcloud-run`, which runs a script against the fake and writes each request as a JSON
line, and `terraform-check`, which plans with the providers' schemas. PIXEL_TEST_BINARY is the path of pixel-pipeline. A
test fails if a tool that it needs is missing.
"""
import contextlib
import json
import os
import queue
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = 'my-project'
# Every optional part of a deployment.
EVERYTHING = {'DOMAIN': 'track.example.com', 'ARCHIVE': 'true', 'ALERT_EMAIL': 'ops@example.com,dev@example.com',
              'ALERT_CHANNELS': 'projects/my-project/notificationChannels/123', 'BUDGET': '50', 'TABLE_EXPIRATION_DAYS': '90',
              'PIXEL_PATH': '/pixel.png,/img/open.png', 'VALID_ATTRIBUTES': 'user_id,type', 'TABLE_SUFFIX': '_{user_id}_{date}'}
# Methods that change nothing, although they are not a GET.
READ_ONLY = ('getIamPolicy', 'testIamPermissions', 'getEffectiveOrgPolicy')


def tool(name):
    return str(ROOT / 'tests/deploy/tools' / name)


def binary():
    path = os.environ.get('PIXEL_TEST_BINARY')
    if not path:
        raise AssertionError('PIXEL_TEST_BINARY is not set: set it to the path of pixel-pipeline, built with its default features')
    return path


def environment(settings):
    """This process's environment without settings of the pipeline, and with these."""
    example = (ROOT / 'deploy/pipeline.env.example').read_text()
    ours = {line.lstrip('#').split('=')[0] for line in example.splitlines() if '=' in line and ' ' not in line.split('=')[0]}
    env = {k: v for k, v in os.environ.items() if k not in ours}
    return {**env, 'PROJECT_ID': PROJECT, 'RETRY_SECONDS': '0', **settings}


@contextlib.contextmanager
def process(*command, **options):
    """A process that is killed with its children at the end of the block."""
    child = subprocess.Popen(command, start_new_session=True, text=True, **options)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def read_until(stream, word, seconds):
    """The lines of the stream up to the one with that word."""
    text, lines = '', queue.Queue()
    # A read has no timeout, so another thread reads. It ends with the process.
    def read():
        with stream:
            for line in stream:
                lines.put(line)
        lines.put('')

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + seconds
    while word not in text:
        try:
            line = lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f'{word!r} did not appear within {seconds} s in: {text}') from None
        if not line:
            raise AssertionError(f'the stream ended without {word!r}: {text}')
        text += line
    return text


class Run:
    """A finished run of a shell command against a new, empty project."""

    def __init__(self, command, settings, flags=()):
        with tempfile.NamedTemporaryFile(suffix='.jsonl') as requests:
            done = subprocess.run([tool('gcloud-run'), '--requests', requests.name, *flags, 'bash', '-c', command], cwd=ROOT,
                                  env=environment(settings), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.requests = [json.loads(line) for line in Path(requests.name).read_text().splitlines()]
        self.code, self.output = done.returncode, done.stdout
        self.script_output, _, self.resources = self.output.partition('\n== resources\n')
        self.findings = [line for line in self.output.splitlines() if line.startswith('FINDING')]

    def sent(self, api):
        """The bodies of the successful calls of a method."""
        return [r['body'] for r in self.requests if r.get('api') == api and r['status'] < 300]


def changes(requests):
    """The requests that change something. A query of BigQuery is a job."""
    is_query = lambda r: r.get('api') == 'bigquery.jobs.insert' and r['body']['configuration'].get('query', {}).get('query', '').startswith('SELECT')
    return [r for r in requests if r['method'] != 'GET' and not (r.get('api') or '').endswith(READ_ONLY) and not is_query(r)]


def resources(run):
    """The resources at the end of a run, one line each, without the parts that differ between runs."""
    lines = (re.sub(r'\d{6,}\S*\.zip|object=\S+', '', line) for line in run.resources.splitlines() if re.match(r'[a-z]+(/\w+)?  ', line))
    # The statements that were run are no resources.
    return sorted(line for line in lines if not line.startswith('bigquery/jobs'))


class DeployTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def run_clean(cls, command, settings, flags=()):
        """A run without a failure or a finding."""
        run = Run(command, settings, flags)
        if run.code or run.findings:
            raise AssertionError(run.output)
        return run


def plan(settings):
    """The (type, values) of each resource that Terraform would create. The settings are variables in lower case."""
    variables = [f'-var={name.lower()}={value}' for name, value in {'PROJECT_ID': PROJECT, **settings}.items()]
    with tempfile.NamedTemporaryFile(suffix='.json') as file:
        done = subprocess.run([tool('terraform-check'), '--skip-test', *variables, '--plan-json', file.name, 'deploy/terraform'], cwd=ROOT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if '== plan: ok' not in done.stdout:
            raise AssertionError(done.stdout)
        changes = json.loads(Path(file.name).read_text())['resource_changes']
    return [(c['type'], c['change']['after']) for c in changes if c['mode'] == 'managed']
