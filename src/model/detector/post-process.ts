import type { Corners } from '../../records/corners.js';
import { MISSING_OBJECTS } from '../../records/missing-objects.js';
import type { ImagePredictions } from '../../records/predictions.js';

/** Outputs of a decoder layer for the pairs of one image, row by row. */
export interface PairOutputs {
  /** `[pairs, objects]`, the last of which is "no objects". */
  readonly subjectLogits: Float32Array;
  /** `[pairs, objects]` */
  readonly objectLogits: Float32Array;
  /** `[pairs, relations]` */
  readonly relationLogits: Float32Array;
  /** `[pairs, 4]`: center, width and height as fractions of the image. */
  readonly subjectBoxes: Float32Array;
  /** `[pairs, 4]` */
  readonly objectBoxes: Float32Array;
}

/** The labels that a model was asked for. */
export interface OutputLabels {
  /** Categories; the last one is "no objects". */
  readonly objects: readonly string[];
  readonly relations: readonly string[];
}

/**
 * How outputs become scored pairs.
 *
 * - `hoi`: every subject is the first category, a person; a score is predicate × object (HICO-DET, V-COCO).
 * - `hoi-zero-shot`: as `hoi`, without the pairs whose subject is likelier of another category (HICO-DET's NF).
 * - `scene-graph`: subjects have categories too; scores are those of the predicates alone, and evaluators multiply them by those
 *   of both objects (Open Images, scene graphs). Pairs are in falling order of their best product.
 */
export type PairScoring = 'hoi' | 'hoi-zero-shot' | 'scene-graph';

/**
 * Turns the outputs of RLIPv2 for an image into objects and scored pairs: an object has the likeliest category besides "no
 * objects", and its probability among all. Boxes are in pixels of the image and not clipped. A pair with the object "missing
 * objects" has the object null.
 *
 * @param size of the image in pixels
 *
 * Source: RLIPv2, models/hoi.py, PostProcessHOI and PostProcessSGG.
 */
export function postProcess(
  outputs: PairOutputs,
  labels: OutputLabels,
  size: { readonly width: number; readonly height: number },
  scoring: PairScoring,
): Pick<ImagePredictions, 'objects' | 'pairs'> {
  const [width, relations] = [labels.objects.length, labels.relations.length];
  const count = outputs.subjectBoxes.length / 4;
  const objects: ImagePredictions['objects'] = [];
  const pairs: { subject: number; object: number | null; scores: number[]; best: number }[] = [];
  for (let k = 0; k < count; k++) {
    const subject = likeliest(outputs.subjectLogits, k * width, width);
    const object = likeliest(outputs.objectLogits, k * width, width);
    if (scoring === 'hoi-zero-shot' && subject.label !== 0) continue;
    const isFused = scoring !== 'scene-graph';
    const scores = Array.from({ length: relations }, (_, relation) => {
      const probability = 1 / (1 + Math.exp(-outputs.relationLogits[k * relations + relation]!));
      return probability * (isFused ? object.score : 1);
    });
    const at = objects.length;
    objects.push({
      xyxy: cornersOf(outputs.subjectBoxes, k, size),
      category: labels.objects[isFused ? 0 : subject.label]!,
      ...(!isFused && { score: subject.score }),
    });
    const category = labels.objects[object.label]!;
    if (category !== MISSING_OBJECTS)
      objects.push({ xyxy: cornersOf(outputs.objectBoxes, k, size), category, score: object.score });
    const best = scores.reduce((most, score) => Math.max(most, score), 0) * subject.score * object.score;
    pairs.push({ subject: at, object: category === MISSING_OBJECTS ? null : at + 1, scores, best });
  }
  if (scoring === 'scene-graph') pairs.sort((a, b) => b.best - a.best);
  return { objects, pairs: pairs.map(({ subject, object, scores }) => ({ subject, object, scores })) };
}

/** Returns the likeliest label of a row besides the last one, and its probability among all. */
function likeliest(logits: Float32Array, start: number, width: number): { label: number; score: number } {
  const row = logits.subarray(start, start + width);
  let label = 0;
  for (let k = 1; k < width - 1; k++) if (row[k]! > row[label]!) label = k;
  // No exponent exceeds 0, so that the sum is finite.
  const most = Math.max(row[label]!, row[width - 1]!);
  let sum = 0;
  for (const logit of row) sum += Math.exp(logit - most);
  return { label, score: Math.exp(row[label]! - most) / sum };
}

function cornersOf(
  boxes: Float32Array,
  k: number,
  { width, height }: { readonly width: number; readonly height: number },
): Corners {
  const [x, y, w, h] = [boxes[4 * k]!, boxes[4 * k + 1]!, boxes[4 * k + 2]!, boxes[4 * k + 3]!];
  return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height];
}
