// Messages in the dead-letter table and in the dead-letter topic, with their replay.

import { h } from '../dom.js';
import { letterTable } from '../dead-letters/table.js';
import { letterTopic } from '../dead-letters/topic.js';

export const title = 'Dead letters';

/** @param {HTMLElement} main */
export function show(main) {
  const controller = new AbortController();
  main.append(letterTable(controller.signal), letterTopic(controller.signal),
    h('p', { class: 'soft small' }, 'A replay publishes the message to the topic again. The ', h('a', { href: '#/' }, 'overview'), ' shows its delivery.'));
  return () => controller.abort();
}
