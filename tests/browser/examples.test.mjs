// Opens the pages of examples/ in a browser, and checks the rows of their requests.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBrowser, startLocal } from './support.mjs';

const EXAMPLES = new URL('../../examples/', import.meta.url);
const PAGE = /^\/(newsletter|website|single-page-app)\/$/;
const TIMEOUT = 30_000;

/** @type {Awaited<ReturnType<typeof startLocal>>} */
let local;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof startSite>>} */
let site;

/** @typedef {{ order_id: string | null, type: string | null, referer: string | null, user_agent: string | null }} EventRow */

before(async () => {
  [local, browser] = await Promise.all([startLocal(), startBrowser()]);
  site = await startSite();
});

after(async () => {
  await browser?.close();
  site?.server.close();
  await local?.end();
});

/** Serves the examples, with the replacements that their comments ask for. */
async function startSite() {
  const server = createServer(async (request, response) => {
    const name = PAGE.exec(new URL(request.url ?? '/', 'http://localhost').pathname)?.[1];
    if (name === undefined) {
      response.writeHead(204).end();
      return;
    }
    const html = await readFile(new URL(`${name}/index.html`, EXAMPLES), 'utf8');
    const replaced = html
      .replaceAll('https://track.example.com/pixel.png', local.pixel)
      .replaceAll('https://www.example.com/', `${url}/website/`)
      .replaceAll('*|UNIQID|*', 'recipient');
    response.writeHead(200, { 'content-type': 'text/html' }).end(replaced);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(undefined)); });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const url = `http://127.0.0.1:${port}`;
  return { server, url };
}

/**
 * Opens an example, calls `use` with its page, and checks that the page logged no error and requested only the site and the pixel.
 *
 * @param {string} example
 * @param {(page: import('playwright-core').Page) => Promise<void>} use
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function on(example, use, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(TIMEOUT);
  const page = await context.newPage();
  /** @type {string[]} */
  const faults = [];
  const allowed = [site.url, new URL(local.pixel).origin];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack}`));
  context.on('request', (request) => {
    if (!allowed.includes(new URL(request.url()).origin)) faults.push(`request: ${request.url()}`);
  });
  await page.goto(`${site.url}/${example}/`);
  await use(page);
  await context.close();
  assert.deepEqual(faults, []);
}

/**
 * The rows of a user. A table that does not exist has none.
 *
 * @param {string} user
 * @returns {Promise<EventRow[]>}
 */
async function rows(user) {
  const query = `SELECT order_id, type, referer, user_agent FROM \`parsed_pixel.pixel_${user}_*\` ORDER BY event_timestamp`;
  const response = await fetch(`${local.bigquery}/bigquery/v2/projects/local/queries`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, useLegacySql: false }),
  });
  const answer = await response.json();
  if (!response.ok) {
    assert.match(answer.error.message, /does not match any table|not found/i);
    return [];
  }
  return (answer.rows ?? []).map((/** @type {Row} */ { f }) => {
    const [order_id, type, referer, user_agent] = f.map(({ v }) => v);
    return { order_id, type, referer, user_agent };
  });
}

/**
 * Waits until at least `count` rows of a user match, and returns their attributes.
 *
 * @param {string} user
 * @param {number} count
 * @param {(row: EventRow) => boolean} [matches]
 */
async function waitForRows(user, count, matches = () => true) {
  const deadline = Date.now() + TIMEOUT;
  for (;;) {
    const found = (await rows(user)).filter(matches);
    if (found.length >= count) {
      for (const row of found) {
        assert.equal(row.referer, `${site.url}/`, 'the referer is the origin of the page');
        assert.match(row.user_agent ?? '', /Chrome/);
      }
      return found.map(({ order_id, type }) => ({ order_id, type }));
    }
    assert.ok(Date.now() < deadline, `${count} rows of ${user} expected, found ${JSON.stringify(found)}`);
    await sleep(50);
  }
}

test('an opened newsletter is stored as an open of the recipient', () => on('newsletter', async () => {
  assert.deepEqual(await waitForRows('recipient', 1), [{ order_id: 'issue-7', type: 'open' }]);
}));

test('a link of the newsletter is stored as a click of the recipient', () => on('newsletter', async (page) => {
  await page.getByRole('link', { name: 'See the collection' }).click();
  await page.getByRole('heading', { name: 'Our shop' }).waitFor();
  assert.deepEqual(await waitForRows('recipient', 1, ({ type }) => type === 'click'), [{ order_id: 'issue-7', type: 'click' }]);
}));

test('a view of the website is stored', async () => {
  const before = (await rows('visitor')).length;
  await on('website', async () => {
    const all = await waitForRows('visitor', before + 1);
    assert.deepEqual(all.slice(before), [{ order_id: null, type: 'view' }]);
  });
});

test('a view without JavaScript is stored, with a row from noscript', async () => {
  const before = (await rows('visitor')).length;
  await on('website', async () => {
    const types = (await waitForRows('visitor', before + 2)).slice(before).map(({ type }) => type);
    assert.deepEqual(types.sort(), ['noscript', 'view']);
  }, { javaScriptEnabled: false });
});

test('each route of the single-page app is stored, also a repeated one', () => on('single-page-app', async (page) => {
  /** @type {Pick<EventRow, 'order_id' | 'type'>[]} */
  const expected = [{ order_id: null, type: 'home' }];
  assert.deepEqual(await waitForRows('member', 1), expected);
  /** @type {[link: string, text: string, event: Pick<EventRow, 'order_id' | 'type'>][]} */
  const visits = [
    ['Prices', 'Prices', { order_id: null, type: 'prices' }],
    ['Order 1001', 'Order 1001', { order_id: '1001', type: 'order' }],
    ['Prices', 'Prices', { order_id: null, type: 'prices' }],
  ];
  for (const [link, text, event] of visits) {
    await page.getByRole('link', { name: link }).click();
    await page.getByRole('main').getByText(text).waitFor();
    expected.push(event);
    assert.deepEqual(await waitForRows('member', expected.length), expected);
  }
}));
