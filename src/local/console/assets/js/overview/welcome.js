// Instructions for the first request.

import { h } from '../dom.js';
import { exampleOf, urlFor } from '../pixel/tag.js';
import { setup } from '../setup.js';

/** @returns {OverviewPart} */
export function welcome() {
  const url = urlFor(setup.pixel, setup.attributes.map((attribute) => [attribute.name, exampleOf(attribute)]));
  const line = `curl -o /dev/null "${url}"`;
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
