// Light or dark: as the system has it, until somebody chooses.

const KEY = 'theme';
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };

function show(button, theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.textContent = { auto: 'Theme: auto', light: 'Theme: light', dark: 'Theme: dark' }[theme];
}

export function start(button) {
  let theme = localStorage.getItem(KEY);
  if (!(theme in NEXT)) theme = 'auto';
  show(button, theme);
  button.addEventListener('click', () => {
    theme = NEXT[theme];
    localStorage.setItem(KEY, theme);
    show(button, theme);
  });
}
