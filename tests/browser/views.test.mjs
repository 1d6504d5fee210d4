// Checks every view in both themes and two widths for accessibility and layout. With PIXEL_SCREENSHOTS=DIR it also writes
// screenshots there, after filling the charts for five minutes. Those in docs/screenshots were compressed with
// `pngquant --nofs --strip 128`.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { open, startBrowser, startLocal } from './support.mjs';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const SCREENSHOTS = process.env.PIXEL_SCREENSHOTS;

/** @type {Awaited<ReturnType<typeof startLocal>>} */
let local;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  [local, browser] = await Promise.all([startLocal('--demo', SCREENSHOTS ? '8' : '20'), startBrowser()]);
  await local.push('no JSON');
  await local.push('{"httpRequest": {}}');
  // Fill the five minutes of the charts.
  if (SCREENSHOTS) await sleep(290_000);
});

after(async () => {
  await browser?.close();
  await local?.end();
});

// For each view its fragment, and a function that waits until it is complete.
/** @type {Record<string, [view: string, shown: (page: import('playwright-core').Page) => Promise<void>]>} */
const VIEWS = {
  overview: ['', (page) => page.locator('.events li').nth(10).waitFor()],
  tables: ['tables?dataset=parsed_pixel&table=dead_letters', (page) => page.getByText('Rows 1–2 of 2').waitFor()],
  sql: ['sql', async (page) => {
    await run(page, `-- Events and users by type.
SELECT IFNULL(type, '(none)') AS type, COUNT(*) AS events, COUNT(DISTINCT user_id) AS users
FROM \`parsed_pixel.pixel_*\`
GROUP BY 1
ORDER BY events DESC`);
  }],
  chart: ['sql', async (page) => {
    await run(page, `-- Events of each type, every ten seconds.
SELECT
  TIMESTAMP_SECONDS(DIV(UNIX_SECONDS(event_timestamp), 10) * 10) AS ten_seconds, type, COUNT(*) AS events
FROM \`parsed_pixel.pixel_*\`
WHERE type IN ('view', 'open', 'click')
GROUP BY ten_seconds, type
ORDER BY ten_seconds`);
    await page.getByRole('button', { name: 'Chart', exact: true }).click();
    await page.getByRole('img', { name: /by ten_seconds/ }).waitFor();
  }],
  error: ['sql', async (page) => {
    await write(page, 'SELECT type, COUNT(*) AS events\nFROM `parsed_pixel.pixel_*`\nWHERE event_timstamp > TIMESTAMP "2026-01-01"\nGROUP BY type');
    await page.getByRole('alert').waitFor();
  }],
  user: ['user?column=user_id&value=nobody', (page) => page.getByText(/No event has this user_id/).waitFor()],
  'dead-letters': ['dead-letters', (page) => page.getByText('2 messages').waitFor()],
  pixel: ['pixel', (page) => page.getByText('Stored as this row:').waitFor()],
};

/** @type {[name: string, width: number, height: number][]} */
const DEVICES = [['desktop', 1280, 860], ['phone', 390, 844]];

/** Enters a query and runs it. @param {import('playwright-core').Page} page @param {string} sql */
async function write(page, sql) {
  await page.getByRole('textbox', { name: /Query/ }).fill(sql);
  await page.keyboard.press('Control+Enter');
}

/** Runs a query and waits for its rows. @param {import('playwright-core').Page} page @param {string} sql */
async function run(page, sql) {
  await write(page, sql);
  await page.getByRole('region', { name: 'Rows of the result' }).waitFor();
}

for (const [name, [view, shown]] of Object.entries(VIEWS)) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    for (const [device, width, height] of DEVICES) {
      test(`${name}, ${colorScheme}, ${device}`, async () => {
        const { page, end } = await open(browser, local, view, { width, height, colorScheme, reducedMotion: 'reduce' });
        await shown(page);
        // One screenshot of the dark theme is enough.
        if (SCREENSHOTS && (colorScheme === 'light' || name === 'overview')) {
          await page.screenshot({ path: join(SCREENSHOTS, `${name}-${device}-${colorScheme}.png`) });
        }
        await page.setViewportSize({ width: Math.min(width, 360), height });
        await assertFits(page);
        await page.setViewportSize({ width, height });
        // Evaluated by the debugger, to which the page's policy does not apply.
        await page.evaluate(AXE);
        const { violations } = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run());
        assert.deepEqual(violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ node) => node.html).join('\n')}`), []);
        await end(name === 'error' ? [/400 \(Bad Request\)/] : []);
      });
    }
  }
}

/** The page has no horizontal scroll bar. Wide tables scroll separately. @param {import('playwright-core').Page} page */
async function assertFits(page) {
  const beyond = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(beyond, 0, 'the page does not scroll sideways');
}
