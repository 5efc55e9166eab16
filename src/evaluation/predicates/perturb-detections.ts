import { clampBox } from '../../records/box.js';
import type { Detection, ImageRecord } from '../../records/image.js';
import { Random } from '../../records/random.js';

/** The noise that `perturbDetections` adds. */
export interface Perturbation {
  /** Scale of the box noise: a center moves by up to half of this share of the box's size, the size changes by up to this share. */
  readonly box: number;
  /** Probability that a category is replaced by a random one of `categories`. */
  readonly label: number;
  readonly categories: readonly string[];
  /** The same seed gives the same noise for the same image. */
  readonly seed: number;
}

/**
 * Adds noise to detections, as if a weaker detector had made them: the noise of denoising training, applied at test time. Each
 * object changes once, for all of its pairs; a box whose area would become 0 stays unchanged.
 *
 * @example
 * ```ts
 * import type { ImageRecord } from 'relflow';
 * import { perturbDetections } from 'relflow/evaluation';
 *
 * declare const record: ImageRecord;
 * const noisy = perturbDetections(record, { box: 0.4, label: 0.2, categories: ['dog', 'cat'], seed: 0 });
 * ```
 */
export function perturbDetections(
  { image, detections }: Pick<ImageRecord, 'image' | 'detections'>,
  { box: reach, label, categories, seed }: Perturbation,
): Detection[] {
  const random = seededRandom(`${seed} ${image.id}`);
  const signed = () => 2 * random.next() - 1;
  return detections.map((detection) => {
    const [x, y, w, h] = detection.box;
    const [dx, dy, dw, dh] = [(signed() * w) / 2, (signed() * h) / 2, signed() * w, signed() * h];
    const [width, height] = [w + reach * dw, h + reach * dh];
    const [cx, cy] = [x + w / 2 + reach * dx, y + h / 2 + reach * dy];
    const moved = clampBox([cx - width / 2, cy - height / 2, width, height], image.width, image.height);
    const [flips, place] = [random.next() < label, Math.floor(random.next() * categories.length)];
    return {
      ...detection,
      box: moved[2] > 0 && moved[3] > 0 ? moved : detection.box,
      category: flips && categories.length > 0 ? categories[place]! : detection.category,
    };
  });
}

/** Returns a generator seeded with a hash of the text (FNV-1a). */
function seededRandom(text: string): Random {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return new Random(hash);
}
