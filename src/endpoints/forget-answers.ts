import { type AnswerFilter, matchesFilter } from './answer-filter.js';
import type { AnswerKey } from './answer-key.js';
import type { AnswerStore } from './answer-store.js';
import { captionsOfReply } from './captions-of-reply.js';

/** The answers to remove: those that match all given fields. */
export interface ForgetOptions extends AnswerFilter {
  /** Selects refusals, empty answers and those with thoughts only, so that they are requested again. */
  readonly useless?: boolean;
  /** Selects answers before this time, ISO 8601. */
  readonly before?: string;
}

/**
 * Removes answers from a store.
 * @param dryRun counts the answers without removing them
 * @returns the number of answers
 *
 * @example
 * ```ts
 * import { defaultStoreFolder, forgetAnswers, openExistingStore } from 'relflow/captions';
 *
 * const store = await openExistingStore(defaultStoreFolder());
 * console.log(await forgetAnswers(store, { model: 'tiny/vlm', useless: true }), 'answers removed');
 * await store.close();
 * ```
 */
export async function forgetAnswers(store: AnswerStore, options: ForgetOptions, dryRun = false): Promise<number> {
  let count = 0;
  for (const [key, question] of store.questions()) {
    if (!matchesFilter(options, question)) continue;
    const keys: AnswerKey[] = [];
    for (const { key: answerKey, reply } of store.answers(key)) {
      if (options.useless && captionsOfReply(reply).texts.length > 0) continue;
      if (options.before !== undefined && reply.at >= options.before) continue;
      keys.push(answerKey);
    }
    count += keys.length;
    if (!dryRun) await store.remove(keys);
  }
  if (!dryRun) await store.removeUnanswered();
  return count;
}
