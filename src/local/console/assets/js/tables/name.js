// Names of generated tables. A value in a name is encoded: each byte that is not an ASCII letter or digit is `__` and two
// hexadecimal digits.

import { h } from '../dom.js';
import { setup } from '../setup.js';

/**
 * The name with its values decoded: `pixel_bob@example.com_20260102`. Bytes that are not UTF-8 stay encoded.
 *
 * @param {string} name
 */
export function decoded(name) {
  return name.replace(/(?:__[0-9a-f]{2})+/g, (encoded) => {
    const bytes = Uint8Array.from(encoded.split('__').slice(1), (digits) => parseInt(digits, 16));
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\p{C}/gu, '\u{fffd}');
    } catch {
      return encoded;
    }
  });
}

/**
 * A table's name, with the decoded name below if that differs.
 *
 * @param {string} name
 */
export function label(name) {
  const text = name.startsWith(setup.table) ? decoded(name) : name;
  return text === name ? name : [name, h('span', { class: 'decoded soft small' }, text)];
}

/** @param {string} table */
export const tableLink = (table) => h('a', { href: `#/tables?${new URLSearchParams({ dataset: setup.dataset, table })}` }, label(table));
