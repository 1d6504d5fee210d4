// The event stream of the overview. One connection for the page; none while the page is hidden.

import { byId } from './dom.js';

const MAX_EVENTS = 50;
const RECONNECT_MS = 3000;
const LOST = 'The server is not reachable, so this page shows old data. Start it again with pixel-pipeline local; the page then connects by itself.';

/** @type {EventSource} */
let source;
/** @type {OverviewState | undefined} */
let state;
/** @type {Set<(state: OverviewState) => void>} */
const listeners = new Set();

/**
 * Calls `listener` with the last state, then with each new one. `events` is sorted newest first. Returns a function that stops it.
 *
 * @param {(state: OverviewState) => void} listener
 */
export function listen(listener) {
  listeners.add(listener);
  if (state) listener(state);
  return () => listeners.delete(listener);
}

/** @param {HTMLElement} connection */
function connect(connection) {
  source = new EventSource('/console/live');
  // A new connection sends all events again; the server may have been restarted.
  /** @type {DeliveryEvent[]} */
  let events = [];
  source.addEventListener('open', () => {
    events = [];
    showConnection(connection, 'live', 'live');
  });
  source.addEventListener('error', () => {
    showConnection(connection, 'lost', 'not connected');
    // The browser connects again after a lost connection, but not after an answer that is an error.
    const failed = source;
    if (failed.readyState === EventSource.CLOSED) setTimeout(() => source === failed && !document.hidden && connect(connection), RECONNECT_MS);
  });
  source.addEventListener('state', ({ data }) => {
    /** @type {OverviewState} */
    const received = JSON.parse(data);
    events = [...received.events.reverse(), ...events].slice(0, MAX_EVENTS);
    received.events = events;
    state = received;
    for (const listener of listeners) listener(received);
  });
}

/** @param {HTMLElement} connection @param {string} name @param {string} text */
function showConnection(connection, name, text) {
  connection.dataset.state = name;
  const lost = byId('lost');
  lost.hidden = name !== 'lost';
  // Screen readers announce each write to a live region.
  const explained = lost.hidden ? '' : LOST;
  if (lost.textContent !== explained) lost.textContent = explained;
  if (connection.textContent !== text) connection.textContent = text;
}

/** @param {HTMLElement} connection */
export function start(connection) {
  connect(connection);
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      source.close();
    } else if (source.readyState === EventSource.CLOSED) {
      connect(connection);
    }
  });
}
