import { computed, signal } from '@preact/signals';
import type { SetInfo } from '../view-api.js';
import { api, type RequestError } from './api.js';

/** The set that is shown; null until the server has answered. */
export const setInfo = signal<SetInfo | null>(null);

/** Why the set cannot be shown; null if it can. */
export const setProblem = signal<RequestError | null>(null);

/** Changes when lists and counts are worth loading again: whenever as many images again are read, and at the end. */
export const readVersion = computed(() => {
  const { done = false, images = 0 } = setInfo.value?.indexing ?? {};
  return done ? 'done' : `${Math.floor(Math.log2(1 + images))}`;
});

/** Milliseconds between two questions while the set is being read. */
const PAUSE = 700;

/** Asks for the set until it is read whole. */
export async function followSet(): Promise<void> {
  try {
    setInfo.value = await api.set();
    setProblem.value = null;
  } catch (error) {
    setProblem.value = error as RequestError;
  }
  const info = setInfo.value;
  const isDone = info?.indexing.done && (info.compare?.indexing.done ?? true);
  if (!isDone || setProblem.value) setTimeout(followSet, PAUSE);
}
