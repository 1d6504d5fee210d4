// What did not become a row: the dead-letter table and the dead-letter topic, and a way to try again.

import { h } from '../dom.js';
import { letterTable } from '../dead-letters/table.js';
import { letterTopic } from '../dead-letters/topic.js';

export const title = 'Dead letters';

export function show(main) {
  const ending = new AbortController();
  main.append(letterTable(ending.signal), letterTopic(ending.signal),
    h('p', { class: 'soft small' }, 'A replay publishes the message to the topic again. What the service does with it then shows on the ', h('a', { href: '#/' }, 'overview'), '.'));
  return () => ending.abort();
}
