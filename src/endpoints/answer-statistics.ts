import type { AnswerStore } from './answer-store.js';
import { captionsOfReply } from './captions-of-reply.js';

/** Statistics of the answers to one question. */
export interface QuestionStatistics {
  readonly protocol: string;
  readonly model: string;
  readonly prompt: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The number of images or texts with an answer. */
  readonly subjects: number;
  readonly answers: number;
  /** The number of answers that are refusals. */
  readonly refused: number;
  /** The number of empty answers. */
  readonly empty: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The time of the first answer, ISO 8601. */
  readonly first: string;
  /** The time of the last answer, ISO 8601. */
  readonly last: string;
}

/**
 * Returns statistics of the answers in a store, one entry per question.
 *
 * @example
 * ```ts
 * import { answerStatistics, openExistingStore, defaultStoreFolder } from 'relflow/captions';
 *
 * const store = await openExistingStore(defaultStoreFolder());
 * for (const { model, answers, refused } of answerStatistics(store)) console.log(model, answers, refused);
 * await store.close();
 * ```
 */
export function answerStatistics(store: AnswerStore): QuestionStatistics[] {
  return [...store.questions()].map(([key, question]) => {
    const sum = { subjects: 0, answers: 0, refused: 0, empty: 0, inputTokens: 0, outputTokens: 0, first: '', last: '' };
    let subject: string | undefined;
    for (const { key: answerKey, reply } of store.answers(key)) {
      if (answerKey.subject !== subject) sum.subjects++;
      subject = answerKey.subject;
      sum.answers++;
      if (reply.refused) sum.refused++;
      else if (captionsOfReply(reply).texts.length === 0) sum.empty++;
      sum.inputTokens += reply.tokens?.input ?? 0;
      sum.outputTokens += reply.tokens?.output ?? 0;
      if (sum.first === '' || reply.at < sum.first) sum.first = reply.at;
      if (reply.at > sum.last) sum.last = reply.at;
    }
    return { ...question, ...sum };
  });
}
