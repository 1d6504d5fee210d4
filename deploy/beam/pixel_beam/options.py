"""The options of the pipeline, and the settings file of the deployment."""
import json
import re
from pathlib import Path

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from .decoder import KEYS, DecoderConfig

# The repository, or its copy in the image.
ROOT = Path(__file__).resolve().parents[3]
# Column types that the Storage Write API takes, but that Beam cannot create a column of.
NOT_CREATED_BY_BEAM = {'BIGNUMERIC', 'DATE', 'DATETIME', 'JSON', 'TIME'}


class OptionsError(Exception):
    """An option or a setting is wrong. Nothing was done."""


class PixelOptions(PipelineOptions):
    @classmethod
    def _add_argparse_args(cls, parser):
        parser.add_argument('--input', help='Files of log entries, one per line, also compressed: paths or gs://, with wildcards, '
                                            'separated by commas. A name that ends with / is a folder')
        parser.add_argument('--subscription', help='Pub/Sub subscription to read instead: projects/PROJECT/subscriptions/NAME')
        parser.add_argument('--settings', help='Settings file of the deployment: a path or gs://. Default: the default settings')
        parser.add_argument('--schema', help='Schema file of the table: a path or gs://. Default: SCHEMA_FILE, else the built-in schema')
        for key in KEYS:
            parser.add_argument(f'--{key.lower()}', help=f'Version in Secret Manager of the key {key}: projects/PROJECT/secrets/NAME/versions/latest')
        parser.add_argument('--decoder', default='pixel-pipeline', help='Program pixel-pipeline: its path, or its name on the PATH')
        parser.add_argument('--output', help='Write the rows to files with this prefix, not to BigQuery. With --input only')


class Config:
    """The options and settings, checked together."""

    def __init__(self, options):
        pixel = options.view_as(PixelOptions)
        if bool(pixel.input) == bool(pixel.subscription):
            raise OptionsError('set either --input or --subscription')
        if pixel.output and pixel.subscription:
            raise OptionsError('--output needs --input: a subscription has no end')
        self.patterns = [pattern + '**' if pattern.endswith('/') else pattern for pattern in (pixel.input or '').split(',') if pattern]
        self.subscription = pixel.subscription
        self.output = pixel.output
        settings = read_settings(pixel.settings) if pixel.settings else {}
        # As for deploy.sh, which runs in the repository.
        schema = read_text(pixel.schema or str(ROOT / settings.get('SCHEMA_FILE', 'schema/pixel.json')))
        versions = {key: getattr(pixel, key.lower()) for key in KEYS}
        secrets = {key: version for key, version in versions.items() if version}
        self.decoder = DecoderConfig(pixel.decoder, settings, schema, secrets)
        self.fields = parse_schema(schema)
        self.dead_letter_fields = parse_schema(read_text(str(ROOT / 'schema/dead_letters.json')))
        self.has_one_table = settings.get('TABLE_SUFFIX') == ''
        self.project = settings.get('PROJECT_ID') or options.view_as(GoogleCloudOptions).project
        self.dataset = settings.get('DATASET', 'parsed_pixel')
        self.table_name = settings.get('TABLE_NAME', 'pixel')
        self.dead_letter_table = settings.get('DEAD_LETTER_TABLE', 'dead_letters')
        if not (self.output or self.project):
            raise OptionsError('set PROJECT_ID in the settings file, or --project')
        self._check_created_tables()

    def table(self, name):
        return f'{self.project}:{self.dataset}.{name}'

    def _check_created_tables(self):
        """In a stream, Beam creates the table of a new suffix, with the types that it knows."""
        unknown = [column['name'] for column in self.fields if column['type'] in NOT_CREATED_BY_BEAM]
        if self.subscription and not self.has_one_table and unknown:
            raise OptionsError(f'Beam cannot create a table with the columns {", ".join(unknown)}: set an empty TABLE_SUFFIX, or use STRING')


def read_text(path):
    try:
        with FileSystems.open(path) as file:
            return file.read().decode()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise OptionsError(f'cannot read {path}: {error}') from error


def read_settings(path):
    """NAME=value lines by the rules of deploy.sh: an empty value counts as not set, except for TABLE_SUFFIX."""
    settings = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith('#'):
            continue
        match = re.fullmatch(r'([A-Z][A-Z0-9_]*)=(.*)', line)
        if not match:
            raise OptionsError(f'{path}:{number}: {line!r} is not NAME=value')
        name, value = match.groups()
        if value or name == 'TABLE_SUFFIX':
            settings[name] = value
    return settings


def parse_schema(text):
    try:
        columns = json.loads(text)
        return [{'mode': 'NULLABLE', **column, 'type': column['type'].upper()} for column in columns]
    except (ValueError, TypeError, KeyError) as error:
        raise OptionsError(f'the schema is not a list of columns with name and type: {error!r}') from error
