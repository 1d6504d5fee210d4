// Tests the console of a running `local` in a browser, as a user would.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { open, startBrowser, startLocal } from './support.mjs';

/** @type {Awaited<ReturnType<typeof startLocal>>} */
let local;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  [local, browser] = await Promise.all([startLocal(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  await local?.end();
});

/**
 * Opens a view, calls `look` with its page, and checks that the page logged no error.
 *
 * @param {string} view
 * @param {(page: import('playwright-core').Page) => Promise<void>} look
 * @param {Parameters<typeof open>[3]} [options]
 */
async function on(view, look, options) {
  const { page, end } = await open(browser, local, view, options);
  await look(page);
  await end();
}

/** @param {import('playwright-core').Page} page @param {string} name */
const region = (page, name) => page.getByRole('region', { name, exact: true });

test('a pixel of a page appears on the overview', () => on('', async (page) => {
  const visitor = await page.context().newPage();
  await visitor.setContent(`<img src="${local.pixel}?user_id=visitor&amp;type=open" alt="">`);
  const events = region(page, 'Latest events');
  await events.getByText('/pixel.png?user_id=visitor&type=open').first().waitFor();
  await events.getByText('/pixel.png?user_id=visitor&type=open').first().click();
  await events.getByRole('link', { name: /^pixel_visitor_\d{8}$/ }).waitFor();
  const topology = region(page, 'Topology');
  await topology.locator('.stage', { hasText: 'Service' }).locator('.arrow').getByText(/^[1-9]\d*$/).waitFor();
  await region(page, 'Outcomes').getByRole('row', { name: /stored/ }).waitFor();
  await region(page, 'Deliveries per second').getByRole('img', { name: /last five minutes/ }).waitFor();
  await region(page, 'Latency from request to row').getByText('Show as table').click();
  await region(page, 'Latency from request to row').getByRole('row', { name: /current minute \d/ }).waitFor();
}));

test('a pixel is created, explained and requested, and its row is shown', () => on('pixel', async (page) => {
  await page.getByLabel('user_id', { exact: true }).fill('maker & co');
  await page.getByLabel('order_id').fill('7');
  await page.getByLabel('user_id in e-mail').selectOption({ label: 'Mailchimp: *|UNIQID|*' });
  const made = region(page, 'Pixel');
  assert.equal(await made.getByLabel('URL').last().textContent(), `${local.pixel}?user_id=maker+%26+co&order_id=7&type=open`);
  const mail = await made.getByLabel('Tag for e-mail').last().textContent() ?? '';
  assert.match(mail, /^<img src="[^"]+\?user_id=\*\|UNIQID\|\*&amp;order_id=7&amp;type=open" width="1" height="1"/);
  const outcome = region(page, 'Expected outcome');
  await outcome.getByText(/^pixel_maker__20__26__20co_\d{8}$/).waitFor();
  await page.getByRole('button', { name: 'Send request' }).click();
  await region(page, 'Parameters').getByRole('link', { name: /^pixel_maker/ }).click();
  const row = page.getByRole('region', { name: /^Rows of pixel_maker/ }).getByRole('row').nth(1);
  await row.getByRole('cell', { name: 'maker & co' }).waitFor();
}));

test('the form shows before the request that it is not stored', () => on('pixel', async (page) => {
  await page.getByLabel('user_id', { exact: true }).fill('');
  const outcome = region(page, 'Expected outcome');
  await outcome.getByText('filtered').waitFor();
  await outcome.getByText(/TABLE_SUFFIX/).waitFor();
  await page.getByLabel('Pixel URL', { exact: true }).and(page.locator('input')).fill('https://track.example.com/pixel.png');
  assert.ok(await page.getByRole('button', { name: 'Send request' }).isDisabled(), 'only the pixel of this pipeline can be requested');
}));

test('the latest events can be filtered', async () => {
  await local.fire('user_id=filtered_one&type=open');
  await local.fire('user_id=filtered_two&type=click');
  await on('', async (page) => {
    const events = region(page, 'Latest events');
    await events.getByText(/user_id=filtered_two/).first().waitFor();
    const filter = events.getByRole('searchbox', { name: 'Filter events' });
    await filter.fill('filtered_one');
    await events.getByText(/user_id=filtered_two/).first().waitFor({ state: 'hidden' });
    assert.ok(await events.getByText(/user_id=filtered_one/).first().isVisible());
    await filter.fill('no such event');
    await events.getByText('No event matches the filter.').waitFor();
    await filter.fill('');
    await events.getByText(/user_id=filtered_two/).first().waitFor();
  });
});

test('parameters that are not kept and an escaped URL are reported', async () => {
  await local.fire('user_id=hinted&amp;type=open&amp;utm_campaign=spring');
  const notKept = 'not kept: utm_campaign (VALID_ATTRIBUTES)';
  const escaped = /^read &amp; as &/;
  await on('', async (page) => {
    const events = region(page, 'Latest events');
    await events.getByText(/user_id=hinted/).first().click();
    await events.getByText(notKept).waitFor();
    await events.getByText(escaped).waitFor();
  });
  await on('pixel', async (page) => {
    const outcome = region(page, 'Expected outcome');
    await outcome.getByText('Stored as this row:').waitFor();
    assert.equal(await outcome.getByText(/not kept/).or(outcome.getByText(escaped)).count(), 0);
    await page.getByLabel('Other parameters').fill('utm_campaign=spring');
    await outcome.getByText(notKept).waitFor();
  });
});

test('the events of a user are shown, and linked from an event', async () => {
  const user = 'ann@"example".com';
  for (const type of ['open', 'click']) await local.fire(`user_id=${encodeURIComponent(user)}&type=${type}`);
  await local.fire('user_id=somebody_else&type=open');
  await on('', async (page) => {
    const event = region(page, 'Latest events').getByText(/user_id=ann/).first();
    await event.click();
    await region(page, 'Latest events').getByText('pixel_ann@"example".com').first().waitFor();
    await region(page, 'Latest events').getByRole('link', { name: user, exact: true }).click();
    const events = region(page, 'Events of the user');
    await events.getByText('2 events').waitFor();
    assert.equal(await events.locator('tbody tr').count(), 2);
    assert.equal(await page.getByLabel('user_id').inputValue(), user);
    await page.getByLabel('user_id').fill('nobody');
    await page.getByRole('button', { name: 'Show events' }).click();
    await events.getByText(/No event has this user_id/).waitFor();
    await local.fire('user_id=nobody');
    await page.getByRole('button', { name: 'Show events' }).click();
    await events.getByText('1 event', { exact: true }).waitFor();
  });
});

test('a table name with an encoded value is also shown decoded', async () => {
  await local.fire(`user_id=${encodeURIComponent('bob@example.com')}`);
  await on('tables', async (page) => {
    await region(page, 'Tables').getByRole('searchbox').fill('bob__40');
    await region(page, 'Tables').getByText(/^pixel_bob@example\.com_\d{8}$/).waitFor();
  });
});

test('a table is found by user id and read page by page', async () => {
  await Promise.all(Array.from({ length: 120 }, (_, number) => local.fire(`user_id=reader&order_id=${number}`)));
  await on('tables', async (page) => {
    const tables = region(page, 'Tables');
    await tables.getByRole('searchbox').fill('reader');
    await tables.getByRole('link', { name: /^pixel_reader_/ }).click();
    await page.getByText('Rows 1–50 of 120').waitFor();
    await page.getByRole('button', { name: 'Last' }).click();
    await page.getByText('Rows 101–120 of 120').waitFor();
    assert.equal(await page.getByRole('region', { name: /^Rows of pixel_reader/ }).locator('tbody tr').count(), 20);
    await page.getByText('Names of the load').or(page.getByText('When the load balancer received the request')).waitFor();
    await tables.getByRole('searchbox').fill('eader_');
    await tables.getByText('0 tables with this prefix').waitFor();
    await tables.getByRole('button', { name: 'Search anywhere in the name' }).click();
    await tables.getByText(/^1 match in/).waitFor();
  });
});

test('a dead letter is shown with its reason and replayed', async () => {
  await local.push('no <b>JSON</b>');
  await on('dead-letters', async (page) => {
    const letters = region(page, 'Dead-letter table');
    const letter = letters.getByRole('listitem').filter({ hasText: 'bad json' }).first();
    await letter.locator('summary').click();
    await letter.getByText('no <b>JSON</b>').waitFor();
    await letter.getByRole('button', { name: 'Replay' }).click();
    await letter.getByText(/Published\. Expected outcome: dead letter \(bad json\)/).waitFor();
    await letters.getByRole('button', { name: 'Refresh' }).click();
    await letters.getByText('2 messages').waitFor();
  });
});

test('text from URLs is shown and never executed', async () => {
  const hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>';
  await local.fire(`user_id=hostile&order_id=${encodeURIComponent(hostile)}`);
  await on('', async (page) => {
    page.on('dialog', () => assert.fail('a script from a URL ran'));
    const event = region(page, 'Latest events').getByText(/user_id=hostile/).first();
    await event.click();
    await region(page, 'Latest events').getByText('onerror=alert(1)').first().waitFor();
    await region(page, 'Latest events').getByRole('link', { name: /^pixel_hostile/ }).click();
    await page.getByRole('cell', { name: hostile }).waitFor();
    assert.equal(await page.locator('img[src=x]').count(), 0);
  });
});

test('a query result is shown as rows and a chart, and downloaded', async () => {
  await Promise.all(['open', 'open', 'click'].map((type) => local.fire(`user_id=analyst&type=${type}`)));
  await on('sql', async (page) => {
    const editor = page.getByRole('textbox', { name: /Query/ });
    await editor.fill('SELECT type, COUNT(*) AS events\nFROM `parsed_pixel.pixel_analyst_*`\nGROUP BY type ORDER BY events DESC');
    await editor.press('Control+Enter');
    const result = region(page, 'Result');
    const rows = result.getByRole('region', { name: 'Rows of the result' }).locator('tbody tr');
    await rows.first().waitFor();
    assert.deepEqual(await rows.allTextContents(), ['1open2', '2click1']);
    await result.getByRole('button', { name: 'Chart' }).click();
    const chart = result.getByRole('img', { name: /events by type/ });
    await chart.waitFor();
    assert.equal(await chart.locator('rect').count(), 2);
    for (const [name, content] of [
      ['CSV', 'type,events\r\nopen,2\r\nclick,1\r\n'],
      ['JSON', '[\n{"type":"open","events":2},\n{"type":"click","events":1}\n]\n'],
    ]) {
      const [download] = await Promise.all([page.waitForEvent('download'), result.getByRole('button', { name }).click()]);
      assert.equal(await readFile(await download.path(), 'utf8'), content);
    }
    await region(page, 'History').getByRole('button', { name: /SELECT type, COUNT/ }).waitFor();
  });
});

test('a downloaded CSV file holds no formula', () => on('sql', async (page) => {
  const texts = ['=1+1', '+cmd', '-2+3', '@SUM(A1)', '\t=1', '" =1', '-5', '1e5', '+3.5', 'a=b', '\uff1d1'];
  const editor = page.getByRole('textbox', { name: /Query/ });
  await editor.fill(`SELECT text, -7 AS number, ['=1'] AS list FROM UNNEST([${texts.map((text) => JSON.stringify(text)).join(', ')}]) AS text WITH OFFSET AS position ORDER BY position`);
  await editor.press('Control+Enter');
  const result = region(page, 'Result');
  await result.getByRole('region', { name: 'Rows of the result' }).waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), result.getByRole('button', { name: 'CSV' }).click()]);
  const lines = (await readFile(await download.path(), 'utf8')).split('\r\n').slice(1, -1);
  const cells = lines.map((line) => line.replace(/,-7,"\[""=1""\]"$/, ''));
  assert.deepEqual(cells, ["'=1+1", "'+cmd", "'-2+3", "'@SUM(A1)", "'\t=1", '"\'"" =1"', '-5', '1e5', '+3.5', 'a=b', "'\uff1d1"]);
}));

test('a chart of one day has bars, and an axis of dates has dates', () => on('sql', async (page) => {
  const result = region(page, 'Result');
  const editor = page.getByRole('textbox', { name: /Query/ });
  const chartOf = async (/** @type {string} */ rows, /** @type {string} */ sql) => {
    await editor.fill(sql);
    await editor.press('Control+Enter');
    await region(page, 'Query').getByRole('status').getByText(`${rows},`).waitFor();
    await result.getByRole('button', { name: 'Chart' }).click();
    const chart = result.getByRole('img', { name: /by day/ });
    await chart.waitFor();
    return chart;
  };
  const one = await chartOf('1 row', "SELECT DATE '2026-01-02' AS day, 3 AS events");
  assert.equal(await one.locator('rect').count(), 1);
  assert.match(await one.textContent() ?? '', /2026-01-02/);
  const two = await chartOf('2 rows', "SELECT DATE '2026-01-02' AS day, 3 AS events UNION ALL SELECT DATE '2026-01-04', 4");
  assert.match(await two.textContent() ?? '', /Jan 3/);
  assert.doesNotMatch(await two.textContent() ?? '', /\d\d:\d\d/);
}));

test('a chart has a line per series and follows the selected columns', () => on('sql', async (page) => {
  await page.getByRole('textbox', { name: /Query/ }).fill('SELECT event_timestamp, type, COUNT(*) OVER (PARTITION BY type ORDER BY event_timestamp) AS so_far\nFROM `pixel_analyst_*`');
  await page.getByRole('button', { name: /^Run/ }).click();
  const result = region(page, 'Result');
  await result.getByRole('button', { name: 'Chart' }).click();
  const chart = result.getByRole('img');
  await chart.and(page.getByLabel(/by event_timestamp/)).waitFor();
  assert.deepEqual((await result.getByRole('list').getByRole('listitem').allTextContents()).sort(), ['click', 'open']);
  assert.equal(await chart.locator('circle').count(), 3);
  await result.getByLabel('X axis').selectOption('type');
  await chart.and(page.getByLabel(/by type/)).waitFor();
  assert.ok(await chart.locator('rect').count() > 0);
}));

test('Ctrl+Enter during a run shows the state of the newer run', () => on('sql', async (page) => {
  /** @type {import('playwright-core').Route[]} */
  const held = [];
  /** @type {(() => void)[]} */
  const waiters = [];
  await page.route('**/bigquery/v2/projects/*/queries', (route) => {
    held.push(route);
    waiters.shift()?.();
  });
  /** @type {() => Promise<void>} */
  const nextRequest = () => new Promise((resolve) => { waiters.push(resolve); });
  const query = region(page, 'Query');
  const editor = query.getByRole('textbox');
  const runWith = async (/** @type {string} */ sql) => {
    const requested = nextRequest();
    await editor.fill(sql);
    await editor.press('Control+Enter');
    await requested;
  };
  await runWith('SELECT 1 AS older');
  await runWith('SELECT 2 AS newer');
  assert.equal(await query.getByRole('status').textContent(), 'Running…', 'the older run does not report its cancellation');
  assert.ok(await query.getByRole('button', { name: 'Cancel' }).isVisible());
  await held[1].continue();
  await query.getByRole('status').getByText(/^1 row, \d+ ms$/).waitFor();
  await region(page, 'Result').getByRole('columnheader', { name: /newer/ }).waitFor();
  await query.getByRole('button', { name: 'Cancel' }).waitFor({ state: 'hidden' });
}));

test('an error is marked at its position', async () => {
  const { page, end } = await open(browser, local, 'sql');
  const editor = page.getByRole('textbox', { name: /Query/ });
  await editor.fill('SELECT 1,\n  no_such_column\nFROM `parsed_pixel.pixel`');
  await page.getByRole('button', { name: /^Run/ }).click();
  await page.getByRole('alert').getByText(/no_such_column at \[2:3\]/).waitFor();
  assert.equal(await editor.evaluate((/** @type {any} */ area) => area.value.slice(area.selectionStart, area.selectionEnd)), 'no_such_column');
  assert.equal(await editor.getAttribute('aria-invalid'), 'true');
  assert.equal(await page.locator('.colours .wrong').textContent(), 'no_such_column');
  await editor.fill('SELECT order_idd FROM `parsed_pixel.pixel`');
  await editor.press('Control+Enter');
  await page.getByRole('button', { name: 'Replace with order_id' }).click();
  assert.equal(await editor.inputValue(), 'SELECT order_id FROM `parsed_pixel.pixel`');
  await end([/400 \(Bad Request\)/]);
});

test('views can be reached by keyboard', () => on('', async (page) => {
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'main', 'the first link skips the page header');
  const link = page.getByRole('link', { name: 'SQL', exact: true });
  await link.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'SQL', level: 1 }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'SQL', 'the heading of the new view has the focus');
  assert.equal(await page.title(), 'SQL – Pixel Pipeline');
  assert.equal(await link.getAttribute('aria-current'), 'page');
}));

test('an unreachable server is plain to see, until it answers again', async () => {
  const { page, end } = await open(browser, local, '');
  await page.getByText('live', { exact: true }).waitFor();
  await page.route('**/console/live', (route) => route.abort());
  await page.reload();
  const alert = page.getByRole('alert').getByText(/The server is not reachable/);
  await alert.waitFor();
  await page.setViewportSize({ width: 390, height: 500 });
  await page.mouse.wheel(0, 10_000);
  await page.waitForFunction(() => scrollY > 500);
  const box = await alert.boundingBox();
  assert.ok(box && box.y >= 0 && box.y + box.height <= 500, 'the alert stays visible on a scrolled page');
  await page.unroute('**/console/live');
  await alert.waitFor({ state: 'hidden' });
  await end([/console\/live/]);
});

test('each view says that the server is not reachable', async () => {
  const { page, end } = await open(browser, local, 'sql');
  await page.route('**/bigquery/**', (route) => route.abort());
  await page.route('**/console/dead-letter-topic', (route) => route.abort());
  const error = page.getByRole('alert').getByText(/The server is not reachable\. Start it again/);
  await page.getByRole('textbox', { name: /Query/ }).fill('SELECT 1');
  await page.keyboard.press('Control+Enter');
  await error.waitFor();
  for (const [title, view, alerts] of /** @type {const} */ ([['Tables', 'tables', 1], ['User', 'user?column=user_id&value=nobody', 1], ['Dead letters', 'dead-letters', 2]])) {
    await page.goto(`${local.console}#/${view}`);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await error.nth(alerts - 1).waitFor();
  }
  await end([/ERR_FAILED/]);
});

test('the selected theme is kept after a reload', () => on('', async (page) => {
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.getByRole('button', { name: 'Theme: auto' }).click();
  const light = await paper();
  assert.notEqual(light, dark);
  await page.reload();
  await page.getByRole('button', { name: 'Theme: light' }).waitFor();
  assert.equal(await paper(), light);
}, { colorScheme: 'dark' }));
