"""The pipeline: reads lines, decodes them, keeps one row of each event, and hands rows to a sink."""
import base64
import json
from collections import Counter

import apache_beam as beam
from apache_beam.coders import BytesCoder
from apache_beam.io import ReadFromPubSub, ReadFromText
from apache_beam.metrics import Metrics
from apache_beam.transforms.deduplicate import DeduplicatePerKey

from .decoder import Decoder
from .sink import RoutedRow

# Bytes of lines that are sent to the decoder at once.
MIN_BATCH_BYTES = 1 << 16
MAX_BATCH_BYTES = 1 << 20
# How long the stream remembers an event_id, in seconds. Later duplicates are stored, and the view `events` shows one of them.
DEDUPLICATION_SECONDS = 600

DEAD_LETTERS = 'dead_letters'
# A row with its event_id.
KeyedRow = tuple[str, RoutedRow]


def build(pipeline, config, sink):
    """Connects all steps. `sink` has a transform for rows and one for dead letters."""
    lines = pipeline | 'Read' >> (ReadSubscription(config.subscription) if config.subscription else ReadFiles(config.patterns))
    decode = beam.ParDo(DecodeFn(config.decoder)).with_output_types(KeyedRow, **{DEAD_LETTERS: KeyedRow})
    decoded = (
        lines
        | 'Batch' >> beam.BatchElements(MIN_BATCH_BYTES, MAX_BATCH_BYTES, element_size_fn=len)
        | 'Decode' >> decode.with_outputs(DEAD_LETTERS, main='rows')
    )
    one_per_event = OnePerEventInStream if config.subscription else OnePerEvent
    decoded.rows | 'One row per event' >> one_per_event() | 'Write rows' >> sink.rows()
    decoded[DEAD_LETTERS] | 'One dead letter per message' >> one_per_event() | 'Write dead letters' >> sink.dead_letters()


class ReadFiles(beam.PTransform):
    """The lines of files. A pattern without a file is an error before the pipeline starts."""

    def __init__(self, patterns):
        super().__init__()
        self._patterns = patterns

    def expand(self, pipeline):
        files = [pipeline | f'Read {pattern}' >> ReadFromText(pattern, coder=BytesCoder(), validate=True) for pattern in self._patterns]
        return files | beam.Flatten() | 'Skip empty lines' >> beam.Filter(bytes.strip)


class ReadSubscription(beam.PTransform):
    """The messages of a subscription as push bodies, which are lines without a line end in them, and keep id and time."""

    def __init__(self, subscription):
        super().__init__()
        self._subscription = subscription

    def expand(self, pipeline):
        return (
            pipeline
            | ReadFromPubSub(subscription=self._subscription, with_attributes=True)
            | 'To push body' >> beam.Map(push_body, self._subscription)
        )


def push_body(message, subscription):
    """A message as Pub/Sub pushes it: https://cloud.google.com/pubsub/docs/push#receive_push"""
    body = {'data': base64.b64encode(message.data).decode(), 'attributes': dict(message.attributes or {}), 'messageId': message.message_id}
    if message.publish_time is not None:
        body['publishTime'] = message.publish_time.isoformat().replace('+00:00', 'Z')
    return json.dumps({'message': body, 'subscription': subscription}).encode()


class DecodeFn(beam.DoFn):
    """Batches of lines to (event_id, row), with dead letters apart. A filtered line is counted only."""

    def __init__(self, config):
        self._config = config

    def setup(self):
        self._decoder = Decoder(self._config)

    def teardown(self):
        self._decoder.close()

    def process(self, lines):
        outcomes, before = Counter(), self._decoder.deaths
        for line, answer in zip(lines, self._decoder.decode(lines), strict=True):
            outcome, reason = answer['outcome'], answer['reason']
            outcomes[f'{outcome}_{reason}' if reason else outcome] += 1
            if outcome == 'stored':
                yield answer['event_id'], RoutedRow(answer['row'], answer['table'])
            elif outcome == 'dead_letter':
                yield beam.pvalue.TaggedOutput(DEAD_LETTERS, (answer['event_id'], dead_letter(answer, line)))
        outcomes['decoder_deaths'] = self._decoder.deaths - before
        for name, count in outcomes.items():
            Metrics.counter('pixel', name).inc(count)


def dead_letter(answer, line):
    if answer['row'] is None:
        raise ValueError(f'a message of {len(line)} bytes cannot become a row ({answer["reason"]}), and it is too large for the '
                         'dead-letter table: remove it from the input')
    return RoutedRow(answer['row'], None)


class OnePerEvent(beam.PTransform):
    """One row of each event_id, of a bounded input."""

    def expand(self, rows):
        return rows | beam.GroupByKey() | 'First' >> beam.MapTuple(lambda _, duplicates: next(iter(duplicates)))


class OnePerEventInStream(beam.PTransform):
    """The first row of each event_id within DEDUPLICATION_SECONDS."""

    def expand(self, rows):
        return rows | DeduplicatePerKey(processing_time_duration=DEDUPLICATION_SECONDS) | beam.Values()
