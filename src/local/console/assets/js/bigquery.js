// BigQuery's REST API, as any client speaks it. The server has it under this page's own origin.

import { setup } from './setup.js';

/** What BigQuery says of a failed request. */
export class BigQueryError extends Error {
  constructor(status, body) {
    super(body?.error?.message ?? `BigQuery answered ${status}.`);
    this.status = status;
    this.reason = body?.error?.errors?.[0]?.reason;
  }
}

async function ask(path, { method = 'GET', body, parameters = {}, signal } = {}) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const query = given.length ? `?${new URLSearchParams(given)}` : '';
  const answer = await fetch(`/bigquery/v2/projects/${encodeURIComponent(setup.project)}${path}${query}`, {
    method,
    signal,
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const json = await answer.json().catch(() => undefined);
  if (!answer.ok) throw new BigQueryError(answer.status, json);
  return json;
}

const tablesPath = (dataset) => `/datasets/${encodeURIComponent(dataset)}/tables`;
const tablePath = (dataset, table) => `${tablesPath(dataset)}/${encodeURIComponent(table)}`;
const INT64 = { 'formatOptions.useInt64Timestamp': 'true' };

export const datasets = () => ask('/datasets', { parameters: { maxResults: 1000 } });

export const tables = (dataset, { pageToken, maxResults, signal } = {}) =>
  ask(tablesPath(dataset), { parameters: { pageToken, maxResults }, signal });

export const table = (dataset, name, { signal } = {}) => ask(tablePath(dataset, name), { signal });

export const rows = (dataset, name, { startIndex, maxResults, signal } = {}) =>
  ask(`${tablePath(dataset, name)}/data`, { parameters: { startIndex, maxResults, ...INT64 }, signal });

/** Starts a query; the answer may be its first page, or no more than the job's name. */
export const query = (sql, { maxResults, signal } = {}) =>
  ask('/queries', {
    method: 'POST',
    signal,
    body: {
      query: sql,
      useLegacySql: false,
      maxResults,
      timeoutMs: 10_000,
      formatOptions: { useInt64Timestamp: true },
      defaultDataset: { projectId: setup.project, datasetId: setup.dataset },
    },
  });

export const queryResults = (job, { pageToken, startIndex, maxResults, signal } = {}) =>
  ask(`/queries/${encodeURIComponent(job.jobId)}`, {
    signal,
    parameters: { location: job.location, pageToken, startIndex, maxResults, timeoutMs: 10_000, ...INT64 },
  });

export const cancel = (job) =>
  ask(`/jobs/${encodeURIComponent(job.jobId)}/cancel`, { method: 'POST', parameters: { location: job.location } });
