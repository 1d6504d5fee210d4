// Diagram of the topology: a node for each part, and an arrow to the next part with its count.

import { h } from '../dom.js';
import { count } from '../format.js';
import { setup } from '../setup.js';

/** @param {OutcomeCount[]} outcomes @param {...string} names */
const sum = (outcomes, ...names) => outcomes.filter(({ outcome }) => names.includes(outcome)).reduce((all, { count: n }) => all + n, 0);

// Google's emulator does not report nacks, so the counts of the service are used, too.
/** @param {OverviewState} state */
const nacks = ({ counts, outcomes }) => Math.max(counts.nacked, sum(outcomes, 'retry', 'saturated'));
/** @param {OverviewState} state */
const deliveries = (state) => Math.max(state.counts.acked + state.counts.nacked, nacks(state) + sum(state.outcomes, 'stored', 'filtered', 'dead_letter'));

/**
 * @typedef {[label: string, count: (state: OverviewState) => number, kind?: string, link?: string]} Count
 * @typedef {{ name: string, what: string, arrow?: Count, branches?: Count[], link?: string }} Stage
 */

// `arrow` and `branches`: label and count.
/** @returns {Stage[]} */
const STAGES = () => [
  { name: 'Browser', what: 'or newsletter', arrow: ['requests', (s) => s.counts.requests] },
  {
    ...(setup.cloud_run ? { name: 'Cloud Run', what: 'pixel' } : { name: 'Load balancer', what: 'and CDN', branches: [['cache hits', (s) => s.counts.cache_hits]] }),
    arrow: ['log entries', (s) => s.counts.requests],
  },
  {
    name: 'Log sink', what: 'filter', arrow: ['published', (s) => s.counts.published],
    branches: [['excluded', (s) => s.counts.excluded]],
  },
  {
    name: 'Topic', what: 'push subscription', arrow: ['deliveries', deliveries],
    branches: [['nacked', nacks, 'nacked'], ['dead-lettered', (s) => s.counts.dead_lettered, 'dead-letter']],
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

/** @returns {OverviewPart} */
export function flow() {
  /** @type {{ element: HTMLElement, of: (state: OverviewState) => number, last: number }[]} */
  const counters = [];
  /** @param {(state: OverviewState) => number} of */
  const counter = (of) => {
    const element = h('span', { class: 'count' }, '0');
    counters.push({ element, of, last: 0 });
    return element;
  };
  const branch = (/** @type {Count} */ [what, of, kind, link]) => h('li', { class: 'branch', 'data-kind': kind },
    counter(of), ' ', link ? h('a', { href: link }, what) : h('span', {}, what));
  const stage = (/** @type {Stage} */ { name, what, arrow, branches, link }) => h('li', { class: 'stage' },
    h('div', { class: 'node' }, h('strong', {}, link ? h('a', { href: link }, name) : name), h('span', {}, what)),
    arrow && h('div', { class: 'arrow' }, counter(arrow[1]), ' ', h('span', { class: 'what' }, arrow[0])),
    branches && h('ul', { class: 'branches' }, branches.map(branch)));
  const element = h('section', { class: 'panel', 'aria-label': 'Topology' },
    h('ol', { class: 'flow' }, STAGES().map(stage)));
  return {
    element,
    update(state) {
      for (const counter of counters) {
        const now = counter.of(state);
        if (now === counter.last) continue;
        counter.element.textContent = count(now);
        counter.element.closest('.branch')?.toggleAttribute('data-some', now > 0);
        if (now > counter.last) travel(counter.element.closest('.arrow'));
        counter.last = now;
      }
    },
  };
}

/**
 * Animates a dot along the arrow, unless one is moving already or the user prefers reduced motion.
 *
 * @param {Element | null} arrow
 */
function travel(arrow) {
  if (!arrow || arrow.querySelector('.dot') || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const dot = h('span', { class: 'dot', 'aria-hidden': 'true' });
  arrow.append(dot);
  dot.addEventListener('animationend', () => dot.remove());
}
