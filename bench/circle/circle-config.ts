import type { RelationKind } from './graphs.js';

/** Options of `circleConfig`. */
export interface CircleConfigOptions {
  readonly sceneGraphs: string;
  readonly images: string;
  readonly steps: number;
  readonly threads: number;
  readonly heldOut: readonly RelationKind[];
  readonly startFrom?: string;
}

/** Training configuration of the experiment, which is the same for all labels and initial weights. */
export const circleConfig = ({ sceneGraphs, images, steps, threads, heldOut, startFrom }: CircleConfigOptions) => ({
  task: 'rlip',
  model: 'spriteFinder',
  data: [{ sceneGraphs, images }],
  ...(startFrom && { startFrom }),
  heldOut,
  epochs: 1000,
  steps,
  batchSize: 8,
  labels: { objects: 66, relations: 17 },
  // Denoising queries, which start from noisy target boxes: without them, so few steps learn almost nothing.
  noise: { label: 0.2, box: 0.4 },
  augmentation: 'sprites',
  imageCacheMegabytes: 400,
  optimizer: { learningRate: 0.001, backboneLearningRate: 0.001, textLearningRate: 0.001, maxGradientNorm: 1 },
  schedule: { kind: 'cosine', floor: 0.02, warmup: 100 },
  emaDecay: 0.998,
  checkpointEvery: 250,
  backend: 'wasm',
  threads,
});
