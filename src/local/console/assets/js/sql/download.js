// Saves a complete result as a file: CSV (RFC 4180), or a JSON array of objects.

import { record, text } from '../cells.js';

/** @param {string} value */
const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

// A spreadsheet runs text as a formula that begins with one of these characters, also after quotes and white space, in half
// or full width.
const FORMULA = /^[\s"'\u0000\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Text that a spreadsheet does not run: the text of a visitor's URL can be a formula. An apostrophe in front makes it plain
 * text. Numbers are unchanged.
 *
 * @param {string} value
 */
const defused = (value) => ((FORMULA.test(value) || /^[\t\r\n]/.test(value)) && !NUMBER.test(value) ? `'${value}` : value);

/**
 * NULL is an empty field; the empty string is a quoted empty field. Text that could be a formula begins with an apostrophe.
 *
 * @param {Field[]} fields
 * @param {Row[]} rows
 */
export function csv(fields, rows) {
  /** @param {Field} field @param {any} v */
  const cell = (field, v) => {
    const shown = text(field, v);
    if (shown === null) return '';
    return shown === '' ? '""' : quoted(defused(shown));
  };
  const lines = [fields.map((field) => quoted(defused(field.name))), ...rows.map((row) => row.f.map(({ v }, column) => cell(fields[column], v)))];
  return lines.map((line) => `${line.join(',')}\r\n`);
}

/** @param {Field[]} fields @param {Row[]} rows */
export function json(fields, rows) {
  const lines = rows.map((row) => JSON.stringify(record(fields, row)));
  return ['[\n', lines.join(',\n'), '\n]\n'];
}

/**
 * Offers the parts to the user as a file.
 *
 * @param {string} name
 * @param {string} type
 * @param {string[]} parts
 */
export function save(name, type, parts) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type }));
  link.download = name;
  link.click();
  // The download no longer needs the URL by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
