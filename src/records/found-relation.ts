import type { Box } from './box.js';
import type { Image } from './image.js';

/** The subject or the object of a relation that a model found. */
export interface FoundObject {
  readonly category: string;
  /** `[x, y, w, h]` in pixels of the image. */
  readonly box: Box;
}

/** A relation that a model found together with its subject and its object, without given detections. */
export interface FoundRelation {
  readonly subject: FoundObject;
  readonly predicate: string;
  readonly object: FoundObject;
  /** Confidence in [0, 1]. */
  readonly score: number;
}

/** Finds relations and their objects in images, as RLIPv2's detectors do. */
export interface RelationFinder {
  readonly name: string;
  readonly version: string;
  /**
   * Finds the most confident relations of an image.
   * @returns relations in order of descending score
   * @throws RecordError if the image cannot be read
   */
  find(image: Image, signal: AbortSignal): Promise<readonly FoundRelation[]>;
}
