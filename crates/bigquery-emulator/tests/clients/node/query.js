// Queries the emulator with Google's client for Node, and prints the results as JSON.
//
// Usage: NODE_PATH=…/node_modules node query.js URL PROJECT ENDLESS-QUERY

'use strict';

const {BigQuery} = require('@google-cloud/bigquery');
const {OAuth2Client} = require('google-auth-library');

const [url, projectId, endless] = process.argv.slice(2);
// The emulator accepts any token. Without a token, the client searches for credentials, and its uploads crash.
const authClient = new OAuth2Client();
authClient.setCredentials({access_token: 'local'});
const bigquery = new BigQuery({projectId, apiEndpoint: url, authClient});

// Returns the code, reason and message of an error, or 'no error'.
async function catch_error(promise) {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    const [first] = error.errors ?? [];
    return {code: error.code, reason: first?.reason, message: error.message};
  }
}

// Returns all rows, with maxResults rows per page. (The client's own paging takes maxResults for the number of all rows.)
async function pages(ask, maxResults) {
  const rows = [];
  let next = {maxResults, autoPaginate: false};
  while (next) {
    const [page, following] = await ask(next);
    rows.push(...page);
    next = following;
  }
  return rows;
}

async function main() {
  const seen = {};
  const [dataset] = await bigquery.createDataset('node');
  const [table] = await dataset.createTable('events', {
    schema: {
      fields: [
        {name: 'name', type: 'STRING', mode: 'REQUIRED'},
        {name: 'n', type: 'INTEGER'},
        {name: 'at', type: 'TIMESTAMP'},
        {name: 'tags', type: 'STRING', mode: 'REPEATED'},
      ],
    },
  });
  await table.insert([
    {name: 'a', n: 1, at: bigquery.timestamp('2026-01-02T03:04:05.402197Z'), tags: ['x', 'y']},
    {name: 'b', n: null, at: null, tags: []},
  ]);
  const partial = await table.insert([{name: 'c', wrong: 1}]).catch(error => error);
  seen.partialFailure = [partial.name, partial.errors[0].errors[0].message];
  const stored = await pages(options => table.getRows(options), 1);
  seen.stored = stored.map(row => [row.name, row.n, row.at?.value ?? null, row.tags]);

  const [rows] = await bigquery.query({
    query: 'SELECT name, n, `at`, tags FROM node.events WHERE name = @name',
    params: {name: 'a'},
  });
  seen.query = rows.map(row => [row.name, row.n, row.at.value, row.tags]);

  const [typed] = await bigquery.query({
    query: 'SELECT @day AS day, @many AS many, @point.x AS x, @large AS large, @nothing AS nothing',
    params: {
      day: BigQuery.date('2026-01-02'),
      many: [1, 2],
      point: {x: 1.5},
      large: BigQuery.int('9007199254740993'),
      nothing: null,
    },
    types: {day: 'DATE', many: ['INT64'], point: {x: 'FLOAT64'}, large: 'INT64', nothing: 'STRING'},
    wrapIntegers: true,
  });
  const [{day, many, x, large, nothing}] = typed;
  seen.typed = [day.value, many.map(n => n.value), x, large.value, nothing];
  const [[positional]] = await bigquery.query({query: 'SELECT ? AS a, ? AS b', params: ['x', true]});
  seen.positional = [positional.a, positional.b];

  const [job] = await bigquery.createQueryJob({query: 'SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n', labels: {from: 'node'}});
  const results = await pages(options => job.getQueryResults(options), 1000);
  seen.job = [results.length, results.reduce((sum, row) => sum + row.n, 0)];
  const [metadata] = await job.getMetadata();
  seen.metadata = [metadata.status.state, metadata.configuration.labels.from, metadata.statistics.query.statementType];

  seen.streamed = 0;
  for await (const row of bigquery.createQueryStream('SELECT n FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS n')) {
    seen.streamed += row.n > 0 ? 1 : 0;
  }

  const [dry] = await bigquery.createQueryJob({query: 'SELECT name FROM node.events', dryRun: true});
  seen.dryRun = dry.metadata.statistics.query.schema.fields.map(field => field.name);
  seen.badQuery = await catch_error(bigquery.query('SELECT missing'));
  seen.load = await catch_error(table.load(__filename, {format: 'CSV'}));

  const [running] = await bigquery.createQueryJob({query: endless});
  await running.cancel();
  seen.cancelled = (await running.getMetadata())[0].status.errorResult.reason;
  await dataset.delete({force: true});
  seen.datasets = (await bigquery.getDatasets())[0].map(dataset => dataset.id);
  console.log(JSON.stringify(seen));
}

main().catch(error => {
  console.error(error);
  process.exitCode = 1;
});
