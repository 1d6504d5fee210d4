// Light or dark theme. Follows the system until the user selects one.

const KEY = 'theme';
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };

function show(button, theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.textContent = { auto: 'Theme: auto', light: 'Theme: light', dark: 'Theme: dark' }[theme];
}

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
