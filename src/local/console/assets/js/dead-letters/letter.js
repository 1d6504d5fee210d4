// One dead letter: why, what it holds, and a button to send it on its way again.

import { fill, h } from '../dom.js';
import { setup } from '../setup.js';
import { WORDS, words } from '../overview/outcomes.js';

/** `replay` asks the server; `once` says that there is nothing to replay afterwards. */
export function letter({ time, tag, detail, data, about, replay, once }) {
  const { text, isText } = decoded(data);
  const answer = h('p', { role: 'status', class: 'small' });
  const button = h('button', { type: 'button', disabled: text === undefined }, 'Replay');
  if (button.disabled) button.title = 'The data is not base64: there is nothing that can be published.';
  button.addEventListener('click', async () => {
    button.disabled = true;
    let done = false;
    try {
      const sent = await replay();
      if (!sent.ok) throw new Error((await sent.text()).trim());
      fill(answer, 'Published again: ', verdict(await sent.json()));
      done = once;
    } catch (error) {
      fill(answer, `Not published: ${error.message}.`);
    }
    button.disabled = done === true;
  });
  return h('li', {},
    h('div', { class: 'letter' },
      h('time', { class: 'soft nowrap' }, time),
      h('span', { class: 'tag', 'data-outcome': 'dead_letter' }, tag),
      h('span', { class: 'break grow' }, detail),
      button),
    answer,
    h('details', {}, h('summary', {}, 'Message'),
      h('div', { class: 'stack' }, about, h('pre', { class: 'block' }, text ?? data), isText === false && h('p', { class: 'soft small' }, 'Not all of it is text.'))));
}

export const facts = (pairs) => h('dl', { class: 'facts' },
  pairs.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))]));

/** What the decoder makes of it now. */
function verdict({ outcome, reason, table }) {
  const tag = h('span', { class: 'tag', 'data-outcome': outcome }, WORDS[outcome]);
  if (table) return ['to be ', tag, ' in ', h('a', { href: `#/tables?${new URLSearchParams({ dataset: setup.dataset, table })}` }, table)];
  return [tag, ` (${words(reason)}): what was wrong is still so`];
}

function decoded(base64) {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const text = new TextDecoder().decode(bytes);
    return { text, isText: !text.includes('\u{fffd}') };
  } catch {
    return {};
  }
}
