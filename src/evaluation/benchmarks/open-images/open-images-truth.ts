import { InputError } from '../../../errors.js';
import type { ImagePredictions } from '../../../records/predictions.js';
import { type OpenImagesImage, openImagesCategories, openImagesImages } from '../../../sources/open-images-file.js';
import { AnnotatedImages } from '../annotated-images.js';
import type { MatchedObject, TrueRelation } from '../match-relations.js';
import type { Predictions } from '../predictions-file.js';

/** The truth of Open Images' relations. */
export interface OpenImagesTruth {
  /** The file of the annotations, for messages. */
  readonly file: string;
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
  readonly images: readonly OpenImagesImage[];
}

/**
 * Reads the annotations and the names of the classes, see `openImagesImages`.
 * @throws InputError if a number of a class is not among the names
 */
export async function readOpenImagesTruth(file: string, categories: string): Promise<OpenImagesTruth> {
  const { objects, predicates } = await openImagesCategories(categories);
  const images: OpenImagesImage[] = [];
  for await (const image of openImagesImages(file)) {
    const object = image.objects.find(({ category }) => category >= objects.length);
    const relation = image.relations.find(({ predicate }) => predicate >= predicates.length);
    if (object || relation)
      throw new InputError(
        file,
        `image ${image.file}: ${object ? `the category ${object.category}` : `the predicate ${relation!.predicate}`} is not in ${categories}, which lists ${object ? objects.length : predicates.length}`,
      );
    images.push(image);
  }
  return { file, objects, predicates, images };
}

/** An annotated image with its relations, for matching. */
export interface TrueImage {
  readonly file: string;
  readonly objects: readonly MatchedObject[];
  readonly relations: readonly (TrueRelation & { readonly object: MatchedObject })[];
}

/** Numbers of the names of truth and predictions together: the predictions may name fewer, in another order. */
export class OpenImagesNames {
  readonly objects: readonly string[];
  readonly predicates: readonly string[];
  readonly #objects: ReadonlyMap<string, number>;
  readonly #predicates: ReadonlyMap<string, number>;

  constructor(truth: OpenImagesTruth, { header }: Predictions) {
    this.objects = [...new Set([...truth.objects, ...header.objects])];
    this.predicates = [...new Set([...truth.predicates, ...header.predicates])];
    this.#objects = new Map(this.objects.map((name, k) => [name, k]));
    this.#predicates = new Map(this.predicates.map((name, k) => [name, k]));
  }

  object(name: string): number {
    return this.#objects.get(name)!;
  }

  predicate(name: string): number {
    return this.#predicates.get(name)!;
  }

  /** Number of a triplet class. */
  triplet(subject: number, object: number, predicate: number): number {
    return (subject * this.objects.length + object) * this.predicates.length + predicate;
  }

  /** The subject, object and predicate of a triplet class by its number. */
  names(triplet: number): { subject: string; object: string; predicate: string } {
    const predicate = triplet % this.predicates.length;
    const pair = Math.floor(triplet / this.predicates.length);
    return {
      subject: this.objects[Math.floor(pair / this.objects.length)]!,
      object: this.objects[pair % this.objects.length]!,
      predicate: this.predicates[predicate]!,
    };
  }
}

/** Returns the annotated images for matching. */
export const trueImages = ({ images }: OpenImagesTruth): readonly TrueImage[] =>
  images.map(({ file, objects, relations }) => ({
    file,
    objects,
    relations: relations.map(({ subject, object, predicate }) => ({
      subject: objects[subject]!,
      object: objects[object]!,
      predicate,
    })),
  }));

/** Finds the annotations of images by the names of their files, with or without an ending. */
export function annotatedImages({ file, images }: OpenImagesTruth): AnnotatedImages {
  const stem = (name: string) => name.replace(/\.(?:jpe?g|png)$/i, '');
  const keyOf = (image: ImagePredictions['image']) => (image.file === undefined ? undefined : stem(image.file));
  return new AnnotatedImages(
    file,
    images.map((image) => stem(image.file)),
    keyOf,
    'its file',
  );
}

/** A predicted pair with the scores of its predicates, not yet cut. */
export interface PredictedPair {
  readonly subject: MatchedObject;
  readonly object: MatchedObject;
  readonly scores: readonly number[];
  readonly subjectScore: number;
  readonly objectScore: number;
}

/**
 * Returns the pairs of an image.
 * @throws InputError if a pair has no object
 */
export function pairsOf(
  { file, header }: Predictions,
  names: OpenImagesNames,
  image: ImagePredictions,
): PredictedPair[] {
  const objects = image.objects.map(({ xyxy, category }) => ({ box: xyxy, category: names.object(category) }));
  return image.pairs.map(({ subject, object, scores }) => {
    if (object === null)
      throw new InputError(file, `image ${image.image.file}: a pair has no object, which Open Images does not allow`);
    const scoreOf = (index: number) => (header.fused ? 1 : (image.objects[index]!.score ?? 1));
    return {
      subject: objects[subject]!,
      object: objects[object]!,
      scores,
      subjectScore: scoreOf(subject),
      objectScore: scoreOf(object),
    };
  });
}
