import type { ImageRecord } from '../../records/image.js';
import type { RelationTagger } from '../../records/ports.js';
import type { Related } from '../../records/scene-graph.js';
import { FrequencyPrior } from '../../taggers/frequency-prior.js';
import { scoredPairs } from './evaluate-predicates.js';
import { type Perturbation, perturbDetections } from './perturb-detections.js';
import { type PredicateReport, PredicateScores } from './predicate-scores.js';

type GroundTruth = ImageRecord & Related;

/** A tagger to be scored beside others, under the name that a table gives it. */
export interface NamedTagger {
  readonly name: string;
  readonly tagger: RelationTagger;
}

/** Scores of one tagger, on the detections as they are or on perturbed ones. */
export interface TaggerScores {
  readonly tagger: string;
  readonly perturbed: boolean;
  readonly report: PredicateReport;
}

export interface CompareTaggersOptions {
  readonly predicates: readonly string[];
  /** Each tagger is scored a second time on detections that are wrong in this way. */
  readonly perturbation?: Perturbation;
  readonly cuts?: readonly number[];
  /** Told when a tagger is about to be scored. */
  readonly onStart?: (tagger: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Scores taggers on the same images, one after the other: predicate classification, clean and perturbed.
 * @param read the images anew, for each tagger
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
    // Both of an image one after the other: a tagger that looks at it need do so once.
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

/** What a set of scene graphs names, and how often what holds between which categories. */
export interface DatasetNames {
  readonly predicates: readonly string[];
  readonly categories: readonly string[];
  readonly prior: FrequencyPrior;
  readonly images: number;
}

/** Reads a set once. Names are sorted. */
export async function datasetNames(records: AsyncIterable<GroundTruth>): Promise<DatasetNames> {
  const prior = new FrequencyPrior();
  const [predicates, categories] = [new Set<string>(), new Set<string>()];
  let images = 0;
  for await (const record of records) {
    prior.add(record);
    for (const { predicate } of record.relations) predicates.add(predicate);
    for (const { category } of record.detections) categories.add(category);
    images++;
  }
  return { predicates: [...predicates].sort(), categories: [...categories].sort(), prior, images };
}
