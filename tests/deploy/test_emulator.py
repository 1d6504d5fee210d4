"""deploy.sh creates the topology in Google's Pub/Sub emulator, and an entry that is published there becomes a row."""
import contextlib
import json
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

from support import PROJECT, DeployTest, binary, environment, process, read_until

USER = '507f1f77bcf86cd799439011'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def until(what, seconds, attempt):
    """Calls `attempt` until its result is true, and returns the result."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := attempt():
            return answer
        time.sleep(0.1)
    raise AssertionError(f'timeout after {seconds} s: {what}')


def answers(port):
    with contextlib.suppress(OSError):
        socket.create_connection(('127.0.0.1', port), timeout=1).close()
        return True


class Emulator(DeployTest):
    def test_a_published_entry_becomes_a_row(self):
        port, now = free_port(), datetime.now(UTC)
        entry = {'httpRequest': {'requestMethod': 'GET', 'requestUrl': f'http://203.0.113.10/pixel.png?user_id={USER}&type=click&order_id=42'},
                 'insertId': 'a1', 'logName': f'projects/{PROJECT}/logs/requests', 'timestamp': now.isoformat()}
        with tempfile.TemporaryDirectory() as folder, \
                process('gcloud', 'beta', 'emulators', 'pubsub', 'start', f'--host-port=127.0.0.1:{port}', f'--project={PROJECT}', f'--data-dir={folder}',
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL), \
                process(binary(), 'local', '--port', '0', '--pixel-port', '0', '--bigquery-port', '0', '--data-dir', folder + '/data',
                        env=environment({}), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as local:
            welcome = read_until(local.stdout, 'Ctrl-C', 60)
            push, bigquery = (re.search(rf'(?m)^{name} +(\S+?)/?$', welcome)[1] for name in ('push', 'BigQuery'))
            until('the emulator listens', 60, lambda: answers(port))

            run = self.run_clean('deploy/deploy.sh && gcloud pubsub topics publish pixel --message="$ENTRY"', {'ENTRY': json.dumps(entry)},
                                 ['--emulator', f'127.0.0.1:{port}', '--run-url', push])
            self.assertIn('subscription pixel-push to the URL of pixel-pipeline', run.script_output)

            table = f'{bigquery}/bigquery/v2/projects/{PROJECT}/datasets/parsed_pixel/tables/pixel_{USER}_{now:%Y%m%d}'

            def rows():
                with contextlib.suppress(urllib.error.HTTPError):
                    return json.load(urllib.request.urlopen(table + '/data')).get('rows')

            row, = until('the row is there', 60, rows)
            columns = [field['name'] for field in json.load(urllib.request.urlopen(table))['schema']['fields']]
            values = dict(zip(columns, (cell['v'] for cell in row['f'])))
            self.assertEqual((values['user_id'], values['type'], values['order_id']), (USER, 'click', '42'))
            local.send_signal(signal.SIGTERM)
            self.assertEqual(local.wait(30), 0)
