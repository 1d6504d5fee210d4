// The query for the events of one user.

import * as bigquery from '../bigquery.js';
import { urlFor } from '../pixel/tag.js';
import { request } from '../server.js';
import { setup } from '../setup.js';

/** @param {string} name */
const quoted = (name) => `\`${name}\``;

/**
 * Each event of a user once, the newest first. It follows the columns of the template table.
 *
 * @param {string} column
 * @param {string} value
 * @param {AbortSignal} signal
 */
export async function userQuery(column, value, signal) {
  const { schema } = await bigquery.table(setup.dataset, setup.table, { signal });
  /** @type {Field[]} */
  const fields = schema.fields;
  const find = (/** @type {string} */ name) => fields.find((field) => field.name.toLowerCase() === name.toLowerCase() && field.mode !== 'REPEATED');
  if (!find(column)) throw new Error(`The template table ${setup.table} has no column ${column}, or it is REPEATED.`);
  // The escapes of JSON are also those of GoogleSQL.
  const values = [...new Set([value, ...await stored(column, value, signal)])].map((text) => JSON.stringify(text));
  const lines = ['SELECT *', `FROM ${quoted(`${setup.dataset}.${setup.table}*`)}`, `WHERE CAST(${quoted(column)} AS STRING) IN (${values.join(', ')})`];
  if (find('event_id')?.type === 'STRING') lines.push('QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY _TABLE_SUFFIX) = 1');
  if (find('event_timestamp')?.type === 'TIMESTAMP') lines.push('ORDER BY event_timestamp DESC');
  return lines.join('\n');
}

/**
 * The value that the tables hold instead, if the attribute is hashed.
 *
 * @param {string} column
 * @param {string} value
 * @param {AbortSignal} signal
 * @returns {Promise<string[]>}
 */
async function stored(column, value, signal) {
  if (!setup.attributes.find(({ name }) => name === column)?.is_hashed) return [];
  /** @type {[name: string, value: string][]} */
  const parameters = setup.attributes.filter(({ name, in_table_suffix: needed }) => needed || name === column).map(({ name }) => [name, name === column ? value : '1']);
  const ask = async (/** @type {string} */ path, /** @type {string} */ url) => {
    const answer = await request(`/console/${path}?${new URLSearchParams({ url })}`, { signal });
    if (!answer.ok) throw new Error(`Cannot read the hash of the value: ${await answer.text()}`);
    return answer.text();
  };
  /** @type {Explanation} */
  const { row } = JSON.parse(await ask('explain', await ask('sign', urlFor(setup.pixel, parameters))));
  const hash = /** @type {Record<string, any>} */ (row ?? {})[column];
  return typeof hash === 'string' ? [hash] : [];
}
