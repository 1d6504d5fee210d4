// A query's result, read page by page as it is wanted.

import * as bigquery from '../bigquery.js';

const PAGE = 500;

export class Result {
  /** Runs the query and waits for its end; an abort cancels it on the server, too. */
  static async of(sql, signal) {
    let answer = await bigquery.query(sql, { maxResults: PAGE, signal });
    const job = answer.jobReference;
    const cancel = () => bigquery.cancel(job).catch(() => { /* It may have ended by itself. */ });
    signal.addEventListener('abort', cancel);
    try {
      while (!answer.jobComplete) answer = await bigquery.queryResults(job, { maxResults: PAGE, signal });
    } finally {
      signal.removeEventListener('abort', cancel);
    }
    return new Result(job, answer);
  }

  constructor(job, answer) {
    this.job = job;
    this.fields = answer.schema?.fields ?? [];
    this.total = Number(answer.totalRows ?? 0);
    this.affected = answer.numDmlAffectedRows === undefined ? undefined : Number(answer.numDmlAffectedRows);
    this.bytes = Number(answer.totalBytesProcessed ?? 0);
    this.loaded = answer.rows ?? [];
    this.next = answer.pageToken;
  }

  /** The first rows, at most so many, reading on where they are not there yet. `progress` is told how many are. */
  async rows(most, progress = () => {}) {
    // One after the other: two readers would both append.
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
