import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { checkKernelExports, KernelPool } from '../../../src/model/backends/kernels/kernel-pool.js';
import { modelKernelParameters } from '../../../src/model/backends/kernels/model-kernel-parameters.js';

const memory = new WebAssembly.Memory({ initial: 1 });

/** Functions with the numbers of parameters that the kernels have. */
const stubs = () =>
  Object.fromEntries(
    Object.entries(modelKernelParameters).map(([name, { length }]) => [
      name,
      Object.defineProperty(() => 0, 'length', { value: length }),
    ]),
  );

describe('KernelPool', () => {
  it('passes arguments by name, whatever their order', () => {
    const pool = new KernelPool(memory, 1);
    const numbers = new Float32Array(memory.buffer, 0, 12);
    numbers.set([1, 2, 3, 4, 5, 6]);
    pool.run('sums', 1, { factor: 2, inner: 3, count: 2, outer: 1, to: 24, x: 0 });
    assert.deepEqual([...numbers.subarray(6, 9)], [10, 14, 18]);
  });

  it('accepts the functions that it was built for', () => {
    assert.doesNotThrow(() => checkKernelExports(stubs(), new URL('file:///kernels.wasm')));
  });

  it('names functions that a module lacks, that have other parameters, or that are unknown', () => {
    const kernels: Record<string, () => number> = { ...stubs(), matmul: () => 0, conv: () => 0 };
    delete kernels['gelu'];
    assert.throws(() => checkKernelExports(kernels, new URL('file:///kernels.wasm')), {
      code: 'no-backend',
      message:
        'backend: /kernels.wasm does not match this version of relflow: gelu(5) is missing, matmul(17) is missing, matmul(0) is unexpected, conv(0) is unexpected; reinstall relflow',
    });
  });

  for (const name of ['model-kernels', 'model-kernels-shared'])
    it(`${name}.wasm has no static data, since its memory belongs to the backend`, () => {
      assert.ok(!sections(readFileSync(`src/model/backends/kernels/${name}.wasm`)).includes(dataSection));
    });
});

const dataSection = 11;

/** Returns the ids of a module's sections. Source: WebAssembly core specification, 5.5.2. */
function sections(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]!);
    let [size, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++]!;
      size += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    at += size;
  }
  return ids;
}
