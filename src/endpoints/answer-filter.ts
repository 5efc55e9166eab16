import type { Question } from '../records/answer.js';

/** Which answers are meant. */
export interface AnswerFilter {
  /** Only of this model. */
  readonly model?: string;
  /** Only of this protocol: hf-chat, hf-blip, transformers-js, factual-t5. */
  readonly protocol?: string;
}

/** Whether the filter means a question. */
export const matchesFilter = ({ model, protocol }: AnswerFilter, question: Question) =>
  (model === undefined || question.model === model) && (protocol === undefined || question.protocol === protocol);
