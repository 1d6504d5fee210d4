// The topology as a picture: a stage for each part, an arrow to the next with what went over it.

import { h } from '../dom.js';
import { count } from '../format.js';
import { setup } from '../setup.js';

const sum = (outcomes, ...names) => outcomes.filter(({ outcome }) => names.includes(outcome)).reduce((all, { count: n }) => all + n, 0);

// By the service's count, where the subscription does not tell: the emulator's does not.
const sentBack = ({ counts, outcomes }) => Math.max(counts.nacked, sum(outcomes, 'retry', 'saturated'));
const deliveries = (state) => Math.max(state.counts.acked + state.counts.nacked, sentBack(state) + sum(state.outcomes, 'stored', 'filtered', 'dead_letter'));

// Name, what it is called on the arrow, and how to read it off the state.
const STAGES = () => [
  { name: 'Browser', what: 'or newsletter', arrow: ['requests', (s) => s.counts.requests] },
  {
    name: 'Load balancer', what: 'and CDN', arrow: ['log entries', (s) => s.counts.requests],
    branches: [['from the cache', (s) => s.counts.cache_hits]],
  },
  {
    name: 'Log sink', what: 'filter', arrow: ['published', (s) => s.counts.published],
    branches: [['excluded', (s) => s.counts.excluded]],
  },
  {
    name: 'Topic', what: 'push subscription', arrow: ['deliveries', deliveries],
    branches: [['sent back', sentBack, 'sent-back'], ['given up', (s) => s.counts.dead_lettered, 'dead-letter']],
  },
  {
    name: 'Service', what: 'pixel-pipeline', arrow: ['rows', (s) => sum(s.outcomes, 'stored')],
    branches: [
      ['filtered', (s) => sum(s.outcomes, 'filtered')],
      ['dead letters', (s) => sum(s.outcomes, 'dead_letter'), 'dead-letter', '#/dead-letters'],
    ],
  },
  { name: 'BigQuery', what: setup.dataset, link: '#/tables' },
];

export function flow() {
  const figures = [];
  const figure = (of) => {
    const element = h('span', { class: 'count' }, '0');
    figures.push({ element, of, last: 0 });
    return element;
  };
  const branch = ([what, of, kind, link]) => h('li', { class: 'branch', 'data-kind': kind },
    figure(of), ' ', link ? h('a', { href: link }, what) : h('span', {}, what));
  const stage = ({ name, what, arrow, branches, link }) => h('li', { class: 'stage' },
    h('div', { class: 'node' }, h('strong', {}, link ? h('a', { href: link }, name) : name), h('span', {}, what)),
    arrow && h('div', { class: 'arrow' }, figure(arrow[1]), ' ', h('span', { class: 'what' }, arrow[0])),
    branches && h('ul', { class: 'branches' }, branches.map(branch)));
  const element = h('section', { class: 'panel', 'aria-label': 'Topology' },
    h('ol', { class: 'flow' }, STAGES().map(stage)));
  return {
    element,
    update(state) {
      for (const figure of figures) {
        const now = figure.of(state);
        if (now === figure.last) continue;
        figure.element.textContent = count(now);
        figure.element.closest('.branch')?.toggleAttribute('data-some', now > 0);
        if (now > figure.last) travel(figure.element.closest('.arrow'));
        figure.last = now;
      }
    },
  };
}

/** A dot goes along the arrow, unless one is on its way or motion is not wanted. */
function travel(arrow) {
  if (!arrow || arrow.querySelector('.dot') || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const dot = h('span', { class: 'dot', 'aria-hidden': 'true' });
  arrow.append(dot);
  dot.addEventListener('animationend', () => dot.remove());
}
