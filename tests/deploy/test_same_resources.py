"""The script and the Terraform module create the same resources. The requests of the script and the plan of Terraform are
converted to one form and compared. The tests of the module check the values that are known only after an apply, such as a
URL or the address of an account."""
import json
import tempfile
import unittest

from plan_resources import from_plan
from resource_forms import differences
from script_resources import from_script

from support import EVERYTHING, DeployTest, plan


class SameResources(DeployTest):
    def compare(self, settings, existing=('true', 'no name')):
        """Compares all resources, except those that a command creates before, which have a certain word in their names."""
        command, word = existing
        script = from_script(self.run_clean(f'{command} && deploy/deploy.sh', settings))
        script = {key: value for key, value in script.items() if word not in key[1]}
        terraform = from_plan(plan(settings))
        # Two empty lists would be equal.
        self.assertGreater(len(script), 30)
        found = differences(script, terraform)
        self.assertFalse(found, '\n'.join([f'{len(found)} differences between deploy.sh and deploy/terraform:', *found]))
        return script, terraform

    def test_with_every_optional_part(self):
        self.compare({**EVERYTHING, 'DOMAIN': 'track.example.com,a-b.example.org', 'HASH_USER_IDS': 'generate', 'URL_SIGNING_KEY': 'generate', 'REGION': 'europe-west3'})

    def test_with_the_load_balancer_of_a_website(self):
        self.compare({'URL_MAP': 'website', 'IMAGE': 'us-docker.pkg.dev/other/images/pixel:1', 'LOCATION': 'us-east1'}, ('''
            gcloud services enable compute.googleapis.com &&
            gcloud compute backend-buckets create website --gcs-bucket-name=website &&
            gcloud compute url-maps create website --global --default-backend-bucket=website''', 'website'))

    def test_in_a_shared_dataset(self):
        settings = {'SHARE_DATASET': 'true', 'DATASET': 'shared', 'TABLE_NAME': 'visits', 'DEAD_LETTER_TABLE': 'rejected', 'IMAGE': 'us-docker.pkg.dev/other/images/pixel:1'}
        self.compare(settings, ('''
            gcloud services enable bigquery.googleapis.com && bq --location=US --project_id="$PROJECT_ID" mk --dataset --label=pipeline:other shared''', 'shared'))

    def test_with_the_published_image(self):
        self.compare({'IMAGE': 'ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0'})

    def test_alerts_name_the_dead_letter_table_of_the_settings(self):
        script, _ = self.compare({'DATASET': 'd', 'DEAD_LETTER_TABLE': 'rejected'})
        texts = [value['text'] for key, value in script.items() if key[0] == 'alert'] + [str(value) for key, value in script.items() if key[0] == 'dashboard']
        self.assertEqual(sum('`d.rejected`' in text or 'table `rejected` in the dataset `d`' in text for text in texts), 2)
        self.assertFalse([text for text in texts if 'dead_letters' in text])

    def test_with_only_a_project(self):
        self.compare({})

    def test_views_follow_the_columns_of_the_schema(self):
        for columns, expected in [
            # The views have no column type or users, and only one column table_suffix.
            ({'event_id': 'STRING', 'Event_Timestamp': 'timestamp', 'visitor': 'STRING', 'table_suffix': 'STRING', 'type': 'JSON'}, ['events', 'events_daily']),
            ({'event_id': 'INT64', 'event_timestamp': 'DATETIME', 'visitor': 'STRING', 'type': 'INT64'}, ['events']),
            ({'event_id': 'FLOAT', 'event_timestamp': 'TIMESTAMP', 'visitor': 'STRING'}, []),
        ]:
            with self.subTest(columns), tempfile.NamedTemporaryFile('w', suffix='.json') as file:
                json.dump([{'name': name, 'type': kind} for name, kind in columns.items()], file)
                file.flush()
                script, _ = self.compare({'SCHEMA_FILE': file.name, 'VALID_ATTRIBUTES': 'visitor', 'TABLE_SUFFIX': '_{visitor}_{date}'})
                views = [key[1] for key, value in script.items() if key[0] == 'table' and value.get('view')]
                self.assertEqual(sorted(views), expected)


class Differences(unittest.TestCase):
    def test_lists_every_difference(self):
        script = {('topic', 'a'): {'labels': {'x': '1', 'y': '2'}, 'rows': [{'n': 1}, {'n': 2}]}, ('topic', 'b'): {}, ('sink', 'c'): {}}
        module = {('topic', 'a'): {'labels': {'x': '1', 'y': '3'}, 'rows': [{'n': 1}, {'n': 4}], 'more': True}, ('sink', 'c'): {}, ('sink', 'd'): {}}
        self.assertEqual(differences(script, module), [
            'sink d: only the module creates it',
            "topic a: labels.y is '2' in the script and '3' in the module",
            'topic a: more is None in the script and True in the module',
            'topic a: rows.1.n is 2 in the script and 4 in the module',
            'topic b: only the script creates it'])
