import { RelflowError } from '../../errors.js';
import type { ImageRecord } from '../../records/image.js';
import type { RelationTagger } from '../../records/ports.js';
import type { Related } from '../../records/scene-graph.js';
import { type PredicateReport, PredicateScores, type ScoredPairs } from './predicate-scores.js';

/** Options of `evaluatePredicates`. */
export interface EvaluatePredicatesOptions {
  /** Predicates that the tagger scores for each pair. */
  readonly predicates: readonly string[];
  /** Values of K for the recalls; default 10, 20 and 50. */
  readonly cuts?: readonly number[];
  /** Returns the detections that the tagger receives, e.g. with noisy boxes or wrong labels; the ground truth stays unchanged. */
  readonly perturb?: (record: ImageRecord & Related) => ImageRecord['detections'];
  readonly signal?: AbortSignal;
}

/**
 * Scores a tagger on predicate classification: it scores the predicates of all ordered pairs of an image's objects. Relations
 * with other predicates do not count.
 *
 * @throws the reason of `signal` when it aborts
 * @throws RelflowError (`bad-score`) when the tagger returns a score that is not a number in [0, 1]
 *
 * @example
 * ```ts
 * import { baselineTagger, Graph, sceneGraphLines } from 'relflow';
 * import { evaluatePredicates } from 'relflow/evaluation';
 *
 * const records = new Graph('truth').from(sceneGraphLines({ sceneGraphs: 'test.jsonl' })).records();
 * const report = await evaluatePredicates(records, baselineTagger(), { predicates: ['riding', 'next to'] });
 * console.log(report.meanRecall[20]);
 * ```
 */
export async function evaluatePredicates(
  records: AsyncIterable<ImageRecord & Related>,
  tagger: RelationTagger,
  { predicates, cuts, perturb, signal = new AbortController().signal }: EvaluatePredicatesOptions,
): Promise<PredicateReport> {
  const scores = new PredicateScores(predicates, cuts);
  for await (const record of records) {
    signal.throwIfAborted();
    const seen = perturb ? perturb(record) : record.detections;
    scores.add(await scoredPairs(record, seen, tagger, predicates, signal));
  }
  return scores.result();
}

/**
 * Returns a tagger's scores of all ordered pairs of an image's objects, with the ground truth.
 * @param seen detections that the tagger receives, one for each of the record's
 */
export async function scoredPairs(
  { image, detections, relations }: ImageRecord & Related,
  seen: ImageRecord['detections'],
  tagger: RelationTagger,
  predicates: readonly string[],
  signal: AbortSignal,
): Promise<ScoredPairs> {
  const column = new Map(predicates.map((predicate, k) => [predicate, k]));
  // Every text counts as proposed by one caption, so that a tagger that reads captions scores it by the boxes.
  const texts = predicates.map((text) => ({ text, captions: [0] }));
  const count = detections.length;
  const pairs = [];
  for (let subject = 0; subject < count; subject++)
    for (let object = 0; object < count; object++) if (subject !== object) pairs.push({ subject, object, texts });
  const truth = new Uint8Array(pairs.length * predicates.length);
  for (const { subject, object, predicate } of relations) {
    const at = column.get(predicate);
    if (at === undefined || object === null || subject === object) continue;
    const row = subject * (count - 1) + object - (object > subject ? 1 : 0);
    truth[row * predicates.length + at] = 1;
  }
  const scores = new Float32Array(truth.length);
  const atOnce = tagger.pairsAtOnce ?? Math.max(1, pairs.length);
  for (let start = 0; start < pairs.length; start += atOnce) {
    const part = pairs.slice(start, start + atOnce);
    const request = { image, detections: seen, pairs: part, texts: predicates, captionCount: 1 };
    const found = await tagger.tag(request, signal);
    const bad = found.findIndex((score) => !(score >= 0 && score <= 1));
    if (bad >= 0)
      throw new RelflowError(
        'bad-score',
        `evaluation: ${tagger.name} returned the score ${found[bad]} for '${predicates[bad % predicates.length]}' in ${image.file}, expected a number from 0 to 1`,
      );
    scores.set(found, start * predicates.length);
  }
  return { scores, truth };
}
