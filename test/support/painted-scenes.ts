import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { composeScenes } from '../../scripts/scenes/compose-scene.js';
import { datasetFiles } from '../../scripts/scenes/dataset-files.js';
import type { Scene } from '../../scripts/scenes/scene.js';
import { temporaryFolder } from './folders.js';
import { paintScene } from './scripted-vlm.js';

/** Drawn scenes with their annotations and captions, and with images of one color that a scripted model knows. */
export interface PaintedScenes {
  readonly scenes: readonly Scene[];
  readonly folder: string;
  /** Arguments of `relflow run coco` and `plan coco`. */
  readonly args: readonly string[];
}

/** Writes scenes of a seed; at most 512, since there are as many colors. */
export async function paintedScenes(seed: number, count: number): Promise<PaintedScenes> {
  const scenes = composeScenes(seed, count);
  const folder = temporaryFolder();
  await mkdir(join(folder, 'images'));
  const files = datasetFiles(seed, scenes);
  await writeFile(join(folder, 'captions.json'), files.get('captions.json')!);
  const instances = JSON.parse(files.get('instances.json')!) as { annotations: { id: number }[] };
  const drawn = new Set(scenes.flatMap(({ objects }) => objects.map(({ id }) => id)));
  // Without the invalid boxes, of which a model knows nothing.
  const annotations = instances.annotations.filter(({ id }) => drawn.has(id));
  await writeFile(join(folder, 'instances.json'), JSON.stringify({ ...instances, annotations }));
  for (const [place, scene] of scenes.entries())
    await writeFile(join(folder, 'images', `${scene.id}.jpg`), await paintScene(scene, place));
  const args = [
    'coco',
    ...['--annotations', join(folder, 'instances.json'), '--images', join(folder, 'images')],
    ...['--captions', join(folder, 'captions.json')],
  ];
  return { scenes, folder, args };
}
