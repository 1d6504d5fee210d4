// The error of a failed query, and its position in the editor.

import { h } from '../dom.js';

/**
 * The position at the end of BigQuery's messages: ` at [LINE:COLUMN]`.
 *
 * @param {string} message
 * @returns {Position | null}
 */
export function positionOf(message) {
  const found = / at \[(\d+):(\d+)\]\s*$/.exec(message);
  return found && { line: Number(found[1]), column: Number(found[2]) };
}

/**
 * The name that BigQuery suggests: `; Did you mean NAME?`.
 *
 * @param {string} message
 */
export const suggestionOf = (message) => /; Did you mean ([\w.`-]+)\?/.exec(message)?.[1];

/**
 * Shows the error and marks its position.
 *
 * @param {string} message
 * @param {ReturnType<typeof import('./editor.js').editor>} code
 */
export function failure(message, code) {
  const position = positionOf(message);
  const suggestion = suggestionOf(message);
  if (position) code.mark(position);
  return h('section', { class: 'panel', 'aria-label': 'Error' },
    h('div', { class: 'body' },
      h('div', { class: 'error stack', role: 'alert' },
        h('p', {}, message),
        position && h('p', { class: 'row' },
          h('button', { type: 'button', on: { click: () => code.mark(position) } }, `Go to line ${position.line}, column ${position.column}`),
          suggestion && h('button', { type: 'button', on: { click: () => code.correct(position, suggestion) } }, 'Replace with ', h('code', {}, suggestion))))));
}
