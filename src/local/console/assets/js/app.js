// The frame: which view is shown, by the part of the address after #.

import { errorBox, fill, h } from './dom.js';
import * as live from './live.js';
import { loadSetup } from './setup.js';
import * as theme from './theme.js';
import * as deadLetters from './views/dead-letters.js';
import * as overview from './views/overview.js';
import * as pixel from './views/pixel.js';
import * as sql from './views/sql.js';
import * as tables from './views/tables.js';

// Each has a `title` and `show(main, parameters)`, which may return what ends it.
const VIEWS = { overview, tables, sql, 'dead-letters': deadLetters, pixel };

const main = document.getElementById('main');
let leave;
let shown;

function address() {
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  return { name: path in VIEWS ? path : 'overview', parameters: new URLSearchParams(query) };
}

function show() {
  const { name, parameters } = address();
  leave?.();
  const view = VIEWS[name];
  const heading = h('h1', { tabindex: '-1' }, view.title);
  fill(main, h('div', { class: 'head' }, heading));
  document.title = `${view.title} – Pixel Pipeline`;
  for (const link of document.querySelectorAll('.bar nav a')) {
    if (link.dataset.view === name) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  // Where a screen reader goes on reading; not on the first view, which begins at the top.
  if (shown && shown !== name) heading.focus();
  shown = name;
  leave = view.show(main, parameters);
}

document.querySelector('.skip').addEventListener('click', (event) => {
  // The part after # says which view is shown.
  event.preventDefault();
  main.focus();
});

theme.start(document.getElementById('theme'));
try {
  await loadSetup();
  live.start(document.getElementById('connection'));
  addEventListener('hashchange', show);
  show();
} catch (error) {
  fill(main, errorBox(error));
}
