import assert from 'node:assert/strict';
import { relflowProcess } from '../support/command.js';

describe('relflow doctor', () => {
  it('prints the available backends and their speed', async () => {
    const { code, stdout } = await relflowProcess(['doctor', '--json', '--threads', '2']);
    assert.equal(code, 0);
    const { backends, missing } = JSON.parse(stdout) as {
      backends: { name: string; threads: number; gigaflops: number }[];
      missing: { name: string; advice: string }[];
    };
    // The optional backends are available when their packages are installed.
    for (const optional of ['tensorflow', 'webgpu'])
      assert.ok([...backends, ...missing].some(({ name }) => name === optional));
    assert.deepEqual(
      backends.filter(({ name }) => ['cpu', 'wasm'].includes(name)).map(({ name, threads }) => [name, threads]),
      [
        ['cpu', 1],
        ['wasm', 2],
      ],
    );
    assert.ok(backends.every(({ gigaflops }) => gigaflops > 0));
  });
});
