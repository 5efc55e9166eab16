import { NO_OBJECTS } from '../../model/no-objects.js';
import type { Random } from '../../records/random.js';
import type { TrainingPair, TrainingVocabulary } from './training-sample.js';
import type { WeightedSampler } from './weighted-sampler.js';

/** How many labels a batch has at least, as far as the vocabularies suffice. */
export interface LabelCounts {
  /** Categories without "no objects". */
  readonly objects: number;
  /** Predicates. */
  readonly relations: number;
}

/** The official counts: two thirds of 500, and the rest. Source: RLIPv2, engine.py, `negative_text_sampling`. */
export const officialLabelCounts: LabelCounts = { objects: 333, relations: 167 };

/** The names of the training data, drawn by their frequency. */
export interface Vocabularies {
  readonly objects: WeightedSampler;
  readonly relations: WeightedSampler;
}

/** The labels of a batch, which all of its images share. */
export interface TrainingLabelSet {
  /** Categories; the last one is "no objects". */
  readonly objects: readonly string[];
  /** Predicates. */
  readonly relations: readonly string[];
}

/** The labels of one image. */
export interface LabeledImage {
  readonly categories: readonly string[];
  readonly pairs: readonly Pick<TrainingPair, 'predicates'>[];
}

/**
 * Returns the labels of a batch: first the distinct labels of its images in order, all of them; then labels drawn from
 * the vocabularies by frequency and without replacement, until `counts` are reached or the vocabularies are used up;
 * "no objects" is the last of the objects. A batch without any relation gets one predicate of the vocabulary, so that
 * there is a negative label.
 *
 * Source: RLIPv2, engine.py, the merging of a batch's texts and frequency sampling.
 */
export function labelSet(
  random: Random,
  images: readonly LabeledImage[],
  vocabularies: Vocabularies,
  counts: LabelCounts,
): TrainingLabelSet {
  const objects = new Set<string>();
  const relations = new Set<string>();
  for (const { categories, pairs } of images) {
    for (const category of categories) objects.add(category);
    for (const { predicates } of pairs) for (const predicate of predicates) relations.add(predicate);
  }
  // A category of this name would be the same label twice.
  objects.delete(NO_OBJECTS);
  const fill = (names: Set<string>, vocabulary: WeightedSampler, count: number, except: readonly string[]) => {
    for (const name of vocabulary.draw(random, count - names.size, [...names, ...except])) names.add(name);
  };
  fill(objects, vocabularies.objects, counts.objects, [NO_OBJECTS]);
  fill(relations, vocabularies.relations, Math.max(1, counts.relations), []);
  return { objects: [...objects, NO_OBJECTS], relations: [...relations] };
}

/**
 * Returns a closed vocabulary as labels, in its order. Source: RLIPv2, engine.py: fine-tuning reads the whole
 * vocabulary.
 */
export const closedLabelSet = ({ objects, relations }: TrainingVocabulary): TrainingLabelSet => ({
  objects: [...objects.filter((name) => name !== NO_OBJECTS), NO_OBJECTS],
  relations,
});
