// The columns that tell one user from another.

import { h } from '../dom.js';
import { setup } from '../setup.js';

/** The attributes that can name a user: user_id, those of TABLE_SUFFIX and those that are hashed. The best one is first. */
export function userColumns() {
  const isUserId = (/** @type {string} */ name) => name.toLowerCase() === 'user_id';
  const names = setup.attributes.filter((attribute) => isUserId(attribute.name) || attribute.in_table_suffix || attribute.is_hashed).map(({ name }) => name);
  return names.sort((a, b) => Number(isUserId(b)) - Number(isUserId(a)));
}

/**
 * A link to the events of the user in a row; nothing for a row without a value.
 *
 * @param {string} column
 * @param {object | null} row
 */
export function userLink(column, row) {
  const value = /** @type {Record<string, any>} */ (row ?? {})[column];
  return typeof value === 'string' || typeof value === 'number'
    ? h('a', { href: `#/user?${new URLSearchParams({ column, value: String(value) })}` }, String(value))
    : undefined;
}
