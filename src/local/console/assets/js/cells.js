// Converts BigQuery's cells, `{"v": …}` with every scalar as a string, to JavaScript values and to text.

import { timestamp } from './format.js';

const NUMBERS = new Set(['INTEGER', 'INT64', 'FLOAT', 'FLOAT64', 'NUMERIC', 'BIGNUMERIC']);

/** @param {Field} field */
export const isNumber = (field) => NUMBERS.has(field.type) && field.mode !== 'REPEATED';
/** @param {Field} field */
export const isTime = (field) => ['TIMESTAMP', 'DATETIME', 'DATE'].includes(field.type) && field.mode !== 'REPEATED';

/**
 * A cell as a JSON value.
 *
 * @param {Field} field
 * @param {any} v
 * @returns {any}
 */
export function value(field, v) {
  if (field.mode === 'REPEATED') return (v ?? []).map((/** @type {{ v: any }} */ element) => single(field, element.v));
  return single(field, v);
}

/** @param {Field} field @param {any} v @returns {any} */
function single(field, v) {
  if (v === null || v === undefined) return null;
  switch (field.type) {
    case 'RECORD':
    case 'STRUCT':
      return Object.fromEntries((field.fields ?? []).map((member, index) => [member.name, value(member, v.f[index].v)]));
    case 'INTEGER':
    case 'INT64':
      // JavaScript rounds larger numbers.
      return Number.isSafeInteger(Number(v)) ? Number(v) : v;
    case 'FLOAT':
    case 'FLOAT64':
      return Number.isFinite(Number(v)) ? Number(v) : v;
    case 'BOOLEAN':
    case 'BOOL':
      return v === 'true';
    case 'TIMESTAMP':
      return timestamp(v);
    default:
      return v;
  }
}

/**
 * A cell as text; `null` for NULL.
 *
 * @param {Field} field
 * @param {any} v
 * @returns {string | null}
 */
export function text(field, v) {
  if (v === null || v === undefined) return null;
  if (field.mode === 'REPEATED' || field.type === 'RECORD' || field.type === 'STRUCT') return JSON.stringify(value(field, v));
  return field.type === 'TIMESTAMP' ? timestamp(v) : v;
}

/**
 * A row as an object with a member for each column.
 *
 * @param {Field[]} fields
 * @param {Row} row
 * @returns {Record<string, any>}
 */
export const record = (fields, row) =>
  Object.fromEntries(fields.map((field, index) => [field.name, value(field, row.f[index].v)]));

/**
 * Unix time in seconds of a cell with a date or time; null if there is none.
 *
 * @param {Field} field
 * @param {any} v
 */
export function seconds(field, v) {
  if (v === null || v === undefined) return null;
  const time = field.type === 'TIMESTAMP' ? Number(v) / 1e6 : Date.parse(`${v.replace(' ', 'T')}${field.type === 'DATE' ? '' : 'Z'}`) / 1000;
  return Number.isFinite(time) ? time : null;
}
