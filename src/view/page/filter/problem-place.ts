import { escapePattern } from '../escape-pattern.js';

/** What is wrong with an expression, and where. */
interface ExpressionProblem {
  readonly message: string;
  /** The part of the expression that the error is about; null if it is unknown. */
  readonly place: { readonly start: number; readonly end: number } | null;
}

/** Finds the place in an expression that an error is about: the character that it names, or the words that it quotes. */
export function problemPlace(message: string, text: string): ExpressionProblem {
  const ending = ` in '${text}'`;
  const short = (message.endsWith(ending) ? message.slice(0, -ending.length) : message).replace(/^where: /, '');
  const named = /at character (\d+)/.exec(short)?.[1];
  if (named !== undefined) return { message: short, place: { start: Number(named), end: Number(named) + 1 } };
  const word = /(?:field|found|operator) '(.+?)'/.exec(short)?.[1];
  // A name stands alone: `on` is not a part of `confidence`.
  const start = word === undefined ? -1 : text.search(new RegExp(`(?<!\\w)${escapePattern(word)}(?!\\w)`));
  return { message: short, place: start < 0 ? null : { start, end: start + word!.length } };
}
