import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderScene } from '../../scripts/scenes/render-scene.js';
import { sceneGraphLines } from '../../scripts/scenes/scene-graph-json.js';
import { sceneSet } from '../../scripts/scenes/scene-set.js';
import type { TrainingConfig } from '../../src/records/training-config.js';

/** Configuration of a short training of the tiny tagger on a few scenes. */
export const tinyTagger: TrainingConfig = {
  task: 'tagger',
  model: 'tinyTagger',
  data: [{ sceneGraphs: 'scene-graphs.jsonl', images: 'images' }],
  seed: 5,
  epochs: 3,
  steps: 6,
  batchSize: 2,
  labels: { objects: 12, relations: 8 },
  augmentation: { flip: 0.5, colorJitter: 0.2, shorterSides: [48], maxSize: 80 },
  optimizer: { learningRate: 1e-3, backboneLearningRate: 1e-3, textLearningRate: 1e-3 },
  schedule: { kind: 'cosine', floor: 0.1, warmup: 2 },
  shuffleBuffer: 8,
  checkpointEvery: 2,
  threads: 1,
};

/** Configuration of a short training of a tiny ParSeDA on a few scenes. */
export const tinyRlip: TrainingConfig = {
  task: 'rlip',
  model: 'tinyParseda',
  modelOptions: { pairs: 12, encoderLayers: 1, decoderLayers: 1 },
  data: [{ sceneGraphs: 'scene-graphs.jsonl', images: 'images' }],
  seed: 5,
  epochs: 2,
  steps: 4,
  batchSize: 2,
  labels: { objects: 12, relations: 8 },
  augmentation: { flip: 0.5, colorJitter: 0.2, shorterSides: [48], maxSize: 64 },
  optimizer: { learningRate: 1e-3, backboneLearningRate: 1e-3, textLearningRate: 1e-3 },
  schedule: { kind: 'cosine', floor: 0.1, warmup: 0 },
  emaDecay: 0.9,
  noise: { label: 0.2, box: 0.4 },
  shuffleBuffer: 8,
};

/** Writes a few training scenes as relflow's scene graphs and images. */
export async function writeTrainingScenes(folder: string, count: number): Promise<{ lines: string; images: string }> {
  const scenes = sceneSet(1, 'train', count);
  const images = join(folder, 'images');
  mkdirSync(images, { recursive: true });
  for (const scene of scenes) writeFileSync(join(images, `${scene.id}.jpg`), await renderScene(scene));
  const lines = join(folder, 'scene-graphs.jsonl');
  writeFileSync(lines, sceneGraphLines(1, 'train', scenes));
  return { lines, images };
}
