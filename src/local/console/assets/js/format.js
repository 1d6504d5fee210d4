// Formats numbers and times for display.

const number = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** @param {number} value */
export const count = (value) => number.format(value);

/**
 * Formats as 0.5, 2.3 or 41.
 *
 * @param {number} value
 */
export const rate = (value) => (value >= 10 ? number.format(Math.round(value)) : value.toFixed(1));

/**
 * The time of day in the time zone of the browser.
 *
 * @param {number} milliseconds
 */
export const timeOfDay = (milliseconds) => clock.format(new Date(milliseconds));

/** @param {number | null | undefined} milliseconds */
export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return '–';
  if (milliseconds < 10_000) return `${number.format(Math.round(milliseconds))} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

/** @param {number | string} value */
export function bytes(value) {
  const units = ['B', 'kB', 'MB', 'GB'];
  let size = Number(value);
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(1)} ${units[unit]}`;
}

/**
 * Formats a TIMESTAMP in microseconds like BigQuery: date and time in UTC.
 *
 * @param {string} microseconds
 */
export function timestamp(microseconds) {
  const micros = BigInt(microseconds);
  const day = 1_000_000n;
  const fraction = ((micros % day) + day) % day;
  const date = new Date(Number((micros - fraction) / 1000n));
  if (Number.isNaN(date.getTime())) return `${microseconds} µs`;
  const seconds = date.toISOString().slice(0, 19).replace('T', ' ');
  const digits = fraction === 0n ? '' : `.${fraction.toString().padStart(6, '0').replace(/0+$/, '')}`;
  return `${seconds}${digits} UTC`;
}

/** @param {number} value @param {string} one @param {string} [many] */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;
