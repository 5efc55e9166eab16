import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

const require = createRequire(import.meta.url);

/** Module of the wasm backend, as its package compiles it with Emscripten. */
type BackendModule = ConstructorParameters<typeof BackendWasm>[0];

/** Emscripten's module before the members that the backend calls are added. */
interface EmscriptenModule {
  cwrap(name: string, result: 'number' | null, parameters: readonly 'number'[]): (...values: number[]) => number;
}

/** Folder of the compiled modules. */
const folder = (): string => join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'wasm-out');

/** Path of the script that starts the threads' module. */
export const threadedModuleScript = (): string => join(folder(), 'tfjs-backend-wasm-threaded-simd.js');

/**
 * Creates the module of the wasm backend. The package's own factory lets the module print to the screen, which is the only
 * way in which its kernels report that they failed.
 * @param onMessage called with each line that the module prints
 */
export async function createWasmModule(threads: number, onMessage: (line: string) => void): Promise<BackendModule> {
  const script = threads > 1 ? threadedModuleScript() : join(folder(), 'tfjs-backend-wasm.js');
  const binary = `tfjs-backend-wasm-${threads > 1 ? 'threaded-simd' : 'simd'}.wasm`;
  const create = require(script) as (config: object) => Promise<EmscriptenModule>;
  const module = await create({
    // The package has one script for its modules with and without vector instructions.
    locateFile: (file: string) => join(folder(), file.endsWith('.wasm') ? binary : file),
    mainScriptUrlOrBlob: script,
    print: onMessage,
    printErr: onMessage,
  });
  return Object.assign(module, {
    tfjs: {
      init: module.cwrap('init', null, []),
      initWithThreadsCount: module.cwrap('init_with_threads_count', null, ['number']),
      getThreadsCount: module.cwrap('get_threads_count', 'number', []),
      registerTensor: module.cwrap('register_tensor', null, ['number', 'number', 'number']),
      disposeData: module.cwrap('dispose_data', null, ['number']),
      dispose: module.cwrap('dispose', null, []),
    },
  }) as unknown as BackendModule;
}
