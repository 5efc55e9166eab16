import { RecordError } from '../errors.js';
import { type Box, clampBox } from '../records/box.js';
import type { Image, ImageRecord } from '../records/image.js';
import type { Related } from '../records/scene-graph.js';

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

export interface SampleOptions {
  /**
   * Relations of less confidence are left out; those that people wrote have none and stay.
   * Source: RLIPv2, datasets/mixed.py: 0.20 of the tagger's.
   */
  readonly relationThreshold: number;
}

/** Told by name of what was left out: `empty-box`, `weak-relation`… */
export type Count = (problem: string) => void;

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
  { relationThreshold }: SampleOptions,
  count: Count = () => {},
): TrainingSample {
  const places = new Map<number, number>();
  const boxes: Box[] = [];
  const categories: string[] = [];
  for (const [index, { box, category }] of detections.entries()) {
    const inside = clampBox(box, image.width, image.height);
    if (!(box.every(Number.isFinite) && box[2] > 0 && box[3] > 0 && inside[2] > 0 && inside[3] > 0)) {
      count('empty-box');
      continue;
    }
    places.set(index, boxes.length);
    boxes.push(inside);
    categories.push(category);
  }
  if (boxes.length === 0) throw new RecordError('no-objects', `image ${image.id}: has no object with an area`);
  const pairs = new Map<number, { subject: number; object: number; predicates: string[] }>();
  for (const { subject: s, object: o, predicate, confidence } of relations) {
    const [subject, object] = [places.get(s), places.get(o)];
    if (confidence !== undefined && confidence < relationThreshold) count('weak-relation');
    else if (subject === undefined || object === undefined) count('relation-of-empty-box');
    else if (subject === object) count('relation-with-itself');
    else {
      const key = subject * boxes.length + object;
      const pair = pairs.get(key) ?? { subject, object, predicates: [] };
      pairs.set(key, pair);
      if (pair.predicates.includes(predicate)) count('repeated-relation');
      else pair.predicates.push(predicate);
    }
  }
  if (pairs.size === 0)
    throw new RecordError('no-relations', `image ${image.id}: has no relation between objects with an area`);
  return { image, boxes, categories, pairs: [...pairs.values()] };
}
