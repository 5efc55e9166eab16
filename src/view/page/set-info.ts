import { computed, signal } from '@preact/signals';
import type { SetInfo } from '../view-api.js';
import { api, type RequestError } from './api.js';
import { savedEdits, unsaved } from './edits.js';

/** The set that is shown; null until the server has answered. */
export const setInfo = signal<SetInfo | null>(null);

/** Why the set cannot be shown; null if it can. */
export const setProblem = signal<RequestError | null>(null);

/**
 * Number of edits that other people, or other pages, have made; it changes when reviews are worth loading again. The page asks the
 * server for it every few seconds.
 */
export const othersEdits = signal(0);

/** Changes when lists and counts are worth loading again: whenever as many images again are read, at the end, and after edits of others. */
export const readVersion = computed(() => {
  const { done = false, images = 0 } = setInfo.value?.indexing ?? {};
  return `${done ? 'done' : Math.floor(Math.log2(1 + images))} ${othersEdits.value}`;
});

/** Milliseconds between two questions while the set is being read. */
const PAUSE = 700;
/** Milliseconds between two questions about edits of others, while the page can be seen. */
const LONG_PAUSE = 3000;

/** Asks for the set: often until it is read whole, then now and then for the edits of others. */
export async function followSet(): Promise<void> {
  const mine = savedEdits;
  let pause = PAUSE;
  try {
    const info = await api.set();
    // While edits of this page are on their way one cannot tell whether the server counted them.
    if (savedEdits === mine && unsaved.peek() === 0) othersEdits.value = info.reviews.edits - mine;
    setInfo.value = info;
    setProblem.value = null;
    if (info.indexing.done && (info.compare?.indexing.done ?? true)) pause = LONG_PAUSE;
  } catch (error) {
    setProblem.value = error as RequestError;
    if (setInfo.peek()?.indexing.done) pause = LONG_PAUSE;
  }
  setTimeout(() => {
    if (document.visibilityState === 'visible') void followSet();
    else document.addEventListener('visibilitychange', () => void followSet(), { once: true });
  }, pause);
}
