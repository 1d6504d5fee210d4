// Creates the URL of a pixel, and its HTML tag.

/** @type {Record<string, string>} */
const EXAMPLES = { user_id: '507f1f77bcf86cd799439011', order_id: '42', type: 'open' };

/**
 * A value for an attribute of the settings. Without a value for those of TABLE_SUFFIX, an event is not stored.
 *
 * @param {{ name: string, in_table_suffix: boolean }} attribute
 */
export const exampleOf = ({ name, in_table_suffix: needed }) => EXAMPLES[name] ?? (needed ? 'example' : '');

/**
 * Each parameter is a name, a value and optionally a merge tag, which replaces the value and is not encoded.
 *
 * @param {string} base
 * @param {[name: string, value: string, mergeTag?: string][]} parameters
 */
export function urlFor(base, parameters) {
  const query = parameters
    .filter(([name, value, raw]) => name && (value || raw))
    .map(([name, value, raw]) => (raw ? `${encodeURIComponent(name)}=${raw}` : new URLSearchParams([[name, value]]).toString()));
  const at = base.indexOf('#');
  const address = at < 0 ? base.trim() : base.slice(0, at).trim();
  return query.length === 0 ? address : `${address}${address.includes('?') ? '&' : '?'}${query.join('&')}`;
}

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/**
 * In e-mail, the attributes prevent a border and a gap.
 *
 * @param {string} url
 * @param {boolean} [mail]
 */
export function tagFor(url, mail = false) {
  return mail
    ? `<img src="${escaped(url)}" width="1" height="1" border="0" alt="" style="display:block;width:1px;height:1px;border:0">`
    : `<img src="${escaped(url)}" width="1" height="1" alt="" loading="eager" decoding="async">`;
}
