import assert from 'node:assert/strict';
import { kernelAdvice, nativeAdvice } from '../../src/model/backends/native-advice.js';
import { nativePackage } from '../../src/model/backends/start-native-backend.js';
import { relflowProcess } from '../support/command.js';

interface Report {
  readonly backends: readonly { readonly name: string; readonly threads: number; readonly gigaflops: number }[];
  readonly missing: readonly { readonly name: string; readonly advice: string }[];
}

describe('relflow doctor', () => {
  it('prints the available backends and their speed', async () => {
    const { code, stdout, stderr } = await relflowProcess(['doctor', '--threads', '2', '--json']);
    assert.equal(code, 0);
    assert.equal(stderr, '', 'the greeting of TensorFlow.js');
    const { backends, missing } = JSON.parse(stdout) as Report;
    // Those that --backend accepts; the optional ones are available when their packages are installed.
    const names = [...backends, ...missing].map(({ name }) => name);
    assert.deepEqual(names.sort(), ['cpu', 'tensorflow', 'wasm', 'webgpu']);
    assert.deepEqual(
      backends.filter(({ name }) => ['cpu', 'wasm'].includes(name)).map(({ name, threads }) => [name, threads]),
      [
        ['cpu', 1],
        ['wasm', 2],
      ],
    );
    assert.ok(backends.every(({ gigaflops }) => gigaflops > 0));
    if (nativePackage() === undefined)
      assert.equal(
        missing.find(({ name }) => name === 'tensorflow')?.advice,
        'is not installed: run npm install @tensorflow/tfjs-node@4.22.0 next to relflow, or @tensorflow/tfjs-node-gpu@4.22.0 on a machine with an NVIDIA GPU, see docs/backends.md',
      );
  });

  it('says whether kernels are compiled, and what is lost without them', () => {
    assert.equal(
      kernelAdvice(null),
      'are not compiled: recorded steps take about 1.3 times as long and 1.4 times as much memory, with the same results; run relflow doctor --build-kernels, which needs a C compiler',
    );
    assert.equal(
      kernelAdvice({ file: '/cache/kernels.node', compiler: 'gcc 12.2.0' }),
      'were compiled by gcc 12.2.0: /cache/kernels.node',
    );
  });

  it('names the GPU, its memory, its driver and TF32', () => {
    const gpu = { name: 'NVIDIA L4', memory: 24e9, driver: '550.54.15' };
    assert.equal(
      nativeAdvice({ package: '@tensorflow/tfjs-node', gpu, tf32: true, gpus: [gpu] }),
      'runs on NVIDIA L4, 24.0 GB, driver 550.54.15; TF32 on: about three correct digits',
    );
  });

  it('says whether a GPU is left unused', () => {
    const setup = { package: '@tensorflow/tfjs-node', gpu: null, tf32: false };
    const gpus = [{ name: 'NVIDIA L4', memory: 24e9, driver: '550.54.15' }];
    assert.equal(
      nativeAdvice({ ...setup, package: '@tensorflow/tfjs-node-gpu', gpus }),
      'runs on the processor, although the driver reports NVIDIA L4: put the CUDA and cuDNN libraries into LD_LIBRARY_PATH, see docs/backends.md',
    );
    assert.equal(
      nativeAdvice({ ...setup, gpus: [] }),
      'runs on the processor; the driver reports no NVIDIA GPU, so there is nothing to do',
    );
    assert.equal(
      nativeAdvice({ ...setup, gpus }),
      "runs on the processor, although the driver reports NVIDIA L4: install @tensorflow/tfjs-node-gpu, or build @tensorflow/tfjs-node with TensorFlow's library for GPUs, see docs/backends.md",
    );
  });
});
