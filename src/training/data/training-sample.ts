import { RecordError } from '../../errors.js';
import { type Box, clampBox } from '../../records/box.js';
import type { Image, ImageRecord } from '../../records/image.js';
import type { Related } from '../../records/scene-graph.js';

/** A pair of an image's objects with all that holds between them. */
export interface TrainingPair {
  /** Indices into the sample's boxes. */
  readonly subject: number;
  readonly object: number;
  /** Distinct, in the order of the annotation. */
  readonly predicates: readonly string[];
}

/** What is learnt from an image. */
export interface TrainingSample {
  readonly image: Image;
  /** In pixels, inside the image, none of them empty. */
  readonly boxes: readonly Box[];
  /** One a box. */
  readonly categories: readonly string[];
  /** Each ordered pair once, subject and object distinct, in the order of the annotation. */
  readonly pairs: readonly TrainingPair[];
}

/** Relations that are kept from a model to see whether it finds them all the same: all of these that are given must fit. */
export interface HeldOut {
  readonly subject?: string;
  readonly predicate?: string;
  readonly object?: string;
}

/** A closed set of names. */
export interface TrainingVocabulary {
  readonly objects: readonly string[];
  readonly relations: readonly string[];
}

export interface TrainingSampleOptions {
  /**
   * Relations of less confidence are left out; those that people wrote have none and stay.
   * Source: RLIPv2, datasets/mixed.py: 0.20 of the tagger's.
   */
  readonly relationThreshold: number;
  /**
   * Relations that are not learnt from; their images stay, without a pair if none is left.
   * Source: RLIPv2, the unseen combinations (UC) of HICO-DET.
   */
  readonly heldOut?: readonly HeldOut[];
  /** Names beyond these are left out. */
  readonly vocabulary?: TrainingVocabulary | null;
}

/** Told by name of what was left out: `empty-box`, `weak-relation`… */
export type CountProblem = (problem: string) => void;

/**
 * A record as a training sample.
 *
 * Boxes are cut at the image's edge; empty ones go, and so do relations with them. A relation that is there twice counts
 * once; one of an object with itself is left out.
 *
 * @throws RecordError (`no-objects`, `no-relations`) where nothing is left to learn from
 */
export function trainingSample(
  { image, detections, relations }: ImageRecord & Related,
  { relationThreshold, heldOut = [], vocabulary = null }: TrainingSampleOptions,
  count: CountProblem = () => {},
): TrainingSample {
  const places = new Map<number, number>();
  const unknown = new Set<number>();
  const boxes: Box[] = [];
  const categories: string[] = [];
  for (const [index, { box, category }] of detections.entries()) {
    const inside = clampBox(box, image.width, image.height);
    if (!(box.every(Number.isFinite) && box[2] > 0 && box[3] > 0 && inside[2] > 0 && inside[3] > 0)) {
      count('empty-box');
      continue;
    }
    if (vocabulary && !vocabulary.objects.includes(category)) {
      count('unknown-object');
      unknown.add(index);
      continue;
    }
    places.set(index, boxes.length);
    boxes.push(inside);
    categories.push(category);
  }
  if (boxes.length === 0) throw new RecordError('no-objects', `image ${image.id}: has no object with an area`);
  const pairs = new Map<number, { subject: number; object: number; predicates: string[] }>();
  let held = false;
  for (const { subject: s, object: o, predicate, confidence } of relations) {
    const [subject, object] = [places.get(s), places.get(o)];
    if (confidence !== undefined && confidence < relationThreshold) count('weak-relation');
    else if (unknown.has(s) || unknown.has(o)) count('relation-of-unknown-object');
    else if (subject === undefined || object === undefined) count('relation-of-empty-box');
    else if (subject === object) count('relation-with-itself');
    else if (vocabulary && !vocabulary.relations.includes(predicate)) count('unknown-relation');
    else if (heldOut.some((one) => fits(one, categories[subject]!, predicate, categories[object]!))) {
      count('held-out');
      held = true;
    } else {
      const key = subject * boxes.length + object;
      const pair = pairs.get(key) ?? { subject, object, predicates: [] };
      pairs.set(key, pair);
      if (pair.predicates.includes(predicate)) count('repeated-relation');
      else pair.predicates.push(predicate);
    }
  }
  if (pairs.size === 0 && !held)
    throw new RecordError('no-relations', `image ${image.id}: has no relation between objects with an area`);
  return { image, boxes, categories, pairs: [...pairs.values()] };
}

const fits = (one: HeldOut, subject: string, predicate: string, object: string): boolean =>
  (one.subject ?? subject) === subject &&
  (one.predicate ?? predicate) === predicate &&
  (one.object ?? object) === object;
