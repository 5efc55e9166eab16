import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import sharp from 'sharp';
import {
  type Candidates,
  type Captioned,
  Graph,
  type ImageRecord,
  run,
  type SourceItem,
  sceneGraphs,
  tag,
} from '../../../src/index.js';
import { KernelPool } from '../../../src/model/backends/kernels/kernel-pool.js';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { targetSize } from '../../../src/model/image/target-size.js';
import { spriteWeights } from '../../../src/model/tagger/embedded-tagger.js';
import { rTagger } from '../../../src/model/tagger/r-tagger.js';
import { temporaryFolder } from '../../support/folders.js';
import { memorySource } from '../../support/records.js';

describe('a kernel that fails', () => {
  let images: string;

  /** Makes a picture of noise, and its record with one candidate pair. */
  async function picture(id: number, width: number, height: number): Promise<SourceItem<Input>> {
    const data = Buffer.from(Uint8Array.from({ length: 3 * width * height }, (_, k) => (k * 7919) % 251));
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(images, `${id}.png`));
    return {
      record: {
        image: { id, file: `${id}.png`, width, height, dataset: 'noise', split: '' },
        detections: [
          { id: 1, category: 'dog', box: [0, 0, width / 2, height] },
          { id: 2, category: 'ball', box: [width / 2, 0, width / 2, height] },
        ],
        origin: { source: 'noise', file: '' },
        captions: [{ text: 'a dog next to a ball', source: 'test' }],
        candidates: [{ subject: 0, object: 1, texts: [{ text: 'next to', captions: [0] }] }],
      },
    };
  }
  type Input = ImageRecord & Captioned & Candidates;

  before(() => {
    images = temporaryFolder();
  });

  for (const { threads, compat } of [
    { threads: 1, compat: false },
    { threads: 2, compat: true },
  ])
    it(`rejects pictures that are too thin for the model and tags the others (${threads} threads, compat ${compat})`, async () => {
      const items = [
        await picture(1, 300, 200),
        await picture(2, 2560, 8),
        await picture(3, 10, 4000),
        await picture(4, 1595, 5),
      ];
      const tagger = rTagger({
        weights: spriteWeights,
        images,
        categories: ['person', 'dog', 'ball'],
        backend: 'wasm',
        threads,
        compat,
      });
      const graph = new Graph('thin');
      graph
        .from(memorySource(items, ['image', 'detections', 'origin', 'captions', 'candidates']))
        .pipe(tag(tagger, { threshold: 0, compat }))
        .to(sceneGraphs());
      const out = join(temporaryFolder(), 'run');
      await run(graph, { out });
      const lines = (sink: string) =>
        readdirSync(join(out, sink))
          .map((name) => readFileSync(join(out, sink, name), 'utf8'))
          .join('')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line));
      assert.deepEqual(
        lines('scene-graphs').map(({ image }) => image.id),
        [1, 4],
      );
      const rejects = lines('rejects');
      assert.deepEqual(
        rejects.map(({ image, reason, message }) => [image, reason, message]),
        [
          [
            2,
            'image-too-thin',
            `${join(images, '2.png')}: has 2560 x 8 pixels, of which the shorter side vanishes when the longer one is resized to 160, expected at most 319 times the length of the shorter side`,
          ],
          [
            3,
            'image-too-thin',
            `${join(images, '3.png')}: has 10 x 4000 pixels, of which the shorter side vanishes when the longer one is resized to 160, expected at most 319 times the length of the shorter side`,
          ],
        ],
      );
    });

  it('is found by the size that a picture is resized to', () => {
    assert.deepEqual(targetSize({ height: 1, width: 2665 }), { height: 1, width: 2665 });
    assert.throws(() => targetSize({ height: 1, width: 2666 }), { reason: 'image-too-thin' });
    assert.throws(() => targetSize({ height: 0, width: 5 }), { reason: 'image-too-thin' });
  });

  for (const threads of [1, 2])
    it(`is an error of the wasm backend, which prints nothing (${threads} threads)`, async () => {
      await useBackend('wasm', { threads });
      const written: string[] = [];
      const { write } = process.stderr;
      process.stderr.write = ((text: string) => written.push(text) > 0) as typeof write;
      try {
        assert.throws(() => tf.conv2d(tf.zeros<tf.Rank.R4>([1, 0, 0, 32]), tf.zeros([1, 1, 32, 64]), 1, 'valid'), {
          code: 'kernel-failed',
          message:
            /^backend wasm: Conv2D of \[1,0,0,32\], \[1,1,32,64\] failed: XNN status for xnn_setup_convolution2d_nhwc_f32 is not successful/,
        });
      } finally {
        process.stderr.write = write;
      }
      assert.deepEqual(written, []);
      // The backend works on.
      assert.deepEqual([...tf.add([1, 2], [3, 4]).dataSync()], [4, 6]);
    });

  for (const threads of [1, 3])
    it(`of relflow's own is an error and no endless wait (${threads} threads)`, async () => {
      const shared = { initial: 2, maximum: 2, shared: true };
      const pool = new KernelPool(new WebAssembly.Memory(threads > 1 ? shared : { initial: 2 }), threads);
      // The other threads need a moment to start.
      if (threads > 1) await new Promise((resolve) => setTimeout(resolve, 500));
      const run = (address: number) => pool.run('relu', 1_000_000, { x: address, count: 10_000 });
      assert.throws(() => run(131_072 - 4000), {
        code: 'kernel-failed',
        message: /^backend: relflow's kernel relu failed: /,
      });
      run(65_536);
      pool.close();
    });
});
