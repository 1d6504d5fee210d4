// Tables by name, among 100,000: BigQuery lists them by name and knows no search.
//
// This server's page token is the last name of the page before (as its `Paging` says), so that a
// list can begin anywhere. Looking for a beginning is thus one request; looking for a part of a
// name reads on, page by page, until enough are found.

import * as bigquery from '../bigquery.js';
import { setup } from '../setup.js';

const PAGE = 1000;

const idOf = (table) => table.tableReference.tableId;

/** A name just before all that begin with `prefix`. */
function before(prefix) {
  const last = prefix.length - 1;
  return `${prefix.slice(0, last)}${String.fromCharCode(prefix.charCodeAt(last) - 1)}~`;
}

/** At most `most` tables whose names begin with `prefix`. */
async function beginningWith(dataset, prefix, most, signal) {
  const page = await bigquery.tables(dataset, { pageToken: before(prefix), maxResults: most + 1, signal });
  return (page.tables ?? []).map(idOf).filter((name) => name.startsWith(prefix)).slice(0, most);
}

/** Tables that begin with the term, with or without the template's name before it: users are found by their id. */
export async function quickly(dataset, term, most, signal) {
  const prefixes = [term, `${setup.table}_${term}`];
  const found = await Promise.all(prefixes.map((prefix) => beginningWith(dataset, prefix, most, signal)));
  return [...new Set(found.flat())].slice(0, most);
}

/** Tables with the term anywhere in their names. Tells after each page how many names it has looked at. */
export async function anywhere(dataset, term, most, signal, progress) {
  const found = [];
  const sought = term.toLowerCase();
  let pageToken;
  let seen = 0;
  do {
    const page = await bigquery.tables(dataset, { pageToken, maxResults: PAGE, signal });
    const names = (page.tables ?? []).map(idOf);
    seen += names.length;
    found.push(...names.filter((name) => name.toLowerCase().includes(sought)));
    progress(seen, Number(page.totalItems), found.length);
    pageToken = page.nextPageToken;
  } while (pageToken && found.length < most);
  return found.slice(0, most);
}
