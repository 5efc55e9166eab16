import type { Token } from '../language/tokenize.js';
import { QUOTE } from '../language/word-class.js';
import { wordSet } from '../language/word-set.js';

/** Puts one token in place of words that something says: "a sign that says "no parking" on a wall". */
export function withoutQuotes(caption: string, tokens: readonly Token[]): readonly Token[] {
  if (!quotation.test(caption)) return tokens;
  const kept: Token[] = [];
  let quote: Token | undefined;
  for (const token of tokens) {
    const between = caption.slice(kept.at(-1)?.end ?? token.start, token.start);
    const isInside = quote !== undefined && !quotation.test(between);
    const isStart = quote === undefined && quotation.test(between) && inscriptions.has(kept.at(-1)?.text ?? '');
    if (isInside) kept.pop();
    quote = isInside ? { ...quote!, end: token.end } : isStart ? { ...token, text: QUOTE } : undefined;
    kept.push(quote ?? token);
  }
  return kept;
}

const quotation = /["“”]/;
/** What comes before quoted words that do not belong to a phrase. */
const inscriptions = wordSet(
  'say says saying said read reads reading that words word letters text labeled labelled spells spelling',
);
