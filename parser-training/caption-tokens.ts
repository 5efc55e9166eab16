import { type Token, tokenize } from '../src/parser/language/tokenize.js';
import type { Spelling } from '../src/parser/neural/spelling.js';

/**
 * Splits a caption into the tokens that the network is trained on: all sentences in a row, with `.` between them.
 * @param maxLength most UTF-16 units that are read
 */
export function captionTokens(caption: string, maxLength: number): Token[] {
  const tokens: Token[] = [];
  for (const sentence of tokenize(caption, maxLength)) {
    const last = tokens.at(-1);
    if (last) tokens.push({ text: '.', start: last.end, end: last.end });
    for (const token of sentence) tokens.push(token);
  }
  return tokens;
}

/** Returns the tokens' words with corrected spelling. */
export const correctedTokenWords = (tokens: readonly Token[], spelling: Spelling): string[] =>
  tokens.map(({ text }) => spelling.correct(text));
