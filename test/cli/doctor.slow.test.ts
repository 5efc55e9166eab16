import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { start } from '../support/command.js';
import { type FakeNativePackage, fakeLibrary, fakeNativePackage } from '../support/fake-native-package.js';
import { temporaryFolder } from '../support/folders.js';

/** Runs `relflow doctor` in an environment. */
async function doctor(args: readonly string[], environment: readonly string[] = []) {
  const { process: child, ended } = start(['doctor', '--threads', '2', ...args], environment);
  child.stdin?.end();
  return ended;
}

/** Returns the line about tensorflow that `relflow doctor` prints with a made-up package. */
async function nativeLine(name: string, made: FakeNativePackage, variables: readonly string[] = []): Promise<string> {
  const { code, stdout, stderr } = await doctor(
    [],
    [...fakeNativePackage(join(temporaryFolder(), name), made), ...variables],
  );
  assert.equal(code, 0, stderr);
  const lines = stdout
    .split('\n')
    .filter((line) => line.startsWith('tensorflow ') && /[a-z]+ [a-z]+ [a-z]+/.test(line));
  assert.equal(lines.length, 1, stdout);
  return lines[0]!;
}

describe('relflow doctor with a native package', () => {
  it('says why the library of an installed package cannot be loaded', async () => {
    const problem = 'libcudart.so.12: cannot open shared object file: No such file or directory';
    assert.equal(
      await nativeLine('no-library', { module: `throw new Error(${JSON.stringify(`${problem}\nmore`)});` }),
      `tensorflow cannot run: @tensorflow/tfjs-node-gpu is installed but its library cannot be loaded (${problem}); run its install script or build it, see docs/backends.md`,
    );
  });

  it('names the GPU, its memory, its driver and TF32', async () => {
    assert.equal(
      await nativeLine('gpu', { module: fakeLibrary(true), gpus: 'NVIDIA H200, 143771, 580.159.04' }),
      'tensorflow runs on NVIDIA H200, 150.8 GB, driver 580.159.04; TF32 off: full precision; option tf32 turns it on',
    );
  });

  it('says what is missing when the package for GPUs runs on the processor, on any version of Node', async () => {
    // As on Node 23 and later, which lack functions that tfjs-node calls.
    const removal = join(temporaryFolder(), 'remove.cjs');
    writeFileSync(removal, "for (const name of ['isNullOrUndefined', 'isArray']) delete require('util')[name];\n");
    assert.equal(
      await nativeLine('no-driver', { module: fakeLibrary(false) }, [`NODE_OPTIONS=--require ${removal}`]),
      "tensorflow runs on the processor, although @tensorflow/tfjs-node-gpu is installed: the driver reports no GPU; install NVIDIA's driver so that nvidia-smi lists one, see docs/backends.md",
    );
  });

  it('says why kernels cannot be compiled', async () => {
    for (const [name, isUsingGpuDevice, expected] of [
      ['compiler', false, 'kernels: no C compiler, expected /none/cc: install gcc or clang, or set CC'],
      ['gpu-kernels', true, 'kernels: TensorFlow computes on a GPU, and these kernels are for a processor'],
    ] as const) {
      const environment = fakeNativePackage(join(temporaryFolder(), name), { module: fakeLibrary(isUsingGpuDevice) });
      const { code, stderr } = await doctor(['--build-kernels'], [...environment, 'CC=/none/cc']);
      assert.equal(code, 1);
      assert.ok(stderr.includes(expected), stderr);
    }
  });
});

describe('backend auto', () => {
  it('selects wasm with a warning when the library of an installed package cannot be loaded', async () => {
    const environment = fakeNativePackage(join(temporaryFolder(), 'auto'), {
      module: "throw new Error('no library here');",
    });
    const { process: child, ended } = start(
      [],
      [
        ...environment,
        process.execPath,
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        "import { useBackend } from './src/model/index.js'; for (let k = 0; k < 2; k++) console.log((await useBackend('auto', { threads: 1 })).name);",
        '--',
      ],
    );
    child.stdin?.end();
    const { stdout, stderr } = await ended;
    assert.equal(stdout, 'wasm\nwasm\n', stderr);
    const warning =
      'RelflowWarning: backend tensorflow: @tensorflow/tfjs-node-gpu is installed but its library cannot be loaded (no library here); run its install script or build it, see docs/backends.md; backend auto selects wasm';
    assert.equal(stderr.split(warning).length, 2, stderr);
  });
});
