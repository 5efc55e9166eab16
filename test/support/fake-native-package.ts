import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const core = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core');

/** A package with the TensorFlow C library that a test makes up. */
export interface FakeNativePackage {
  /** Code of its module; `FAKE_LIBRARY` registers a backend. */
  readonly module: string;
  /** What `nvidia-smi` prints; omitted for a machine without the driver. */
  readonly gpus?: string;
}

/**
 * Writes the package `@tensorflow/tfjs-node-gpu` into a folder.
 * @returns a command that sets the environment in which relflow finds it, and runs the command that follows
 */
export function fakeNativePackage(folder: string, { module, gpus }: FakeNativePackage): readonly string[] {
  const path = join(folder, 'node_modules', '@tensorflow', 'tfjs-node-gpu');
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: '@tensorflow/tfjs-node-gpu', main: 'index.js' }));
  writeFileSync(join(path, 'index.js'), module);
  const tools = join(folder, 'bin');
  mkdirSync(tools);
  const tool = join(tools, 'nvidia-smi');
  writeFileSync(tool, gpus === undefined ? '#!/bin/sh\nexit 9\n' : `#!/bin/sh\necho '${gpus}'\n`);
  chmodSync(tool, 0o755);
  return ['env', `NODE_PATH=${join(folder, 'node_modules')}`, `PATH=${[tools, process.env['PATH']].join(delimiter)}`];
}

/** Code of a module that registers a backend `tensorflow`, which has one kernel and computes zeros. */
export const fakeLibrary = (isUsingGpuDevice: boolean): string => `
const tf = require(${JSON.stringify(core)});
// tfjs-node calls these functions, which Node 23 removed.
if (require('util').isNullOrUndefined(0) || !require('util').isArray([])) throw new Error('wrong functions');
class Library extends tf.KernelBackend {
  isUsingGpuDevice = ${isUsingGpuDevice};
  binding = {};
  arrays = new Map();
  write(values) { const id = {}; this.arrays.set(id, values); return id; }
  move(id, values) { this.arrays.set(id, values); }
  async read(id) { return this.arrays.get(id); }
  disposeData(id) { this.arrays.delete(id); return true; }
  refCount() { return 1; }
  incRef() {}
  numDataIds() { return this.arrays.size; }
  memory() { return { unreliable: true }; }
  floatPrecision() { return 32; }
  epsilon() { return 1e-7; }
}
tf.registerBackend('tensorflow', () => new Library(), 3);
tf.registerKernel({
  kernelName: 'BatchMatMul',
  backendName: 'tensorflow',
  kernelFunc: ({ inputs: { a, b }, backend }) => {
    const shape = [a.shape[0], b.shape[1]];
    return { dataId: backend.write(new Float32Array(shape[0] * shape[1])), shape, dtype: 'float32' };
  },
});
`;
