import type { Reply, TokenLogprob } from '../../records/answer.js';

/** The tokens of a part of an answer. */
export interface AnswerPart {
  /** The probability of all of its tokens together. */
  readonly probability: number;
  readonly tokens: readonly TokenLogprob[];
}

/** Returns the tokens of each match of a pattern in an answer; undefined if the server gave no log probabilities of it. */
export function answerProbabilities({ text, logprobs }: Reply, pattern: RegExp): AnswerPart[] | undefined {
  if (!logprobs) return undefined;
  // Thoughts and blanks before the answer were cut from its text.
  const start = logprobs
    .map(({ token }) => token)
    .join('')
    .lastIndexOf(text);
  if (start < 0) return undefined;
  return [...text.matchAll(pattern)].map((match) => {
    const [from, to] = [start + match.index, start + match.index + match[0].length];
    const tokens: TokenLogprob[] = [];
    let at = 0;
    for (const one of logprobs) {
      const end = at + one.token.length;
      if (end > from && at < to) tokens.push(one);
      at = end;
    }
    return { tokens, probability: Math.exp(tokens.reduce((sum, { logprob }) => sum + logprob, 0)) };
  });
}
