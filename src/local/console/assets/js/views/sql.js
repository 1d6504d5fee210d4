// The query editor: run GoogleSQL, show rows and charts, download results.

import { fill, h, messageOf } from '../dom.js';
import { plural } from '../format.js';
import { setup } from '../setup.js';
import { editor } from '../sql/editor.js';
import { failure } from '../sql/failure.js';
import * as history from '../sql/history.js';
import { Result } from '../sql/result.js';
import { resultPanel } from '../sql/result-panel.js';

export const title = 'SQL';

const DRAFT = 'sql-draft';

/**
 * A query on one line: its first comment, or its text.
 *
 * @param {string} sql
 */
const summaryOf = (sql) => (/^\s*--\s*(\S.*)/.exec(sql)?.[1] ?? sql.replace(/\s+/g, ' ').trim()).slice(0, 90);

/** @param {HTMLElement} main @param {URLSearchParams} parameters */
export function show(main, parameters) {
  const run = h('button', { type: 'button', class: 'main' }, 'Run ', h('kbd', {}, /Mac/.test(navigator.platform) ? '⌘ ↵' : 'Ctrl ↵'));
  const stop = h('button', { type: 'button', hidden: true }, 'Cancel');
  const status = h('span', { class: 'soft small', role: 'status' });
  const below = h('div', {}, h('section', { class: 'panel', 'aria-label': 'Result' }, h('p', { class: 'empty' }, 'Write a query or select a sample, then press Run. The result appears here as a table, a chart or a file.')));
  const past = h('ul', { class: 'queries' });
  const given = parameters.get('query');
  const text = given ?? sessionStorage.getItem(DRAFT) ?? setup.samples.find(({ sql }) => sql)?.sql ?? `SELECT *\nFROM \`${setup.dataset}.${setup.table}*\`\nLIMIT 100`;
  const code = editor(text, { run: () => start(), changed: (sql) => sessionStorage.setItem(DRAFT, sql) });
  /** @type {AbortController | undefined} */
  let running;
  /** @type {ReturnType<typeof resultPanel> | undefined} */
  let panel;

  /** @param {string} sql */
  const take = (sql) => {
    code.set(sql);
    code.focus();
  };
  /** @param {(typeof setup.samples)[number]} sample */
  const sample = ({ title: name, about, sql, problem }) => (sql === null
    ? h('li', { class: 'soft small left-out' }, `${name}: not for this schema, because ${problem}.`)
    : h('li', {}, h('button', { type: 'button', class: 'quiet', on: { click: () => take(sql) } }, name, about && h('span', { class: 'soft small' }, about))));
  const showHistory = () => {
    const entries = history.all();
    fill(past, entries.length === 0 ? h('li', { class: 'soft small' }, 'Queries that you run appear here.') : entries.map((entry) => h('li', {},
      h('button', { type: 'button', class: 'quiet', on: { click: () => take(entry.sql) } },
        h('code', {}, summaryOf(entry.sql)),
        h('span', { class: 'soft small' }, `${new Date(entry.at).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' })} · ${entry.error ? 'failed' : plural(entry.rows, 'row')}`)))));
  };
  const forget = h('button', { type: 'button', class: 'quiet', on: { click: () => { history.clear(); showHistory(); } } }, 'Clear');

  async function start() {
    const sql = code.text();
    if (!sql.trim()) return;
    running?.abort();
    const mine = new AbortController();
    running = mine;
    code.unmark();
    panel?.end();
    run.disabled = true;
    stop.hidden = false;
    status.textContent = 'Running…';
    const began = performance.now();
    try {
      const result = await Result.of(sql, mine.signal);
      if (running !== mine) return;
      const took = Math.round(performance.now() - began);
      status.textContent = result.affected !== undefined ? `${plural(result.affected, 'row')} affected, ${took} ms` : `${plural(result.total, 'row')}, ${took} ms`;
      panel = resultPanel(result);
      fill(below, panel.element);
      panel.shown();
      history.add({ sql, rows: result.total });
    } catch (error) {
      // A newer run owns the status, the buttons and the result.
      if (running !== mine) return;
      if (mine.signal.aborted) {
        status.textContent = 'Cancelled';
      } else {
        status.textContent = 'Failed';
        fill(below, failure(messageOf(error), code));
        history.add({ sql, rows: 0, error: messageOf(error) });
      }
    }
    run.disabled = false;
    stop.hidden = true;
    showHistory();
  }

  run.addEventListener('click', start);
  stop.addEventListener('click', () => running?.abort());
  main.append(h('div', { class: 'sql' },
    h('div', { class: 'stack' },
      h('section', { class: 'panel', 'aria-label': 'Query' }, code.element, h('footer', { class: 'row' }, run, stop, status, h('span', { class: 'grow' }), h('span', { class: 'small' }, 'Default dataset: ', h('code', {}, setup.dataset)))),
      below),
    h('div', { class: 'stack aside' },
      h('section', { class: 'panel', 'aria-label': 'Sample queries' }, h('header', {}, h('h2', {}, 'Samples')), h('ul', { class: 'queries' }, setup.samples.map(sample))),
      h('section', { class: 'panel', 'aria-label': 'History' }, h('header', {}, h('h2', {}, 'History'), forget), past))));
  showHistory();
  code.shown();
  return () => {
    running?.abort();
    panel?.end();
  };
}
