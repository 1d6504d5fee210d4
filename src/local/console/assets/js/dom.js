// Elements out of plain data. Text always becomes a text node: nothing that a stranger has put into
// a URL can become markup.

/**
 * An element. `properties` holds attributes, `class`, `on` (listeners by event) and, for what is no
 * attribute, the properties `value`, `checked`, `disabled` and `hidden`. Children are nodes, text,
 * or nothing.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (['value', 'checked', 'disabled', 'hidden'].includes(name)) {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...nodes(children));
  return element;
}

/** Takes out what is in an element and puts these in. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Lists of lists of children as one; `condition && child` may leave one out. */
const nodes = (children) => children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false);

let lastId = 0;

/** An id that no other element has. */
export function id(of) {
  lastId += 1;
  return `${of}-${lastId}`;
}

/** A label, a control and a hint below it, told together by a screen reader. */
export function field(label, control, hint) {
  control.id ||= id('field');
  const hintElement = hint && h('span', { class: 'hint', id: id('hint') }, hint);
  if (hintElement) control.setAttribute('aria-describedby', hintElement.id);
  return h('div', { class: 'field' }, h('label', { for: control.id }, label), control, hintElement);
}

/** A button that copies a text, and says so for a moment. */
export function copyButton(text, label = 'Copy') {
  const button = h('button', { type: 'button' }, label);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Not allowed';
    }
    setTimeout(() => { button.textContent = label; }, 1500);
  });
  return button;
}

/** A message that something failed. */
export function errorBox(error) {
  return h('p', { class: 'error', role: 'alert' }, error?.message ?? String(error));
}
