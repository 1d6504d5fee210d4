// The editor: a textarea, so that every key, assistive technology and spell of undo works as ever.
// Behind it lies the same text in colours, and beside it the numbers of the lines.

import { fill, h } from '../dom.js';
import { pieces } from './highlight.js';

// Beyond this, colours would make typing slow.
const COLOURED = 50_000;

export function editor(text, { run, changed }) {
  const area = h('textarea', {
    class: 'code', id: 'query', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', wrap: 'off', rows: '10',
    'aria-label': 'Query, in GoogleSQL. Control and Enter runs it.', value: text,
  });
  const colours = h('pre', { class: 'colours', 'aria-hidden': 'true' });
  const numbers = h('pre', { class: 'numbers', 'aria-hidden': 'true' });
  const element = h('div', { class: 'editor' }, numbers, h('div', { class: 'sheet' }, colours, area));
  // Of the error: offset and length.
  let mark;

  function paint() {
    const sql = area.value;
    const lines = sql.split('\n').length;
    const wrong = mark && sql.slice(0, mark.at).split('\n').length;
    fill(numbers, Array.from({ length: lines }, (_, index) => h('span', { class: index + 1 === wrong ? 'wrong' : undefined }, `${index + 1}\n`)));
    area.rows = Math.min(24, Math.max(8, lines + 1));
    if (sql.length > COLOURED) {
      fill(colours, sql);
      return;
    }
    let at = 0;
    const spans = [];
    for (const [kind, piece] of pieces(sql)) {
      // A piece may begin, hold or end the marked part.
      const from = mark ? Math.min(Math.max(mark.at - at, 0), piece.length) : piece.length;
      const to = mark ? Math.min(Math.max(mark.at + mark.length - at, 0), piece.length) : piece.length;
      for (const [part, wrongly] of [[piece.slice(0, from), false], [piece.slice(from, to), true], [piece.slice(to), false]]) {
        if (part) spans.push(kind === 'plain' && !wrongly ? part : h('span', { class: wrongly ? `${kind} wrong` : kind }, part));
      }
      at += piece.length;
    }
    // A last line that is empty has to have a height.
    fill(colours, spans, '\n');
  }

  function follow() {
    colours.scrollTop = area.scrollTop;
    colours.scrollLeft = area.scrollLeft;
    numbers.scrollTop = area.scrollTop;
  }

  area.addEventListener('input', () => {
    unmark(false);
    paint();
    follow();
    changed(area.value);
  });
  area.addEventListener('scroll', follow);
  area.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      run();
    }
  });

  function unmark(repaint = true) {
    mark = undefined;
    area.removeAttribute('aria-invalid');
    if (repaint) paint();
  }

  /** Puts text in place of what is selected. Not by `value`, which would forget what can be undone. */
  function type(text) {
    area.focus();
    if (!document.execCommand('insertText', false, text)) area.setRangeText(text);
  }

  /** Marks what is at that line and column, both from 1, and selects it. */
  function showMark({ line, column }) {
    const lines = area.value.split('\n');
    const before = lines.slice(0, line - 1).reduce((all, text) => all + text.length + 1, 0);
    // Columns count characters; a string here counts UTF-16's halves.
    const at = Math.min(before + [...(lines[line - 1] ?? '')].slice(0, column - 1).join('').length, area.value.length);
    const word = /^(?:`[^`]*`|[\w$@]+|[^\s\w]|)/.exec(area.value.slice(at))[0];
    mark = { at, length: Math.max(1, word.length) };
    area.setAttribute('aria-invalid', 'true');
    paint();
    area.focus();
    area.setSelectionRange(at, at + word.length);
    follow();
  }

  return {
    element,
    text: () => area.value,
    set(sql) {
      area.select();
      type(sql);
      area.setSelectionRange(0, 0);
      area.scrollTop = 0;
      unmark();
      changed(sql);
    },
    focus: () => area.focus(),
    shown: paint,
    unmark,
    mark: showMark,
    /** Writes a word in place of the one at that line and column. */
    correct(place, word) {
      showMark(place);
      type(word);
      unmark();
      changed(area.value);
    },
  };
}
