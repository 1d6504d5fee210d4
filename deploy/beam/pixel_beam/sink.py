"""Where rows go: BigQuery by load jobs, BigQuery by the Storage Write API, or files.

A row has the values that insertAll takes. Each method of writing has its own form of some types.
"""
import base64
import json
from datetime import UTC, datetime
from decimal import Decimal

import apache_beam as beam
from apache_beam.io import BigQueryDisposition, WriteToBigQuery, WriteToText
from apache_beam.io.gcp.bigquery import StorageWriteToBigQuery
from apache_beam.utils.timestamp import Timestamp

from .options import NOT_CREATED_BY_BEAM


class RoutedRow(dict):
    """A row that knows its table. Beam writes each element as it is, and asks a function of the element for the table."""

    def __init__(self, row, table):
        super().__init__(row)
        self.table = table

    def __reduce__(self):
        return RoutedRow, (dict(self), self.table)


class LoadJobs:
    """FILE_LOADS, for a bounded input: free, and a table gets all rows of a job or none."""

    def __init__(self, config, **options):
        self._config = config
        self._options = options

    def rows(self):
        return self._write(self._config.fields, **destination(self._config))

    def dead_letters(self):
        return self._write(self._config.dead_letter_fields, **existing(self._config, self._config.dead_letter_table))

    def _write(self, fields, **where):
        json_columns = [field['name'] for field in fields if field['type'] == 'JSON']
        write = WriteToBigQuery(method=WriteToBigQuery.Method.FILE_LOADS, schema={'fields': fields}, **where, **self._options)
        return Steps(('To load format', beam.Map(loadable, json_columns)), ('Load', write))


class StorageWrites:
    """The Storage Write API, for a stream. At least once: `event_id` identifies the copies, and it costs less."""

    def __init__(self, config):
        self._config = config

    def rows(self):
        return WriteStorage(self._config.fields, destination(self._config), self.dead_letters())

    def dead_letters(self):
        where = existing(self._config, self._config.dead_letter_table)
        return WriteStorage(self._config.dead_letter_fields, where, beam.Map(fail_refused))


class Files:
    """Lines of JSON: the table and the row."""

    def __init__(self, config):
        self._config = config

    def rows(self):
        return self._write('rows', None)

    def dead_letters(self):
        return self._write('dead_letters', self._config.dead_letter_table)

    def _write(self, name, table):
        line = beam.Map(lambda row: json.dumps({'table': table or row.table, 'row': row}))
        return Steps(('To JSON', line), ('Write', WriteToText(f'{self._config.output}-{name}', file_name_suffix='.jsonl')))


def of(config):
    """The sink for the options."""
    if config.output:
        return Files(config)
    return StorageWrites(config) if config.subscription else LoadJobs(config)


class Steps(beam.PTransform):
    """Transforms one after the other, as one."""

    def __init__(self, *steps):
        super().__init__()
        self._steps = steps

    def expand(self, rows):
        for name, transform in self._steps:
            rows = rows | name >> transform
        return rows


def destination(config):
    """The single table, which the deployment has created, or the table of the row's suffix."""
    if config.has_one_table:
        return existing(config, config.table_name)
    return {'table': lambda row: config.table(row.table), 'create_disposition': BigQueryDisposition.CREATE_IF_NEEDED}


def existing(config, table):
    """A table that the deployment has created. Beam would create it without its partitions."""
    return {'table': config.table(table), 'create_disposition': BigQueryDisposition.CREATE_NEVER}


def loadable(row, json_columns):
    """A load job stores a string in a JSON column as a JSON string. insertAll parses it."""
    values = {column: row[column] for column in json_columns if row.get(column) is not None}
    parsed = {column: [json.loads(text) for text in value] if isinstance(value, list) else json.loads(value) for column, value in values.items()}
    return RoutedRow({**row, **parsed}, row.table)


class WriteStorage(beam.PTransform):
    """Writes rows. Those that BigQuery refuses go to another transform."""

    def __init__(self, fields, where, refused):
        super().__init__()
        self._fields, self._where, self._refused = fields, where, refused

    def expand(self, rows):
        # The API takes text for these types, if the table exists.
        as_text = {kind: str for kind in NOT_CREATED_BY_BEAM}
        write = StorageWriteToBigQuery(schema={'fields': self._fields}, use_at_least_once=True, type_overrides=as_text, **self._where)
        written = rows | 'To Beam types' >> beam.Map(storable, self._fields) | 'Append' >> write
        refused = written.failed_rows_with_errors | 'To dead letter' >> beam.Map(refused_row)
        return refused | 'Refused rows' >> self._refused


# From the values of insertAll to those that Beam's rows have. Other types stay as they are.
PYTHON_VALUES = {
    'BOOL': bool, 'BOOLEAN': bool, 'BYTES': base64.b64decode, 'FLOAT': float, 'FLOAT64': float, 'INT64': int, 'INTEGER': int,
    'NUMERIC': Decimal, 'TIMESTAMP': Timestamp.from_rfc3339,
}


def storable(row, fields):
    values = {}
    for field in fields:
        name, value, convert = field['name'], row.get(field['name']), PYTHON_VALUES.get(field['type'], lambda value: value)
        if field['mode'].upper() == 'REPEATED':
            values[name] = [convert(element) for element in value or []]
        else:
            values[name] = None if value is None else convert(value)
    return RoutedRow(values, row.table)


def refused_row(failed):
    """A row that BigQuery refused, as a dead letter. Its data is the row: the message is not known any more."""
    row, now = failed['failed_row'], datetime.now(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')
    data = base64.b64encode(json.dumps(row, default=str).encode()).decode()
    return RoutedRow({'event_id': str(row.get('event_id')), 'received_timestamp': now, 'reason': 'invalid',
                      'detail': f'BigQuery refused this row: {failed["error_message"]}', 'data': data}, None)


def fail_refused(letter):
    raise ValueError(f'BigQuery refused a dead letter, event_id {letter["event_id"]}: {letter["detail"]}. Compare the table with '
                     'schema/dead_letters.json')
