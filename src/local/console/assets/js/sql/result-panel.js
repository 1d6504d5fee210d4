// A query result as a table, a chart or a file.

import { errorBox, fill, h, messageOf } from '../dom.js';
import { bytes, count } from '../format.js';
import { grid, pager } from '../grid.js';
import { chartView, isChartable } from './result-chart.js';
import { csv, json, save } from './download.js';

const PAGE = 100;

/** @param {import('./result.js').Result} result */
export function resultPanel(result) {
  const body = h('div', { class: 'stack' });
  const status = h('span', { role: 'status', class: 'soft small' });
  /** @type {Record<string, () => void>} */
  const views = { Table: showTable, Chart: showChart };
  const buttons = Object.keys(views).map((name) => h('button', { type: 'button', 'aria-pressed': 'false', on: { click: () => choose(name) } }, name));
  buttons[1].disabled = !isChartable(result);
  if (buttons[1].disabled) buttons[1].title = 'A chart needs a numeric column and one more column.';
  /** @type {[name: string, type: string, write: (fields: Field[], rows: Row[]) => string[]][]} */
  const formats = [['CSV', 'text/csv', csv], ['JSON', 'application/json', json]];
  const downloads = formats.map(([name, type, write]) =>
    h('button', { type: 'button', disabled: result.fields.length === 0, on: { click: () => download(name.toLowerCase(), type, write) } }, name));
  const element = h('section', { class: 'panel', 'aria-label': 'Result' },
    h('header', {},
      h('div', { class: 'row' }, h('h2', {}, 'Result'), h('div', { class: 'choice', role: 'group', 'aria-label': 'Show as' }, buttons)),
      h('div', { class: 'row' }, status, h('div', { class: 'row', role: 'group', 'aria-label': 'Download' }, downloads))),
    body,
    h('footer', {}, `${bytes(result.bytes)} processed`));
  let end = () => {};

  /** @param {string} name */
  function choose(name) {
    end();
    end = () => {};
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.textContent === name));
    views[name]();
  }

  async function showTable(from = 0) {
    if (result.fields.length === 0) {
      fill(body, h('p', { class: 'empty' }, result.affected === undefined ? 'Query finished.' : `${count(result.affected)} rows affected.`));
      return;
    }
    try {
      const rows = (await result.rows(from + PAGE)).slice(from);
      fill(body,
        grid(result.fields, rows, from, 'Rows of the result'),
        h('div', { class: 'pages' }, pager({ from, shown: rows.length, total: result.total, size: PAGE, go: showTable })));
    } catch (error) {
      fill(body, errorBox(error));
    }
  }

  function showChart() {
    const chart = chartView(result);
    fill(body, chart.element);
    chart.shown();
    end = chart.end;
  }

  /** @param {string} extension @param {string} type @param {(fields: Field[], rows: Row[]) => string[]} write */
  async function download(extension, type, write) {
    try {
      const rows = await result.rows(Infinity, (loaded) => { status.textContent = `${count(loaded)} of ${count(result.total)} rows`; });
      save(`result.${extension}`, type, write(result.fields, rows));
      status.textContent = '';
    } catch (error) {
      status.textContent = messageOf(error);
    }
  }

  return { element, shown: () => choose('Table'), end: () => end() };
}
