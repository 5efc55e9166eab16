import { NO_OBJECTS } from '../../src/model/no-objects.js';
import { Random } from '../../src/records/random.js';
import { denoisingLeakMask } from '../../src/training/data/denoising.js';
import type { TrainingBatch } from '../../src/training/data/training-batch.js';

/** What a made-up batch has. */
export interface BatchShape {
  readonly height?: number;
  readonly width?: number;
  /** Pairs of each image. */
  readonly pairs?: readonly number[];
  readonly slots?: number;
  readonly objects?: number;
  readonly relations?: number;
  readonly hasNoise?: boolean;
}

/** Returns a batch of random images and pairs; the last image is narrower than the canvas. */
export function randomBatch(seed: number, shape: BatchShape = {}): TrainingBatch {
  const { height = 64, width = 96, pairs = [3, 2], slots = 4, objects = 4, relations = 3, hasNoise = false } = shape;
  const random = new Random(seed);
  const boxes = (count: number) =>
    Float32Array.from({ length: 4 * count }, (_, k) =>
      k % 4 < 2 ? 0.3 + 0.4 * random.next() : 0.1 + 0.3 * random.next(),
    );
  const labels = (count: number) => Int32Array.from({ length: count }, () => Math.floor(objects * random.next()));
  const targets = pairs.map((count) => ({
    subjectBoxes: boxes(count),
    objectBoxes: boxes(count),
    subjectLabels: labels(count),
    objectLabels: labels(count),
    relations: Float32Array.from({ length: count * relations }, (_, k) =>
      k % relations === 0 || random.next() < 0.2 ? 1 : 0,
    ),
  }));
  const total = pairs.reduce((sum, count) => sum + count, 0);
  return {
    epoch: 0,
    position: seed,
    pixels: Float32Array.from({ length: pairs.length * height * width * 3 }, () => 2 * random.next() - 1),
    height,
    width,
    sizes: pairs.map((_, k) => ({ height, width: k === pairs.length - 1 ? width - 16 - (seed % 3) : width })),
    images: pairs.map((_, id) => ({ id, file: `${id}` })),
    labels: {
      objects: [...Array.from({ length: objects }, (_, k) => `o${(k * 7 + seed) % 10}`), NO_OBJECTS],
      relations: Array.from({ length: relations }, (_, k) => `r${(k * 3 + seed) % 10}`),
    },
    targets,
    noisy: targets,
    hasNoise,
    attentionMask: hasNoise ? denoisingLeakMask(targets, slots) : null,
    slots,
    pairs: total,
    positives: total,
  };
}
