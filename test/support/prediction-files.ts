import { writeFileSync } from 'node:fs';

/** A predicted pair for `writePredictions`: boxes `[x1, y1, x2, y2]`, categories by name. */
export interface PredictedPair {
  readonly subject: readonly number[];
  readonly object: readonly number[] | null;
  readonly categories: readonly [subject: string, object: string];
  readonly scores: readonly number[];
  readonly objectScores?: readonly [subject: number, object: number];
}

/** Writes a file of predictions whose images are given as pairs; each pair has objects of its own. */
export function writePredictions(
  path: string,
  header: Readonly<Record<string, unknown>>,
  images: readonly (readonly [image: Readonly<Record<string, unknown>>, pairs: readonly PredictedPair[]])[],
): string {
  const lines = images.map(([image, pairs]) => {
    const objects: unknown[] = [];
    const add = (xyxy: readonly number[], category: string, score?: number) =>
      objects.push({ xyxy, category, ...(score !== undefined && { score }) }) - 1;
    return {
      image,
      pairs: pairs.map(({ subject, object, categories, scores, objectScores }) => ({
        subject: add(subject, categories[0], objectScores?.[0]),
        object: object && add(object, categories[1], objectScores?.[1]),
        scores,
      })),
      objects,
    };
  });
  writeFileSync(path, [{ predictions: 1, ...header }, ...lines].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return path;
}
