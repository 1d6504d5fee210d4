// The events of one user. The fragment of the URL has the user, so that the page can be linked.

import { errorBox, field, fill, h } from '../dom.js';
import { plural } from '../format.js';
import { grid } from '../grid.js';
import { setup } from '../setup.js';
import { Result } from '../sql/result.js';
import { userColumns } from '../user/column.js';
import { userQuery } from '../user/query.js';

export const title = 'User';

const MAX_EVENTS = 500;

/** @param {HTMLElement} main @param {URLSearchParams} parameters */
export function show(main, parameters) {
  const columns = userColumns();
  if (columns.length === 0) {
    main.append(h('section', { class: 'panel', 'aria-label': 'User' },
      h('p', { class: 'empty' }, 'No column names a user: VALID_ATTRIBUTES has no user_id, and TABLE_SUFFIX has no attribute. Use ', h('a', { href: '#/sql' }, 'SQL'), ' to find events.')));
    return () => {};
  }
  const controller = new AbortController();
  const column = columns.find((name) => name === parameters.get('column')) ?? columns[0];
  const value = parameters.get('value') ?? '';
  const isHashed = setup.attributes.find(({ name }) => name === column)?.is_hashed;
  const go = () => {
    // An equal fragment would not show the view again.
    if (choice.value === column && input.value === value) read();
    else location.hash = `#/user?${new URLSearchParams({ column: choice.value, value: input.value })}`;
  };
  const choice = h('select', { name: 'column', 'aria-label': 'Column', on: { change: go } }, columns.map((name) => h('option', {}, name)));
  choice.value = column;
  const input = h('input', { class: 'code', name: 'value', value, spellcheck: 'false', autocomplete: 'off', required: true });
  const form = h('form', { class: 'row labelled', on: { submit: (/** @type {Event} */ event) => {
    event.preventDefault();
    go();
  } } },
  columns.length > 1 && choice,
  h('div', { class: 'grow' }, field(column, input, isHashed ? 'HASH_ATTRIBUTES has this column. Enter the value or its hash.' : null)),
  h('button', { type: 'submit', class: 'main' }, 'Show events'));
  const status = h('span', { class: 'soft small', role: 'status' });
  const open = h('a', { class: 'button', hidden: true }, 'Open as query');
  const body = h('div', {}, h('p', { class: 'empty' }, 'Enter a value to see the events of this user, or select a user in the latest events of the ', h('a', { href: '#/' }, 'overview'), '.'));
  main.append(
    h('section', { class: 'panel', 'aria-label': 'User' }, h('div', { class: 'body' }, form)),
    h('section', { class: 'panel', 'aria-label': 'Events of the user' }, h('header', {}, h('div', { class: 'row' }, h('h2', {}, 'Events'), status), open), body));

  async function read() {
    fill(body, h('p', { class: 'empty' }, 'Loading…'));
    try {
      const query = await userQuery(column, value, controller.signal);
      open.href = `#/sql?${new URLSearchParams({ query })}`;
      open.hidden = false;
      const result = await Result.of(query, controller.signal);
      const rows = await result.rows(MAX_EVENTS);
      status.textContent = result.total > rows.length ? `the newest ${rows.length} of ${plural(result.total, 'event')}` : plural(result.total, 'event');
      fill(body, rows.length > 0
        ? grid(result.fields, rows, 0, `Events of ${value}`)
        : h('p', { class: 'empty' }, `No event has this ${column}. Check the spelling, or search the `, h('a', { href: '#/tables' }, 'tables'), '.'));
    } catch (error) {
      if (!controller.signal.aborted) fill(body, h('div', { class: 'body' }, errorBox(error)));
    }
  }

  if (value) read();
  return () => controller.abort();
}
