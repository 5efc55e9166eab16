import { type AnswerFilter, matchesFilter } from './answer-filter.js';
import type { AnswerKey, AnswerStore } from './answer-store.js';

/** Which answers are forgotten: those of which all that is said holds. */
export interface ForgetOptions extends AnswerFilter {
  /** Only refusals and empty answers, so that they are asked for again. */
  readonly useless?: boolean;
  /** Only those that are older, ISO 8601. */
  readonly before?: string;
}

/**
 * Forgets answers.
 * @param dryRun only counts them
 * @returns how many
 */
export async function forgetAnswers(store: AnswerStore, what: ForgetOptions, dryRun = false): Promise<number> {
  let count = 0;
  for (const [key, question] of store.questions()) {
    if (!matchesFilter(what, question)) continue;
    const keys: AnswerKey[] = [];
    for (const { key: of, reply } of store.answers(key)) {
      if (what.useless && !reply.refused && reply.text !== '') continue;
      if (what.before !== undefined && reply.at >= what.before) continue;
      keys.push(of);
    }
    count += keys.length;
    if (!dryRun) await store.remove(keys);
  }
  if (!dryRun) await store.removeUnanswered();
  return count;
}
