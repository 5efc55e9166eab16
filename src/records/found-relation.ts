import type { Box } from './box.js';
import type { Image } from './image.js';

/** One end of a relation that a model found. */
export interface FoundObject {
  readonly category: string;
  /** In pixels of the image. */
  readonly box: Box;
}

/** A relation that a model found by itself: both objects too. */
export interface FoundRelation {
  readonly subject: FoundObject;
  readonly predicate: string;
  readonly object: FoundObject;
  /** In [0, 1]. */
  readonly score: number;
}

/** Finds relations in images: RLIPv2. */
export interface RelationFinder {
  readonly name: string;
  readonly version: string;
  /**
   * @returns the best relations of an image, the likeliest first
   * @throws RecordError where this image can't be read
   */
  find(image: Image, signal: AbortSignal): Promise<readonly FoundRelation[]>;
}
