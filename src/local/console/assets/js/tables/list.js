// The tables of a dataset, with a search field.

import { errorBox, fill, h } from '../dom.js';
import { count, plural } from '../format.js';
import * as bigquery from '../bigquery.js';
import { label } from './name.js';
import { findByPrefix, findSubstring } from './find.js';

const PAGE = 100;

// Kept when a table is selected, which creates the view again.
const kept = { dataset: '', term: '' };

/** @param {string} dataset @param {string} table */
const link = (dataset, table) => `#/tables?${new URLSearchParams({ dataset, table })}`;

/** @param {string} dataset @param {string | null} chosen */
export function tableList(dataset, chosen) {
  if (kept.dataset !== dataset) Object.assign(kept, { dataset, term: '' });
  const choice = h('select', { 'aria-label': 'Dataset', on: { change: () => { location.hash = `#/tables?${new URLSearchParams({ dataset: choice.value })}`; } } }, h('option', {}, dataset));
  const search = h('input', { type: 'search', placeholder: 'Table name or user id', 'aria-label': 'Search tables', autocomplete: 'off', spellcheck: 'false', value: kept.term });
  const names = h('ul', { class: 'names' });
  const foot = h('div', { class: 'row' });
  const status = h('span', { class: 'grow', role: 'status' });
  const element = h('section', { class: 'panel table-list', 'aria-label': 'Tables' },
    h('header', {}, choice, search), h('div', { class: 'scroll list' }, names), h('footer', {}, status, foot));
  /** @type {AbortController | undefined} */
  let running;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {string[]} found */
  const items = (found) => found.map((name) => h('li', {}, h('a', { href: link(dataset, name), 'aria-current': name === chosen ? 'true' : undefined }, label(name))));

  /**
   * Runs a search or listing. Aborts the previous one.
   *
   * @param {(signal: AbortSignal) => Promise<void>} work
   */
  async function run(work) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    fill(foot);
    try {
      await work(mine.signal);
    } catch (error) {
      if (!mine.signal.aborted) fill(status, errorBox(error));
    }
  }

  /** @param {string} [pageToken] */
  const all = (pageToken) => run(async (signal) => {
    const page = await bigquery.tables(dataset, { pageToken, maxResults: PAGE, signal });
    const found = (page.tables ?? []).map((/** @type {any} */ table) => table.tableReference.tableId);
    if (!pageToken) names.replaceChildren();
    names.append(...items(found));
    if (names.children.length === 0) names.append(h('li', { class: 'empty' }, 'No tables yet. ', h('a', { href: '#/pixel' }, 'Create a pixel'), ' and request it: the first event creates one.'));
    status.textContent = `${count(found.length === 0 ? 0 : names.children.length)} of ${plural(Number(page.totalItems), 'table')}`;
    if (page.nextPageToken) fill(foot, h('button', { type: 'button', on: { click: () => all(page.nextPageToken) } }, 'Load more'));
  });

  /** @param {string} term */
  const find = (term) => run(async (signal) => {
    const found = await findByPrefix(dataset, term, PAGE, signal);
    fill(names, items(found));
    status.textContent = found.length === PAGE ? `First ${PAGE} tables with this prefix` : `${plural(found.length, 'table')} with this prefix`;
    fill(foot, h('button', { type: 'button', on: { click: () => findAnywhere(term) } }, 'Search anywhere in the name'));
  });

  /** @param {string} term */
  const findAnywhere = (term) => run(async (signal) => {
    names.replaceChildren();
    fill(foot, h('button', { type: 'button', on: { click: () => { running?.abort(); fill(foot); } } }, 'Stop'));
    const found = await findSubstring(dataset, term, PAGE, signal, (seen, total, hits) => {
      status.textContent = `${plural(hits, 'match', 'matches')} in ${count(seen)} of ${count(total)} names`;
    });
    fill(names, items(found));
    fill(foot);
  });

  const refresh = () => (kept.term ? find(kept.term) : all());
  search.addEventListener('input', () => {
    kept.term = search.value.trim();
    clearTimeout(timer);
    timer = setTimeout(refresh, 150);
  });
  refresh();
  bigquery.datasets().then(({ datasets = [] }) => {
    const ids = datasets.map((/** @type {any} */ found) => found.datasetReference.datasetId);
    fill(choice, ids.map((/** @type {string} */ id) => h('option', {}, id)));
    choice.value = dataset;
  }, () => { /* The list below shows the error. */ });
  return {
    element,
    end() {
      clearTimeout(timer);
      running?.abort();
    },
  };
}
