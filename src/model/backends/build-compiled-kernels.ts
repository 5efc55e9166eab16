import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import { makeFolder } from '../../files/make-folder.js';
import { partialName, writeAtomically } from '../../files/write-atomically.js';
import {
  type CompiledKernels,
  compiledKernels,
  KERNEL_SOURCE,
  type KernelManifest,
  kernelFiles,
  loadCompiledKernels,
  openKernels,
  sha256,
} from './compiled-kernels.js';
import type { NativeBackend } from './kernels/register-native-kernels.js';
import { nativePackage } from './start-native-backend.js';
import { useBackend } from './use-backend.js';

const run = promisify(execFile);

/** Products and sums stay apart, so that their numbers are those of the WebAssembly kernels. */
const FLAGS = ['-std=c11', '-D_GNU_SOURCE', '-O3', '-ffp-contract=off', '-fPIC', '-shared', '-pthread'] as const;

/**
 * Compiles relflow's kernels for the TensorFlow C library with the system's C compiler, tries them, and stores them in the
 * user's cache folder, where later processes find them. Does nothing if this process has loaded such kernels.
 *
 * @param threads of TensorFlow, as in `useBackend`
 * @throws RelflowError (`no-backend`) if TensorFlow's library is missing or computes on a GPU, where these kernels are not used
 * @throws RelflowError (`no-compiler`) if there is no C compiler
 * @throws RelflowError (`bad-kernels`) if they cannot be compiled or loaded, or compute other numbers than in WebAssembly
 */
export async function buildCompiledKernels(threads?: number): Promise<CompiledKernels> {
  await useBackend('tensorflow', threads === undefined ? {} : { threads });
  const { binding, isUsingGpuDevice } = tf.backend() as NativeBackend;
  if (isUsingGpuDevice)
    throw new RelflowError(
      'no-backend',
      'kernels: TensorFlow computes on a GPU, and these kernels are for a processor',
    );
  const known = compiledKernels();
  if (known) return known;
  const { folder, file, manifest } = kernelFiles(binding.TF_Version);
  const { command, name } = await findCompiler();
  await makeFolder(folder);
  const partial = partialName(file);
  try {
    await compile(command, partial);
    tryKernels(partial);
    const written: KernelManifest = { compiler: name, sha256: sha256(readFileSync(partial)) };
    await rename(partial, file);
    await writeAtomically(manifest, [`${JSON.stringify(written)}\n`]);
  } finally {
    await rm(partial, { force: true });
  }
  return loadCompiledKernels(binding.TF_Version)!;
}

/** Finds the C compiler: `CC`, or the first of the usual ones. */
async function findCompiler(): Promise<{ readonly command: string; readonly name: string }> {
  const commands = process.env['CC'] ? [process.env['CC']] : ['cc', 'gcc', 'clang'];
  for (const command of commands) {
    const found = await run(command, ['--version']).catch(() => null);
    if (found) return { command, name: found.stdout.split('\n')[0]!.trim() };
  }
  throw new RelflowError(
    'no-compiler',
    `kernels: no C compiler, expected ${commands.join(' or ')}: install gcc or clang, or set CC`,
    { commands },
  );
}

/** The TensorFlow C library's files, against which the kernels are linked: the process has loaded them already. */
function libraries(): string[] {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve(`${nativePackage()!}/package.json`)),
    'deps',
    'lib',
  );
  const names = readdirSync(folder).filter((name) => /^libtensorflow.*\.(?:so|dylib)/.test(name));
  return [...new Set(names.map((name) => realpathSync(join(folder, name))))];
}

async function compile(command: string, to: string): Promise<void> {
  try {
    const flags = process.platform === 'darwin' ? [...FLAGS, '-undefined', 'dynamic_lookup'] : FLAGS;
    await run(command, [...flags, '-o', to, KERNEL_SOURCE, ...libraries()]);
  } catch (cause) {
    const { stderr, message } = cause as Error & { readonly stderr?: string };
    const reason = (stderr || message).trim();
    throw new RelflowError('bad-kernels', `kernels: ${command} failed: ${reason}`, { command }, { cause });
  }
}

/** Loads compiled kernels, and compares their numbers with those of the WebAssembly kernels. */
function tryKernels(file: string): void {
  const differences = tf.tidy(() => {
    const levels = tf.tensor2d([4, 5, 2, 3], [2, 2], 'int32');
    const random = (shape: number[], low: number, high: number, seed: number) =>
      tf.add(tf.mul(tf.randomUniform(shape, 0, 1, 'float32', seed), high - low), low);
    const inputs = {
      ...{ value: random([2, 26, 3, 9], -1, 1, 1), levels },
      ...{ locations: random([2, 7, 3, 2, 4, 2], -0.3, 1.3, 2), weights: random([2, 7, 3, 2, 4], 0, 1, 3) },
    };
    const both = { ...inputs, dy: random([2, 7, 27], -1, 1, 4) };
    const expected = [
      tf.engine().runKernel('RelflowDeformableAttention', inputs, {}),
      tf.engine().runKernel('RelflowDeformableAttentionGradient', both, {}),
    ].flat() as tf.Tensor[];
    try {
      openKernels(file);
    } catch (cause) {
      const { message } = cause as Error;
      throw new RelflowError('bad-kernels', `kernels: ${file} cannot be loaded: ${message}`, {}, { cause });
    }
    const { executeMultipleOutputs } = tf.backend() as NativeBackend;
    const execute = executeMultipleOutputs.bind(tf.backend());
    const actual = [
      ...execute('RelflowDeformableAttention', [], Object.values(inputs), 1),
      ...execute('RelflowDeformableAttentionGradient', [], Object.values(both), 3),
    ];
    return expected.filter((tensor, k) => {
      const [a, b] = [tensor.dataSync(), actual[k]!.dataSync()];
      return !a.every((number, at) => number === b[at]);
    });
  });
  if (differences.length > 0)
    throw new RelflowError(
      'bad-kernels',
      'kernels: the compiled kernels compute other numbers than those in WebAssembly',
    );
}
