// The dead-letter topic: messages that the service never acknowledged.

import { errorBox, fill, h } from '../dom.js';
import { plural } from '../format.js';
import { request } from '../server.js';
import { facts, letter } from './letter.js';

/** @param {AbortSignal} signal */
export function letterTopic(signal) {
  const status = h('span', { role: 'status', class: 'soft small grow' });
  const body = h('div', {}, h('p', { class: 'empty' }, 'Loading…'));
  const refresh = h('button', { type: 'button', on: { click: () => show() } }, 'Refresh');

  async function show() {
    try {
      const answer = await request('/console/dead-letter-topic', { signal });
      if (!answer.ok) throw new Error((await answer.text()).trim());
      const messages = await answer.json();
      status.textContent = plural(messages.length, 'message');
      fill(body, messages.length === 0
        ? h('p', { class: 'empty' }, 'No messages. A message is moved here after too many failed delivery attempts.')
        : h('ol', { class: 'letters' }, messages.map(item)));
    } catch (error) {
      if (!signal.aborted) fill(body, errorBox(error));
    }
  }

  show();
  return h('section', { class: 'panel', 'aria-label': 'Dead-letter topic' },
    h('header', {}, h('h2', {}, 'Dead-letter topic'), status, refresh),
    body,
    h('footer', {}, 'Messages that the service never acknowledged. They are kept in memory. A replay removes the message from the topic.'));
}

/** @param {TopicMessage} message */
const item = ({ id, time_ms: time, attributes, data }) => letter({
  time: `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
  tag: 'undelivered',
  detail: plural(Number(attributes.CloudPubSubDeadLetterSourceDeliveryCount), 'delivery attempt'),
  data,
  once: true,
  about: facts(Object.entries(attributes)),
  replay: () => request(`/console/dead-letter-topic/${encodeURIComponent(id)}/replay`, { method: 'POST' }),
});
