/** The predictions of a class over all images, ranked by score, and what they are measured by. */
export class ClassRanking {
  #scores: number[] = [];
  #images: number[] = [];
  #right: number[] = [];
  #sorted = true;
  /** The image of each true element. */
  readonly #truths: number[] = [];

  /** Number of true elements. */
  get positives(): number {
    return this.#truths.length;
  }

  /** Number of predictions. */
  get size(): number {
    return this.#scores.length;
  }

  /** Number of predictions that are right. */
  get found(): number {
    return this.#right.reduce((sum, right) => sum + right, 0);
  }

  /** @param image index of the image that has the true element */
  addTruth(image: number): void {
    this.#truths.push(image);
  }

  /** @param image index of the image of the prediction */
  add(score: number, isRight: boolean, image: number): void {
    this.#scores.push(score);
    this.#images.push(image);
    this.#right.push(isRight ? 1 : 0);
    this.#sorted = false;
  }

  /**
   * Returns recall and precision after each prediction, the highest score first; equal scores in the order in which they were
   * added.
   *
   * @param weights how often each image counts; default once
   */
  curve(weights?: Uint16Array): PrecisionRecall {
    if (!this.#sorted) this.#sort();
    const { length } = this.#scores;
    const [recall, precision] = [new Float64Array(length), new Float64Array(length)];
    let positives = this.#truths.length;
    if (weights) {
      positives = 0;
      for (const image of this.#truths) positives += weights[image]!;
    }
    let [right, all] = [0, 0];
    for (let k = 0; k < length; k++) {
      const weight = weights ? weights[this.#images[k]!]! : 1;
      all += weight;
      right += weight * this.#right[k]!;
      recall[k] = positives === 0 ? 0 : right / positives;
      precision[k] = all === 0 ? 0 : right / all;
    }
    return { recall, precision, positives };
  }

  #sort(): void {
    const order = Array.from(this.#scores.keys()).sort((a, b) => this.#scores[b]! - this.#scores[a]! || a - b);
    const reordered = (values: readonly number[]) => order.map((k) => values[k]!);
    this.#scores = reordered(this.#scores);
    this.#images = reordered(this.#images);
    this.#right = reordered(this.#right);
    this.#sorted = true;
  }
}

/** Returns the ranking of a class; a new one if there is none. */
export function rankingOf<K>(classes: Map<K, ClassRanking>, key: K): ClassRanking {
  const known = classes.get(key);
  if (known) return known;
  const made = new ClassRanking();
  classes.set(key, made);
  return made;
}

/** Recall and precision after each prediction of a class. */
export interface PrecisionRecall {
  readonly recall: Float64Array;
  readonly precision: Float64Array;
  /** Number of true elements. */
  readonly positives: number;
}

/**
 * The 11 recalls of `elevenPointAp`, 0.1 · k in floating point: 0.30000000000000004, 0.6000000000000001 and
 * 0.7000000000000001 are above the recalls 3/10, 6/10 and 7/10. Source: RLIPv2, `np.arange(0., 1.1, 0.1)`.
 */
export const ARANGE_RECALLS: readonly number[] = Array.from({ length: 11 }, (_, k) => k * 0.1);

/**
 * Returns the mean over 11 recalls of the best precision at that recall or a higher one; 0 at recalls that are not reached.
 * Source: Everingham et al., 2010 (PASCAL VOC 2007).
 */
export function elevenPointAp({ recall, precision }: PrecisionRecall, recalls = ARANGE_RECALLS): number {
  const best = bestPrecisions(precision);
  let at = 0;
  let ap = 0;
  for (const threshold of recalls) {
    while (at < recall.length && recall[at]! < threshold) at++;
    ap += (at < recall.length ? best[at]! : 0) / recalls.length;
  }
  return ap;
}

/** Returns the area under the envelope of the precisions, at every recall. Source: PASCAL VOC 2010 and later. */
export function envelopeAp({ recall, precision }: PrecisionRecall): number {
  const best = bestPrecisions(precision);
  let [ap, before] = [0, 0];
  for (let k = 0; k < recall.length; k++)
    if (recall[k] !== before) {
      ap += (recall[k]! - before) * best[k]!;
      before = recall[k]!;
    }
  return ap;
}

/** Returns the last recall, which is the highest. */
export const maxRecall = ({ recall }: PrecisionRecall): number => recall.at(-1) ?? 0;

/** Returns the best precision from each place on. */
function bestPrecisions(precision: Float64Array): Float64Array {
  const best = Float64Array.from(precision);
  for (let k = best.length - 2; k >= 0; k--) best[k] = Math.max(best[k]!, best[k + 1]!);
  return best;
}
