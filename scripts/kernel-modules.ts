import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** A WebAssembly module that is compiled from AssemblyScript. Paths are relative to the repository's root. */
export interface KernelModule {
  readonly entry: string;
  readonly output: string;
  /** Flags of the AssemblyScript compiler. */
  readonly flags: readonly string[];
  /** The TypeScript file that is generated to describe the module: see kernel-exports.ts. */
  readonly exports?: string;
  /** The TypeScript file that is generated to list the parameters of its functions: see kernel-exports.ts. */
  readonly parameters?: string;
}

const common = '--enable simd --runtime stub -O3 --noAssert --importMemory'.split(' ');

/** Every module of the repository, by the name that `npm run build:kernels` takes. */
export const kernelModules: Readonly<Record<string, KernelModule>> = {
  parser: {
    entry: 'src/parser/neural/kernels/parser-kernels.as.ts',
    output: 'src/parser/neural/kernels/parser-kernels.wasm',
    flags: common,
    exports: 'src/parser/neural/kernels/parser-kernel-exports.ts',
  },
  'parser-training': {
    entry: 'parser-training/kernels/training-kernels.as.ts',
    output: 'parser-training/kernels/training-kernels.wasm',
    flags: common,
    exports: 'parser-training/kernels/training-kernel-exports.ts',
  },
  model: {
    entry: 'src/model/backends/kernels/model-kernels.as.ts',
    output: 'src/model/backends/kernels/model-kernels.wasm',
    flags: [...common, '--noExportMemory'],
    parameters: 'src/model/backends/kernels/model-kernel-parameters.ts',
  },
  'model-shared': {
    entry: 'src/model/backends/kernels/model-kernels.as.ts',
    output: 'src/model/backends/kernels/model-kernels-shared.wasm',
    flags: [
      ...common,
      '--noExportMemory',
      ...'--enable threads --sharedMemory --initialMemory 1 --maximumMemory 65536'.split(' '),
    ],
  },
  image: {
    entry: 'src/model/image/resize.as.ts',
    output: 'src/model/image/resize.wasm',
    flags: [...common, '--noExportMemory'],
  },
};

/**
 * SHA-256 of what a module is compiled from (sources without comments, flags, compiler version) and of the compiled
 * bytes.
 */
export interface KernelHashes {
  readonly sources: string;
  readonly output: string;
}

/** The hashes that the last build recorded, by module. */
export const kernelHashesFile = 'scripts/kernel-hashes.json';

/** Compiles a module. @param output where the `.wasm` file is written */
export function compileKernels({ entry, flags }: KernelModule, output: string): void {
  execFileSync(process.execPath, ['node_modules/assemblyscript/bin/asc.js', entry, ...flags, '-o', output]);
}

/** Hashes a module's files as they are on disk, which takes milliseconds. */
export function hashKernels({ entry, output, flags }: KernelModule): KernelHashes {
  const { version } = JSON.parse(readFileSync('node_modules/assemblyscript/package.json', 'utf8')) as {
    readonly version: string;
  };
  const sources = createHash('sha256').update(JSON.stringify([version, flags]));
  for (const [path, text] of sourcesOf(entry)) sources.update(JSON.stringify([path, withoutComments(text)]));
  return { sources: sources.digest('hex'), output: createHash('sha256').update(readFileSync(output)).digest('hex') };
}

/** Rewording a comment does not change the compiled bytes, as assertions, which have line numbers, are compiled out. */
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '').replace(/\s*\n\s*/g, '\n');

/** Returns the text of a source file and of all that it imports, by path, in the order of the imports. */
export function sourcesOf(path: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (found.has(path)) return found;
  const text = readFileSync(path, 'utf8');
  found.set(path, text);
  for (const [, imported] of text.matchAll(/ from '(\.[^']+)'/g))
    sourcesOf(posix.join(posix.dirname(path), `${imported}.ts`), found);
  return found;
}
