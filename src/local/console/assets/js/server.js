// Requests to the server of this page.

/**
 * `fetch`, with an error that says what to do if there is no answer. The message of the browser is only "Failed to fetch".
 *
 * @param {string} url
 * @param {RequestInit} [options]
 */
export async function request(url, options) {
  try {
    return await fetch(url, options);
  } catch (error) {
    // An abort is not a TypeError.
    if (error instanceof TypeError) throw new Error('The server is not reachable. Start it again with pixel-pipeline local.');
    throw error;
  }
}
