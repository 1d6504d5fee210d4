// A dead letter: its reason, its content and a button to replay it.

import { fill, h, messageOf } from '../dom.js';
import { setup } from '../setup.js';
import { words } from '../overview/outcomes.js';

/**
 * `replay` sends the request. `once` is set if the message can be replayed only once.
 *
 * @param {{ time: string, tag: string, detail: string, data: string, about: Node, replay: () => Promise<Response>, once?: boolean }} options
 */
export function letter({ time, tag, detail, data, about, replay, once = false }) {
  const { text, isText } = decoded(data);
  const answer = h('p', { role: 'status', class: 'small' });
  const button = h('button', { type: 'button', disabled: text === undefined }, 'Replay');
  if (button.disabled) button.title = 'The data is not valid base64 and cannot be published.';
  button.addEventListener('click', async () => {
    button.disabled = true;
    let done = false;
    try {
      const sent = await replay();
      if (!sent.ok) throw new Error((await sent.text()).trim());
      fill(answer, 'Published. Expected outcome: ', outcomeOf(await sent.json()));
      done = once;
    } catch (error) {
      fill(answer, `Not published: ${messageOf(error)}`);
    }
    button.disabled = done;
  });
  return h('li', {},
    h('div', { class: 'letter' },
      h('time', { class: 'soft nowrap' }, time),
      h('span', { class: 'tag', 'data-outcome': 'dead_letter' }, tag),
      h('span', { class: 'break grow' }, detail),
      button),
    answer,
    h('details', {}, h('summary', {}, 'Message'),
      h('div', { class: 'stack' }, about, h('pre', { class: 'block' }, text ?? data), isText === false && h('p', { class: 'soft small' }, 'Some bytes are not valid UTF-8.'))));
}

/** @param {[name: string, value: any][]} pairs */
export const facts = (pairs) => h('dl', { class: 'facts' },
  pairs.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]));

/**
 * The outcome that the decoder expects.
 *
 * @param {Explanation} explanation
 */
function outcomeOf({ outcome, reason, table }) {
  const tag = h('span', { class: 'tag', 'data-outcome': outcome }, words(outcome));
  if (table) return [tag, ' in ', h('a', { href: `#/tables?${new URLSearchParams({ dataset: setup.dataset, table })}` }, table)];
  return [tag, ` (${words(reason ?? '')})`];
}

/** @param {string} base64 @returns {{ text?: string, isText?: boolean }} */
function decoded(base64) {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const text = new TextDecoder().decode(bytes);
    return { text, isText: !text.includes('\u{fffd}') };
  } catch {
    return {};
  }
}
