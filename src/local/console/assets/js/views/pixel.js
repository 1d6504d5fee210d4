// A form that makes the URL of a pixel and its tag, says what would become of it, and fires it.

import { copyButton, field, fill, h } from '../dom.js';
import { timeOfDay } from '../format.js';
import { setup } from '../setup.js';
import { listen } from '../live.js';
import { WORDS, words } from '../overview/outcomes.js';
import { tagFor, urlFor } from '../pixel/tag.js';

export const title = 'Make a pixel';

const EXAMPLES = { user_id: '507f1f77bcf86cd799439011', order_id: '42', type: 'open' };

// How mail services write the place of each recipient's id. They fill it in before they send.
const MERGE_TAGS = [
  ['a value of my own', ''],
  ['Mailchimp', '*|UNIQID|*'],
  ['SendGrid', '{{user_id}}'],
  ['HubSpot', '{{contact.hs_object_id}}'],
  ['Brevo', '{{contact.EXT_ID}}'],
  ['Klaviyo', '{{person.external_id}}'],
  ['Customer.io', '{{customer.id}}'],
];

// What a mail service fills in is not signed.
const UNSIGNED = 'URL_SIGNING_KEY is set, and a signature does not outlive what a mail service fills in: sign each recipient’s URL with `pixel-pipeline sign` instead.';

const signed = (url) => fetch(`/console/sign?${new URLSearchParams({ url })}`).then((found) => (found.ok ? found.text() : undefined), () => undefined);

export function show(main) {
  const base = h('input', { class: 'code', type: 'url', value: setup.pixel, spellcheck: 'false', required: true });
  const inputs = setup.attributes.map(({ name, description, names_table: needed }) => {
    const input = h('input', { class: 'code', name, value: EXAMPLES[name] ?? '', spellcheck: 'false', autocomplete: 'off' });
    return { name, input, element: field(name, input, needed ? 'Names the table: without it, nothing is stored.' : description) };
  });
  const extra = h('input', { class: 'code', placeholder: 'utm_campaign=spring', spellcheck: 'false', autocomplete: 'off' });
  const merge = h('select', {}, MERGE_TAGS.map(([service, tag]) => h('option', { value: tag }, tag ? `${service}: ${tag}` : service)));

  const url = h('pre', { class: 'block', 'aria-label': 'URL' });
  const web = h('pre', { class: 'block', 'aria-label': 'Tag for web pages' });
  const mail = h('pre', { class: 'block', 'aria-label': 'Tag for e-mail' });
  const explained = h('div', { class: 'stack', role: 'status' });
  const fire = h('button', { type: 'button', class: 'main' }, 'Fire');
  const shots = h('ol', { class: 'shots', 'aria-live': 'polite' });
  const canvas = h('div', { class: 'visually-hidden', 'aria-hidden': 'true' });
  let current = '';
  let asked = 0;
  let timer;

  function update() {
    const parameters = [...inputs.map(({ name, input }) => [name, input.value]), ...new URLSearchParams(extra.value)];
    const mine = ++asked;
    clearTimeout(timer);
    const plain = urlFor(base.value, parameters);
    if (setup.signs) {
      signed(plain).then((found) => mine === asked && found && display(found, merge.value ? UNSIGNED : tagFor(found, true)));
    } else {
      // A mail service looks for its tag as it is written: it must not be encoded.
      const merged = parameters.map(([name, value]) => (name === inputs[0]?.name && merge.value ? [name, value, merge.value] : [name, value]));
      display(plain, tagFor(urlFor(base.value, merged), true));
    }
  }

  function display(whole, mailTag) {
    current = whole;
    url.textContent = current;
    web.textContent = tagFor(current);
    mail.textContent = mailTag;
    const local = sameOrigin(current, setup.pixel);
    fire.disabled = !local;
    fire.title = local ? '' : `Only the pixel of this pipeline can be fired from here: ${setup.pixel}`;
    timer = setTimeout(explain, 120);
  }

  async function explain() {
    const mine = ++asked;
    const answer = await fetch(`/console/explain?${new URLSearchParams({ url: current })}`).then((found) => found.json(), () => undefined);
    if (mine !== asked || !answer) return;
    const facts = [['Table', answer.table], ['insertId', answer.insert_id], ['Detail', answer.detail]];
    fill(explained,
      h('p', { class: 'row' }, h('span', { class: 'tag', 'data-outcome': answer.outcome }, WORDS[answer.outcome]),
        h('span', {}, answer.reason ? advice(answer.reason) : 'It becomes this row:')),
      answer.table && h('dl', { class: 'facts' }, facts.filter(([, value]) => value).map(([name, value]) => [h('dt', {}, name), h('dd', { class: 'break' }, value)])),
      answer.row && h('pre', { class: 'block' }, JSON.stringify(answer.row, null, 2)));
  }

  // Fired, and not yet seen to arrive.
  const waiting = new Set();
  fire.addEventListener('click', () => {
    const shot = { url: current, at: Date.now(), fate: h('span', { class: 'soft' }, 'requested') };
    shots.prepend(h('li', {}, h('time', { class: 'soft' }, timeOfDay(shot.at)), shot.fate));
    while (shots.children.length > 5) shots.lastChild.remove();
    waiting.add(shot);
    const image = document.createElement('img');
    image.alt = '';
    image.addEventListener('error', () => fill(shot.fate, 'The pixel did not answer.'));
    image.src = shot.url;
    canvas.replaceChildren(image);
  });
  const stop = listen(({ events }) => {
    for (const shot of waiting) {
      const event = events.find(({ url, time_ms: time }) => url === shot.url && time >= shot.at);
      if (!event) continue;
      waiting.delete(shot);
      shot.fate.classList.remove('soft');
      fill(shot.fate, arrived(event, shot.at));
    }
  });

  const form = h('form', { class: 'stack', on: { input: update, submit: (event) => { event.preventDefault(); if (!fire.disabled) fire.click(); } } },
    field('Pixel', base, 'Where it will be: the load balancer’s address in production, this pipeline’s to try it.'),
    inputs.map(({ element }) => element),
    field('Other parameters', extra, 'They are in the log, but become columns only if VALID_ATTRIBUTES names them.'),
    inputs.length > 0 && field(`In e-mail, ${inputs[0].name} is`, merge, 'The mail service puts each recipient’s own value there.'),
    h('div', { class: 'row' }, fire, h('span', { class: 'soft small' }, 'requests it as an image, here and now')),
    shots, canvas);
  const output = (name, element) => h('section', { class: 'output', 'aria-label': name }, h('div', { class: 'row' }, h('h3', { class: 'grow' }, name), copyButton(() => element.textContent)), element);
  main.append(h('div', { class: 'make' },
    h('section', { class: 'panel', 'aria-label': 'Parameters' }, h('header', {}, h('h2', {}, 'Parameters')), h('div', { class: 'body' }, form)),
    h('div', { class: 'stack' },
      h('section', { class: 'panel', 'aria-label': 'Pixel' }, h('header', {}, h('h2', {}, 'Pixel')),
        h('div', { class: 'body stack' }, output('URL', url), output('Tag for web pages', web), output('Tag for e-mail', mail))),
      h('section', { class: 'panel', 'aria-label': 'What becomes of it' }, h('header', {}, h('h2', {}, 'What becomes of it')), h('div', { class: 'body' }, explained)))));
  update();
  return () => {
    clearTimeout(timer);
    stop();
  };
}

function arrived({ acked, explanation: { outcome, reason, table }, time_ms: time }, at) {
  if (!acked) return [h('span', { class: 'tag', 'data-outcome': 'retry' }, WORDS.retry), ' and will come again'];
  const where = table
    ? [h('a', { href: `#/tables?${new URLSearchParams({ dataset: setup.dataset, table })}` }, table), ` after ${time - at} ms`]
    : [words(reason ?? '')];
  return [h('span', { class: 'tag', 'data-outcome': outcome }, WORDS[outcome]), ' ', ...where];
}

function sameOrigin(a, b) {
  try {
    return new URL(a).origin === new URL(b).origin;
  } catch {
    return false;
  }
}

function advice(reason) {
  const known = {
    missing_attribute: 'It lacks a parameter that names its table (TABLE_SUFFIX): it is counted, and not stored.',
    opted_out: 'Its visitor does not want to be tracked (RESPECT_OPT_OUT): it is counted, and not stored.',
    unsigned: 'It has no signature (URL_SIGNING_KEY): it is counted, and not stored.',
    bad_signature: 'Its signature does not hold (URL_SIGNING_KEY): it is counted, and not stored.',
    path: 'Its path is not that of the pixel (PIXEL_PATH): it is counted, and not stored.',
  };
  return known[reason] ?? words(reason);
}
