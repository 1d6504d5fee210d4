// The list of a dataset's tables, with a search.

import { errorBox, fill, h } from '../dom.js';
import { count, plural } from '../format.js';
import * as bigquery from '../bigquery.js';
import { anywhere, quickly } from './find.js';

const PAGE = 100;

// Where one was, when a table is chosen and the view is made anew.
const kept = { dataset: undefined, term: '' };

const link = (dataset, table) => `#/tables?${new URLSearchParams({ dataset, table })}`;

export function tableList(dataset, chosen) {
  if (kept.dataset !== dataset) Object.assign(kept, { dataset, term: '' });
  const choice = h('select', { 'aria-label': 'Dataset', on: { change: () => { location.hash = `#/tables?${new URLSearchParams({ dataset: choice.value })}`; } } }, h('option', {}, dataset));
  const search = h('input', { type: 'search', placeholder: 'Name or user id', 'aria-label': 'Search tables', autocomplete: 'off', spellcheck: 'false', value: kept.term });
  const names = h('ul', { class: 'names' });
  const foot = h('div', { class: 'row' });
  const said = h('span', { class: 'grow', role: 'status' });
  const element = h('section', { class: 'panel table-list', 'aria-label': 'Tables' },
    h('header', {}, choice, search), h('div', { class: 'scroll list' }, names), h('footer', {}, said, foot));
  let running;
  let timer;

  const items = (found) => found.map((name) => h('li', {}, h('a', { href: link(dataset, name), 'aria-current': name === chosen ? 'true' : undefined }, name)));

  /** Runs one search or listing; a newer one ends it. */
  async function run(work) {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    fill(foot);
    try {
      await work(mine.signal);
    } catch (error) {
      if (!mine.signal.aborted) fill(said, errorBox(error));
    }
  }

  const all = (pageToken) => run(async (signal) => {
    const page = await bigquery.tables(dataset, { pageToken, maxResults: PAGE, signal });
    const found = (page.tables ?? []).map((table) => table.tableReference.tableId);
    if (!pageToken) names.replaceChildren();
    names.append(...items(found));
    said.textContent = `${count(names.children.length)} of ${plural(Number(page.totalItems), 'table')}`;
    if (page.nextPageToken) fill(foot, h('button', { type: 'button', on: { click: () => all(page.nextPageToken) } }, 'More'));
  });

  const find = (term) => run(async (signal) => {
    const found = await quickly(dataset, term, PAGE, signal);
    fill(names, items(found));
    said.textContent = found.length === PAGE ? `The first ${PAGE} that begin so` : `${plural(found.length, 'table')} ${found.length === 1 ? 'begins' : 'begin'} so`;
    fill(foot, h('button', { type: 'button', on: { click: () => findAnywhere(term) } }, 'Search within names'));
  });

  const findAnywhere = (term) => run(async (signal) => {
    names.replaceChildren();
    fill(foot, h('button', { type: 'button', on: { click: () => { running.abort(); fill(foot); } } }, 'Stop'));
    const found = await anywhere(dataset, term, PAGE, signal, (seen, total, hits) => {
      said.textContent = `${plural(hits, 'match', 'matches')} in ${count(seen)} of ${count(total)} names`;
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
    const ids = datasets.map((found) => found.datasetReference.datasetId);
    fill(choice, ids.map((id) => h('option', {}, id)));
    choice.value = dataset;
  }, () => { /* The list below says what is wrong. */ });
  return {
    element,
    end() {
      clearTimeout(timer);
      running?.abort();
    },
  };
}
