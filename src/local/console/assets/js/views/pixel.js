// A form that creates the URL and the tag of a pixel, shows the expected outcome, and requests the pixel.

import { copyButton, field, fill, h } from '../dom.js';
import { timeOfDay } from '../format.js';
import { setup } from '../setup.js';
import { listen } from '../live.js';
import { hints, words } from '../overview/outcomes.js';
import { exampleOf, tagFor, urlFor } from '../pixel/tag.js';

export const title = 'Create a pixel';

// Merge tags of mail services, which replace them by the id of each recipient.
const MERGE_TAGS = [
  ['the value above', ''],
  ['Mailchimp', '*|UNIQID|*'],
  ['SendGrid', '{{user_id}}'],
  ['HubSpot', '{{contact.hs_object_id}}'],
  ['Brevo', '{{contact.EXT_ID}}'],
  ['Klaviyo', '{{person.external_id}}'],
  ['Customer.io', '{{customer.id}}'],
];

const NO_MERGE_TAG = 'URL_SIGNING_KEY is set. A merge tag changes the URL, which makes its signature invalid. Sign the URL of each recipient with `pixel-pipeline sign`.';

/** @param {string} url @returns {Promise<string | undefined>} */
const signed = (url) => fetch(`/console/sign?${new URLSearchParams({ url })}`).then((found) => (found.ok ? found.text() : undefined), () => undefined);

/** @param {HTMLElement} main */
export function show(main) {
  const base = h('input', { class: 'code', type: 'url', value: setup.pixel, spellcheck: 'false', required: true });
  const inputs = setup.attributes.map((attribute) => {
    const { name, description, in_table_suffix: needed } = attribute;
    const input = h('input', { class: 'code', name, value: exampleOf(attribute), spellcheck: 'false', autocomplete: 'off' });
    return { name, input, element: field(name, input, needed ? 'Required by TABLE_SUFFIX. Without it, the event is not stored.' : description) };
  });
  const extra = h('input', { class: 'code', placeholder: 'utm_campaign=spring', spellcheck: 'false', autocomplete: 'off' });
  const merge = h('select', {}, MERGE_TAGS.map(([service, tag]) => h('option', { value: tag }, tag ? `${service}: ${tag}` : service)));

  const url = h('pre', { class: 'block', 'aria-label': 'URL' });
  const web = h('pre', { class: 'block', 'aria-label': 'Tag for web pages' });
  const mail = h('pre', { class: 'block', 'aria-label': 'Tag for e-mail' });
  const explained = h('div', { class: 'stack', role: 'status' });
  const send = h('button', { type: 'button', class: 'main' }, 'Send request');
  const requests = h('ol', { class: 'requests', 'aria-live': 'polite' });
  const canvas = h('div', { class: 'visually-hidden', 'aria-hidden': 'true' });
  let current = '';
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function update() {
    /** @type {[name: string, value: string][]} */
    const parameters = [...inputs.map(/** @returns {[name: string, value: string]} */ ({ name, input }) => [name, input.value]), ...new URLSearchParams(extra.value)];
    const mine = ++asked;
    clearTimeout(timer);
    const plain = urlFor(base.value, parameters);
    if (setup.url_signing) {
      signed(plain).then((found) => mine === asked && found && display(found, merge.value ? NO_MERGE_TAG : tagFor(found, true)));
    } else {
      // Mail services do not recognise an encoded merge tag.
      /** @type {[name: string, value: string, mergeTag?: string][]} */
      const merged = parameters.map(/** @returns {[name: string, value: string, mergeTag?: string]} */ ([name, value]) => (name === inputs[0]?.name && merge.value ? [name, value, merge.value] : [name, value]));
      display(plain, tagFor(urlFor(base.value, merged), true));
    }
  }

  /** @param {string} whole @param {string} mailTag */
  function display(whole, mailTag) {
    current = whole;
    url.textContent = current;
    web.textContent = tagFor(current);
    mail.textContent = mailTag;
    const local = sameOrigin(current, setup.pixel);
    send.disabled = !local;
    send.title = local ? '' : `Only the pixel of this pipeline can be requested: ${setup.pixel}`;
    timer = setTimeout(explain, 120);
  }

  async function explain() {
    const mine = ++asked;
    /** @type {Explanation | undefined} */
    const answer = await fetch(`/console/explain?${new URLSearchParams({ url: current })}`).then((found) => found.json(), () => undefined);
    if (mine !== asked || !answer) return;
    const facts = [['Table', answer.table], ['insertId', answer.insert_id], ['Detail', answer.detail]];
    fill(explained,
      h('p', { class: 'row' }, h('span', { class: 'tag', 'data-outcome': answer.outcome }, words(answer.outcome)),
        h('span', {}, answer.reason ? explanationOf(answer.reason) : 'Stored as this row:')),
      answer.table && h('dl', { class: 'facts' }, facts.filter(([, value]) => value).map(([name, value]) => [h('dt', {}, name), h('dd', { class: 'break' }, value)])),
      hints(answer).map((hint) => h('p', { class: 'soft' }, hint)),
      answer.row && h('pre', { class: 'block' }, JSON.stringify(answer.row, null, 2)));
  }

  // Requests whose event has not arrived yet.
  /** @type {Set<{ url: string, at: number, result: HTMLElement }>} */
  const waiting = new Set();
  send.addEventListener('click', () => {
    const sent = { url: current, at: Date.now(), result: h('span', { class: 'soft' }, 'requested') };
    requests.prepend(h('li', {}, h('time', { class: 'soft' }, timeOfDay(sent.at)), sent.result));
    while (requests.children.length > 5) requests.lastChild?.remove();
    waiting.add(sent);
    const image = document.createElement('img');
    image.alt = '';
    image.addEventListener('error', () => fill(sent.result, 'The request failed.'));
    image.src = sent.url;
    canvas.replaceChildren(image);
  });
  const stop = listen(({ events }) => {
    for (const sent of waiting) {
      const event = events.find(({ url, time_ms: time }) => url === sent.url && time >= sent.at);
      if (!event) continue;
      waiting.delete(sent);
      sent.result.classList.remove('soft');
      fill(sent.result, arrived(event, sent.at));
    }
  });

  const form = h('form', { class: 'stack', on: { input: update, submit: (/** @type {Event} */ event) => { event.preventDefault(); if (!send.disabled) send.click(); } } },
    field('Pixel URL', base, setup.cloud_run ? 'In production, the URL of the pixel service.' : 'In production, the address of the load balancer.'),
    inputs.map(({ element }) => element),
    field('Other parameters', extra, 'Logged, but stored in a column only if VALID_ATTRIBUTES contains them.'),
    inputs.length > 0 && field(`${inputs[0].name} in e-mail`, merge, 'The mail service inserts the value of each recipient.'),
    h('div', { class: 'row' }, send, h('span', { class: 'soft small' }, 'Loads the pixel in this browser.')),
    requests, canvas);
  /** @param {string} name @param {HTMLElement} element */
  const output = (name, element) => h('section', { class: 'output', 'aria-label': name }, h('div', { class: 'row' }, h('h3', { class: 'grow' }, name), copyButton(() => element.textContent ?? '')), element);
  main.append(h('div', { class: 'pixel-form' },
    h('section', { class: 'panel', 'aria-label': 'Parameters' }, h('header', {}, h('h2', {}, 'Parameters')), h('div', { class: 'body' }, form)),
    h('div', { class: 'stack' },
      h('section', { class: 'panel', 'aria-label': 'Pixel' }, h('header', {}, h('h2', {}, 'Pixel')),
        h('div', { class: 'body stack' }, output('URL', url), output('Tag for web pages', web), output('Tag for e-mail', mail))),
      h('section', { class: 'panel', 'aria-label': 'Expected outcome' }, h('header', {}, h('h2', {}, 'Expected outcome')), h('div', { class: 'body' }, explained)))));
  update();
  return () => {
    clearTimeout(timer);
    stop();
  };
}

/** @param {DeliveryEvent} event @param {number} at */
function arrived({ acked, explanation: { outcome, reason, table }, time_ms: time }, at) {
  if (!acked) return [h('span', { class: 'tag', 'data-outcome': 'retry' }, 'retry'), ' The message will be delivered again.'];
  const where = table
    ? [h('a', { href: `#/tables?${new URLSearchParams({ dataset: setup.dataset, table })}` }, table), ` after ${time - at} ms`]
    : [words(reason ?? '')];
  return [h('span', { class: 'tag', 'data-outcome': outcome }, words(outcome)), ' ', ...where];
}

/** @param {string} a @param {string} b */
function sameOrigin(a, b) {
  try {
    return new URL(a).origin === new URL(b).origin;
  } catch {
    return false;
  }
}

/** @param {string} reason */
function explanationOf(reason) {
  /** @type {Record<string, string>} */
  const known = {
    missing_attribute: 'A parameter that TABLE_SUFFIX requires is missing. The request is counted and not stored.',
    opted_out: 'The visitor has opted out of tracking (RESPECT_OPT_OUT). The request is counted and not stored.',
    unsigned: 'The URL has no signature (URL_SIGNING_KEY). The request is counted and not stored.',
    bad_signature: 'The signature is invalid (URL_SIGNING_KEY). The request is counted and not stored.',
    path: 'The path is not in PIXEL_PATH. The request is counted and not stored.',
    method: 'The method is not in PIXEL_METHODS. The request is counted and not stored.',
    status: 'The status is not in STATUS. The request is counted and not stored.',
  };
  return known[reason] ?? words(reason);
}
