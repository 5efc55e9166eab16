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
  batch: 8,
  texts: { objects: 66, relations: 17 },
  // Queries that begin at the true boxes, beside the learned ones: without them so few steps find next to nothing.
  noise: { label: 0.2, box: 0.4 },
  views: 'sprites',
  keepImages: 400,
  optimizer: { rate: 0.001, backboneRate: 0.001, textRate: 0.001, clip: 1 },
  schedule: { kind: 'cosine', floor: 0.02, warmup: 100 },
  average: 0.998,
  checkpointEvery: 250,
  backend: 'wasm',
  threads,
});
