"""The Terraform module is applied to the local providers: with each combination of settings, one apply on an empty project
creates everything, in an order that Google Cloud accepts, and a second plan has no changes."""
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import EVERYTHING, PROJECT, ROOT, environment, tool

PUBLISHED = {'IMAGE': 'ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0'}
MODULE = ROOT / 'deploy/terraform'

# What must exist before a resource is created, by the addresses in the module.
ORDER = [
    # A push or a build would fail without its role, and the service would not become ready.
    ('google_cloud_run_v2_service.pipeline', 'google_bigquery_dataset_iam_member.run'),
    ('google_cloud_run_v2_service.pipeline', 'google_bigquery_table.template'),
    ('google_cloud_run_v2_service.pipeline', 'google_bigquery_table.dead_letters'),
    ('google_cloud_run_v2_service.pipeline', 'terraform_data.image'),
    ('google_cloud_run_v2_service.pipeline', 'time_sleep.roles'),
    ('google_cloud_run_v2_service.pipeline', 'google_artifact_registry_repository.ghcr'),
    ('terraform_data.image', 'google_project_iam_member.build'),
    ('terraform_data.image', 'google_artifact_registry_repository.image'),
    ('terraform_data.image', 'time_sleep.roles'),
    ('google_pubsub_subscription.push', 'google_cloud_run_v2_service_iam_member.push'),
    ('google_pubsub_subscription.push', 'google_pubsub_topic_iam_member.agent'),
    # A topic without a subscription drops messages. Entries are excluded from one place when they are stored in another.
    ('google_logging_project_sink.topic', 'google_pubsub_subscription.push'),
    ('google_logging_project_exclusion.default', 'google_pubsub_topic_iam_member.sink'),
    ('google_compute_global_forwarding_rule.http', 'google_pubsub_topic_iam_member.sink'),
    ('google_compute_global_forwarding_rule.https', 'google_pubsub_topic_iam_member.sink'),
    ('google_compute_global_forwarding_rule.http', 'google_storage_bucket_iam_member.archive'),
    ('google_compute_global_forwarding_rule.https', 'google_storage_bucket_iam_member.archive'),
    # A revision that cannot read its secrets is not ready.
    ('google_cloud_run_v2_service.pipeline', 'google_secret_manager_secret_version.key'),
    ('google_cloud_run_v2_service.pipeline', 'google_secret_manager_secret_iam_member.run'),
    ('time_sleep.roles', 'google_secret_manager_secret_iam_member.run'),
    ('time_sleep.roles', 'google_bigquery_dataset_iam_member.run'),
    ('time_sleep.roles', 'google_project_iam_member.build'),
    # An alert of a metric that does not exist is rejected.
    ('module.alert.google_monitoring_alert_policy.this', 'google_logging_metric.pipeline'),
]


def check(*arguments, command=()):
    done = subprocess.run([*command, tool('terraform-check'), '--skip-test', *arguments], cwd=ROOT, env=environment({}), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise AssertionError(done.stdout)
    return done.stdout


def apply(settings, *arguments, command=()):
    variables = [f'-var={name.lower()}={value}' for name, value in {'PROJECT_ID': PROJECT, **settings}.items()]
    output = check('--apply', *variables, *arguments, str(MODULE), command=command)
    if '== second plan: ok' not in output:
        raise AssertionError(output)
    return output


def dependencies(graph):
    """All resources that each resource depends on, also through others, from the language of Graphviz."""
    edges = {}
    for one, other in re.findall(r'"([^"]+)" -> "([^"]+)";', graph):
        edges.setdefault(one, set()).add(other)

    def reached(node, seen):
        for other in edges.get(node, ()):
            if other not in seen:
                seen.add(other)
                reached(other, seen)
        return seen
    nodes = re.findall(r'^ +"([^"]+)" \[label', graph, re.M)
    return {node: reached(node, set()) for node in nodes}


class Apply(unittest.TestCase):
    def test_with_every_optional_part_and_a_build(self):
        # gcloud submits the build, to the local fake of Google Cloud.
        output = apply({**EVERYTHING, 'LABELS': '{team="news"}', 'HASH_USER_IDS': 'generate', 'URL_SIGNING_KEY': 'signing'}, command=(tool('gcloud-run'),))
        self.assertRegex(output, r'cloudbuild/builds .*serviceAccount=\S*/pixel-build ')

    def test_with_the_published_image_and_without_optional_parts(self):
        apply({**PUBLISHED, 'EXCLUDE_FROM_DEFAULT': 'false', 'REGION': 'europe-west1', 'LOCATION': 'EU'})

    def test_with_the_load_balancer_of_a_website(self):
        apply({**PUBLISHED, 'URL_MAP': 'website', 'ARCHIVE': 'true', 'URL_SIGNING_KEY': 'generate'})

    def test_with_other_names(self):
        apply({'IMAGE': 'europe-docker.pkg.dev/other/images/pixel:1', 'PIPELINE': 'shop', 'DATASET': 'shop', 'TABLE_NAME': 'visits', 'DEAD_LETTER_TABLE': 'rejected',
               'TABLE_SUFFIX': '', 'ARCHIVE': 'true'})

    def test_the_examples_can_be_planned(self):
        for example in sorted((MODULE / 'examples').iterdir()):
            with self.subTest(example.name):
                check(str(example))


class Order(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.NamedTemporaryFile(suffix='.dot') as file:
            check('--graph', file.name, f'-var=project_id={PROJECT}', str(MODULE))
            cls.needs = dependencies(Path(file.name).read_text())

    def test_every_resource_waits_for_the_apis(self):
        google = [node for node in self.needs if re.search(r'(^|\.)google_', node) and not node.startswith(('google_project_service.', 'data.'))]
        self.assertGreater(len(google), 30)
        self.assertEqual([node for node in google if 'time_sleep.apis' not in self.needs[node]], [])
        self.assertIn('google_project_service.api', self.needs['time_sleep.apis'])

    def test_what_a_resource_needs_is_created_before_it(self):
        for resource, needed in ORDER:
            with self.subTest(f'{resource} needs {needed}'):
                self.assertIn(resource, self.needs)
                self.assertIn(needed, self.needs[resource])
