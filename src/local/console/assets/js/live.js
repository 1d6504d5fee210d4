// The stream of what happens. One connection for the whole page, none while it is hidden.

const KEPT = 50;

let source;
let state;
const listeners = new Set();

/** Calls back with each state, at once with the last one; `events` are the latest, the newest first. Returns what ends it. */
export function listen(listener) {
  listeners.add(listener);
  if (state) listener(state);
  return () => listeners.delete(listener);
}

function connect(connection) {
  source = new EventSource('/console/live');
  // What comes first begins anew: the server may be another one.
  let events = [];
  source.addEventListener('open', () => {
    events = [];
    say(connection, 'live', 'live');
  });
  source.addEventListener('error', () => say(connection, 'lost', 'not connected'));
  source.addEventListener('state', ({ data }) => {
    state = JSON.parse(data);
    events = [...state.events.reverse(), ...events].slice(0, KEPT);
    state.events = events;
    for (const listener of listeners) listener(state);
  });
}

function say(connection, name, text) {
  connection.dataset.state = name;
  // A live region speaks when it is written to.
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
