import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DropoutMasks } from '../../parser-training/dropout-masks.js';
import { TrainingKernels } from '../../parser-training/kernels/training-kernels.js';
import { PretrainedTransformer } from '../../parser-training/pretrained-transformer.js';
import { readTransformerWeights } from '../../parser-training/transformer-weights.js';
import { WordPieces } from '../../parser-training/word-pieces.js';
import { ParserKernels } from '../../src/parser/neural/kernels/parser-kernels.js';
import { Random } from '../../src/records/random.js';
import { temporaryFolder } from '../support/folders.js';
import { tinyEncoderSizes, writeTinyEncoder } from '../support/tiny-encoder.js';

const sizes = tinyEncoderSizes;
const folder = temporaryFolder();
writeTinyEncoder(folder, ['a', 'man', 'surf', '##board']);
const weights = await readTransformerWeights(folder);

const words = [null, 'a', 'man', null, 'surfboards', 'man-a', 'zebra', null];
const captions = [
  { start: 1, length: 2 },
  { start: 4, length: 3 },
];

function createTransformer() {
  const kernels = new ParserKernels(16 << 20);
  const transformer = new PretrainedTransformer(kernels, new TrainingKernels(kernels), weights, 64);
  return { transformer, state: kernels.floats(words.length * sizes.hidden) };
}

describe('WordPieces', () => {
  const pieces = new WordPieces(['[UNK]', '[CLS]', '[SEP]', 'surf', 'surfboard', '##board', '##s', 't', '-', 'cafe']);
  it('splits words into the longest pieces', () => {
    assert.deepEqual(pieces.split('surfboards'), [4, 6]);
    assert.deepEqual(pieces.split('surfs'), [3, 6]);
    assert.deepEqual(pieces.split('t-surf'), [7, 8, 3]);
    assert.deepEqual(pieces.split('café'), [9]);
  });
  it('returns the unknown piece if none fits', () => {
    assert.deepEqual(pieces.split('zebra'), [0]);
    assert.deepEqual(pieces.split('t-zebra'), [7, 8, 0]);
    assert.deepEqual(pieces.split(''), [0]);
    assert.throws(
      () => new WordPieces(['[UNK]', '[CLS]']),
      /^Error: vocabulary of word pieces: no \[SEP\], expected \[CLS\], \[SEP\] and \[UNK\]$/,
    );
  });
});

describe('PretrainedTransformer', () => {
  it('encodes each caption independently, and rows without a word as zeros', () => {
    const { transformer, state } = createTransformer();
    transformer.forward(words, captions, state);
    const both = state.slice();
    transformer.forward(words.slice(3), [{ start: 1, length: 3 }], state);
    const { hidden } = sizes;
    assert.deepEqual(state.slice(hidden, 4 * hidden), both.slice(4 * hidden, 7 * hidden));
    for (const row of [0, 3, 7])
      assert.deepEqual([...both.subarray(row * hidden, (row + 1) * hidden)], new Array(hidden).fill(0));
    assert.ok(both.subarray(hidden, 3 * hidden).every((value) => value !== 0 && Number.isFinite(value)));
  });

  it('has the gradients of finite differences', () => {
    const { transformer, state } = createTransformer();
    const random = new Random(4);
    const direction = state.map(() => random.normal());
    const masks = new DropoutMasks(random, {});
    const value = () => {
      transformer.forward(words, captions, state, masks);
      return state.reduce((sum, y, k) => sum + y * direction[k]!, 0);
    };
    value();
    const gradient = state.slice();
    gradient.set(direction);
    state.set(direction);
    transformer.backward(state, masks);
    let checked = 0;
    for (const [values, gradients] of transformer.trained) {
      const indices = [...gradients.keys()].filter((k) => Math.abs(gradients[k]!) > 0.01);
      for (let n = 0; n < Math.min(5, indices.length); n++) {
        const k = indices[Math.floor(random.next() * indices.length)]!;
        const original = values[k]!;
        values[k] = original + 2e-3;
        const up = value();
        values[k] = original - 2e-3;
        const down = value();
        values[k] = original;
        const [slope, expected] = [(up - down) / 4e-3, gradients[k]!];
        assert.ok(
          Math.abs(slope - expected) < 0.01 + 0.02 * Math.abs(expected),
          `${expected}, finite difference ${slope}`,
        );
        checked++;
      }
    }
    assert.ok(checked > 80, `${checked} checked`);
  });

  it('rejects a folder without a complete BERT model', async () => {
    const other = temporaryFolder();
    writeTinyEncoder(other, []);
    const file = join(other, 'model.safetensors');
    writeFileSync(
      file,
      readFileSync(file, 'latin1').replace('attention.output.dense.bias', 'attention.output.dense.bios'),
      'latin1',
    );
    const kernels = new ParserKernels(16 << 20);
    const make = async () =>
      new PretrainedTransformer(kernels, new TrainingKernels(kernels), await readTransformerWeights(other), 64);
    await assert.rejects(make, /: no tensor encoder\.layer\.0\.attention\.output\.dense\.bias$/);
    writeFileSync(file, readFileSync(file).subarray(0, -4));
    await assert.rejects(make, /extends beyond the end of the file$/);
    writeFileSync(join(other, 'config.json'), '{"model_type":"gpt2"}');
    await assert.rejects(make, /config\.json: model_type 'gpt2', expected 'bert'$/);
  });

  it('rejects a batch above its capacity', () => {
    const { transformer, state } = createTransformer();
    const many = Array.from({ length: 70 }, () => 'man');
    assert.throws(() => transformer.forward(many, [{ start: 0, length: 70 }], state), {
      name: 'RangeError',
      message: 'transformer: a batch of 72 word pieces, expected at most 64: use a smaller batch',
    });
  });
});
