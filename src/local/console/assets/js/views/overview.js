// The overview: topology, rate and latency, latest events, outcomes.

import { h } from '../dom.js';
import { events } from '../overview/events.js';
import { flow } from '../overview/flow.js';
import { outcomes } from '../overview/outcomes.js';
import { latencyPanel, ratePanel } from '../overview/charts.js';
import { welcome } from '../overview/welcome.js';
import { listen } from '../live.js';

export const title = 'Overview';

/** @param {HTMLElement} main */
export function show(main) {
  /** @type {OverviewPart[]} */
  const parts = [welcome(), flow(), ratePanel(), latencyPanel(), events(), outcomes()];
  const [note, diagram, rate, latency, latest, totals] = parts.map((part) => part.element);
  main.append(note, diagram,
    h('div', { class: 'two' }, rate, latency),
    h('div', { class: 'side-and-main' }, totals, latest));
  const stop = listen((state) => parts.forEach((part) => part.update(state)));
  // The parts have a width only after they were added to the page.
  parts.forEach((part) => part.shown?.());
  return () => {
    stop();
    parts.forEach((part) => part.end?.());
  };
}
