import type { Reply } from '../records/answer.js';

/** Identifies an answer. */
export interface AnswerKey {
  /** The key of the question, from `questionKey`. */
  readonly question: string;
  /** The SHA-256 of the image file or the text, in hexadecimal. */
  readonly subject: string;
  readonly seed: number;
}

/** A stored reply with the time of the answer, ISO 8601. */
export type CachedReply = Reply & { readonly at: string };

/** The name of an image in a data set, and the SHA-256 of its file. */
export interface NamedSubject {
  readonly dataset: string;
  readonly id: string;
  readonly subject: string;
}
