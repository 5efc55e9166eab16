import { signal } from '@preact/signals';

/** The colors of the page: those that the system asks for, or the choice of the person. */
type Theme = 'system' | 'light' | 'dark';

const KEY = 'relflow-theme';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

/** The chosen theme; it stays in this browser. */
export const theme = signal<Theme>(THEMES.find((name) => name === stored()) ?? 'system');

/** Applies the theme to the page and keeps doing so. */
export function followTheme(): void {
  theme.subscribe((name) => {
    if (name === 'system') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.dataset['theme'] = name;
    try {
      localStorage.setItem(KEY, name);
    } catch {
      // A browser that keeps nothing still shows the theme.
    }
  });
}

/** Takes the next theme. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length]!;
}

function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
