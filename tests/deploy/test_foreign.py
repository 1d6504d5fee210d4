"""Projects that are not empty: resources under the names of the pipeline that belong to something else."""
import random
import re

from support import EVERYTHING, DeployTest, changes, resources

# A foreign resource of each name, by the key under which the scripts list it. The order is that of their dependencies.
FOREIGN = {
    'account/pixel-run@my-project.iam.gserviceaccount.com': 'gcloud iam service-accounts create pixel-run --display-name="Runner of the shop"',
    'dataset/parsed_pixel': 'bq --location=EU mk --dataset parsed_pixel',
    'table/pixel': 'bq mk --table parsed_pixel.pixel a:STRING,b:STRING',
    'view/events': 'bq mk --use_legacy_sql=false --view="SELECT 1 AS a" parsed_pixel.events',
    'repository/pixel': 'gcloud artifacts repositories create pixel --location=us-central1 --repository-format=docker',
    'service/pixel-pipeline': 'gcloud run deploy pixel-pipeline --region=us-central1 --image=us-docker.pkg.dev/a/b/c --no-allow-unauthenticated',
}
# The tables are in the dataset.
NEEDS = {'table/pixel': 'dataset/parsed_pixel', 'view/events': 'dataset/parsed_pixel'}
APIS = 'artifactregistry bigquery cloudresourcemanager compute iam logging monitoring pubsub run storage'
ENABLE = f'gcloud services enable {" ".join(api + ".googleapis.com" for api in APIS.split())}'


def script(keys, then):
    """A shell script that creates these resources, and then runs the lines."""
    return '\n'.join(['set -e', '{', ENABLE, *(FOREIGN[key] for key in keys), '} >/dev/null 2>&1', *then])


def listed(output):
    """The keys in a list of foreign resources."""
    return re.findall(r'(?m)^  ([a-z-]+/\S+)$', output)


class Foreign(DeployTest):
    def test_all_foreign_resources_stay_and_can_be_adopted(self):
        keys = list(FOREIGN)
        then = ['echo STATE', 'deploy/deploy.sh || echo "CODE $?"', 'echo DESTROY', 'deploy/destroy.sh --delete-data || echo "CODE $?"', 'echo ADOPT',
                f'LOCATION=EU ADOPT={",".join(keys)} deploy/deploy.sh', 'echo AGAIN', 'LOCATION=EU deploy/deploy.sh',
                'echo LAST', 'deploy/destroy.sh --delete-data']
        run = self.run_clean(script(keys, then), EVERYTHING)
        deploy, destroy, _adopt, again, last = re.split('DESTROY|ADOPT\n|AGAIN|LAST', run.script_output.split('STATE')[1])
        self.assertIn('CODE 1', deploy)
        self.assertEqual(sorted(listed(deploy)), sorted(keys))
        self.assertIn(f'ADOPT={",".join(listed(deploy))}', deploy)
        self.assertNotIn('CODE', destroy)
        self.assertEqual(sorted(listed(destroy)), sorted(keys))
        self.assertIn('Deleted: 0 resources', destroy)
        self.assertIn('No changes.', again)
        # Adopted resources belong to the pipeline, so they are deleted with it.
        self.assertNotIn('They stay', last)
        self.assertEqual({line.split()[0] for line in resources(run)}, {'services', 'cloudbuild/builds'})

    def test_any_combination_stops_both_scripts_before_a_change(self):
        for seed in range(2):
            choice = random.Random(seed)
            chosen = [key for key in FOREIGN if choice.random() < 0.5]
            keys = [key for key in FOREIGN if key in chosen or any(NEEDS.get(other) == key for other in chosen)]
            with self.subTest(keys=keys):
                run = self.run_clean(script(keys, ['gcloud pubsub topics create marker', 'deploy/deploy.sh || echo "CODE $?"', 'deploy/destroy.sh --yes --delete-data']), EVERYTHING)
                self.assertIn('CODE 1', run.script_output)
                self.assertEqual(sorted(listed(run.script_output)), sorted(2 * keys))
                marker = next(i for i, r in enumerate(run.requests) if r['path'].endswith('/topics/marker'))
                self.assertEqual([(r['api'], r['path']) for r in changes(run.requests[marker + 1:])], [])
