import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../files/cache-folder.js';
import { isMissing } from '../../files/is-missing.js';
import { version } from '../../package-info.js';

/** Kernels that were compiled on this machine, from deformable-attention.c. */
export interface CompiledKernels {
  readonly file: string;
  /** Name and version of the compiler. */
  readonly compiler: string;
}

/** What is written next to compiled kernels. */
export interface KernelManifest {
  readonly compiler: string;
  /** SHA-256 of the compiled file. */
  readonly sha256: string;
}

export const KERNEL_SOURCE: string = fileURLToPath(new URL('./kernels/deformable-attention.c', import.meta.url));

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Where the kernels for a version of TensorFlow are, and their manifest. */
export function kernelFiles(tensorflow: string): { readonly folder: string; readonly file: string; manifest: string } {
  const source = sha256(readFileSync(KERNEL_SOURCE)).slice(0, 16);
  const name = `${version}-tensorflow-${tensorflow}-${process.platform}-${process.arch}-${source}`;
  const folder = join(cacheFolder(), 'kernels', name);
  return { folder, file: join(folder, 'kernels.node'), manifest: join(folder, 'kernels.json') };
}

let loaded: CompiledKernels | null = null;

/** The kernels that this process has loaded; null if there are none. */
export const compiledKernels = (): CompiledKernels | null => loaded;

/**
 * Loads the kernels that `relflow doctor --build-kernels` has compiled, if there are any. A file that is not the one that was
 * compiled is not loaded, with a warning.
 * @param tensorflow version of the running library
 */
export function loadCompiledKernels(tensorflow: string): CompiledKernels | null {
  if (loaded) return loaded;
  const { folder, file, manifest } = kernelFiles(tensorflow);
  try {
    const { compiler, sha256: expected } = JSON.parse(readFileSync(manifest, 'utf8')) as KernelManifest;
    if (sha256(readFileSync(file)) !== expected) throw new Error(`${file} is not the file that was compiled`);
    openKernels(file);
    loaded = { file, compiler };
    return loaded;
  } catch (error) {
    if (isMissing(error)) return null;
    process.emitWarning(
      `backend tensorflow: compiled kernels are not loaded: ${(error as Error).message}; remove ${folder}, or run relflow doctor --build-kernels`,
      'RelflowWarning',
    );
    return null;
  }
}

/** Loads a compiled file into this process, which registers its operations. */
export function openKernels(file: string): void {
  process.dlopen({ exports: {} }, file, constants.dlopen.RTLD_NOW);
}
