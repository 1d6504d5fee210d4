// Instructions for the first request.

import { h } from '../dom.js';
import { setup } from '../setup.js';

/** @returns {OverviewPart} */
export function welcome() {
  const line = `curl -o /dev/null "${setup.pixel}?user_id=507f1f77bcf86cd799439011&order_id=42&type=click"`;
  const element = h('div', { class: 'note stack', hidden: true },
    h('p', {}, 'No requests yet. ', h('a', { href: '#/pixel' }, 'Create a pixel'), ', or run:'),
    h('pre', { class: 'block' }, line));
  return {
    element,
    update({ counts }) {
      element.hidden = counts.requests + counts.published > 0;
    },
  };
}
