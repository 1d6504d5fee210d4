// The dead-letter table: messages that cannot become a row, with the reason.

import { errorBox, fill, h } from '../dom.js';
import { plural } from '../format.js';
import * as bigquery from '../bigquery.js';
import { record } from '../cells.js';
import { pager } from '../grid.js';
import { request } from '../server.js';
import { setup } from '../setup.js';
import { words } from '../overview/outcomes.js';
import { facts, letter } from './letter.js';

const PAGE = 25;

/** @param {AbortSignal} signal */
export function letterTable(signal) {
  const { dataset, dead_letter_table: table } = setup;
  const status = h('span', { role: 'status', class: 'soft small grow' });
  const body = h('div', {}, h('p', { class: 'empty' }, 'Loading…'));
  const refresh = h('button', { type: 'button', on: { click: () => show() } }, 'Refresh');

  /** Shows a page of the table, newest first. The newest are the table's last rows. */
  async function show(from = 0) {
    try {
      const { numRows, schema } = await bigquery.table(dataset, table, { signal });
      const total = Number(numRows);
      const size = Math.max(0, Math.min(PAGE, total - from));
      // BigQuery reads maxResults=0 as no limit.
      const page = size === 0 ? {} : await bigquery.rows(dataset, table, { startIndex: total - from - size, maxResults: size, signal });
      const rows = (page.rows ?? []).map((/** @type {Row} */ row) => record(schema.fields, row)).reverse();
      status.textContent = plural(total, 'message');
      fill(body, rows.length === 0 ? emptyText() : [
        h('ol', { class: 'letters' }, rows.map(item)),
        total > PAGE && h('div', { class: 'pages' }, pager({ from, shown: rows.length, total, size: PAGE, go: show })),
      ]);
    } catch (error) {
      if (signal.aborted) return;
      // The table may not exist yet.
      fill(body, error instanceof bigquery.BigQueryError && error.status === 404 ? emptyText() : errorBox(error));
    }
  }

  show();
  return h('section', { class: 'panel', 'aria-label': 'Dead-letter table' },
    h('header', {}, h('h2', {}, 'Dead-letter table'), status, refresh),
    body,
    h('footer', {}, 'Messages that cannot become a row. They are acknowledged and stored in ', h('a', { href: `#/tables?${new URLSearchParams({ dataset, table })}` }, `${dataset}.${table}`), '. A replay does not remove the row.'));
}

const emptyText = () => h('p', { class: 'empty' }, 'No messages. A message is stored here if it is not a log entry, lacks a value for a REQUIRED column, or is rejected by BigQuery.');

/** @param {Record<string, any>} row */
const item = (row) => letter({
  time: row.received_timestamp,
  tag: words(row.reason),
  detail: row.detail,
  data: row.data,
  about: facts([['Column', row.column], ['Message', row.message_id], ['Published', row.publish_time], ['Attempt', row.delivery_attempt], ['Event', row.event_id], ['Attributes', row.attributes]]),
  replay: () => request('/console/replay', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ data: row.data, attributes: JSON.parse(row.attributes ?? '{}') }),
  }),
});
