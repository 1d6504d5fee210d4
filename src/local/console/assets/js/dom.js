// Creates elements from plain data. Text always becomes a text node, so that text from URLs cannot become markup.

/**
 * The element of the page with this id.
 *
 * @param {string} name
 * @returns {HTMLElement}
 */
export function byId(name) {
  const element = document.getElementById(name);
  if (!element) throw new Error(`The page has no element #${name}.`);
  return element;
}

/**
 * Creates an element. `properties` contains attributes, listeners by event (`on`), and the DOM properties `value`,
 * `checked`, `disabled` and `hidden`. Children are nodes, text or nothing.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(/** @type {Record<string, (event: any) => void>} */ (value))) element.addEventListener(event, listener);
    } else if (['value', 'checked', 'disabled', 'hidden'].includes(name)) {
      Object.assign(element, { [name]: value });
    } else {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...nodes(children));
  return element;
}

/**
 * Replaces the content of an element.
 *
 * @template {Element} E
 * @param {E} element
 * @param {...any} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/**
 * Flattens nested lists of children. Drops the values of `condition && child` without a child.
 *
 * @param {any[]} children
 * @returns {(Node | string)[]}
 */
const nodes = (children) => children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);

let lastId = 0;

/**
 * A unique id.
 *
 * @param {string} prefix
 */
export function id(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/**
 * A control with its label and a hint. Screen readers read the hint with the control.
 *
 * @param {string} label
 * @param {HTMLElement} control
 * @param {string | null} [hint]
 */
export function field(label, control, hint) {
  control.id ||= id('field');
  const hintElement = hint && h('span', { class: 'hint', id: id('hint') }, hint);
  if (hintElement) control.setAttribute('aria-describedby', hintElement.id);
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, hintElement);
}

/**
 * A button that copies text, and shows the result for a moment.
 *
 * @param {() => string} text
 * @param {string} [label]
 */
export function copyButton(text, label = 'Copy') {
  const button = h('button', { type: 'button' }, label);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Copy failed';
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

/**
 * The message of anything that was thrown.
 *
 * @param {unknown} error
 */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Shows an error.
 *
 * @param {unknown} error
 */
export function errorBox(error) {
  return h('p', { class: 'error', role: 'alert' }, messageOf(error));
}
