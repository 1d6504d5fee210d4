// The result of a query. Its pages are loaded on demand.

import * as bigquery from '../bigquery.js';

const PAGE = 500;

export class Result {
  /**
   * Runs the query and waits for its result. Aborting `signal` also cancels the query on the server.
   *
   * @param {string} sql
   * @param {AbortSignal} signal
   */
  static async of(sql, signal) {
    let answer = await bigquery.query(sql, { maxResults: PAGE, signal });
    const job = answer.jobReference;
    const cancel = () => bigquery.cancel(job).catch(() => { /* The query may be finished already. */ });
    signal.addEventListener('abort', cancel);
    try {
      while (!answer.jobComplete) answer = await bigquery.queryResults(job, { maxResults: PAGE, signal });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
    return new Result(job, answer);
  }

  /** @type {Promise<void> | undefined} */
  reading;

  /** @param {import('../bigquery.js').JobReference} job @param {any} answer */
  constructor(job, answer) {
    this.job = job;
    /** @type {Field[]} */
    this.fields = answer.schema?.fields ?? [];
    this.total = Number(answer.totalRows ?? 0);
    this.affected = answer.numDmlAffectedRows === undefined ? undefined : Number(answer.numDmlAffectedRows);
    this.bytes = Number(answer.totalBytesProcessed ?? 0);
    /** @type {Row[]} */
    this.loaded = answer.rows ?? [];
    this.next = answer.pageToken;
  }

  /**
   * The first rows, `most` at most. Loads those that are missing.
   *
   * @param {number} most
   * @param {(loaded: number) => void} progress called after each page
   */
  async rows(most, progress = () => {}) {
    // One call at a time, because each appends to the same list.
    this.reading = (this.reading ?? Promise.resolve()).then(async () => {
      while (this.loaded.length < most && this.next) {
        const page = await bigquery.queryResults(this.job, { pageToken: this.next, maxResults: 10_000 });
        this.loaded.push(...(page.rows ?? []));
        this.next = page.pageToken;
        progress(this.loaded.length);
      }
    });
    await this.reading.finally(() => { this.reading = undefined; });
    return this.loaded.slice(0, most);
  }
}
