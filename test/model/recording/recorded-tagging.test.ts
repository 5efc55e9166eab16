import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { openPairPredictor } from '../../../src/model/detector/pair-predictor.js';
import type { ModelConfig } from '../../../src/model/model-config.js';
import { tiny, tinyLate } from '../../../src/model/presets.js';
import { rTagger } from '../../../src/model/tagger/r-tagger.js';
import type { TagRequest } from '../../../src/records/ports.js';
import { SCENES } from '../../support/command.js';
import { temporaryFolder } from '../../support/folders.js';
import { writeInitialWeights } from '../../support/initial-weights.js';
import { useNativeBackend } from '../../support/native-backend.js';
import { assertClose } from '../../support/tensors.js';

const images = join(SCENES, 'images');
const categories = ['person', 'dog', 'ball'];
const { signal } = new AbortController();
const listed = (
  JSON.parse(readFileSync(join(SCENES, 'instances.json'), 'utf8')) as {
    images: { file_name: string; width: number; height: number }[];
  }
).images;

/** The image of the scenes with a number, from 0. */
function imageOf(k: number) {
  const { file_name: file, width, height } = listed[k]!;
  return { id: k, file, width, height, dataset: 'scenes', split: '' };
}

async function writeWeights(config: ModelConfig): Promise<string> {
  const path = join(temporaryFolder(), 'tiny.safetensors');
  await writeInitialWeights(path, config, 4);
  return path;
}

describe('recorded encoding and decoding on tensorflow', () => {
  before(useNativeBackend);

  it('a tagger has the eager scores, for any number of pairs and texts, one by one and in batches', async () => {
    const weights = await writeWeights(tiny.tagger);
    const request = (pairs: number, texts: number, k = 0): TagRequest => ({
      image: imageOf(k),
      detections: [
        { id: 1, category: 'person', box: [10, 20, 100, 200] },
        { id: 2, category: 'dog', box: [120, 200, 80, 60] },
        { id: 3, category: 'ball', box: [220, 230, 30, 30] },
      ],
      pairs: Array.from({ length: pairs }, (_, k) => ({ subject: k % 3, object: (k + 1 + (k % 2)) % 3, texts: [] })),
      texts: Array.from({ length: texts }, (_, k) => `relation ${k}`),
      captionCount: 1,
    });
    // 40 pairs are three groups.
    const requests = [
      request(1, 1),
      request(12, 2, 1),
      request(7, 9, 2),
      request(40, 3),
      request(16, 1, 3),
      request(2, 25),
    ];
    for (const batchSize of [1, 4]) {
      const open = (eager: boolean) =>
        rTagger({
          ...{ weights, images, categories, threads: 2, backend: 'tensorflow', eager, batchSize },
          ...{ config: tiny.tagger, view: { shorter: 64, longest: 96 } },
        });
      const [eager, recorded] = [open(true), open(false)];
      let { numTensors } = tf.memory();
      // Shapes are recorded when they come again.
      for (let round = 0; round < 4; round++) {
        if (round === 3) numTensors = tf.memory().numTensors;
        const [a, b] = [eager, recorded].map((tagger) =>
          Promise.all(requests.map(async (one) => tagger.tag(one, signal))),
        );
        for (const [k, scores] of (await b!).entries()) assertClose(scores, (await a!)[k]!, 1e-5);
      }
      assert.equal(tf.memory().numTensors, numTensors);
      assert.equal(eager.usage!()['recordings'], undefined);
      assert.ok(recorded.usage!()['recordings']! >= 2, JSON.stringify(recorded.usage!()));
      await eager.close!();
      await recorded.close!();
    }
  });

  for (const config of [tiny.parsed, tiny.parseda, tinyLate])
    it(`a finder has the eager pairs: ${config.name}`, async () => {
      const weights = await writeWeights(config);
      const open = (eager: boolean) =>
        openPairPredictor('test', {
          ...{ weights, config, images, categories, predicates: ['next to', 'holding'], backend: 'tensorflow' },
          ...{ threads: 2, size: [64, 96], eager },
        });
      const [eager, recorded] = [await open(true), await open(false)];
      // The third run of the first image's shape is recorded, too.
      for (const k of [0, 0, 0, 1, 1]) {
        const [a, b] = [
          await eager.predict(imageOf(k), 'scene-graph', signal),
          await recorded.predict(imageOf(k), 'scene-graph', signal),
        ];
        assert.deepEqual(
          b.objects.map(({ category }) => category),
          a.objects.map(({ category }) => category),
        );
        for (const [j, { scores }] of b.pairs.entries()) assertClose(scores, a.pairs[j]!.scores, 1e-5);
        for (const [j, { xyxy }] of b.objects.entries()) assertClose(xyxy, a.objects[j]!.xyxy, 1e-3);
      }
      eager.dispose();
      recorded.dispose();
    });
});
