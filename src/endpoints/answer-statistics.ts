import type { AnswerStore } from './answer-store.js';

/** A question of a store in figures. */
export interface QuestionStatistics {
  readonly protocol: string;
  readonly model: string;
  readonly prompt: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Images or texts with an answer. */
  readonly subjects: number;
  readonly answers: number;
  readonly refused: number;
  readonly empty: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** When the first and the last was answered, ISO 8601. */
  readonly first: string;
  readonly last: string;
}

/** What a store holds, a question a row. */
export function answerStatistics(store: AnswerStore): QuestionStatistics[] {
  return [...store.questions()].map(([key, question]) => {
    const sum = { subjects: 0, answers: 0, refused: 0, empty: 0, inputTokens: 0, outputTokens: 0, first: '', last: '' };
    let subject: string | undefined;
    for (const { key: of, reply } of store.answers(key)) {
      if (of.subject !== subject) sum.subjects++;
      subject = of.subject;
      sum.answers++;
      if (reply.refused) sum.refused++;
      else if (reply.text === '') sum.empty++;
      sum.inputTokens += reply.tokens?.input ?? 0;
      sum.outputTokens += reply.tokens?.output ?? 0;
      if (sum.first === '' || reply.at < sum.first) sum.first = reply.at;
      if (reply.at > sum.last) sum.last = reply.at;
    }
    return { ...question, ...sum };
  });
}
