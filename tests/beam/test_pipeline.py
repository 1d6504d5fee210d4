"""The whole pipeline on the local runner, started as a user starts it. Its rows are those that `explain` shows."""
import gzip
import json
import re
import subprocess
import sys
from collections import Counter

from apache_beam.options.pipeline_options import PipelineOptions

from pixel_beam.options import Config, OptionsError
from support import BEAM, BeamTest, binary, entries, explain, sorted_rows, stored

POISON = b'{"httpRequest": {"requestUrl": "https://t.example.com/pixel.png'


class PipelineTest(BeamTest):
    def run_pipeline(self, *arguments, decoder=None):
        """Exit code, and what it printed."""
        command = [sys.executable, str(BEAM / 'main.py'), '--runner=FnApiRunner', '--decoder', decoder or binary(), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def decode(self, lines, *arguments, decoder=None):
        """Decodes lines to files, and returns the counters."""
        files = self.write('entries.jsonl', b'\n'.join(lines) + b'\n')
        code, out, err = self.run_pipeline('--input', files, '--output', str(self.directory / 'out'), *arguments, decoder=decoder)
        self.assertEqual(code, 0, err)
        return {name: int(count) for name, count in (line.split(': ') for line in out.splitlines())}

    def test_ten_thousand_entries_are_the_rows_of_explain(self):
        lines = entries(10_000)
        explanations = explain(lines)
        duplicates = lines[:500]
        counters = self.decode([*lines, b'', *duplicates, POISON])
        self.assertGreater(len(stored(explanations)), 5000)
        self.assertEqual(sorted_rows(self.output('rows')), stored(explanations))
        letters = [row for _, row in self.output('dead_letters')]
        expected = Counter(e['reason'] for e in explanations if e['outcome'] == 'dead_letter') + Counter(['bad_json'])
        self.assertEqual(Counter(row['reason'] for row in letters), expected)
        self.assertEqual(sum(counters[name] for name in counters if name != 'decoder_deaths'), 10_501)

    def test_a_killed_decoder_loses_nothing(self):
        lines = entries(2000)
        killed = self.program('killed', f'''#!/bin/bash
if mkdir {self.directory}/first 2>/dev/null; then
  head -n 30 | {binary()} "$@"
  kill -9 $$
fi
exec {binary()} "$@"
''')
        counters = self.decode(lines, decoder=killed)
        self.assertEqual(counters['decoder_deaths'], 1)
        self.assertEqual(sorted_rows(self.output('rows')), stored(explain(lines)))

    def test_other_settings_and_another_schema_reach_the_decoder(self):
        schema = [{'name': 'event_id', 'type': 'STRING', 'mode': 'REQUIRED'}, {'name': 'event_timestamp', 'type': 'TIMESTAMP', 'mode': 'REQUIRED'},
                  {'name': 'campaign', 'type': 'STRING'}, {'name': 'amount', 'type': 'NUMERIC'}]
        schema_file = self.write('schema.json', json.dumps(schema))
        settings = {'TABLE_NAME': 'hits', 'VALID_ATTRIBUTES': 'campaign,amount', 'TABLE_SUFFIX': '', 'PIXEL_PATH': '*', 'SCHEMA_FILE': schema_file}
        entry = json.loads(entries(1)[0])
        entry['httpRequest'].update(requestUrl='https://t.example.com/o.gif?campaign=c&amount=1.50', status=200)
        line = json.dumps(entry).encode()
        text = ''.join(f'{name}={value}\n' for name, value in settings.items())
        self.decode([line], '--settings', self.write('pipeline.env', f'# A comment\n\nDATASET=\n{text}'))
        rows = self.output('rows')
        self.assertEqual([(table, row['campaign'], row['amount']) for table, row in rows], [('hits', 'c', '1.5')])
        self.assertEqual(sorted_rows(rows), stored(explain([line], settings)))

    def test_folders_and_compressed_files_are_read(self):
        lines = entries(200)
        (self.directory / 'archive/01').mkdir(parents=True)
        self.write('archive/01/a.json', b'\n'.join(lines[:100]))
        self.write('archive/b.json.gz', gzip.compress(b'\n'.join(lines[100:])))
        code, _, err = self.run_pipeline('--input', f'{self.directory}/archive/', '--output', str(self.directory / 'out'))
        self.assertEqual(code, 0, err)
        self.assertEqual(sorted_rows(self.output('rows')), stored(explain(lines)))

    def test_mistakes_are_reported_before_anything_is_done(self):
        for arguments, message in [
            ([], 'either --input or --subscription'),
            (['--input', 'a', '--subscription', 'b'], 'either --input or --subscription'),
            (['--input', 'a'], 'PROJECT_ID'),
            (['--input', 'a', '--settings', '/nowhere.env'], 'cannot read /nowhere.env'),
            (['--input', 'a', '--settings', self.write('bad.env', 'A=1\nb\n')], "bad.env:2: 'b' is not NAME=value"),
            (['--input', 'a', '--schema', self.write('bad.json', '{"fields": 1}')], 'the schema is not a list'),
            (['--subscription', 's', '--output', 'o'], '--output needs --input'),
            (['--subscription', 's', '--project', 'p', '--schema', self.write('dates.json', '[{"name": "day", "type": "date"}]')], 'the columns day'),
        ]:
            with self.subTest(message), self.assertRaisesRegex(OptionsError, re.escape(message)):
                Config(PipelineOptions(arguments))
        code, out, err = self.run_pipeline('--input', 'a')
        self.assertEqual((code, out), (2, ''))
        self.assertIn('error: set PROJECT_ID', err)

    def test_a_pattern_without_files_is_an_error(self):
        code, _, err = self.run_pipeline('--input', f'{self.directory}/none-*', '--output', str(self.directory / 'out'))
        self.assertNotEqual(code, 0)
        self.assertIn('none-*', err)
