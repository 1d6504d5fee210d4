// Why a query did not run: the message, and its place in the editor.

import { h } from '../dom.js';

/** The place that ends BigQuery's messages: ` at [LINE:COLUMN]`. */
export function placeOf(message) {
  const found = / at \[(\d+):(\d+)\]\s*$/.exec(message);
  return found && { line: Number(found[1]), column: Number(found[2]) };
}

/** The name that BigQuery takes the unknown one for: `; Did you mean NAME?`. */
export const suggestionOf = (message) => /; Did you mean ([\w.`-]+)\?/.exec(message)?.[1];

/** Shows the error, and marks its place at once. */
export function failure(error, code) {
  const place = placeOf(error.message);
  const suggestion = suggestionOf(error.message);
  if (place) code.mark(place);
  return h('section', { class: 'panel', 'aria-label': 'Error' },
    h('div', { class: 'body' },
      h('div', { class: 'error stack', role: 'alert' },
        h('p', {}, error.message),
        place && h('p', { class: 'row' },
          h('button', { type: 'button', on: { click: () => code.mark(place) } }, `Go to line ${place.line}, column ${place.column}`),
          suggestion && h('button', { type: 'button', on: { click: () => code.correct(place, suggestion) } }, 'Write ', h('code', {}, suggestion))))));
}
