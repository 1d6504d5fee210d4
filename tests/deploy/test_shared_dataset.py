"""Two pipelines in one dataset: each has its own tables and views, and deletes only these."""
import re

from support import DeployTest

IMAGE = {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'}
SHOP = 'PIPELINE=shop SHARE_DATASET=true TABLE_NAME=shop DEAD_LETTER_TABLE=letters_of_shop'


class SharedDataset(DeployTest):
    def test_each_pipeline_has_and_deletes_its_own_tables(self):
        lines = ['deploy/deploy.sh >/dev/null',
                 # The dataset belongs to the other pipeline, and so do the tables of the default names.
                 'PIPELINE=shop deploy/deploy.sh --plan; echo "1 CODE $?"',
                 'PIPELINE=shop SHARE_DATASET=true deploy/deploy.sh --plan; echo "2 CODE $?"',
                 'PIPELINE=shop SHARE_DATASET=true TABLE_NAME=pixels DEAD_LETTER_TABLE=letters_of_shop deploy/deploy.sh --plan; echo "3 CODE $?"',
                 f'{SHOP} deploy/deploy.sh >/dev/null; echo "4 CODE $?"',
                 f'{SHOP} deploy/deploy.sh; echo "5 CODE $?"',
                 'deploy/destroy.sh --delete-data --plan; echo "6 CODE $?"',
                 f'{SHOP} deploy/destroy.sh --delete-data; echo "7 CODE $?"']
        run = self.run_clean('\n'.join(lines), IMAGE)
        outputs = re.split(r'\d CODE', run.script_output)
        codes = re.findall(r'\d CODE (\d)', run.script_output)
        self.assertEqual(codes, ['1', '1', '1', '0', '0', '1', '0'], run.script_output)
        self.assertIn('  dataset/parsed_pixel\n', outputs[0])
        self.assertIn('  table/pixel\n  table/dead_letters\n', outputs[1])
        self.assertIn('pipeline pixel has the table pixel', outputs[2])
        self.assertIn('No changes.', outputs[4])
        self.assertIn('events_shop shop', outputs[5])
        self.assertIn('  - generated tables of shop\n', outputs[6])
        self.assertNotIn('dataset parsed_pixel', outputs[6])
        tables = set(re.findall(r'(?m)^bigquery/tables +(\w+)', run.resources))
        self.assertEqual(tables, {'pixel', 'dead_letters', 'events', 'events_daily'}, run.resources)
