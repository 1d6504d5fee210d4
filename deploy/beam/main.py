#!/usr/bin/env python3
"""Runs Pixel Pipeline on Apache Beam. README.md beside this file explains the options."""
import sys

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from pixel_beam import pipeline, sink
from pixel_beam.options import Config, OptionsError


def main(arguments=None):
    options = PipelineOptions(arguments)
    try:
        config = Config(options)
    except OptionsError as error:
        print(f'error: {error}', file=sys.stderr)
        return 2
    options.view_as(StandardOptions).streaming = bool(config.subscription)
    runner = beam.Pipeline(options=options)
    pipeline.build(runner, config, sink.of(config))
    result = runner.run()
    result.wait_until_finish()
    for counter in result.metrics().query(beam.metrics.MetricsFilter().with_namespace('pixel'))['counters']:
        print(f'{counter.key.metric.name}: {counter.committed}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
