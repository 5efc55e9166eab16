import { computed, signal } from '@preact/signals';
import type { EditAction, NewEdit } from '../review-api.js';
import type { ImageKey, ImageRelation, RelationRef } from '../view-api.js';
import { api, type RequestError } from './api.js';

/** Edits that the server has not confirmed yet, in order. */
const waiting = signal<readonly NewEdit[]>([]);

/** Why the last attempt failed; null if there is no problem. */
export const saveProblem = signal<RequestError | null>(null);

/** Edits that the server refused for good, for people. */
export const refusedEdit = signal<string | null>(null);

/** Number of edits that are not saved yet. */
export const unsaved = computed(() => waiting.value.length);

/** The relations of images after the edits of this page, as the server answered. */
const savedRelations = signal<ReadonlyMap<ImageKey, readonly ImageRelation[]>>(new Map());

/** Counts replies to edits, for what has to be loaded again after one. */
export const savedCount = signal(0);

/** Number of edits of this page that the server has saved. */
export let savedEdits = 0;

/** This page's edits that can be taken back, those made at once together, the last ones at the end. */
const done = signal<readonly (readonly NewEdit[])[]>([]);

/** The last edits that can be taken back; null if there are none. */
export const lastEdits = computed(() => done.value.at(-1) ?? null);

let isSending = false;
let attempts = 0;
/** Edits a request: one where the server refused several, to find out which of them it means. */
let batchSize = 100;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Returns whether an edit of this relation is on its way. */
export const isWaiting = (image: ImageKey, relation: RelationRef): boolean =>
  waiting.value.some((edit) => edit.image === image && isSameRelation(edit.relation, relation));

/** Returns whether two references name the same relation of an image. */
const isSameRelation = (a: RelationRef, b: RelationRef): boolean =>
  a.subject === b.subject && a.object === b.object && a.predicate === b.predicate;

/** Returns an image's relations: those of the last reply to an edit of it, or those that were loaded. */
export const relationsNow = (image: ImageKey, loaded: readonly ImageRelation[]): readonly ImageRelation[] =>
  savedRelations.value.get(image) ?? loaded;

/**
 * Loads an image again, and forgets the reply to an earlier edit of it, which is older. A reply that came while the image was being
 * loaded may be newer and is kept.
 */
export async function reloaded<T>(image: ImageKey, load: () => Promise<T>): Promise<T> {
  const reply = savedRelations.peek().get(image);
  const value = await load();
  const isWaitedFor = waiting.peek().some((edit) => edit.image === image);
  if (reply && savedRelations.peek().get(image) === reply && !isWaitedFor) {
    const kept = new Map(savedRelations.peek());
    kept.delete(image);
    savedRelations.value = kept;
  }
  return value;
}

/** Sends an edit. It counts as saved only when the server has answered. */
export function edit(image: ImageKey, relation: RelationRef, what: EditAction): NewEdit {
  return editAll([{ image, relation }], what)[0]!;
}

/** Sends the same edit of some relations, which are taken back together. */
export function editAll(
  relations: readonly { readonly image: ImageKey; readonly relation: RelationRef }[],
  what: EditAction,
): readonly NewEdit[] {
  const made = relations.map(({ image, relation: { subject, predicate, object } }): NewEdit => {
    return { id: crypto.randomUUID(), image, relation: { subject, predicate, object }, what };
  });
  done.value = [...done.peek(), made];
  sendAll(made);
  return made;
}

/** Takes this page's last edits back; returns those that were taken back, null if there are none. */
export function undo(): readonly NewEdit[] | null {
  const last = lastEdits.peek();
  if (!last) return null;
  done.value = done.peek().slice(0, -1);
  sendAll(
    last.map(({ id, image, relation }) => {
      return { id: crypto.randomUUID(), image, relation, what: { action: 'undo', edit: id } };
    }),
  );
  return last;
}

function sendAll(edits: readonly NewEdit[]): void {
  waiting.value = [...waiting.peek(), ...edits];
  refusedEdit.value = null;
  void send();
}

/** Sends what is waiting at once. */
export function retryNow(): void {
  clearTimeout(timer);
  void send();
}

async function send(): Promise<void> {
  if (isSending || waiting.peek().length === 0) return;
  isSending = true;
  const batch = waiting.peek().slice(0, batchSize);
  try {
    const { images } = await api.edit({ edits: batch });
    settle(batch);
    const merged = new Map(savedRelations.peek());
    for (const { key, relations } of images) merged.set(key, relations);
    savedRelations.value = merged;
    savedEdits += batch.length;
    savedCount.value++;
    attempts = 0;
    batchSize = 100;
    saveProblem.value = null;
  } catch (error) {
    failed(batch, error as RequestError);
  }
  isSending = false;
  if (!saveProblem.peek()) void send();
}

function settle(batch: readonly NewEdit[]): void {
  const ids = new Set(batch.map(({ id }) => id));
  waiting.value = waiting.peek().filter(({ id }) => !ids.has(id));
}

function failed(batch: readonly NewEdit[], error: RequestError): void {
  if (error.isPassing) {
    saveProblem.value = error;
    const pause = Math.min(30_000, 1000 * 2 ** attempts++);
    clearTimeout(timer);
    timer = setTimeout(() => void send(), pause);
    return;
  }
  saveProblem.value = null;
  batchSize = 1;
  if (batch.length > 1) return;
  // The server will never take it: the edit is given up and said so, and those after it are sent.
  settle(batch);
  const ids = new Set(batch.map(({ id }) => id));
  done.value = done
    .peek()
    .map((edits) => edits.filter(({ id }) => !ids.has(id)))
    .filter((edits) => edits.length > 0);
  refusedEdit.value = `${batch[0]?.relation.predicate}: ${error.message}`;
}

addEventListener('beforeunload', (event) => {
  if (unsaved.peek() > 0) event.preventDefault();
});
