import { judgedCaptions } from '../src/evaluation/parser/judged-captions.js';
import { type Evidence, evidenceFeatures, evidenceValues } from '../src/parser/neural/evidence-features.js';
import type { ParserKernels } from '../src/parser/neural/kernels/parser-kernels.js';
import { parserOf } from '../src/parser/neural/neural-parser.js';
import type { ParserModel } from '../src/parser/neural/parser-model.js';
import type { ConfidenceWeights } from '../src/parser/neural/relation-confidence.js';
import { type FactualRelation, toFactual } from '../src/records/factual-graph.js';
import { fitLogistic, type LogisticExample, probabilityOf } from './fit-logistic.js';
import { compareWithMarks, markedCaptions } from './marked-captions.js';

/** Factor of half the sum of squared weights. */
const PENALTY = 3;
const FOLDS = 10;
/** Bounds of the rows of the reliability table. */
const BOUNDS = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01];

/** A range of confidences: the mean of its confidences, and the share of its relations that a person found right. */
export interface ReliabilityRow {
  readonly from: number;
  readonly relations: number;
  readonly confidence: number;
  readonly right: number;
}

/** Fitted weights, with the reliability of relations of captions that did not take part in the fit. */
export interface FittedConfidence {
  readonly weights: ConfidenceWeights;
  readonly relations: number;
  readonly unjudged: number;
  readonly reliability: readonly ReliabilityRow[];
}

/**
 * Fits the confidence of relations to judgments and marks by hand: `judged-captions.csv` and `development-captions.csv`, sentences and
 * paragraphs in the styles of COCO, BLIP, LLaVA and Qwen-VL, written for this purpose. The reliability is measured by cross-validation over captions.
 */
export async function fitConfidence(model: ParserModel, kernels: ParserKernels): Promise<FittedConfidence> {
  const evidence: Evidence[] = [];
  const parser = parserOf(model, kernels, (found) => evidence.push(found));
  const file = new URL('judged-captions.csv', import.meta.url).pathname;
  const captions = await judgedCaptions(file, ({ line, problem }) => {
    throw new Error(`${file}, line ${line}: ${problem}`);
  });
  const examples: (LogisticExample & { readonly fold: number })[] = [];
  let unjudged = 0;
  for (const [index, { caption, triplets }] of captions.entries()) {
    const { entities, relations } = await parser.parse(caption);
    const judgments = new Map(triplets.map(({ relation, judgment }) => [textOf(relation), judgment]));
    for (const relation of relations) {
      const judgment = judgments.get(textOf(toFactual({ entities, relations: [relation] }).relations[0]!));
      if (judgment === undefined) unjudged++;
      else
        examples.push({
          features: evidenceValues(evidence[relation.confidence! - 1]!),
          isRight: judgment !== 'wrong',
          fold: index % FOLDS,
        });
    }
  }
  for (const [index, marked] of markedCaptions(new URL('development-captions.csv', import.meta.url)).entries())
    for (const { relation, isRight } of compareWithMarks(await parser.parse(marked.caption), marked).stated)
      examples.push({ features: evidenceValues(evidence[relation.confidence! - 1]!), isRight, fold: index % FOLDS });
  const width = evidenceFeatures.length;
  const fitted = fitLogistic(examples, width, PENALTY);
  const held = Array.from({ length: FOLDS }, (_, fold) => {
    const weights = fitLogistic(
      examples.filter((example) => example.fold !== fold),
      width,
      PENALTY,
    );
    return examples
      .filter((example) => example.fold === fold)
      .map(({ features, isRight }) => ({ confidence: probabilityOf(features, weights), isRight }));
  }).flat();
  return {
    weights: Object.fromEntries(
      evidenceFeatures.flatMap((name, k) => (fitted[k] === 0 ? [] : [[name, Math.round(fitted[k]! * 1e4) / 1e4]])),
    ),
    relations: examples.length,
    unjudged,
    reliability: BOUNDS.slice(0, -1).map((from, k) => {
      const rows = held.filter(({ confidence }) => confidence >= from && confidence < BOUNDS[k + 1]!);
      const mean = (of: (row: (typeof rows)[number]) => number) =>
        rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
      return {
        from,
        relations: rows.length,
        confidence: mean(({ confidence }) => confidence),
        right: mean(({ isRight }) => (isRight ? 1 : 0)),
      };
    }),
  };
}

const textOf = ({ subject, predicate, object }: FactualRelation) => `${subject} | ${predicate} | ${object}`;
