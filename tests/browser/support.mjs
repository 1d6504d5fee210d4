// Starts `pixel-pipeline local` and a browser.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const BINARY = process.env.PIXEL_TEST_BINARY ?? fileURLToPath(new URL('../../target/debug/pixel-pipeline', import.meta.url));
const CHROMIUM = process.env.PIXEL_TEST_CHROMIUM ?? '/usr/bin/chromium';
// Without these flags, Debian's build sends requests to Google, for example for updates.
const QUIET = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Starts `local` on free ports with a new data directory. */
/** @param {...string} flags */
export async function startLocal(...flags) {
  const directory = await mkdtemp(join(tmpdir(), 'pixel-console-'));
  const child = spawn(BINARY, ['local', '--pixel-port', '0', '--bigquery-port', '0', '--data-dir', directory, ...flags], {
    env: { PATH: process.env.PATH, PORT: '0', RUST_LOG: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  /** @type {Record<string, string>} */
  const urls = {};
  const lines = createInterface(child.stdout);
  for await (const line of lines) {
    const found = /^(console|pixel|push|BigQuery) +(http\S+)$/.exec(line);
    if (found) urls[found[1]] = found[2];
    if (line.includes('Ctrl-C')) break;
  }
  assert.ok(urls.console, 'it prints the URL of the console');
  child.stdout.resume();
  return {
    console: urls.console,
    pixel: urls.pixel,
    bigquery: urls.BigQuery,
    /** @param {string} query */
    fire: (query) => fetch(`${urls.pixel}?${query}`).then((answer) => answer.arrayBuffer()),
    /** Sends a push request. @param {string} data */
    push: (data) => fetch(urls.push, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ subscription: 's', message: { messageId: String(Math.random()), data: Buffer.from(data).toString('base64') } }),
    }),
    async end() {
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export const startBrowser = () => chromium.launch({ executablePath: CHROMIUM, args: QUIET });

/**
 * Opens a page of the console. `end` fails if the page logged an error or sent a request to another origin.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {{ console: string, pixel: string }} local
 * @param {string} view
 * @param {{ width?: number, height?: number } & import('playwright-core').BrowserContextOptions} options
 */
export async function open(browser, local, view, { width = 1280, height = 860, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: 'en-GB', timezoneId: 'UTC', ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  /** @type {string[]} */
  const faults = [];
  const origins = [local.console, local.pixel].map((url) => new URL(url).origin);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack}`));
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith('blob:') && !url.startsWith('data:') && !origins.includes(new URL(url).origin)) faults.push(`request: ${url}`);
  });
  await page.goto(`${local.console}#/${view}`);
  await page.locator('h1').waitFor();
  return {
    page,
    /** The browser logs each error answer. `expected` lists those that the test provokes. */
    async end(/** @type {RegExp[]} */ expected = []) {
      await context.close();
      assert.deepEqual(faults.filter((fault) => !expected.some((pattern) => pattern.test(fault))), []);
    },
  };
}
