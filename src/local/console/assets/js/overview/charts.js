// Charts of the last five minutes: deliveries per second, and latency from request to row.

import { fill, h } from '../dom.js';
import { count, duration, plural, rate } from '../format.js';
import { onWidth, showChart } from '../chart.js';

const REFRESH_INTERVAL_MS = 5000;

/**
 * A chart with its legend and its data as a table. `columns` are the columns of the table.
 *
 * @param {{
 *   title: string, path: string, legend: [swatch: string, text: string][], headline: (state: OverviewState) => any,
 *   describe: (state: OverviewState) => string, columns: [name: string, of: (minute: Minute) => string][],
 * }} options
 * @returns {OverviewPart}
 */
function panel({ title, path, legend, headline, describe, columns }) {
  const figure = h('strong', {}, '–');
  const chart = h('div', { class: 'chart strip' });
  const table = h('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': `${title}, minute by minute` });
  const details = h('details', { on: { toggle: () => details.open && showTable() } }, h('summary', {}, 'Show as table'), table);
  const element = h('section', { class: 'panel', 'aria-label': title },
    h('header', {}, h('h2', {}, title), figure),
    h('div', { class: 'body stack' }, chart, h('div', { class: 'row spread' },
      h('ul', { class: 'legend' }, legend.map(([swatch, text]) => h('li', { class: swatch }, text))), details)));
  /** @type {OverviewState | undefined} */
  let state;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {(() => void) | undefined} */
  let unwatch;

  async function draw() {
    clearTimeout(timer);
    try {
      if (!document.hidden) {
        await showChart(chart, (width) => fetch(`${path}?width=${width}`), `${title} in the last five minutes. ${state ? describe(state) : ''}`);
        if (details.open) await showTable();
      }
    } catch {
      // The server is not reachable. The page header shows it.
    }
    if (unwatch) timer = setTimeout(draw, REFRESH_INTERVAL_MS);
  }

  async function showTable() {
    /** @type {Minute[]} */
    const minutes = await (await fetch('/console/minutes')).json();
    const row = (/** @type {Minute} */ minute) => h('tr', {},
      h('th', { scope: 'row' }, minute.minutes_ago === 0 ? 'current minute' : `${plural(minute.minutes_ago, 'minute')} ago`),
      columns.map(([, of]) => h('td', { class: 'number' }, of(minute))));
    fill(table, h('table', {},
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Time'), columns.map(([name]) => h('th', { scope: 'col', class: 'number' }, name)))),
      h('tbody', {}, minutes.map(row))));
  }

  return {
    element,
    update(newer) {
      state = newer;
      fill(figure, headline(newer));
    },
    shown() {
      unwatch = onWidth(chart, draw);
      draw();
    },
    end() {
      clearTimeout(timer);
      unwatch?.();
      unwatch = undefined;
    },
  };
}

export const ratePanel = () => panel({
  title: 'Deliveries per second',
  path: '/console/charts/rate',
  legend: [['swatch-stored', 'stored'], ['swatch-filtered', 'filtered'], ['swatch-dead_letter', 'dead letter'], ['swatch-nacked', 'nacked']],
  headline: (state) => `${rate(state.rate)} / s`,
  describe: (state) => `Currently ${rate(state.rate)} per second.`,
  columns: [
    ['Stored', (minute) => count(minute.stored)],
    ['Filtered', (minute) => count(minute.filtered)],
    ['Dead letters', (minute) => count(minute.dead_letters)],
    ['Nacked', (minute) => count(minute.nacked)],
  ],
});

export const latencyPanel = () => panel({
  title: 'Latency from request to row',
  path: '/console/charts/latency',
  legend: [['swatch-1', 'median'], ['swatch-2', '95th percentile']],
  headline: ({ p50, p95 }) => [
    h('span', { class: 'soft' }, 'p50 '), duration(p50), h('span', { class: 'soft' }, ' · p95 '), duration(p95),
  ],
  describe: ({ p50, p95 }) => `Median ${duration(p50)}, 95th percentile ${duration(p95)}.`,
  columns: [['Median', (minute) => duration(minute.p50)], ['95th percentile', (minute) => duration(minute.p95)]],
});
