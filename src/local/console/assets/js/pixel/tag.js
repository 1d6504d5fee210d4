// The URL of a pixel, and the tag that shows it.

/** Parameters are name, value and, where a mail service fills it in, what stands for the value, left as it is. */
export function urlFor(base, parameters) {
  const query = parameters
    .filter(([name, value, raw]) => name && (value || raw))
    .map(([name, value, raw]) => (raw ? `${encodeURIComponent(name)}=${raw}` : new URLSearchParams([[name, value]]).toString()));
  const at = base.indexOf('#');
  const address = at < 0 ? base.trim() : base.slice(0, at).trim();
  return query.length === 0 ? address : `${address}${address.includes('?') ? '&' : '?'}${query.join('&')}`;
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');

/** Mail programs show a frame or a missing image unless told otherwise; web pages must not send who was reading what. */
export function tagFor(url, mail = false) {
  return mail
    ? `<img src="${escaped(url)}" width="1" height="1" border="0" alt="" style="display:block;width:1px;height:1px;border:0">`
    : `<img src="${escaped(url)}" width="1" height="1" alt="" loading="eager" decoding="async">`;
}
