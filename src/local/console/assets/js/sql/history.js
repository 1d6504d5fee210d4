// The queries that were run, in this browser.

const KEY = 'sql-history';
const KEPT = 50;

/** The latest first: `{sql, at, rows, error?}`. */
export function all() {
  try {
    const entries = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(entries) ? entries.filter(({ sql }) => typeof sql === 'string') : [];
  } catch {
    return [];
  }
}

/** Adds one; the same text before is forgotten. */
export function add(entry) {
  const others = all().filter(({ sql }) => sql !== entry.sql);
  try {
    localStorage.setItem(KEY, JSON.stringify([{ ...entry, at: Date.now() }, ...others].slice(0, KEPT)));
  } catch {
    // Full, or not allowed: then there is no history.
  }
}

export const clear = () => localStorage.removeItem(KEY);
