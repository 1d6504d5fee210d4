// History of the queries run in this browser.

const KEY = 'sql-history';
const MAX_ENTRIES = 50;

/**
 * Latest first: `{sql, at, rows, error?}`.
 *
 * @returns {HistoryEntry[]}
 */
export function all() {
  try {
    const entries = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(entries) ? entries.filter(({ sql }) => typeof sql === 'string') : [];
  } catch {
    return [];
  }
}

/**
 * Adds an entry. Replaces an older one with the same text.
 *
 * @param {Omit<HistoryEntry, 'at'>} entry
 */
export function add(entry) {
  const others = all().filter(({ sql }) => sql !== entry.sql);
  try {
    localStorage.setItem(KEY, JSON.stringify([{ ...entry, at: Date.now() }, ...others].slice(0, MAX_ENTRIES)));
  } catch {
    // The storage is full or disabled: continue without history.
  }
}

export const clear = () => localStorage.removeItem(KEY);
