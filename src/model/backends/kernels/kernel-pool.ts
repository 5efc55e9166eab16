import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { RelflowError } from '../../../errors.js';
import { modelKernelParameters } from './model-kernel-parameters.js';

/** A kernel as model-kernels.wasm exports it. */
type Kernel = (...args: number[]) => number;

/** Name of a kernel whose work threads can share. */
export type KernelName = Exclude<keyof typeof modelKernelParameters, 'gemmScratch'>;

/** Arguments of a kernel by name: addresses, sizes and numbers; `KernelPool` adds the thread. */
export type KernelArguments<N extends KernelName> = Readonly<
  Record<Exclude<(typeof modelKernelParameters)[N][number], 'thread' | 'threads'>, number>
>;

/** Number of elementary steps below which waking other threads costs more than it saves. */
const MIN_PARALLEL_WORK = 50_000;

/** Indices of 32-bit words in the block that all threads share. */
const [ROUND, DONE, READY, KERNEL, COUNT, FAILED] = [0, 1, 2, 3, 4, 5];
/** Index of the first argument, in 64-bit floats. */
const ARGUMENTS = 8;
/** Value of `KERNEL` that ends a thread. */
const STOP = -1;

/** Source of a thread, which waits for a round, does its part and reports it. It is text because a bundler would lose a file. */
const workerSource = `
const { workerData } = require('node:worker_threads');
const { module, memory, block, thread, threads, names } = workerData;
const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports;
const words = new Int32Array(block);
const numbers = new Float64Array(block);
let round = Atomics.load(words, ${ROUND});
Atomics.add(words, ${READY}, 1);
for (;;) {
  Atomics.wait(words, ${ROUND}, round);
  if (Atomics.load(words, ${ROUND}) === round) continue;
  round = Atomics.load(words, ${ROUND});
  if (words[${KERNEL}] === ${STOP}) break;
  const args = Array.from({ length: words[${COUNT}] }, (_, k) => numbers[${ARGUMENTS} + k]);
  try {
    kernels[names[words[${KERNEL}]]](...args, thread, threads);
  } catch {
    Atomics.store(words, ${FAILED}, 1);
  }
  Atomics.add(words, ${DONE}, 1);
  Atomics.notify(words, ${DONE});
}`;

/** Runs relflow's kernels on a memory that another module owns, with the threads that share their work. */
export class KernelPool {
  readonly #kernels: Record<string, Kernel>;
  readonly #names: readonly string[];
  readonly #threads: number;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  /** @param threads number of threads, including the calling one; 1 unless the memory is shared */
  constructor(memory: WebAssembly.Memory, threads: number) {
    const shared = memory.buffer instanceof SharedArrayBuffer;
    const file = new URL(shared ? './model-kernels-shared.wasm' : './model-kernels.wasm', import.meta.url);
    const module = new WebAssembly.Module(readFileSync(file));
    this.#kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<string, Kernel>;
    checkKernelExports(this.#kernels, file);
    this.#names = Object.keys(this.#kernels);
    this.#threads = shared ? threads : 1;
    const block = new SharedArrayBuffer(512);
    this.#words = new Int32Array(block);
    this.#numbers = new Float64Array(block);
    for (let thread = 1; thread < this.#threads; thread++) {
      const workerData = { module, memory, block, thread, threads: this.#threads, names: this.#names };
      const worker = new Worker(workerSource, { eval: true, workerData });
      // An idle thread must not keep the process alive.
      worker.unref();
    }
  }

  get threads(): number {
    return this.#threads;
  }

  /** Size of the scratch memory that `matmul` and `filterGradient` need for all threads, in floats. */
  get scratch(): number {
    return this.#kernels['gemmScratch']!() * this.#threads;
  }

  /**
   * Runs a kernel to its end.
   * @param work approximate number of elementary steps
   * @throws RelflowError (`kernel-failed`) if the kernel traps on any thread
   */
  run<N extends KernelName>(name: N, work: number, named: KernelArguments<N>): void {
    const kernel = this.#kernels[name]!;
    // All but the last two parameters, which are the thread and the number of threads.
    const args = modelKernelParameters[name].slice(0, -2).map((parameter) => named[parameter as keyof typeof named]);
    const others = this.#threads - 1;
    const words = this.#words;
    // Threads start while the first kernels run; until all are ready, this one works alone, with the same result.
    if (others === 0 || work < MIN_PARALLEL_WORK || Atomics.load(words, READY) < others) {
      const trap = trapOf(() => kernel(...args, 0, 1));
      if (trap) throw kernelFailure(name, trap);
      return;
    }
    words[KERNEL] = this.#names.indexOf(name);
    words[COUNT] = args.length;
    this.#numbers.set(args, ARGUMENTS);
    Atomics.store(words, DONE, 0);
    Atomics.store(words, FAILED, 0);
    Atomics.add(words, ROUND, 1);
    Atomics.notify(words, ROUND);
    const trap = trapOf(() => kernel(...args, 0, this.#threads));
    // Also after a trap: the other threads still write to the memory.
    for (let done = Atomics.load(words, DONE); done < others; done = Atomics.load(words, DONE))
      Atomics.wait(words, DONE, done);
    if (trap || Atomics.load(words, FAILED) === 1) throw kernelFailure(name, trap);
  }

  /** Ends the threads. */
  close(): void {
    this.#words[KERNEL] = STOP;
    Atomics.add(this.#words, ROUND, 1);
    Atomics.notify(this.#words, ROUND);
  }
}

/** Runs a kernel on this thread. @returns its trap; undefined if it finished */
function trapOf(run: () => void): WebAssembly.RuntimeError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return error;
    throw error;
  }
}

const kernelFailure = (name: string, trap: WebAssembly.RuntimeError | undefined): RelflowError =>
  new RelflowError(
    'kernel-failed',
    `backend: relflow's kernel ${name} failed: ${trap?.message ?? 'one of its threads stopped'}`,
    { kernel: name },
    { cause: trap },
  );

/**
 * Compares the functions that a module exports and their numbers of parameters with those this version was built for.
 * @throws RelflowError (`no-backend`) if they differ
 */
export function checkKernelExports(kernels: Readonly<Record<string, Kernel>>, file: URL): void {
  const found = Object.entries(kernels).map(([name, { length }]) => `${name}(${length})`);
  const expected = Object.entries(modelKernelParameters).map(([name, { length }]) => `${name}(${length})`);
  const difference = [
    ...expected.filter((one) => !found.includes(one)).map((one) => `${one} is missing`),
    ...found.filter((one) => !expected.includes(one)).map((one) => `${one} is unexpected`),
  ];
  if (difference.length > 0)
    throw new RelflowError(
      'no-backend',
      `backend: ${fileURLToPath(file)} does not match this version of relflow: ${difference.join(', ')}; reinstall relflow`,
    );
}
