// The pipeline at work: what flows where, how fast, and what became of the latest events.

import { h } from '../dom.js';
import { events } from '../overview/events.js';
import { flow } from '../overview/flow.js';
import { outcomes } from '../overview/outcomes.js';
import { latencyPanel, ratePanel } from '../overview/charts.js';
import { welcome } from '../overview/welcome.js';
import { listen } from '../live.js';

export const title = 'Overview';

export function show(main) {
  const parts = [welcome(), flow(), ratePanel(), latencyPanel(), events(), outcomes()];
  const [hello, picture, rate, latency, latest, fates] = parts.map((part) => part.element);
  main.append(hello, picture,
    h('div', { class: 'two' }, rate, latency),
    h('div', { class: 'side-and-main' }, fates, latest));
  const stop = listen((state) => parts.forEach((part) => part.update(state)));
  // Only now are they in the page and have a width.
  parts.forEach((part) => part.shown?.());
  return () => {
    stop();
    parts.forEach((part) => part.end?.());
  };
}
