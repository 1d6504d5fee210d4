// The latest events. Each can be expanded to its row and its log entry.

import { h } from '../dom.js';
import { duration, timeOfDay } from '../format.js';
import { setup } from '../setup.js';
import { tableLink } from '../tables/name.js';
import { userColumns, userLink } from '../user/column.js';
import { hints, words } from './outcomes.js';

const MAX_SHOWN = 25;
// The filter searches this number of events.
const MAX_KEPT = 200;

/** @returns {OverviewPart} */
export function events() {
  const list = h('ol', { class: 'events' });
  const empty = h('p', { class: 'empty' }, setup.emulator ? 'Google’s Pub/Sub emulator does not report deliveries. Only counts are available.' : ['No events yet. ', h('a', { href: '#/pixel' }, 'Create a pixel'), ' and request it.']);
  const none = h('p', { class: 'empty', hidden: true }, 'No event matches the filter.');
  const filter = h('input', { class: 'filter', type: 'search', placeholder: 'Filter: user, URL, outcome', 'aria-label': 'Filter events', autocomplete: 'off', spellcheck: 'false' });
  const pause = h('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, 'Pause');
  const element = h('section', { class: 'panel', 'aria-label': 'Latest events' },
    h('header', {}, h('h2', {}, 'Latest events'), filter, pause), empty, none, list);
  /** @type {WeakMap<Element, string>} */
  const searched = new WeakMap();
  filter.addEventListener('input', select);
  let paused = false;
  /** @type {DeliveryEvent[]} */
  let latest = [];
  let newest = 0;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    pause.textContent = paused ? 'Resume' : 'Pause';
    render();
  });

  function render() {
    if (paused) return;
    // After a restart, the server numbers events from 1 again.
    if (latest.length > 0 && latest[0].number < newest) {
      list.replaceChildren();
      newest = 0;
    }
    list.prepend(...latest.filter(({ number }) => number > newest).map((event) => {
      const element = item(event);
      searched.set(element, searchText(event));
      return element;
    }));
    newest = latest[0]?.number ?? newest;
    while (list.children.length > MAX_KEPT) list.lastChild?.remove();
    empty.hidden = list.children.length > 0;
    select();
  }

  /** Shows the newest events that contain the text of the filter. */
  function select() {
    const wanted = filter.value.trim().toLowerCase();
    let shown = 0;
    for (const element of /** @type {Iterable<HTMLElement>} */ (list.children)) {
      element.hidden = shown === MAX_SHOWN || !searched.get(element)?.includes(wanted);
      if (!element.hidden) shown += 1;
    }
    none.hidden = shown > 0 || list.children.length === 0;
  }

  return {
    element,
    update(state) {
      latest = state.events;
      render();
    },
  };
}

/**
 * What the filter searches: outcome, reason, URL, table and values of the row.
 *
 * @param {DeliveryEvent} event
 */
function searchText({ acked, url, explanation: { outcome, reason, detail, table, row } }) {
  return [words(acked ? outcome : 'retry'), words(reason ?? ''), url, detail, table, JSON.stringify(row)].join(' ').toLowerCase();
}

/** @param {DeliveryEvent} event */
function item(event) {
  const { explanation } = event;
  const outcome = event.acked ? explanation.outcome : 'retry';
  const reason = event.acked ? explanation.reason : answered(event);
  const details = h('details', {},
    h('summary', {},
      h('time', { datetime: new Date(event.time_ms).toISOString() }, timeOfDay(event.time_ms)),
      h('span', { class: 'tag', 'data-outcome': outcome }, words(outcome)),
      h('span', { class: 'event-url' }, event.url ? shortened({ method: event.method, url: event.url }) : 'not a log entry'),
      h('span', { class: 'soft event-reason' }, reason ? words(reason) : ''),
      h('span', { class: 'soft nowrap event-took' }, duration(event.duration_ms))));
  // Created on demand, because there are many events.
  details.addEventListener('toggle', () => details.append(about(event)), { once: true });
  return h('li', {}, details);
}

/** @param {DeliveryEvent} event */
const answered = ({ status }) => (status ? `HTTP ${status}` : 'no answer');

/**
 * Path and query of the URL, with the method unless it is GET.
 *
 * @param {{ method: string | null, url: string }} request
 */
function shortened({ method, url }) {
  const at = url.indexOf('/', url.indexOf('//') + 2);
  return `${method && method !== 'GET' ? `${method} ` : ''}${at < 0 ? url : url.slice(at)}`;
}

/** @param {DeliveryEvent} event */
function about(event) {
  const { explanation } = event;
  const facts = [
    ['Table', explanation.table && tableLink(explanation.table)],
    ...userColumns().map((column) => [column, userLink(column, explanation.row)]),
    ['insertId', explanation.insert_id],
    ['Reason', explanation.reason && words(explanation.reason)],
    ['Detail', explanation.detail],
    ['Message', `${event.message_id}, attempt ${event.attempt}, ${answered(event)}`],
  ];
  return h('div', { class: 'event-body stack' },
    h('dl', { class: 'facts' }, facts.filter(([, value]) => value).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    hints(explanation).map((hint) => h('p', { class: 'soft' }, hint)),
    explanation.row && [h('h3', {}, 'Row'), h('pre', { class: 'block' }, JSON.stringify(explanation.row, null, 2))],
    event.entry && [h('h3', {}, 'Log entry'), h('pre', { class: 'block' }, pretty(event.entry))]);
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
