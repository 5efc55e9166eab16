import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

/** An action with its keys. */
export interface Shortcut {
  /** Values of `KeyboardEvent.key`; a letter stands for itself without Shift. The first ones are shown. */
  readonly keys: readonly string[];
  /** What it does, as the overview of keys says it. */
  readonly does: string;
  readonly run: () => void;
}

/** The shortcuts of a part of the page. */
export interface ShortcutGroup {
  readonly name: string;
  readonly shortcuts: readonly Shortcut[];
}

/** The groups that are in force; of two with the same key the one added last wins. */
export const groups = signal<readonly { readonly current: ShortcutGroup }[]>([]);

/** Puts shortcuts in force while a component is shown. */
export function useShortcuts(name: string, shortcuts: readonly Shortcut[]): void {
  const group = useRef<ShortcutGroup>({ name, shortcuts });
  group.current = { name, shortcuts };
  useEffect(() => {
    groups.value = [...groups.peek(), group];
    return () => {
      groups.value = groups.peek().filter((other) => other !== group);
    };
  }, []);
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target as HTMLElement;
  if (document.querySelector('dialog[open]') && !target.closest('[data-keys="page"]')) return;
  if (target.closest('input:not([type="range"], [type="checkbox"]), textarea, select')) return;
  // Buttons, links and sliders keep the keys that they need themselves.
  if ((event.key === 'Enter' || event.key === ' ') && target.closest('button, a, summary, [type="checkbox"]')) return;
  if (event.key.startsWith('Arrow') && target.closest('input, [role="slider"]')) return;
  for (const { current } of [...groups.value].reverse()) {
    const found = current.shortcuts.find(({ keys }) => keys.includes(event.key));
    if (!found) continue;
    event.preventDefault();
    found.run();
    return;
  }
});

const NAMES: Readonly<Record<string, string>> = {
  ' ': 'Space',
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  Escape: 'Esc',
  Backspace: '⌫',
};

/** Returns the name of a key for people. */
export const keyName = (key: string): string => NAMES[key] ?? key;
