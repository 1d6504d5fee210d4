// Finds tables by name. BigQuery lists tables by name and has no search.
//
// The page token of this server is the last name of the previous page (see its `Paging`), so that a list can start at
// any name. A search by prefix needs one request. A search for a substring reads page by page until it has enough matches.

import * as bigquery from '../bigquery.js';
import { setup } from '../setup.js';

const PAGE = 1000;

/** @param {{ tableReference: { tableId: string } }} table @returns {string} */
const idOf = (table) => table.tableReference.tableId;

/**
 * A name that sorts directly before all names with this prefix.
 *
 * @param {string} prefix
 */
function before(prefix) {
  const last = prefix.length - 1;
  return `${prefix.slice(0, last)}${String.fromCharCode(prefix.charCodeAt(last) - 1)}~`;
}

/**
 * At most `most` tables whose names start with `prefix`.
 *
 * @param {string} dataset
 * @param {string} prefix
 * @param {number} most
 * @param {AbortSignal} signal
 * @returns {Promise<string[]>}
 */
async function listPrefix(dataset, prefix, most, signal) {
  const page = await bigquery.tables(dataset, { pageToken: before(prefix), maxResults: most + 1, signal });
  return (page.tables ?? []).map(idOf).filter((/** @type {string} */ name) => name.startsWith(prefix)).slice(0, most);
}

/**
 * Tables that start with the term, or with the template's name and the term. So a user id finds the user's tables.
 *
 * @param {string} dataset
 * @param {string} term
 * @param {number} most
 * @param {AbortSignal} signal
 */
export async function findByPrefix(dataset, term, most, signal) {
  const prefixes = [term, `${setup.table}_${term}`];
  const found = await Promise.all(prefixes.map((prefix) => listPrefix(dataset, prefix, most, signal)));
  return [...new Set(found.flat())].slice(0, most);
}

/**
 * Tables whose names contain the term. Calls `progress` after each page with the number of names read.
 *
 * @param {string} dataset
 * @param {string} term
 * @param {number} most
 * @param {AbortSignal} signal
 * @param {(seen: number, total: number, matches: number) => void} progress
 */
export async function findSubstring(dataset, term, most, signal, progress) {
  /** @type {string[]} */
  const found = [];
  const sought = term.toLowerCase();
  /** @type {string | undefined} */
  let pageToken;
  let seen = 0;
  do {
    const page = await bigquery.tables(dataset, { pageToken, maxResults: PAGE, signal });
    /** @type {string[]} */
    const names = (page.tables ?? []).map(idOf);
    seen += names.length;
    found.push(...names.filter((name) => name.toLowerCase().includes(sought)));
    progress(seen, Number(page.totalItems), found.length);
    pageToken = page.nextPageToken;
  } while (pageToken && found.length < most);
  return found.slice(0, most);
}
