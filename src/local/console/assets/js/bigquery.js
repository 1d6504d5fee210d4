// Client of BigQuery's REST API, which the server provides under the page's own origin.

import * as server from './server.js';
import { setup } from './setup.js';

/** A failed request, with BigQuery's message. */
export class BigQueryError extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body?.error?.message ?? `BigQuery answered ${status}.`);
    this.status = status;
    this.reason = body?.error?.errors?.[0]?.reason;
  }
}

/**
 * @typedef {{ pageToken?: string, startIndex?: number, maxResults?: number, signal?: AbortSignal }} PageOptions
 * @typedef {{ jobId: string, location: string }} JobReference
 */

/**
 * @param {string} path
 * @param {{ method?: string, body?: object, parameters?: Record<string, string | number | undefined>, signal?: AbortSignal }} options
 */
async function request(path, { method = 'GET', body, parameters = {}, signal } = {}) {
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
  const query = given.length > 0 ? `?${new URLSearchParams(given)}` : '';
  const response = await server.request(`/bigquery/v2/projects/${encodeURIComponent(setup.project)}${path}${query}`, {
    method,
    signal,
    headers: body ? { 'content-type': 'application/json' } : {},
    body: body && JSON.stringify(body),
  });
  const json = await response.json().catch(() => undefined);
  if (!response.ok) throw new BigQueryError(response.status, json);
  return json;
}

/** @param {string} dataset */
const tablesPath = (dataset) => `/datasets/${encodeURIComponent(dataset)}/tables`;
/** @param {string} dataset @param {string} table */
const tablePath = (dataset, table) => `${tablesPath(dataset)}/${encodeURIComponent(table)}`;
const INT64 = { 'formatOptions.useInt64Timestamp': 'true' };

export const datasets = () => request('/datasets', { parameters: { maxResults: 1000 } });

/** @param {string} dataset @param {PageOptions} options */
export const tables = (dataset, { pageToken, maxResults, signal } = {}) =>
  request(tablesPath(dataset), { parameters: { pageToken, maxResults }, signal });

/** @param {string} dataset @param {string} name @param {{ signal?: AbortSignal }} options */
export const table = (dataset, name, { signal } = {}) => request(tablePath(dataset, name), { signal });

/** @param {string} dataset @param {string} name @param {PageOptions} options */
export const rows = (dataset, name, { startIndex, maxResults, signal } = {}) =>
  request(`${tablePath(dataset, name)}/data`, { parameters: { startIndex, maxResults, ...INT64 }, signal });

/**
 * Starts a query. The answer contains the first page, or only the job's reference if the query takes longer.
 *
 * @param {string} sql @param {PageOptions} options
 */
export const query = (sql, { maxResults, signal } = {}) =>
  request('/queries', {
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

/** @param {JobReference} job @param {PageOptions} options */
export const queryResults = (job, { pageToken, startIndex, maxResults, signal } = {}) =>
  request(`/queries/${encodeURIComponent(job.jobId)}`, {
    signal,
    parameters: { location: job.location, pageToken, startIndex, maxResults, timeoutMs: 10_000, ...INT64 },
  });

/** @param {JobReference} job */
export const cancel = (job) =>
  request(`/jobs/${encodeURIComponent(job.jobId)}/cancel`, { method: 'POST', parameters: { location: job.location } });
