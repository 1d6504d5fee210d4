// A scrollable table with the rows of a table or of a query result.

import { h } from './dom.js';
import { isNumber, text } from './cells.js';
import { count } from './format.js';

/**
 * `first` is the index of the first of these rows among all rows.
 *
 * @param {Field[]} fields
 * @param {Row[]} rows
 * @param {number} first
 * @param {string} label
 */
export function grid(fields, rows, first, label) {
  const head = h('tr', {},
    h('th', { class: 'index', scope: 'col' }, h('span', { class: 'visually-hidden' }, 'Row')),
    fields.map((field) => h('th', { scope: 'col', class: isNumber(field) ? 'number' : undefined },
      field.name, h('span', { class: 'type' }, field.mode === 'REPEATED' ? `ARRAY<${field.type}>` : field.type))));
  const body = rows.map((row, index) => h('tr', {},
    h('td', { class: 'index' }, count(first + index + 1)),
    row.f.map((cell, column) => gridCell(fields[column], cell.v))));
  return h('div', { class: 'scroll grid', tabindex: '0', role: 'region', 'aria-label': label },
    h('table', {}, h('thead', {}, head), h('tbody', {}, body)));
}

/** @param {Field} field @param {any} v */
function gridCell(field, v) {
  const shown = text(field, v);
  if (shown === null) return h('td', {}, h('span', { class: 'null' }, 'NULL'));
  // The style sheet truncates long text. The tooltip shows all of it.
  return h('td', { class: isNumber(field) ? 'number' : undefined, title: shown.length > 40 ? shown : undefined }, shown);
}

/**
 * Buttons to page through `total` rows. `go` is called with the index of the first row to show.
 *
 * @param {Page} page
 */
export function pager({ from, shown, total, size, go }) {
  const to = from + shown;
  /** @param {string} label @param {number} at @param {boolean} enabled */
  const button = (label, at, enabled) => h('button', { type: 'button', disabled: !enabled, on: { click: () => go(at) } }, label);
  return h('nav', { class: 'row', 'aria-label': 'Pages' },
    h('span', { class: 'soft small' }, total === 0 ? 'No rows' : `Rows ${count(from + 1)}–${count(to)} of ${count(total)}`),
    h('span', { class: 'grow' }),
    total > size && [
      button('First', 0, from > 0),
      button('Previous', Math.max(0, from - size), from > 0),
      button('Next', to, to < total),
      button('Last', Math.floor((total - 1) / size) * size, to < total),
    ]);
}
