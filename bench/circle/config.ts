import type { Kind } from './graphs.js';

export interface CircleConfigOptions {
  readonly sceneGraphs: string;
  readonly images: string;
  readonly steps: number;
  readonly threads: number;
  readonly heldOut: readonly Kind[];
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
  views: { flip: 0.5, colour: 0.2, shorter: [112, 128, 144], longest: 224 },
  optimizer: { rate: 0.001, backboneRate: 0.001, textRate: 0.001, clip: 1 },
  schedule: { kind: 'cosine', floor: 0.02, warmup: 100 },
  average: 0.998,
  checkpointEvery: 500,
  threads,
});
