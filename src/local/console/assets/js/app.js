// Shows the view that the fragment of the URL selects.

import { byId, errorBox, fill, h } from './dom.js';
import * as live from './live.js';
import { loadSetup } from './setup.js';
import * as theme from './theme.js';
import * as deadLetters from './views/dead-letters.js';
import * as overview from './views/overview.js';
import * as pixel from './views/pixel.js';
import * as sql from './views/sql.js';
import * as tables from './views/tables.js';
import * as user from './views/user.js';

// Each view has a `title` and `show(main, parameters)`. `show` may return a function that stops the view.
/** @type {Record<string, { title: string, show: (main: HTMLElement, parameters: URLSearchParams) => (() => void) | void }>} */
const VIEWS = { overview, tables, user, sql, 'dead-letters': deadLetters, pixel };

const main = byId('main');
/** @type {(() => void) | void} */
let leave;
/** @type {string | undefined} */
let shown;

function route() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  return { name: path in VIEWS ? path : 'overview', parameters: new URLSearchParams(query) };
}

function show() {
  const { name, parameters } = route();
  if (leave) leave();
  const view = VIEWS[name];
  const heading = h('h1', { tabindex: '-1' }, view.title);
  fill(main, h('div', { class: 'head' }, heading));
  document.title = `${view.title} – Pixel Pipeline`;
  for (const link of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('.bar nav a'))) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  // A screen reader continues at the new heading. The first view is read from the top.
  if (shown && shown !== name) heading.focus();
  shown = name;
  leave = view.show(main, parameters);
}

byId('skip').addEventListener('click', (event) => {
  // The fragment selects the view and must not change.
  event.preventDefault();
  main.focus();
});

theme.start(byId('theme'));
try {
  await loadSetup();
  live.start(byId('connection'));
  addEventListener('hashchange', show);
  show();
} catch (error) {
  fill(main, errorBox(error));
}
