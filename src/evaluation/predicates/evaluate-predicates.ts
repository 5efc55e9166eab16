import type { ImageRecord } from '../../records/image.js';
import type { RelationTagger } from '../../records/ports.js';
import type { Related } from '../../records/scene-graph.js';
import { type PredicateReport, PredicateScores, type ScoredPairs } from './predicate-scores.js';

export interface EvaluatePredicatesOptions {
  /** What a tagger is asked for each pair. */
  readonly predicates: readonly string[];
  /** The K of the recalls. */
  readonly cuts?: readonly number[];
  /** Changes what the tagger is given, never what is true: noisy boxes, wrong labels. */
  readonly perturb?: (record: ImageRecord & Related) => ImageRecord['detections'];
  readonly signal?: AbortSignal;
}

/**
 * Asks a tagger which predicates hold between all ordered pairs of an image's objects, and scores the answers.
 * Relations of other predicates than those asked for do not count.
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
 * What a tagger says of all ordered pairs of an image's objects, beside what is true.
 * @param seen the detections that the tagger is given, one for each of the record's
 */
export async function scoredPairs(
  { image, detections, relations }: ImageRecord & Related,
  seen: ImageRecord['detections'],
  tagger: RelationTagger,
  predicates: readonly string[],
  signal: AbortSignal,
): Promise<ScoredPairs> {
  const column = new Map(predicates.map((predicate, k) => [predicate, k]));
  // Each text is one that somebody said: a tagger that reads captions is to judge it by the boxes.
  const texts = predicates.map((text) => ({ text, captions: [0] }));
  const count = detections.length;
  const pairs = [];
  for (let subject = 0; subject < count; subject++)
    for (let object = 0; object < count; object++) if (subject !== object) pairs.push({ subject, object, texts });
  const truth = new Uint8Array(pairs.length * predicates.length);
  for (const { subject, object, predicate } of relations) {
    const at = column.get(predicate);
    if (at === undefined || subject === object) continue;
    const row = subject * (count - 1) + object - (object > subject ? 1 : 0);
    truth[row * predicates.length + at] = 1;
  }
  const scores = new Float32Array(truth.length);
  const atOnce = tagger.pairsAtOnce ?? Math.max(1, pairs.length);
  for (let start = 0; start < pairs.length; start += atOnce) {
    const part = pairs.slice(start, start + atOnce);
    const request = { image, detections: seen, pairs: part, texts: predicates, captionCount: 1 };
    scores.set(await tagger.tag(request, signal), start * predicates.length);
  }
  return { scores, truth };
}
