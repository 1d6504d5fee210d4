// Datasets and tables: a list with a search, and the selected table.

import { h } from '../dom.js';
import { setup } from '../setup.js';
import { tableList } from '../tables/list.js';
import { tableDetail } from '../tables/detail.js';

export const title = 'Tables';

/** @param {HTMLElement} main @param {URLSearchParams} parameters */
export function show(main, parameters) {
  const dataset = parameters.get('dataset') ?? setup.dataset;
  const name = parameters.get('table');
  const list = tableList(dataset, name);
  const detail = name ? tableDetail(dataset, name) : placeholder();
  main.append(h('div', { class: 'browse', 'data-chosen': name ? 'table' : undefined }, list.element, detail.element));
  return () => {
    list.end();
    detail.end();
  };
}

const placeholder = () => ({
  end() {},
  element: h('section', { class: 'panel nothing-chosen', 'aria-label': 'Table' }, h('p', { class: 'empty' }, 'Select a table to see its schema and rows.')),
});
