"""What the tests of deploy/ speak with: the real gcloud, bq and Terraform against a stand-in for Google Cloud.

DEPLOY_CHECK names the folder of the stand-in's tools: `gcloud-run`, which runs a script against it and writes each
request as a JSON line, and `terraform-check`, which plans with the providers' schemas. PIXEL_TEST_BINARY is
pixel-pipeline. Where one is missing the tests fail: what was not looked at does not hold.
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
# Everything that can be asked for.
EVERYTHING = {'DOMAIN': 'track.example.com', 'ARCHIVE': 'true', 'ALERT_EMAIL': 'ops@example.com', 'TABLE_EXPIRATION_DAYS': '90',
              'PIXEL_PATH': '/pixel.png,/img/open.png', 'VALID_ATTRIBUTES': 'user_id,type', 'TABLE_SUFFIX': '_{user_id}_{date}'}
# What asks or changes nothing, though it is not a GET.
HARMLESS = ('getIamPolicy', 'testIamPermissions')


def tool(name):
    folder = os.environ.get('DEPLOY_CHECK')
    if not folder:
        raise AssertionError('DEPLOY_CHECK is not set: it names the folder of gcloud-run and terraform-check')
    return str(Path(folder).resolve() / name)


def binary():
    path = os.environ.get('PIXEL_TEST_BINARY')
    if not path:
        raise AssertionError('PIXEL_TEST_BINARY is not set: it is the path of pixel-pipeline, built with its default features')
    return path


def environment(settings):
    """Of a newcomer: none of our settings but these."""
    example = (ROOT / 'deploy/pipeline.env.example').read_text()
    ours = {line.lstrip('#').split('=')[0] for line in example.splitlines() if '=' in line and ' ' not in line.split('=')[0]}
    env = {k: v for k, v in os.environ.items() if k not in ours}
    return {**env, 'PROJECT_ID': PROJECT, 'RETRY_SECONDS': '0', **settings}


@contextlib.contextmanager
def process(*command, **options):
    """a process that ends with the block, and its children with it"""
    child = subprocess.Popen(command, start_new_session=True, text=True, **options)
    try:
        yield child
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def read_until(stream, word, seconds):
    """what a process says, up to the line with that word"""
    said, lines = '', queue.Queue()
    # A read cannot be timed, so another thread reads. It ends with the process.
    def read():
        with stream:
            for line in stream:
                lines.put(line)
        lines.put('')

    threading.Thread(target=read, daemon=True).start()
    deadline = time.monotonic() + seconds
    while word not in said:
        try:
            line = lines.get(timeout=max(0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f'no {word!r} within {seconds} s, but: {said}') from None
        if not line:
            raise AssertionError(f'it ended without {word!r}: {said}')
        said += line
    return said


class Run:
    """A finished run of a shell command against a new, empty project."""

    def __init__(self, command, settings, flags=()):
        with tempfile.NamedTemporaryFile(suffix='.jsonl') as requests:
            done = subprocess.run([tool('gcloud-run'), '--requests', requests.name, *flags, 'bash', '-c', command], cwd=ROOT,
                                  env=environment(settings), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.requests = [json.loads(line) for line in Path(requests.name).read_text().splitlines()]
        self.code, self.output = done.returncode, done.stdout
        self.said, _, self.resources = self.output.partition('\n== resources\n')
        self.findings = [line for line in self.output.splitlines() if line.startswith('FINDING')]

    def sent(self, api):
        """the bodies of the successful calls of a method"""
        return [r['body'] for r in self.requests if r.get('api') == api and r['status'] < 300]


def changes(requests):
    """those that change something"""
    return [r for r in requests if r['method'] != 'GET' and not (r.get('api') or '').endswith(HARMLESS)]


def made(run):
    """what there is at the end of a run, a line each, without what differs from time to time"""
    lines = (re.sub(r'\d{6,}\S*\.zip|object=\S+', '', line) for line in run.resources.splitlines() if re.match(r'[a-z]+(/\w+)?  ', line))
    return sorted(lines)


class DeployTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def run_clean(cls, command, settings, flags=()):
        """a run in which everything holds"""
        run = Run(command, settings, flags)
        if run.code or run.findings:
            raise AssertionError(run.output)
        return run


def plan(settings):
    """what Terraform would create: (type, values) of each resource; the settings are variables in lower case"""
    variables = [f'-var={name.lower()}={value}' for name, value in {'PROJECT_ID': PROJECT, **settings}.items()]
    with tempfile.NamedTemporaryFile(suffix='.json') as file:
        done = subprocess.run([tool('terraform-check'), *variables, '--plan-json', file.name, 'deploy/terraform'], cwd=ROOT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if '== plan: ok' not in done.stdout:
            raise AssertionError(done.stdout)
        changes = json.loads(Path(file.name).read_text())['resource_changes']
    return [(c['type'], c['change']['after']) for c in changes if c['mode'] == 'managed']
