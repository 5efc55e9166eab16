import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Tinypool } from 'tinypool';

const MAX_THREADS = 4;

/** Default number of threads that read images: one less than processors, at most 4. */
export const defaultImageThreads = (): number => Math.min(availableParallelism() - 1, MAX_THREADS);

/**
 * Starts threads that run the default export of a module.
 * @param module path of the module without its extension, relative to `from`
 * @param from `import.meta.url` of the calling module
 * @param workerData the second element of each thread's `workerData`, after that of Tinypool
 */
export function startImageThreads(module: string, from: string, threads: number, workerData: unknown): Tinypool {
  // When run from TypeScript sources, a thread needs the hooks of tsx too.
  const isSource = import.meta.url.endsWith('.ts');
  const hooks = () => {
    // `import.meta.resolve` is missing when a test runner loads modules with `require`.
    const { href } = new URL('index.mjs', pathToFileURL(createRequire(import.meta.url).resolve('tsx/esm/api')));
    return `data:text/javascript,${encodeURIComponent(`import { register } from ${JSON.stringify(href)}; register();`)}`;
  };
  return new Tinypool({
    filename: new URL(`${module}.${isSource ? 'ts' : 'js'}`, from).href,
    minThreads: threads,
    maxThreads: threads,
    // All requests are handed over immediately, since the main thread is busy with the model and could not do it later.
    concurrentTasksPerWorker: Number.POSITIVE_INFINITY,
    workerData,
    ...(isSource && { execArgv: ['--import', hooks()] }),
  });
}
