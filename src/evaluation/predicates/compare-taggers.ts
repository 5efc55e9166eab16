import type { ImageRecord } from '../../records/image.js';
import type { RelationTagger } from '../../records/ports.js';
import type { Related } from '../../records/scene-graph.js';
import { scoredPairs } from './evaluate-predicates.js';
import { type Perturbation, perturbDetections } from './perturb-detections.js';
import { type PredicateReport, PredicateScores } from './predicate-scores.js';

type GroundTruth = ImageRecord & Related;

/** A tagger to compare, with the name that identifies it in the results. */
export interface NamedTagger {
  readonly name: string;
  readonly tagger: RelationTagger;
}

/** Scores of one tagger, on unchanged or perturbed detections. */
export interface TaggerScores {
  readonly tagger: string;
  readonly perturbed: boolean;
  readonly report: PredicateReport;
}

/** Options of `compareTaggers`. */
export interface CompareTaggersOptions {
  /** Predicates that the taggers score for each pair. */
  readonly predicates: readonly string[];
  /** If given, each tagger is scored a second time on detections perturbed in this way. */
  readonly perturbation?: Perturbation;
  /** Values of K for the recalls; default 10, 20 and 50. */
  readonly cuts?: readonly number[];
  /** Called before a tagger is scored. */
  readonly onStart?: (tagger: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Scores taggers on the same images, one after the other: predicate classification, on clean and on perturbed detections.
 * @param read returns the images; called once per tagger
 * @throws the reason of `signal` when it aborts
 *
 * @example
 * ```ts
 * import { baselineTagger, Graph, sceneGraphLines } from 'relflow';
 * import { compareTaggers, datasetNames } from 'relflow/evaluation';
 *
 * const read = () => new Graph('truth').from(sceneGraphLines({ sceneGraphs: 'test.jsonl' })).records();
 * const { predicates, prior } = await datasetNames(read());
 * const taggers = [
 *   { name: 'prior', tagger: prior.tagger() },
 *   { name: 'baseline', tagger: baselineTagger() },
 * ];
 * for (const { tagger, report } of await compareTaggers(read, taggers, { predicates }))
 *   console.log(tagger, report.meanAveragePrecision);
 * ```
 */
export async function compareTaggers(
  read: () => AsyncIterable<GroundTruth>,
  taggers: readonly NamedTagger[],
  { predicates, perturbation, cuts, onStart, signal = new AbortController().signal }: CompareTaggersOptions,
): Promise<TaggerScores[]> {
  const all: TaggerScores[] = [];
  for (const { name, tagger } of taggers) {
    onStart?.(name);
    const clean = new PredicateScores(predicates, cuts);
    const wrong = perturbation ? new PredicateScores(predicates, cuts) : null;
    // Clean and perturbed detections of an image follow each other, so that a tagger needs to read the image only once.
    for await (const record of read()) {
      signal.throwIfAborted();
      clean.add(await scoredPairs(record, record.detections, tagger, predicates, signal));
      if (!perturbation) continue;
      const seen = perturbDetections(record, perturbation);
      wrong!.add(await scoredPairs(record, seen, tagger, predicates, signal));
    }
    all.push({ tagger: name, perturbed: false, report: clean.result() });
    if (wrong) all.push({ tagger: name, perturbed: true, report: wrong.result() });
  }
  return all;
}
