import assert from 'node:assert/strict';
import { useBackend } from '../../../src/model/backends/use-backend.js';
import { HashedTextEncoder } from '../../../src/model/text/hashed-text-encoder.js';
import { byteTokenizer, tokenizeLabels } from '../../../src/model/text/tokenizer.js';
import { assertClose } from '../../support/tensors.js';

const WIDTH = 64;

describe('HashedTextEncoder', () => {
  before(() => useBackend('wasm', { threads: 1 }));

  async function vectorsOf(...texts: string[]): Promise<number[][]> {
    const vectors = new HashedTextEncoder(WIDTH).apply(tokenizeLabels(byteTokenizer, texts, 64));
    const values = await vectors.data();
    vectors.dispose();
    return texts.map((_, k) => [...values.subarray(k * WIDTH, (k + 1) * WIDTH)]);
  }
  const cosine = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d]!, 0) / WIDTH;

  it('gives a text the same vector at every position in a batch, and all vectors the same length', async () => {
    const [alone] = await vectorsOf('riding');
    const [, among] = await vectorsOf('standing next to', 'riding', '');
    assert.deepEqual(among, alone);
    for (const vector of await vectorsOf('dog', 'Straße', '')) assertClose([cosine(vector, vector)], [1], 1e-5);
  });

  it('gives different texts different vectors, and similar ones to texts that share words', async () => {
    const [on, ridingOn, riding, dog] = await vectorsOf('on', 'riding on', 'riding', 'dog');
    assert.ok(cosine(riding!, ridingOn!) > 0.3 && cosine(riding!, ridingOn!) < 0.9);
    assert.ok(cosine(riding!, ridingOn!) > cosine(dog!, ridingOn!));
    assert.ok(Math.abs(cosine(on!, dog!)) < 0.4 && Math.abs(cosine(riding!, dog!)) < 0.4);
  });
});
