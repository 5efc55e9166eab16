import { join } from 'node:path';
import { AnswerStore } from '../../src/endpoints/index.js';
import { SCENES } from './command.js';
import type { ModelServer } from './model-server.js';

/** The number of images in fixtures/scenes. */
export const SCENE_COUNT = 24;

/** Arguments of `relflow run` and `plan` that caption the scenes with a server's model. */
export const captionedScenes = (server: ModelServer, ...more: string[]): string[] => [
  'coco',
  ...['--annotations', join(SCENES, 'instances.json'), '--images', join(SCENES, 'images')],
  ...['--captioner', 'hf-chat', '--endpoint-url', server.url, '--model', 'tiny/vlm'],
  ...more,
];

/** Counts the answers of a store; 0 when there is none. */
export async function countAnswers(store: string): Promise<number> {
  const opened = await AnswerStore.openExisting(store);
  const count = opened ? [...opened.lines()].length : 0;
  await opened?.close();
  return count;
}
