import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Predictions } from '../../src/evaluation/index.js';
import type { Corners } from '../../src/records/corners.js';
import type { ImagePredictions, PredictionsHeader } from '../../src/records/predictions.js';

/** Reads a JSON file of a golden folder. */
export function readJson<T>(folder: string, name: string): T {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

/** Reads the cases worked out by hand; none if the folder has no `hand.json`. */
export function handCases<T>(folder: string): readonly T[] {
  return existsSync(join(folder, 'hand.json')) ? readJson<readonly T[]>(folder, 'hand.json') : [];
}

/** A pair of a golden file, whose boxes and categories are its own. */
export interface GoldenPair {
  readonly subject: readonly [box: Corners, category: string, score?: number];
  readonly object: readonly [box: Corners, category: string, score?: number] | null;
  readonly scores: readonly number[];
}

/** Returns the predictions of one image whose pairs have objects of their own. */
export function imageOfPairs(image: ImagePredictions['image'], pairs: readonly GoldenPair[]): ImagePredictions {
  const objects: ImagePredictions['objects'] = [];
  const add = ([xyxy, category, score]: NonNullable<GoldenPair['object']>) =>
    objects.push({ xyxy, category, ...(score !== undefined && { score }) }) - 1;
  return {
    image,
    pairs: pairs.map(({ subject, object, scores }) => ({
      subject: add(subject),
      object: object && add(object),
      scores: [...scores],
    })),
    objects,
  };
}

/** Returns predictions that are in memory. */
export const predictionsOf = (
  header: Omit<PredictionsHeader, 'predictions'>,
  images: readonly ImagePredictions[],
): Predictions => ({
  file: 'predictions.json',
  header: { predictions: 1, ...header },
  async *images() {
    yield* images;
  },
});
