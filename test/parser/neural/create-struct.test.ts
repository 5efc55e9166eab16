import assert from 'node:assert/strict';
import { allocateStructs, createStruct, structIndices } from '../../../src/parser/neural/kernels/create-struct.js';
import { ParserKernels } from '../../../src/parser/neural/kernels/parser-kernels.js';

const kernels = new ParserKernels(1 << 16);

describe('createStruct', () => {
  it('writes each field at its offset and in its type', () => {
    const address = createStruct(kernels, 'Hypothesis', { tagShare: 0.25, share: 0.5, pairs: 1000, owners: -1 });
    const view = new DataView(kernels.memory.buffer, address);
    assert.deepEqual(
      [view.getFloat64(0, true), view.getFloat64(8, true), view.getUint32(16, true), view.getInt32(20, true)],
      [0.25, 0.5, 1000, -1],
    );
  });

  it('allocates and indexes structs of 32-bit fields as the kernels do', () => {
    const pair = structIndices('Pair');
    assert.deepEqual(pair, { first: 0, second: 1, from: 2, to: 3, distance: 4, steps: 5, length: 6 });
    assert.equal(allocateStructs(kernels, 'Pair', 3).length, 3 * 4 * pair.length);
  });
});
