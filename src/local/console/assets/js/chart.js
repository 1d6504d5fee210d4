// Fetches charts as SVG and inserts them into the page, where its style sheet sets their colours.

/**
 * Shows a chart in `element`.
 *
 * @param {HTMLElement} element
 * @param {(width: number) => Promise<Response>} fetchSvg called with the width in CSS pixels
 * @param {string} description the text alternative of the chart
 */
export async function showChart(element, fetchSvg, description) {
  const width = Math.floor(element.clientWidth);
  if (width === 0) return;
  const answer = await fetchSvg(width);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim());
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  if (svg.nodeName !== 'svg') throw new Error('Cannot read the chart: the answer is not SVG.');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', description);
  element.replaceChildren(document.importNode(svg, true));
}

/**
 * Calls `changed` when the width of the element has changed. Returns a function that stops the observation.
 *
 * @param {HTMLElement} element
 * @param {() => void} changed
 */
export function onWidth(element, changed) {
  let width = element.clientWidth;
  const observer = new ResizeObserver(() => {
    if (element.clientWidth !== width) {
      width = element.clientWidth;
      changed();
    }
  });
  observer.observe(element);
  return () => observer.disconnect();
}
