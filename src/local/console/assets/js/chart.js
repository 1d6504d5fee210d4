// Charts that the server draws: fetched as SVG, put into the page so that they take its colours.

/** A chart fills `element`; `fetchSvg` is given the width in pixels. The description is for those who do not see it. */
export async function showChart(element, fetchSvg, description) {
  const width = Math.floor(element.clientWidth);
  if (width === 0) return;
  const answer = await fetchSvg(width);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.trim());
  const svg = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  if (svg.nodeName !== 'svg') throw new Error('The chart could not be read.');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', description);
  element.replaceChildren(document.importNode(svg, true));
}

/** Calls back when the element's width has changed. Returns what ends it. */
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
