// The event stream of the overview. One connection for the page; none while the page is hidden.

const MAX_EVENTS = 50;

/** @type {EventSource} */
let source;
/** @type {any} */
let state;
/** @type {Set<(state: any) => void>} */
const listeners = new Set();

/** Calls `listener` with the last state, then with each new one. `events` is sorted newest first. Returns a function that stops it. */
export function listen(listener) {
  listeners.add(listener);
  if (state) listener(state);
  return () => listeners.delete(listener);
}

function connect(connection) {
  source = new EventSource('/console/live');
  // A new connection sends all events again; the server may have been restarted.
  let events = [];
  source.addEventListener('open', () => {
    events = [];
    showConnection(connection, 'live', 'live');
  });
  source.addEventListener('error', () => showConnection(connection, 'lost', 'not connected'));
  source.addEventListener('state', ({ data }) => {
    state = JSON.parse(data);
    events = [...state.events.reverse(), ...events].slice(0, MAX_EVENTS);
    state.events = events;
    for (const listener of listeners) listener(state);
  });
}

function showConnection(connection, name, text) {
  connection.dataset.state = name;
  // Screen readers announce each write to a live region.
  if (connection.textContent !== text) connection.textContent = text;
}

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
