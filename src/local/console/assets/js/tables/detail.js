// Details of a table: properties, schema and rows. For a view, its query.

import { errorBox, fill, h } from '../dom.js';
import { bytes, count, timestamp } from '../format.js';
import * as bigquery from '../bigquery.js';
import { grid, pager } from '../grid.js';
import { setup } from '../setup.js';
import { label } from './name.js';

const PAGE = 50;

/** @param {string} dataset @param {string} name */
export function tableDetail(dataset, name) {
  const body = h('div', { class: 'stack' }, h('p', { class: 'empty' }, 'Loading…'));
  const query = `SELECT *\nFROM \`${dataset}.${name}\`\nLIMIT 100`;
  const element = h('section', { class: 'panel table-detail', 'aria-label': `Table ${name}` },
    h('header', {},
      h('h2', { class: 'break' }, label(name)),
      h('div', { class: 'row' },
        h('a', { class: 'button back', href: `#/tables?${new URLSearchParams({ dataset })}` }, 'All tables'),
        h('a', { class: 'button', href: `#/sql?${new URLSearchParams({ query })}` }, 'Query'))),
    body);
  const controller = new AbortController();

  async function read() {
    try {
      const table = await bigquery.table(dataset, name, controller);
      const preview = h('div', { class: 'stack' });
      const content = table.type === 'VIEW' ? viewQuery(table.view.query) : h('section', { 'aria-label': 'Rows' }, preview);
      fill(body, about(table), columns(table.schema?.fields ?? []), content);
      if (table.type !== 'VIEW') await rows(table.schema?.fields ?? [], preview, 0);
    } catch (error) {
      if (!controller.signal.aborted) fill(body, h('div', { class: 'body' }, errorBox(error)));
    }
  }

  /** @param {Field[]} fields @param {HTMLElement} preview @param {number} from */
  async function rows(fields, preview, from) {
    const page = await bigquery.rows(dataset, name, { startIndex: from, maxResults: PAGE, ...controller });
    const found = page.rows ?? [];
    /** @param {number} to */
    const turn = (to) => rows(fields, preview, to).catch((error) => fill(preview, errorBox(error)));
    fill(preview,
      h('div', { class: 'pages' }, pager({ from, shown: found.length, total: Number(page.totalRows), size: PAGE, go: turn })),
      found.length > 0 ? grid(fields, found, from, `Rows of ${name}`) : h('p', { class: 'empty' }, name === setup.table
        ? 'No rows. The rows are in the generated tables, which copy this schema.'
        : ['No rows yet. ', h('a', { href: '#/pixel' }, 'Create a pixel'), ' and request it.']));
  }

  read();
  return { element, end: () => controller.abort() };
}

/** @param {string} milliseconds */
const toTheSecond = (milliseconds) => timestamp(`${milliseconds.slice(0, -3)}000000`);

/** @param {string} query */
const viewQuery = (query) => h('section', { 'aria-label': 'Query of the view' }, h('div', { class: 'body' }, h('pre', { class: 'block', tabindex: '0' }, query)));

/** @param {any} table */
function about(table) {
  const isView = table.type === 'VIEW';
  const facts = [
    ['Rows', isView ? undefined : count(Number(table.numRows))],
    ['Size', isView ? undefined : bytes(table.numBytes)],
    ['Created', toTheSecond(table.creationTime)],
    ['Modified', toTheSecond(table.lastModifiedTime)],
    ['Id', table.id],
    ['Description', table.description],
  ];
  if (isView) facts.push(['Type', 'View']);
  if (table.tableReference.tableId === setup.table) facts.push(['Type', 'Template table: generated tables copy its schema']);
  return h('dl', { class: 'facts across' }, facts.filter(([, value]) => value).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

/** @param {Field[]} fields */
function columns(fields) {
  /** @param {Field[]} fields @param {number} depth @returns {any[]} */
  const lines = (fields, depth) => fields.flatMap((field) => [
    h('tr', {},
      h('td', { class: `code depth-${Math.min(depth, 4)}` }, field.name),
      h('td', { class: 'code' }, field.type),
      h('td', { class: 'small' }, field.mode && field.mode !== 'NULLABLE' ? field.mode : h('span', { class: 'soft' }, 'NULLABLE')),
      h('td', { class: 'soft' }, field.description ?? '')),
    ...lines(field.fields ?? [], depth + 1),
  ]);
  return h('details', { class: 'schema', open: fields.length <= 12 && innerWidth > 860 }, h('summary', {}, `Schema: ${count(fields.length)} columns`),
    h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Schema' }, h('table', {},
      h('thead', {}, h('tr', {}, ['Column', 'Type', 'Mode', 'Description'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', {}, lines(fields, 0)))));
}
