// The event stream of the overview. One connection for the page; none while the page is hidden.

const MAX_EVENTS = 50;

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
  source.addEventListener('error', () => showConnection(connection, 'lost', 'not connected'));
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
  // Screen readers announce each write to a live region.
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
