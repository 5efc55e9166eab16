import { RecordError } from '../../errors.js';
import { type Box, clampBox } from '../../records/box.js';
import type { Image, ImageRecord } from '../../records/image.js';
import { MISSING_OBJECTS } from '../../records/missing-objects.js';
import type { Related } from '../../records/scene-graph.js';

/** A pair of an image's objects with all of its predicates. */
export interface TrainingPair {
  /** Index into the sample's boxes. */
  readonly subject: number;
  /** Index into the sample's boxes, which may be the subject's; null for relations without an object. */
  readonly object: number | null;
  /** Distinct, in the order of the annotation. */
  readonly predicates: readonly string[];
}

/** The training targets of an image. */
export interface TrainingSample {
  readonly image: Image;
  /** In pixels, inside the image, none of them empty. */
  readonly boxes: readonly Box[];
  /** The category of each box. */
  readonly categories: readonly string[];
  /** Each ordered pair once, in the order of the annotation. */
  readonly pairs: readonly TrainingPair[];
}

/** A pattern of relations that are removed from the training data; all fields that are given must match. */
export interface HeldOut {
  readonly subject?: string;
  readonly predicate?: string;
  readonly object?: string;
}

/** A closed vocabulary. */
export interface TrainingVocabulary {
  /** Categories. */
  readonly objects: readonly string[];
  /** Predicates. */
  readonly relations: readonly string[];
}

/** Options of `trainingSample`: which boxes and relations are trained on. */
export interface TrainingSampleOptions {
  /**
   * Relations with less confidence are left out; relations without a confidence, which people annotated, are kept.
   * Source: RLIPv2, datasets/mixed.py: 0.20 of the tagger's confidence.
   */
  readonly relationThreshold: number;
  /**
   * Relations that are left out; an image that has only such relations is kept without pairs.
   * Source: RLIPv2, the unseen combinations (UC) of HICO-DET.
   */
  readonly heldOut?: readonly HeldOut[];
  /** Objects and relations with other names are left out. */
  readonly vocabulary?: TrainingVocabulary | null;
  /**
   * Keeps images without a relation, as examples in which nothing is to be found. Default false.
   * Source: RLIPv2, datasets/hico.py, fine-tuning on HICO-DET.
   */
  readonly keepsImagesWithoutRelations?: boolean;
}

/** Receives the reason for each box or relation that is left out: `empty-box`, `weak-relation`… */
export type CountProblem = (problem: string) => void;

/**
 * Converts a record to a training sample. Clips boxes to the image, and leaves out empty ones together with their
 * relations, and repeated relations. A relation without an object is kept if the vocabulary has the object "missing objects",
 * which then is its class, and left out otherwise.
 *
 * @throws RecordError (`no-objects`, `no-relations`) when nothing is left to train on
 */
export function trainingSample(
  { image, detections, relations }: ImageRecord & Related,
  { relationThreshold, heldOut = [], vocabulary = null, keepsImagesWithoutRelations = false }: TrainingSampleOptions,
  count: CountProblem = () => {},
): TrainingSample {
  const newIndices = new Map<number, number>();
  const unknown = new Set<number>();
  const boxes: Box[] = [];
  const categories: string[] = [];
  for (const [index, { box, category }] of detections.entries()) {
    const clipped = clampBox(box, image.width, image.height);
    if (!(box.every(Number.isFinite) && box[2] > 0 && box[3] > 0 && clipped[2] > 0 && clipped[3] > 0)) {
      count('empty-box');
      continue;
    }
    if (vocabulary && !vocabulary.objects.includes(category)) {
      count('unknown-object');
      unknown.add(index);
      continue;
    }
    newIndices.set(index, boxes.length);
    boxes.push(clipped);
    categories.push(category);
  }
  if (boxes.length === 0) throw new RecordError('no-objects', `image ${image.id}: has no object with an area`);
  const pairs = new Map<number, { subject: number; object: number | null; predicates: string[] }>();
  let isKept = keepsImagesWithoutRelations;
  for (const { subject: s, object: o, predicate, confidence } of relations) {
    const [subject, object] = [newIndices.get(s), o === null ? null : newIndices.get(o)];
    const category = object === null ? MISSING_OBJECTS : categories[object ?? -1];
    if (confidence !== undefined && confidence < relationThreshold) count('weak-relation');
    else if (unknown.has(s) || (o !== null && unknown.has(o))) count('relation-of-unknown-object');
    else if (subject === undefined || object === undefined) count('relation-of-empty-box');
    else if (object === null && !vocabulary?.objects.includes(MISSING_OBJECTS)) count('relation-without-object');
    else if (vocabulary && !vocabulary.relations.includes(predicate)) count('unknown-relation');
    else if (heldOut.some((pattern) => matches(pattern, categories[subject]!, predicate, category!))) {
      count('held-out');
      isKept = true;
    } else {
      const key = subject * (boxes.length + 1) + (object ?? boxes.length);
      const pair = pairs.get(key) ?? { subject, object, predicates: [] };
      pairs.set(key, pair);
      if (pair.predicates.includes(predicate)) count('repeated-relation');
      else pair.predicates.push(predicate);
    }
  }
  if (pairs.size === 0 && !isKept)
    throw new RecordError('no-relations', `image ${image.id}: has no relation between objects with an area`);
  return { image, boxes, categories, pairs: [...pairs.values()] };
}

const matches = (pattern: HeldOut, subject: string, predicate: string, object: string): boolean =>
  (pattern.subject ?? subject) === subject &&
  (pattern.predicate ?? predicate) === predicate &&
  (pattern.object ?? object) === object;
