import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { ImageFiles } from '../../src/captioners/image-files.js';
import { checkResizeOptions, resizeForModel } from '../../src/captioners/resize-for-model.js';
import { readImageHeader } from '../../src/files/image-header.js';
import { sizeOf } from '../../src/files/weight-source.js';
import { readImage } from '../../src/model/image/read-image.js';
import { openTokenizer } from '../../src/model/text/tokenizer.js';
import { openWeights } from '../../src/model/weights/open-weights.js';
import { storedModel } from '../../src/model/weights/stored-model.js';
import type { Random } from '../../src/records/random.js';
import { below, mutateBytes, mutateJson, pick, writeJson } from './mutate.js';
import type { FuzzedReader } from './reader.js';

const checkpoint = readFileSync(new URL('../model/weights/checkpoints/checkpoint.pth', import.meta.url));
const hostile = readFileSync(new URL('../model/weights/checkpoints/hostile.pth', import.meta.url));

const old = readFileSync(new URL('../model/weights/forms/old.pth', import.meta.url));
const oldViews = readFileSync(new URL('../model/weights/forms/old-views.pth', import.meta.url));

async function readWeights(path: string): Promise<void> {
  const weights = await openWeights(path);
  try {
    for (const [name, { shape }] of weights.entries) assert.equal((await weights.read(name)).length, sizeOf(shape));
    storedModel(path, weights.metadata ?? {});
  } finally {
    await weights.close();
  }
}

function safetensors(random: Random, isChanged = true): Buffer {
  const header = {
    __metadata__: {
      model: 'tinyTagger',
      view: '{"shorter":128,"longest":160}',
      labels: '{"objects":["a"],"relations":["b"]}',
    },
    a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] },
    b: { dtype: 'F16', shape: [3], data_offsets: [16, 22] },
    c: { dtype: 'I64', shape: [], data_offsets: [22, 30] },
  };
  const text = isChanged
    ? writeJson(random, random.next() < 0.6 ? mutateJson(random, header) : header)
    : Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const whole = Buffer.concat([length, text, Buffer.alloc(30, 7)]);
  return isChanged && random.next() < 0.3 ? mutateBytes(random, whole, checkpoint) : whole;
}

/** Changes the pickle of a checkpoint only, so that the archive around it stays valid. */
function changedPickle(random: Random): Buffer {
  const start = checkpoint.indexOf(Buffer.from([0x80, 2]));
  const end = checkpoint.indexOf('PK\x07\x08', start);
  const pickle = checkpoint.subarray(start, end === -1 ? start + 200 : end);
  const changed = mutateBytes(random, pickle, pickle);
  const fitted = Buffer.alloc(pickle.length, 0x2e);
  changed.copy(fitted);
  return Buffer.concat([checkpoint.subarray(0, start), fitted, checkpoint.subarray(start + pickle.length)]);
}

const formats = ['jpeg', 'png', 'webp', 'avif', 'tiff', 'gif'] as const;
const pixels = Buffer.from(Array.from({ length: 24 * 16 * 3 }, (_, k) => (k * 37) % 256));
const pictures = await Promise.all(
  formats.map((format) =>
    sharp(pixels, { raw: { width: 24, height: 16, channels: 3 } })
      .withMetadata({ orientation: 6 })
      .toFormat(format)
      .toBuffer(),
  ),
);
const options = checkResizeOptions('fuzz', { side: 16 });

/** The readers of weights and images. */
export const binaryReaders: readonly FuzzedReader[] = [
  {
    name: 'safetensors',
    make: (random) => ({ 'a.safetensors': safetensors(random) }),
    read: (folder) => readWeights(join(folder, 'a.safetensors')),
  },
  {
    name: 'checkpoint',
    make: (random) => ({
      'a.pth': random.next() < 0.7 ? changedPickle(random) : mutateBytes(random, checkpoint, hostile),
    }),
    read: (folder) => readWeights(join(folder, 'a.pth')),
  },
  {
    name: 'old-checkpoint',
    make: (random) => ({ 'a.pth': mutateBytes(random, pick(random, [old, oldViews]), checkpoint) }),
    read: (folder) => readWeights(join(folder, 'a.pth')),
  },
  {
    name: 'weights-index',
    make: (random) => ({
      'a.safetensors.index.json': writeJson(
        random,
        mutateJson(random, { metadata: {}, weight_map: { a: 'x.safetensors', b: 'x.safetensors' } }),
      ),
      'x.safetensors': safetensors(random, false),
    }),
    read: (folder) => readWeights(join(folder, 'a.safetensors.index.json')),
  },
  {
    name: 'tokenizer',
    make: (random) => {
      const rules = {
        normalizer: null,
        model: {
          type: 'BPE',
          vocab: { '<s>': 0, '<pad>': 1, '</s>': 2, '<unk>': 3, a: 4, b: 5, ab: 6 },
          merges: ['a b'],
          unk_token: '<unk>',
        },
        pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
        post_processor: {
          type: 'RobertaProcessing',
          sep: ['</s>', 2],
          cls: ['<s>', 0],
          add_prefix_space: false,
          trim_offsets: true,
        },
        decoder: { type: 'ByteLevel' },
        added_tokens: [{ id: 0, content: '<s>', special: true }],
      };
      return { 'tokenizer.json': writeJson(random, mutateJson(random, rules)) };
    },
    read: async (folder) => {
      (await openTokenizer(folder)).encode('ab a');
    },
  },
  {
    name: 'image',
    make: (random) => {
      const bytes = pick(random, pictures);
      const other = pick(random, pictures);
      return { 'a.jpg': below(random, 50) === 0 ? other : mutateBytes(random, bytes, other) };
    },
    read: async (folder) => {
      const path = join(folder, 'a.jpg');
      const image = { id: 1, file: 'a.jpg', width: 16, height: 24, dataset: 'x', split: '' };
      const header = await readImageHeader(path);
      const works = [
        async () => {
          const { width, height, data } = await readImage(path);
          assert.equal(data.length, 3 * width * height);
          assert.ok(header);
        },
        async () => {
          const file = await new ImageFiles('fuzz', folder).read(image);
          const { bytes } = await resizeForModel('fuzz', file, image, options);
          assert.ok(bytes.length > 0);
        },
      ];
      let refused: unknown;
      for (const work of works)
        await work().catch((error: Error) => {
          if (!('reason' in error)) throw error;
          refused = error;
        });
      if (refused !== undefined) throw refused;
    },
  },
];
