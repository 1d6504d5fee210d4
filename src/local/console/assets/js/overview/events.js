// The latest events as they arrive. Each can be opened to see its row and its log entry.

import { h } from '../dom.js';
import { duration, timeOfDay } from '../format.js';
import { setup } from '../setup.js';
import { WORDS, words } from './outcomes.js';

const SHOWN = 25;

export function events() {
  const list = h('ol', { class: 'events' });
  const nothing = h('p', { class: 'empty' }, setup.emulator ? 'The emulator does not tell of its deliveries: there are counts, and no events.' : 'Events appear here as they are delivered.');
  const pause = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, 'Pause');
  const element = h('section', { class: 'panel', 'aria-label': 'Latest events' },
    h('header', {}, h('h2', {}, 'Latest events'), pause), nothing, list);
  let paused = false;
  let latest = [];
  let newest = 0;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    pause.textContent = paused ? 'Go on' : 'Pause';
    render();
  });

  function render() {
    if (paused) return;
    // A server that was started anew counts from 1 again.
    if (latest.length > 0 && latest[0].number < newest) {
      list.replaceChildren();
      newest = 0;
    }
    list.prepend(...latest.filter(({ number }) => number > newest).map(item));
    newest = latest[0]?.number ?? newest;
    while (list.children.length > SHOWN) list.lastChild.remove();
    nothing.hidden = list.children.length > 0;
  }

  return {
    element,
    update(state) {
      latest = state.events;
      render();
    },
  };
}

function item(event) {
  const { explanation } = event;
  const outcome = event.acked ? explanation.outcome : 'retry';
  const reason = event.acked ? explanation.reason : `answered ${event.status ?? 'nothing'}`;
  const details = h('details', {},
    h('summary', {},
      h('time', { datetime: new Date(event.time_ms).toISOString() }, timeOfDay(event.time_ms)),
      h('span', { class: 'tag', 'data-outcome': outcome }, WORDS[outcome]),
      h('span', { class: 'event-url' }, event.url ? shortened(event) : 'no log entry'),
      h('span', { class: 'soft event-reason' }, reason ? words(reason) : ''),
      h('span', { class: 'soft nowrap event-took' }, duration(event.took_ms))));
  // Made when it is wanted: there are fifty, and they come fast.
  details.addEventListener('toggle', () => details.append(about(event)), { once: true });
  return h('li', {}, details);
}

/** The part of the URL that differs; GET goes without saying. */
function shortened({ method, url }) {
  const at = url.indexOf('/', url.indexOf('//') + 2);
  return `${method && method !== 'GET' ? `${method} ` : ''}${at < 0 ? url : url.slice(at)}`;
}

function about(event) {
  const { explanation } = event;
  const facts = [
    ['Table', explanation.table && h('a', { href: `#/tables?${new URLSearchParams({ dataset: setup.dataset, table: explanation.table })}` }, explanation.table)],
    ['insertId', explanation.insert_id],
    ['Reason', explanation.reason && words(explanation.reason)],
    ['Detail', explanation.detail],
    ['Message', `${event.message_id}, attempt ${event.attempt}, answered ${event.status ?? 'nothing'}`],
  ];
  return h('div', { class: 'event-body stack' },
    h('dl', { class: 'facts' }, facts.filter(([, value]) => value).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    explanation.row && [h('h3', {}, 'Row'), h('pre', { class: 'block' }, JSON.stringify(explanation.row, null, 2))],
    event.entry && [h('h3', {}, 'Log entry'), h('pre', { class: 'block' }, pretty(event.entry))]);
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
