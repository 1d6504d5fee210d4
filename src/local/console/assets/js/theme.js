// Light or dark theme. Follows the system until the user selects one.

const KEY = 'theme';
/** @type {Record<string, string>} */
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };

/** @param {HTMLElement} button @param {string} theme */
function show(button, theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.textContent = `Theme: ${theme}`;
}

/** @param {HTMLElement} button */
export function start(button) {
  let theme = localStorage.getItem(KEY) ?? 'auto';
  if (!(theme in NEXT)) theme = 'auto';
  show(button, theme);
  button.addEventListener('click', () => {
    theme = NEXT[theme];
    localStorage.setItem(KEY, theme);
    show(button, theme);
  });
}
