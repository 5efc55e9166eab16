import { NO_OBJECTS } from '../../model/encode-image.js';
import type { Random } from '../../records/random.js';
import type { TrainingPair, TrainingVocabulary } from './training-sample.js';
import type { WeightedSampler } from './weighted-sampler.js';

/** How many texts a batch has at least, as far as the vocabularies reach. */
export interface LabelCounts {
  /** Object names without "no objects". */
  readonly objects: number;
  readonly relations: number;
}

/** Two thirds of 500 and the rest. Source: RLIPv2, engine.py, `negative_text_sampling`. */
export const officialLabelCounts: LabelCounts = { objects: 333, relations: 167 };

/** How often names come in the data that is trained on. */
export interface Vocabularies {
  readonly objects: WeightedSampler;
  readonly relations: WeightedSampler;
}

/** The texts of a batch: all its images share them. */
export interface TrainingLabelSet {
  /** "no objects" is the last. */
  readonly objects: readonly string[];
  readonly relations: readonly string[];
}

/** Other words for relations, and how often they are used. */
export interface Paraphrases {
  /** Probability, of each relation of each batch. */
  readonly probability: number;
  readonly phrases: Readonly<Record<string, readonly string[]>>;
}

/**
 * The relations of a batch, some of them in other words: what holds stays where it is. Words that are another relation's
 * of the batch, or its paraphrase here, are not used.
 */
export function paraphraseRelations(
  random: Random,
  relations: readonly string[],
  { probability: share, phrases: of }: Paraphrases,
): string[] {
  const used = new Set(relations);
  return relations.map((name) => {
    // Both numbers are drawn in any case, so that one relation's words do not depend on another's.
    const [says, place] = [random.next() < share, random.next()];
    const words = (Object.hasOwn(of, name) ? of[name]! : []).filter((text) => !used.has(text));
    if (!says || words.length === 0) return name;
    const text = words[Math.floor(place * words.length)]!;
    used.add(text);
    return text;
  });
}

/** What a batch's images name. */
export interface LabeledImage {
  readonly categories: readonly string[];
  readonly pairs: readonly Pick<TrainingPair, 'predicates'>[];
}

/**
 * The texts of a batch: what its images name, in order and without repetition; then others, drawn as often as they come
 * in the data, until there are as many as wanted or no more left; "no objects" at the end of the objects.
 *
 * What the images name is never cut. A set without any relation gets one of the vocabulary's, so that there is something
 * to say no to.
 *
 * Source: RLIPv2, engine.py, the merging of a batch's texts and frequency sampling.
 */
export function labelSet(
  random: Random,
  images: readonly LabeledImage[],
  vocabularies: Vocabularies,
  targets: LabelCounts,
): TrainingLabelSet {
  const objects = new Set<string>();
  const relations = new Set<string>();
  for (const { categories, pairs } of images) {
    for (const category of categories) objects.add(category);
    for (const { predicates } of pairs) for (const predicate of predicates) relations.add(predicate);
  }
  // A category of this very name would be two labels of one text.
  objects.delete(NO_OBJECTS);
  const fill = (names: Set<string>, vocabulary: WeightedSampler, target: number, except: readonly string[]) => {
    for (const name of vocabulary.draw(random, target - names.size, [...names, ...except])) names.add(name);
  };
  fill(objects, vocabularies.objects, targets.objects, [NO_OBJECTS]);
  fill(relations, vocabularies.relations, Math.max(1, targets.relations), []);
  return { objects: [...objects, NO_OBJECTS], relations: [...relations] };
}

/** A closed set of names as texts, in its order. Source: RLIPv2, engine.py: fine-tuning reads the whole vocabulary. */
export const closedLabelSet = ({ objects, relations }: TrainingVocabulary): TrainingLabelSet => ({
  objects: [...objects.filter((name) => name !== NO_OBJECTS), NO_OBJECTS],
  relations,
});
