import { type Token, tokenize } from '../language/tokenize.js';
import type { Spelling } from './spelling.js';

/**
 * The words of a caption as the learned parser reads them: one run of tokens, with `.` between sentences.
 * @param maxLength how many UTF-16 units are read
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

/** The tokens' words, their spelling repaired. */
export const correctedWords = (tokens: readonly Token[], speller: Spelling): string[] =>
  tokens.map(({ text }) => speller.correct(text));
