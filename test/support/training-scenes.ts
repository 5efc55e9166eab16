import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderScene } from '../../fixtures/generator/render-scene.js';
import { sceneGraphLines } from '../../fixtures/generator/scene-graph-json.js';
import { sceneSet } from '../../fixtures/generator/scene-set.js';

/** Writes some scenes to learn from: relflow's scene graphs, and the images. */
export async function writeTrainingScenes(folder: string, count: number): Promise<{ lines: string; images: string }> {
  const scenes = sceneSet(1, 'train', count);
  const images = join(folder, 'images');
  mkdirSync(images, { recursive: true });
  for (const scene of scenes) writeFileSync(join(images, `${scene.id}.jpg`), await renderScene(scene));
  const lines = join(folder, 'scene-graphs.jsonl');
  writeFileSync(lines, sceneGraphLines(1, 'train', scenes));
  return { lines, images };
}
