// The editor: a textarea, so that keyboard, assistive technology and undo work as in any text field.
// The highlighted text is behind it, and the line numbers are beside it.

import { fill, h } from '../dom.js';
import { tokens } from './highlight.js';

// Longer queries are not highlighted, because typing would become slow.
const MAX_HIGHLIGHTED_CHARS = 50_000;

/** @param {string} text @param {{ run: () => void, changed: (sql: string) => void }} on */
export function editor(text, { run, changed }) {
  const area = h('textarea', {
    class: 'code', id: 'query', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', wrap: 'off', rows: '10',
    'aria-label': 'Query in GoogleSQL. Press Control and Enter to run it.', value: text,
  });
  const colours = h('pre', { class: 'colours', 'aria-hidden': 'true' });
  const numbers = h('pre', { class: 'numbers', 'aria-hidden': 'true' });
  const element = h('div', { class: 'editor' }, numbers, h('div', { class: 'sheet' }, colours, area));
  // Offset and length of the marked error.
  /** @type {{ at: number, length: number } | undefined} */
  let mark;

  function paint() {
    const sql = area.value;
    const lines = sql.split('\n').length;
    const wrong = mark && sql.slice(0, mark.at).split('\n').length;
    fill(numbers, Array.from({ length: lines }, (_, index) => h('span', { class: index + 1 === wrong ? 'wrong' : undefined }, `${index + 1}\n`)));
    area.rows = Math.min(24, Math.max(8, lines + 1));
    if (sql.length > MAX_HIGHLIGHTED_CHARS) {
      fill(colours, sql);
      return;
    }
    let at = 0;
    /** @type {(string | HTMLElement)[]} */
    const spans = [];
    for (const [kind, token] of tokens(sql)) {
      // The mark may begin or end inside a token.
      const from = mark ? Math.min(Math.max(mark.at - at, 0), token.length) : token.length;
      const to = mark ? Math.min(Math.max(mark.at + mark.length - at, 0), token.length) : token.length;
      for (const [part, wrongly] of /** @type {[string, boolean][]} */ ([[token.slice(0, from), false], [token.slice(from, to), true], [token.slice(to), false]])) {
        if (part) spans.push(kind === 'plain' && !wrongly ? part : h('span', { class: wrongly ? `${kind} wrong` : kind }, part));
      }
      at += token.length;
    }
    // Without a final newline, an empty last line has no height.
    fill(colours, spans, '\n');
  }

  function syncScroll() {
    colours.scrollTop = area.scrollTop;
    colours.scrollLeft = area.scrollLeft;
    numbers.scrollTop = area.scrollTop;
  }

  area.addEventListener('input', () => {
    unmark(false);
    paint();
    syncScroll();
    changed(area.value);
  });
  area.addEventListener('scroll', syncScroll);
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

  /**
   * Replaces the selection. Assigning to `value` would clear the undo history.
   *
   * @param {string} text
   */
  function type(text) {
    area.focus();
    if (!document.execCommand('insertText', false, text)) area.setRangeText(text);
  }

  /**
   * Marks and selects the word at this line and column, which start at 1.
   *
   * @param {Position} position
   */
  function showMark({ line, column }) {
    const lines = area.value.split('\n');
    const before = lines.slice(0, line - 1).reduce((all, text) => all + text.length + 1, 0);
    // Columns count characters. JavaScript strings count UTF-16 code units.
    const at = Math.min(before + [...(lines[line - 1] ?? '')].slice(0, column - 1).join('').length, area.value.length);
    const word = /^(?:`[^`]*`|[\w$@]+|[^\s\w]|)/.exec(area.value.slice(at))?.[0] ?? '';
    mark = { at, length: Math.max(1, word.length) };
    area.setAttribute('aria-invalid', 'true');
    paint();
    area.focus();
    area.setSelectionRange(at, at + word.length);
    syncScroll();
  }

  return {
    element,
    text: () => area.value,
    /** @param {string} sql */
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
    /**
     * Replaces the word at this line and column.
     *
     * @param {Position} position
     * @param {string} word
     */
    correct(position, word) {
      showMark(position);
      type(word);
      unmark();
      changed(area.value);
    },
  };
}
