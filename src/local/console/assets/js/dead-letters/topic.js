// The dead-letter topic: messages that the service never acknowledged.

import { errorBox, fill, h } from '../dom.js';
import { plural } from '../format.js';
import { facts, letter } from './letter.js';

export function letterTopic(signal) {
  const said = h('span', { role: 'status', class: 'soft small grow' });
  const body = h('div', {}, h('p', { class: 'empty' }, 'Reading…'));
  const again = h('button', { type: 'button', on: { click: () => show() } }, 'Refresh');

  async function show() {
    try {
      const answer = await fetch('/console/given-up', { signal });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const messages = await answer.json();
      said.textContent = plural(messages.length, 'message');
      fill(body, messages.length === 0
        ? h('p', { class: 'empty' }, 'None. Here comes what the service has sent back too often.')
        : h('ol', { class: 'letters' }, messages.map(item)));
    } catch (error) {
      if (!signal.aborted) fill(body, errorBox(error));
    }
  }

  show();
  return h('section', { class: 'panel', 'aria-label': 'Dead-letter topic' },
    h('header', {}, h('h2', {}, 'Given up by the subscription'), said, again),
    body,
    h('footer', {}, 'Never acknowledged, and in the dead-letter topic, in memory. A replay takes the message out.'));
}

const item = ({ id, time_ms: time, attributes, data }) => letter({
  time: `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
  tag: 'given up',
  detail: `after ${plural(Number(attributes.CloudPubSubDeadLetterSourceDeliveryCount), 'attempt')}`,
  data,
  once: true,
  about: facts(Object.entries(attributes)),
  replay: () => fetch(`/console/given-up/${encodeURIComponent(id)}/replay`, { method: 'POST' }),
});
