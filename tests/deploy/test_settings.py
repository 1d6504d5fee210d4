"""The settings of deploy.sh and destroy.sh: which are accepted, where they come from, and what a mistake looks like."""
import json
import re
import subprocess
import tempfile
from pathlib import Path

from support import ROOT, DeployTest, binary, environment

# Values of each setting. Some are valid.
VALUES = {
    'REGION': ['europe', 'us-central1'],
    'LOCATION': ['Europe', 'EU'],
    'PIPELINE': ['Pixel', 'px', 'pixel-', 'a' * 25, 'shop'],
    'DATASET': ['a-b', 'a b', 'x' * 1025, 'd'],
    'TABLE_NAME': ['a-b', 'x' * 513, 'event', 't'],
    'VALID_ATTRIBUTES': ['a.b', 'page', 'user_id,User_ID', 'user_id,user_id', 'event_id', 'user_id,type'],
    'TABLE_SUFFIX': ['_{user_id', '_{campaign}', '_{date:YYYYMMDD}', '_{date:%Q}', '_}', 'ä', '_{type}_{date}'],
    'MAX_NEW_TABLES_PER_HOUR': ['0', 'many', '10'],
    'OVERFLOW_SUFFIX': ['_{user_id}', '_{date:day}', '_rest'],
    'PIXEL_METHODS': ['GTE', 'get', 'GET,POST'],
    'STATUS': ['2x', '600', '2xx,404'],
    'IP_ANONYMIZATION': ['none', 'full'],
    'HASH_ATTRIBUTES': ['email', 'type'],
    'RESPECT_OPT_OUT': ['yes', 'false'],
    'SIGNATURE_MODE': ['maybe', 'mark'],
    'DEAD_LETTER_TABLE': ['events', 'pixel_dead', 'a b', 'rejected'],
    'BATCH_MAX_ROWS': ['0', '50001', '1.5', '100'],
    'BATCH_MAX_BYTES': ['0', '10000000', '1'],
    'BATCH_MAX_INSERTS': ['0', '5'],
    'BATCH_MAX_LINGER': ['60s', '1', '5ms'],
    'BATCH_GZIP': ['1', 'true'],
    'MAX_IN_FLIGHT': ['abc', '-1', '7'],
    'MAX_IN_FLIGHT_BYTES': ['0', '1'],
    'PUSH_DEADLINE': ['70s', '10ms', '8s'],
    'LOG_FORMAT': ['xml', 'json'],
    'RUST_LOG': ['a b', 'x=y=z', 'debug'],
    'PIXEL_PATH': ['/t/*', '*', 'p.png', '/öffnen.png', '/p.png'],
}
# Rules that are only those of a deployment: Cloud Run's, and comparisons of settings of the script.
ONLY_OF_DEPLOYMENT = [
    {'CONCURRENCY': '2000'}, {'CPU': '3'}, {'MIN_INSTANCES': '20'}, {'CPU': '4', 'MEMORY': '1Gi'}, {'CPU': '8', 'MEMORY': '2Gi'}, {'MEMORY': '100Mi'},
    {'DOMAIN': 'https://track.example.com'}, {'ARCHIVE_DAYS': '0'}, {'TABLE_EXPIRATION_DAYS': '1.5'}, {'IMAGE': 'pixel'}, {'ALERT_EMAIL': 'ops'},
    {'EXCLUDE_FROM_DEFAULT': 'maybe'}, {'OVERFLOW_SUFFIX': '_a', 'TABLE_SUFFIX': '_a'}, {'PIPELINE': 'my-google'}, {'ADOPT': 'topic'},
]


def errors_of(command, settings):
    """The names of the settings that a command rejects."""
    run = subprocess.run(command, cwd=ROOT, env=environment(settings), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode != 2:
        raise AssertionError(f'{settings}: exit code {run.returncode}: {run.stderr}')
    return set(re.findall(r'(?m)^\s*([A-Z_]+): ', run.stderr)), run.stderr


class Settings(DeployTest):
    def test_the_script_rejects_what_the_service_rejects(self):
        for name, values in VALUES.items():
            for value in values:
                with self.subTest(f'{name}={value}'):
                    # The second mistake ends both commands before they send a request.
                    mistake = {'IP_ANONYMIZATION': '?'} if name != 'IP_ANONYMIZATION' else {'LOG_FORMAT': '?'}
                    of_script, message = errors_of(['bash', 'deploy/deploy.sh'], {name: value, **mistake})
                    of_service, _ = errors_of([binary(), 'check'], {name: value, **mistake})
                    self.assertEqual(of_service - of_script, set(), message)
                    # The last value of each is valid.
                    if value == values[-1] and name not in mistake:
                        self.assertNotIn(name, of_script, message)

    def test_rules_of_a_deployment(self):
        for settings in ONLY_OF_DEPLOYMENT:
            with self.subTest(settings):
                names, _ = errors_of(['bash', 'deploy/deploy.sh'], settings)
                self.assertTrue(names & set(settings))

    def rejected(self, settings, argument='', script='deploy/deploy.sh'):
        run = subprocess.run(['bash', script, *([argument] if argument else [])], cwd=ROOT, env=environment(settings),
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(run.returncode, 2, run.stderr)
        return run.stderr

    def test_all_invalid_settings_are_reported_at_once(self):
        errors = self.rejected({'PIPELINE': 'Pixel', 'REGION': 'europe', 'ARCHIVE': 'perhaps', 'PIXEL_PATH': '*', 'TABLE_NAME': 'event',
                                'VALID_ATTRIBUTES': 'user_id,page'})
        for name in 'PIPELINE', 'REGION', 'ARCHIVE', 'PIXEL_PATH', 'TABLE_NAME', 'VALID_ATTRIBUTES':
            self.assertRegex(errors, rf'(?m)^{name}: ')

        self.assertRegex(self.rejected({'SCHEMA_FILE': 'none.json'}), '(?m)^SCHEMA_FILE: cannot read none.json: there is no such file')

    def test_attributes_may_have_flexible_column_names(self):
        names = ['order-id', '1st', 'a&b', 'order id', 'a+b', 'a|b', "it's", 'prénom']
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, 'schema.json')
            file.write_text(json.dumps([{'name': name.upper(), 'type': 'STRING'} for name in names], ensure_ascii=False))
            settings = {'PIPELINE': 'Pixel', 'SCHEMA_FILE': str(file), 'TABLE_SUFFIX': '_{order id}_{a|b}_{date:%Y}', 'HASH_ATTRIBUTES': '1st, order-id'}
            errors = self.rejected({**settings, 'VALID_ATTRIBUTES': ', '.join(names)})
            self.assertEqual(re.findall('(?m)^[A-Z_]+: ', errors), ['PIPELINE: '], errors)
            self.assertRegex(self.rejected({**settings, 'VALID_ATTRIBUTES': 'a.b'}), '(?m)^VALID_ATTRIBUTES: ')
            self.assertIn('has no column axb', self.rejected({**settings, 'VALID_ATTRIBUTES': 'order-id,axb'}))

    def test_settings_that_match_nothing_are_reported(self):
        for settings in ({'TABLE_SUFFIX': '_{campaign}_{date}'}, {'TABLE_SUFFIX': '_{user_id}_{date:YYYYMMDD}'}, {'OVERFLOW_SUFFIX': '_{date:day}'},
                         {'HASH_ATTRIBUTES': 'user_id,email'}, {'PIXEL_PATH': '/t/*'}, {'PIXEL_PATH': '/öffnen.png'}, {'PIXEL_METHODS': 'GTE'},
                         {'STATUS': '2x'}):
            [(name, _)] = settings.items()
            self.assertRegex(self.rejected(settings), rf'(?m)^{name}: ', settings)

    def test_an_unknown_flag_is_reported_with_the_usage(self):
        errors = self.rejected({}, '--delete-everything', 'deploy/destroy.sh')
        self.assertEqual(errors, 'error: unknown flag --delete-everything: usage: deploy/destroy.sh [--plan] [--delete-data] [--yes] [FILE]\n')

    def test_a_settings_file_is_read_and_not_executed(self):
        with tempfile.TemporaryDirectory() as folder:
            file, canary = Path(folder, 'settings'), Path(folder, 'canary')
            file.write_text(f'# a comment\n\nREGION=$(touch {canary})\n')
            self.assertIn('REGION: "$(touch', self.rejected({}, str(file)))
            self.assertFalse(canary.exists())
            file.write_text('REGION=us-central1\nREGOIN=us-east1\n')
            self.assertIn(f'{file}:2: unknown setting REGOIN', self.rejected({}, str(file)))
            file.write_text('export NAME=x\n')
            self.assertIn(f'{file}:1: "export NAME=x" is not NAME=value', self.rejected({}, str(file)))
            self.assertIn('error: cannot read', self.rejected({}, str(file) + '.not'))

    def test_environment_overrides_file_and_file_overrides_default(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, 'settings')
            file.write_text('PIPELINE=fromfile\nREGION=europe-west1\nDATASET=of_file\n')
            show = f'. deploy/settings.sh; load_settings {file}; echo "$PIPELINE $REGION $DATASET $TABLE_NAME $SERVICE"'
            run = subprocess.run(['bash', '-c', show], cwd=ROOT, env=environment({'PIPELINE': 'mine'}), capture_output=True, text=True)
            self.assertEqual(run.stdout, 'mine europe-west1 of_file pixel mine-pipeline\n', run.stderr)
