"""What is sent to BigQuery: the load jobs and their files, and the rows of the Storage Write API. No request leaves the
machine: a fake client takes the load jobs, and another transform takes the rows of the Storage Write API, which Beam's Java
process would append."""
import json
import types
from decimal import Decimal
from pathlib import Path
from unittest import mock

import apache_beam as beam
from apache_beam.coders import RowCoder
from apache_beam.io.gcp import bigquery
from apache_beam.io.gcp.bigquery_tools import beam_row_from_dict
from apache_beam.io.gcp.internal.clients.bigquery import Job, JobReference, JobStatus
from apache_beam.io.gcp.pubsub import PubsubMessage
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.test_stream import TestStream
from apache_beam.typehints.row_type import RowTypeConstraint
from apache_beam.typehints.schemas import named_fields_to_schema
from apitools.base.py.exceptions import HttpError

from pixel_beam import pipeline, sink
from pixel_beam.options import Config
from support import BeamTest, binary, entries, explain, sorted_rows, stored

POISON = b'{"httpRequest":'


class JobClient:
    """BigQuery's client, as far as load jobs and copy jobs need it. A table is a file of rows in a directory."""

    def __init__(self, directory):
        self._directory = Path(directory)
        self.jobs = types.SimpleNamespace(Insert=self._insert, Get=self._get)
        self.tables = types.SimpleNamespace(Get=self._get_table, Delete=self._delete_table)

    def _insert(self, request, **_):
        load, copy = request.job.configuration.load, request.job.configuration.copy
        job = load or copy
        files = [Path(uri) for uri in load.sourceUris] if load else [self._rows(copy.sourceTable)]
        with self._rows(job.destinationTable).open('a') as table:
            table.writelines(file.read_text() for file in files)
        if load:
            assert load.sourceFormat == 'NEWLINE_DELIMITED_JSON' and 'event_id' in [field.name for field in load.schema.fields]
        dispositions = self._directory / f'{job.destinationTable.tableId}.dispositions'
        dispositions.write_text(f'{job.createDisposition} {job.writeDisposition}')
        return Job(jobReference=request.job.jobReference)

    def _rows(self, table):
        return self._directory / f'{table.projectId}:{table.datasetId}.{table.tableId}'

    @staticmethod
    def _get(request):
        return Job(jobReference=JobReference(jobId=request.jobId), status=JobStatus(state='DONE'))

    @staticmethod
    def _get_table(request):
        raise HttpError({'status': '404'}, b'', request.tableId)

    def _delete_table(self, request):
        self._rows(request).unlink()


class SinkTest(BeamTest):
    def config(self, *arguments, **settings):
        text = ''.join(f'{name}={value}\n' for name, value in {'PROJECT_ID': 'my-project', **settings}.items())
        options = ['--settings', self.write('pipeline.env', text), '--decoder', binary(), *arguments]
        return Config(PipelineOptions(options))


class LoadJobsTest(SinkTest):
    def load(self, lines, **settings):
        """(table, row) of each loaded row, and the dispositions of the job that filled each table."""
        config = self.config('--input', self.write('entries.jsonl', b'\n'.join(lines)), **settings)
        tables = self.directory / 'tables'
        tables.mkdir()
        options = {'test_client': JobClient(tables), 'custom_gcs_temp_location': str(self.directory), 'validate': False}
        with beam.Pipeline(runner='FnApiRunner') as runner:
            pipeline.build(runner, config, sink.LoadJobs(config, **options))
        rows = [(file.name, json.loads(line)) for file in tables.iterdir() if ':' in file.name for line in file.read_text().splitlines()]
        return rows, {table: (tables / f'{table.partition(".")[2]}.dispositions').read_text() for table, _ in rows}

    def test_each_suffix_is_a_table_that_its_job_may_create(self):
        lines = entries(300)
        rows, dispositions = self.load([*lines, *lines, POISON])
        letters = [row for table, row in rows if table == 'my-project:parsed_pixel.dead_letters']
        self.assertEqual(sum(row['data'] == 'eyJodHRwUmVxdWVzdCI6' for row in letters), 1)
        events = [(table.removeprefix('my-project:parsed_pixel.'), row) for table, row in rows if row not in letters]
        self.assertEqual(sorted_rows(events), stored(explain(lines)))
        self.assertEqual(dispositions.pop('my-project:parsed_pixel.dead_letters'), 'CREATE_NEVER WRITE_APPEND')
        self.assertGreater(len(dispositions), 1)
        self.assertEqual(set(dispositions.values()), {'CREATE_IF_NEEDED WRITE_APPEND'})

    def test_without_a_suffix_a_job_appends_to_the_table_of_the_deployment(self):
        settings = {'TABLE_SUFFIX': '', 'DATASET': 'web', 'TABLE_NAME': 'hits', 'DEAD_LETTER_TABLE': 'lost'}
        lines = entries(100)
        rows, dispositions = self.load([*lines, POISON], **settings)
        self.assertEqual(dispositions, dict.fromkeys(('my-project:web.hits', 'my-project:web.lost'), 'CREATE_NEVER WRITE_APPEND'))
        self.assertEqual(sorted_rows(('hits', row) for table, row in rows if table.endswith('hits')), stored(explain(lines, settings)))

    def test_json_columns_are_values_in_a_load_file(self):
        row = sink.RoutedRow({'a': '{"b": 1}', 'c': ['1', '"x"'], 'd': None, 'e': '{}'}, 'pixel')
        loaded = sink.loadable(row, ['a', 'c', 'd', 'f'])
        self.assertEqual((loaded, loaded.table), ({'a': {'b': 1}, 'c': [1, 'x'], 'd': None, 'e': '{}'}, 'pixel'))


class Appended(beam.PTransform):
    """In the place of StorageWriteToBigQuery: writes rows to a file, after Beam has encoded them for Java."""

    def __init__(self, directory, refuses, **arguments):
        super().__init__()
        self._directory, self._refuses, self._arguments = directory, refuses, arguments

    def expand(self, rows):
        table, refuses = self._arguments['table'], self._refuses
        name = 'rows' if callable(table) else table
        rows | beam.Filter(lambda row: not refuses(row)) | beam.Map(self._append, self._directory, table, name, self._arguments['schema'])
        failed = rows | beam.Filter(refuses) | beam.Map(lambda row: {'error_message': 'no such field', 'failed_row': dict(row)})
        return types.SimpleNamespace(failed_rows_with_errors=failed)

    @staticmethod
    def _append(row, directory, table, name, schema):
        encode(dict(row), schema)
        line = json.dumps({'table': table(row) if callable(table) else table, 'row': row}, default=str)
        with Path(directory, f'{name}.appended').open('a') as file:
            file.write(line + '\n')


def encode(values, schema):
    """The row after its way to Java and back."""
    types_of_fields = bigquery.bigquery_tools.get_beam_typehints_from_tableschema(schema, {kind: str for kind in sink.NOT_CREATED_BY_BEAM})
    coder = RowCoder(named_fields_to_schema(RowTypeConstraint.from_fields(types_of_fields)._fields))
    return coder.decode(coder.encode(beam_row_from_dict(values, schema)))


class StreamTest(SinkTest):
    def stream(self, messages, refuses=lambda row: False, **settings):
        """The (table, row) that a stream of messages appends."""
        config = self.config('--subscription', 'projects/my-project/subscriptions/pixel-beam', **settings)
        source = TestStream().add_elements(messages).advance_watermark_to_infinity()
        append = lambda **arguments: Appended(str(self.directory), refuses, **arguments)
        with mock.patch.object(pipeline, 'ReadFromPubSub', lambda **_: source), mock.patch.object(sink, 'StorageWriteToBigQuery', append):
            with beam.Pipeline(runner='DirectRunner', options=PipelineOptions(['--streaming'])) as runner:
                pipeline.build(runner, config, sink.of(config))
        lines = [json.loads(line) for file in self.directory.glob('*.appended') for line in file.read_text().splitlines()]
        rows = [(line['table'].removeprefix('my-project:parsed_pixel.'), line['row']) for line in lines]
        return [row for row in rows if row[0] != 'dead_letters'], [row for table, row in rows if table == 'dead_letters']

    def test_each_message_is_a_row_or_a_dead_letter_once(self):
        lines = entries(200)
        messages = [PubsubMessage(line, {'key': 'value'}, message_id=str(number)) for number, line in enumerate([*lines, *lines[:50]])]
        rows, letters = self.stream([*messages, PubsubMessage(b'{\n', {'key': 'value'}, message_id='p')])
        expected = stored(explain(lines))
        self.assertEqual(sorted((table, row['event_id']) for table, row in rows), sorted((table, json.loads(row)['event_id']) for table, row in expected))
        [poison] = [letter for letter in letters if letter['message_id'] == 'p']
        self.assertEqual((poison['reason'], poison['data'], poison['attributes']), ('bad_json', 'ewo=', '{"key": "value"}'))

    def test_a_row_that_bigquery_refuses_is_a_dead_letter(self):
        [line] = [line for line in entries(58) if explain([line])[0]['outcome'] == 'stored'][:1]
        rows, [letter] = self.stream([PubsubMessage(line, None)], refuses=lambda row: 'user_id' in row)
        self.assertEqual(rows, [])
        self.assertEqual((letter['reason'], letter['detail']), ('invalid', 'BigQuery refused this row: no such field'))
        self.assertEqual(letter['event_id'], explain([line])[0]['insert_id'])

    def test_every_type_reaches_java(self):
        given = {'STRING': 'x', 'INTEGER': '9007199254740993', 'FLOAT': 1.5, 'NUMERIC': '1.50', 'BOOLEAN': True, 'BYTES': 'eA==',
                 'TIMESTAMP': '2026-01-02T03:04:05.123456Z', 'DATE': '2026-01-02', 'TIME': '03:04:05', 'DATETIME': '2026-01-02T03:04:05',
                 'JSON': '{}', 'BIGNUMERIC': '1.5'}
        fields = [{'name': f'{kind}_{mode}', 'type': kind, 'mode': mode} for kind in given for mode in ('NULLABLE', 'REPEATED')]
        full = {f['name']: given[f['type']] if f['mode'] == 'NULLABLE' else [given[f['type']]] * 2 for f in fields}
        stored_row = encode(dict(sink.storable(sink.RoutedRow(full, 't'), fields)), {'fields': fields})
        self.assertEqual(stored_row.INTEGER_NULLABLE, 9007199254740993)
        self.assertEqual(stored_row.NUMERIC_REPEATED, [Decimal('1.50')] * 2)
        self.assertEqual(stored_row.TIMESTAMP_NULLABLE.to_rfc3339(), given['TIMESTAMP'])
        self.assertEqual(stored_row.BYTES_NULLABLE, b'x')
        self.assertEqual((stored_row.DATE_NULLABLE, stored_row.JSON_REPEATED), ('2026-01-02', ['{}', '{}']))
        empty = encode(dict(sink.storable(sink.RoutedRow({}, 't'), fields)), {'fields': fields})
        self.assertEqual((empty.STRING_NULLABLE, empty.STRING_REPEATED), (None, []))
