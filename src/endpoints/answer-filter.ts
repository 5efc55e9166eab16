import type { Question } from '../records/answer.js';

/** A filter for the answers in a store; omitted fields match everything. */
export interface AnswerFilter {
  /** Selects the answers of this model. */
  readonly model?: string;
  /** Selects the answers of this protocol: hf-chat, hf-blip, transformers-js, factual-t5, vlm-tagger, vlm-proposer. */
  readonly protocol?: string;
}

/** Returns whether a question matches the filter. */
export const matchesFilter = ({ model, protocol }: AnswerFilter, question: Question) =>
  (model === undefined || question.model === model) && (protocol === undefined || question.protocol === protocol);
