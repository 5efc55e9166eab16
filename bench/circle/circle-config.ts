import type { RelationKind } from './graphs.js';

export interface CircleConfigOptions {
  readonly sceneGraphs: string;
  readonly images: string;
  readonly steps: number;
  readonly threads: number;
  readonly heldOut: readonly RelationKind[];
  readonly startFrom?: string;
}

/** The same training, whatever the labels and whatever it starts from. */
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
  // Queries that begin at the true boxes, beside the learned ones: without them so few steps find next to nothing.
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
