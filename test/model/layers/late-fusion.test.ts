import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { noDropout } from '../../../src/model/layers/dropout.js';
import { LateFusion } from '../../../src/model/layers/late-fusion.js';
import { Scope } from '../../../src/model/parameter-scope.js';
import { tinyLate } from '../../../src/model/presets.js';
import { assertClose } from '../../support/tensors.js';

// Computed with PyTorch's encoder layers by make-late-fusion.py.
const expected = JSON.parse(readFileSync(join('test/model/layers/late-fusion', 'layer-states.json'), 'utf8')) as {
  weights: Readonly<Record<string, number[]>>;
  queries: number[];
  labels: number[];
  hidden: number[];
  states: number[][];
};

describe('late fusion', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  it('has the outputs of PyTorch’s encoder layers with norm_first', async () => {
    const scope = new Scope();
    const fusion = new LateFusion(scope, { ...tinyLate, width: 8, heads: 2, hidden: 12, decoderLayers: 2 });
    const names = [...scope.parameters.keys()].sort();
    assert.deepEqual(names, Object.keys(expected.weights).sort());
    for (const [name, parameter] of scope.parameters) parameter.set(Float32Array.from(expected.weights[name]!));
    const layers = tf.tidy(() => {
      const fused = fusion.apply(
        tf.tensor3d(expected.queries, [2, 4, 8]),
        tf.tensor3d(expected.labels, [2, 3, 8]),
        tf.tensor2d(expected.hidden, [2, 3]),
        noDropout,
      );
      return fused.map(({ queries, labels }) => tf.concat([queries, labels], 1));
    });
    for (const [k, state] of layers.entries()) assertClose(await state.data(), expected.states[k]!, 3e-6);
  });
});
