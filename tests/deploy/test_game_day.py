"""deploy/game-day.sh: every scenario recovers, and a scenario that does not recover is reported."""
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from support import ROOT, binary


def game_day(*arguments, program=None, **settings):
    env = {**os.environ, 'PIXEL_PIPELINE': program or binary(), **settings}
    return subprocess.run(['deploy/game-day.sh', *arguments], cwd=ROOT, env=env, capture_output=True, text=True)


class GameDay(unittest.TestCase):
    def test_every_scenario_recovers_whatever_the_settings_of_the_deployment(self):
        names = game_day('--list').stdout.split()
        self.assertGreater(len(names), 5)
        run = game_day(DATASET='other', TABLE_SUFFIX='_{date}', MAX_NEW_TABLES_PER_HOUR='1')
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(re.findall(r'(?m)^=== (\w+)$', run.stdout), names)
        self.assertIn(f'All {len(names)} scenarios recovered.', run.stdout)
        for part in ('Fault', 'Symptom', 'Action', 'Recovery'):
            self.assertGreaterEqual(len(re.findall(rf'(?m)^{part} ', run.stdout)), len(names), part)

    def test_events_that_are_not_stored_fail_the_scenario(self):
        with tempfile.TemporaryDirectory() as folder:
            # A program whose replay stores nothing.
            broken = Path(folder, 'broken')
            broken.write_text(f'#!/bin/sh\n[ "$1" != replay ] || exit 0\nexec {binary()} "$@"\n')
            broken.chmod(0o755)
            run = game_day('sink_deleted', program=str(broken), WAIT_SECONDS='20')
        self.assertEqual(run.returncode, 1, run.stdout)
        self.assertIn('error: this did not become true within 20 seconds: rows_are 3', run.stderr)
        self.assertNotIn('recovered', run.stdout)

    def test_an_unknown_scenario_is_reported_with_the_list(self):
        run = game_day('flood')
        self.assertEqual((run.returncode, run.stderr.split(':')[1]), (2, ' unknown scenario flood'))

    def test_the_guide_names_every_scenario(self):
        guide = (ROOT / 'docs/operations.md').read_text().split('### Game day')[1]
        for name in game_day('--list').stdout.split():
            self.assertIn(f'`{name}`', guide)
