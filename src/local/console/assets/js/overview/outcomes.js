// Number of deliveries since the start, by outcome and reason.

import { fill, h } from '../dom.js';
import { count } from '../format.js';

/**
 * The label of an outcome or a reason: replaces underscores, as in `dead_letter`.
 *
 * @param {string} label
 */
export const words = (label) => label.replaceAll('_', ' ');

/**
 * What is unexpected about the parameters of a URL.
 *
 * @param {Explanation} explanation
 */
export function hints({ not_kept, html_escaped }) {
  return [
    not_kept && `not kept: ${not_kept.join(', ')} (VALID_ATTRIBUTES)`,
    html_escaped && 'read &amp; as &: the URL was escaped for HTML once too often',
  ].filter(Boolean);
}

/** @returns {OverviewPart} */
export function outcomes() {
  const body = h('tbody');
  const empty = h('p', { class: 'empty' }, 'No deliveries yet. Each request for the pixel makes one.');
  const table = h('table', { hidden: true },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Outcome'), h('th', { scope: 'col' }, 'Reason'), h('th', { scope: 'col', class: 'number' }, 'Deliveries'))), body);
  const element = h('section', { class: 'panel', 'aria-label': 'Outcomes' }, h('header', {}, h('h2', {}, 'Outcomes')), table, empty);
  return {
    element,
    update(state) {
      table.hidden = state.outcomes.length === 0;
      empty.hidden = !table.hidden;
      fill(body, state.outcomes.map(({ outcome, reason, count: n }) => h('tr', {},
        h('td', {}, h('span', { class: 'tag', 'data-outcome': outcome }, words(outcome))),
        h('td', {}, reason ? words(reason) : h('span', { class: 'soft' }, '–')),
        h('td', { class: 'number' }, count(n)))));
    },
  };
}
