// A query result as a chart: selects the columns and sends them to the server.

import { errorBox, fill, h } from '../dom.js';
import { isNumber, isTime, seconds, text } from '../cells.js';
import { onWidth, showChart } from '../chart.js';
import { request } from '../server.js';

const MAX_POINTS = 5000;
const MAX_BARS = 50;
const MAX_SERIES = 6;

/** @param {Field} field */
const isScalar = (field) => field.mode !== 'REPEATED' && !['RECORD', 'STRUCT'].includes(field.type);

/** @param {import('./result.js').Result} result */
export const isChartable = ({ fields, total }) => total > 0 && fields.filter(isScalar).length > 1 && fields.some(isNumber);

/** @param {import('./result.js').Result} result */
export function chartView(result) {
  const { fields } = result;
  const scalars = fields.filter(isScalar);
  const first = scalars.find(isTime) ?? scalars.find((field) => !isNumber(field)) ?? scalars[0];
  const numbers = fields.filter(isNumber).filter((field) => field !== first);
  const names = scalars.filter((field) => !isNumber(field) && field !== first);
  /** @param {string} label @param {[name: string, value: string][]} choices @param {string} chosen */
  const select = (label, choices, chosen) => {
    const element = h('select', { on: { change: () => draw() } }, choices.map(([name, value]) => h('option', { value }, name)));
    element.value = chosen;
    return { element, label: h('label', { class: 'row small' }, label, element) };
  };
  /** @param {Field} field */
  const at = (field) => String(fields.indexOf(field));
  /** @param {Field[]} list @returns {[name: string, value: string][]} */
  const named = (list) => list.map((field) => [field.name, at(field)]);
  const x = select('X axis', named(scalars), at(first));
  /** @type {[name: string, value: string][]} */
  const allNumbers = numbers.length > 1 ? [['all numeric columns', 'all']] : [];
  const y = select('Y axis', [...allNumbers, ...named(numbers)], numbers.length > 1 && names.length === 0 ? 'all' : at(numbers[0]));
  // For rows such as day, type, events: a line for each type.
  const by = select('Series', [['–', ''], ...named(names)], names.length > 0 && isTime(first) ? at(names[0]) : '');
  const chart = h('div', { class: 'chart' });
  const legend = h('ul', { class: 'legend' });
  const note = h('p', { class: 'soft small', hidden: true });
  const element = h('div', { class: 'body stack' }, h('div', { class: 'row' }, x.label, y.label, names.length > 0 && by.label), chart, legend, note);
  let unwatch = () => {};

  async function draw() {
    try {
      const rows = await result.rows(MAX_POINTS);
      const values = y.element.value === 'all' ? numbers : [fields[Number(y.element.value)]];
      const drawn = plot(fields, rows, fields[Number(x.element.value)], values, by.element.value === '' ? undefined : fields[Number(by.element.value)]);
      const omitted = [];
      if (result.total > rows.length) omitted.push(`the first ${MAX_POINTS} rows`);
      if (drawn.positionsOmitted) omitted.push(`the first ${MAX_BARS} bars`);
      if (drawn.seriesOmitted) omitted.push(`the ${MAX_SERIES} largest series`);
      note.hidden = omitted.length === 0;
      note.textContent = omitted.length > 0 ? `Showing ${omitted.join(', ')}.` : '';
      fill(legend, drawn.series.map(({ name }, index) => h('li', { class: `swatch-${index + 1}` }, name)));
      /** @param {number} width */
      const send = (width) => request('/console/charts/result', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ width, x: drawn.x, gaps: by.element.value === '', series: drawn.series.map(({ values: of }) => of) }),
      });
      await showChart(chart, send, `${drawn.series.map(({ name }) => name).join(', ')} by ${fields[Number(x.element.value)].name}. The table shows the same rows.`);
    } catch (error) {
      fill(chart, errorBox(error));
    }
  }

  return {
    element,
    shown() {
      unwatch = onWidth(chart, draw);
      draw();
    },
    end: () => unwatch(),
  };
}

/**
 * The chart for the server: positions on the x axis, and series with a value or null for each position.
 *
 * @param {Field[]} fields
 * @param {Row[]} rows
 * @param {Field} x
 * @param {Field[]} numbers
 * @param {Field | undefined} by
 */
function plot(fields, rows, x, numbers, by) {
  const kind = x.type === 'DATE' ? 'date' : isTime(x) ? 'time' : isNumber(x) ? 'number' : 'category';
  /** @param {Row} row @param {Field} field */
  const cell = (row, field) => row.f[fields.indexOf(field)].v;
  /** @param {any} v @returns {string | number | null} */
  const place = (v) => {
    if (kind === 'time' || kind === 'date') return seconds(x, v);
    if (kind === 'number') return v === null ? null : Number(v);
    return text(x, v) ?? 'NULL';
  };
  /** @type {Map<string | number, number>} */
  const positions = new Map();
  /** @type {Map<string, Map<string | number, number>>} */
  const series = new Map();
  for (const row of rows) {
    const at = place(cell(row, x));
    // An axis has no place for NULL, NaN and infinity.
    if (at === null || (typeof at === 'number' && !Number.isFinite(at))) continue;
    if (!positions.has(at)) positions.set(at, positions.size);
    for (const field of numbers) {
      const name = by ? text(by, cell(row, by)) ?? 'NULL' : field.name;
      const v = cell(row, field);
      if (!series.has(name)) series.set(name, new Map());
      if (v !== null && Number.isFinite(Number(v))) series.get(name)?.set(at, Number(v));
    }
  }
  const all = [...positions.keys()];
  const shown = kind === 'category' ? all.slice(0, MAX_BARS) : all;
  /** @param {[string, Map<string | number, number>]} entry */
  const sum = ([, values]) => [...values.values()].reduce((total, value) => total + Math.abs(value), 0);
  const kept = by ? [...series].sort((a, b) => sum(b) - sum(a)).slice(0, MAX_SERIES) : [...series].slice(0, MAX_SERIES);
  return {
    x: { kind, values: shown },
    series: kept.map(([name, values]) => ({ name, values: shown.map((at) => values.get(at) ?? null) })),
    positionsOmitted: shown.length < all.length,
    seriesOmitted: kept.length < series.size,
  };
}
