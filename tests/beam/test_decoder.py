"""The decoder's subprocess: one answer for each line, whatever happens to the process."""
import json
import os
import signal
import sys
import threading

from pixel_beam.decoder import MAX_DEATHS, Decoder, DecoderConfig, DecoderError
from support import ROOT, BeamTest, binary, entries, explain, stored

SCHEMA = (ROOT / 'schema/pixel.json').read_text()
# Answers as the decoder does, and dies of some lines.
DIES = f'''#!{sys.executable}
import os, signal, sys
for line in sys.stdin:
    if 'kill' in line:
        os.kill(os.getpid(), signal.SIGKILL)
    print('{{"outcome": "filtered", "reason": "%s", "row": null}}' % line.strip(), flush=True)
'''


def without_time(answers):
    """Answers that do not depend on when they were given."""
    for answer in answers:
        if answer['outcome'] == 'dead_letter':
            del answer['row']['received_timestamp']
    return answers


class DecoderTest(BeamTest):
    def decoder(self, command=None, **settings):
        decoder = Decoder(DecoderConfig(command or binary(), settings, SCHEMA))
        self.addCleanup(decoder.close)
        return decoder

    def test_a_batch_larger_than_the_pipes_is_answered(self):
        lines = entries(3000)
        answers = self.decoder().decode(lines)
        self.assertEqual(stored(explain(lines)), sorted((a['table'], json.dumps(a['row'], sort_keys=True)) for a in answers if a['outcome'] == 'stored'))
        self.assertEqual(len(answers), len(lines))

    def test_a_poison_line_is_one_dead_letter_with_the_line(self):
        lines = [*entries(2), b'{"httpRequest":', *entries(1)]
        answers = self.decoder().decode(lines)
        self.assertEqual(answers[2]['outcome'], 'dead_letter')
        self.assertEqual((answers[2]['row']['reason'], answers[2]['row']['data']), ('bad_json', 'eyJodHRwUmVxdWVzdCI6'))
        self.assertEqual(answers[3], answers[0])

    def test_a_killed_process_loses_nothing(self):
        decoder, lines = self.decoder(), entries(500)
        expected = without_time(decoder.decode(lines))
        os.kill(decoder.process.pid, signal.SIGKILL)
        self.assertEqual(without_time(decoder.decode(lines)), expected)
        self.assertEqual(decoder.deaths, 1)

    def test_processes_that_are_killed_at_any_moment_lose_nothing(self):
        decoder, lines, done = self.decoder(), entries(3000), threading.Event()

        def kill():
            """Kills the first two processes. A third one would be the end of a line that no process had answered."""
            while not done.wait(0.01):
                process = decoder.process
                if process and decoder.deaths < MAX_DEATHS - 1:
                    process.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            answers = decoder.decode(lines)
        finally:
            done.set()
            killer.join()
        self.assertEqual(decoder.deaths, MAX_DEATHS - 1)
        self.assertEqual(without_time(answers), without_time(self.decoder().decode(lines)))

    def test_half_an_answer_is_not_an_answer(self):
        first = self.directory / 'first'
        half = self.program('half', f'''#!/bin/bash
if mkdir {first} 2>/dev/null; then
  head -n 40 | {binary()} "$@" | head -c 2500
  kill -9 $$
fi
exec {binary()} "$@"
''')
        lines = entries(100)
        decoder = self.decoder(half)
        self.assertEqual(without_time(decoder.decode(lines)), without_time(self.decoder().decode(lines)))
        self.assertEqual(decoder.deaths, 1)

    def test_a_line_that_kills_the_process_is_a_dead_letter(self):
        answers = self.decoder(self.program('dies', DIES)).decode([b'one', b'kill', b'two'])
        self.assertEqual([a['reason'] for a in answers], ['one', 'decoder_died', 'two'])
        self.assertEqual(answers[1]['row']['data'], 'a2lsbA==')
        self.assertLess(set(answers[1]['row']), {column['name'] for column in json.loads((ROOT / 'schema/dead_letters.json').read_text())})

    def test_wrong_settings_are_an_error_and_not_dead_letters(self):
        with self.assertRaisesRegex(DecoderError, 'exit code 2'):
            self.decoder(TABLE_SUFFIX='{nothing}').decode(entries(1))

    def test_a_missing_program_is_an_error(self):
        with self.assertRaisesRegex(DecoderError, 'cannot start /nowhere: .*--decoder'):
            self.decoder('/nowhere').decode(entries(1))

    def test_other_variables_of_the_worker_do_not_change_rows(self):
        os.environ['TABLE_NAME'] = 'other'
        self.addCleanup(os.environ.pop, 'TABLE_NAME')
        tables = {answer.get('table') for answer in self.decoder(TABLE_SUFFIX='').decode(entries(58))}
        self.assertEqual(tables, {None, 'pixel'})
