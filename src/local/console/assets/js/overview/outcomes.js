// What became of all deliveries since the start, by reason.

import { fill, h } from '../dom.js';
import { count } from '../format.js';

export const WORDS = {
  stored: 'stored', filtered: 'filtered', dead_letter: 'dead letter',
  retry: 'sent back', saturated: 'sent back', not_a_delivery: 'refused',
};

/** `missing_attribute` as words. */
export const words = (reason) => reason.replaceAll('_', ' ');

export function outcomes() {
  const body = h('tbody');
  const nothing = h('p', { class: 'empty' }, 'None yet.');
  const table = h('table', { hidden: true },
    h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Outcome'), h('th', { scope: 'col' }, 'Reason'), h('th', { scope: 'col', class: 'number' }, 'Deliveries'))), body);
  const element = h('section', { class: 'panel', 'aria-label': 'Outcomes' }, h('header', {}, h('h2', {}, 'Outcomes')), table, nothing);
  return {
    element,
    update(state) {
      table.hidden = state.outcomes.length === 0;
      nothing.hidden = !table.hidden;
      fill(body, state.outcomes.map(({ outcome, reason, count: n }) => h('tr', {},
        h('td', {}, h('span', { class: 'tag', 'data-outcome': outcome }, WORDS[outcome] ?? outcome)),
        h('td', {}, reason ? words(reason) : h('span', { class: 'soft' }, '–')),
        h('td', { class: 'number' }, count(n)))));
    },
  };
}
