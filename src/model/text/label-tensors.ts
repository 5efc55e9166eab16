import * as tf from '@tensorflow/tfjs-core';
import type { LabelVectors } from './label-vectors.js';

/** Lists of labels whose vectors are kept on the device. */
const MAX_LISTS = 64;

/** The labels of one image. */
export interface LabelLists {
  readonly objects: readonly string[];
  readonly relations: readonly string[];
}

/** Label vectors on the device. The least recently used lists make room for others. */
export class LabelTensors {
  readonly #vectors: LabelVectors;
  readonly #lists = new Map<string, tf.Tensor2D>();

  constructor(vectors: LabelVectors) {
    this.#vectors = vectors;
  }

  /**
   * Returns the label vectors of images that have as many object labels and as many relation labels as each other.
   * @returns `[labels, text width]` for one image, else `[images, labels, text width]`; the caller disposes of it
   */
  async of(images: readonly LabelLists[]): Promise<tf.Tensor2D | tf.Tensor3D> {
    const parts: tf.Tensor2D[] = [];
    for (const { objects, relations } of images)
      for (const list of [objects, relations]) parts.push(await this.#list(list));
    return tf.tidy(() => {
      const each = images.map((_, k) => tf.concat([parts[2 * k]!, parts[2 * k + 1]!], 0));
      return each.length === 1 ? each[0]! : (tf.stack(each) as tf.Tensor3D);
    });
  }

  async #list(labels: readonly string[]): Promise<tf.Tensor2D> {
    const key = JSON.stringify(labels);
    const known = this.#lists.get(key);
    this.#lists.delete(key);
    const values = known ? undefined : await this.#vectors.of(labels);
    const tensor = known ?? tf.tensor2d(values!, [labels.length, values!.length / labels.length]);
    this.#lists.set(key, tensor);
    const oldest = this.#lists.size > MAX_LISTS ? this.#lists.keys().next().value : undefined;
    // A batch has fewer lists than this.
    if (oldest !== undefined) {
      this.#lists.get(oldest)!.dispose();
      this.#lists.delete(oldest);
    }
    return tensor;
  }
}
