import { type AnswerFilter, matchesFilter } from './answer-filter.js';
import type { AnswerStore } from './answer-store.js';

/**
 * Yields the answers as JSON lines (`schemas/answer.schema.json`), each ending with a line break. Stores with the same
 * content yield the same lines.
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs';
 * import { Readable } from 'node:stream';
 * import { pipeline } from 'node:stream/promises';
 * import { answerLines, defaultStoreFolder, openExistingStore } from 'relflow/captions';
 *
 * const store = await openExistingStore(defaultStoreFolder());
 * await pipeline(Readable.from(answerLines(store, { protocol: 'hf-chat' })), createWriteStream('answers.jsonl'));
 * await store.close();
 * ```
 */
export function* answerLines(store: AnswerStore, filter: AnswerFilter = {}): Generator<string, void> {
  for (const answer of store.lines()) if (matchesFilter(filter, answer.question)) yield `${JSON.stringify(answer)}\n`;
}
