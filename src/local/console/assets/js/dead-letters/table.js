// The dead-letter table: messages that can never become a row, with the reason.

import { errorBox, fill, h } from '../dom.js';
import { plural } from '../format.js';
import * as bigquery from '../bigquery.js';
import { record } from '../cells.js';
import { pager } from '../grid.js';
import { setup } from '../setup.js';
import { words } from '../overview/outcomes.js';
import { facts, letter } from './letter.js';

const PAGE = 25;

export function letterTable(signal) {
  const { dataset, dead_letter_table: table } = setup;
  const said = h('span', { role: 'status', class: 'soft small grow' });
  const body = h('div', {}, h('p', { class: 'empty' }, 'Reading…'));
  const again = h('button', { type: 'button', on: { click: () => show() } }, 'Refresh');

  /** The newest are the table's last rows, and shown first. */
  async function show(from = 0) {
    try {
      const { numRows, schema } = await bigquery.table(dataset, table, { signal });
      const total = Number(numRows);
      const size = Math.max(0, Math.min(PAGE, total - from));
      // BigQuery takes 0 rows for all of them.
      const page = size === 0 ? {} : await bigquery.rows(dataset, table, { startIndex: total - from - size, maxResults: size, signal });
      const rows = (page.rows ?? []).map((row) => record(schema.fields, row)).reverse();
      said.textContent = plural(total, 'message');
      fill(body, rows.length === 0 ? nothing() : [
        h('ol', { class: 'letters' }, rows.map(item)),
        total > PAGE && h('div', { class: 'pages' }, pager({ from, shown: rows.length, total, size: PAGE, go: show })),
      ]);
    } catch (error) {
      if (signal.aborted) return;
      // The table is made with the first letter.
      fill(body, error.status === 404 ? nothing() : errorBox(error));
    }
  }

  show();
  return h('section', { class: 'panel', 'aria-label': 'Dead-letter table' },
    h('header', {}, h('h2', {}, 'Can never become a row'), said, again),
    body,
    h('footer', {}, 'Acknowledged, and kept in the table ', h('a', { href: `#/tables?${new URLSearchParams({ dataset, table })}` }, `${dataset}.${table}`), '. A row stays there when it is replayed.'));
}

const nothing = () => h('p', { class: 'empty' }, 'None. Here comes what is no log entry, leaves a REQUIRED column empty, or is refused by BigQuery.');

const item = (row) => letter({
  time: row.received_timestamp,
  tag: words(row.reason),
  detail: row.detail,
  data: row.data,
  about: facts([['Column', row.column], ['Message', row.message_id], ['Published', row.publish_time], ['Attempt', row.delivery_attempt], ['Event', row.event_id], ['Attributes', row.attributes]]),
  replay: () => fetch('/console/replay', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ data: row.data, attributes: JSON.parse(row.attributes ?? '{}') }),
  }),
});
