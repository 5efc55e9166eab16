import * as tf from '@tensorflow/tfjs-core';
import { gigabytes } from './format-report.js';

/** The functions of tfjs-node's library binding that a step calls. */
const FUNCTIONS = ['executeOp', 'createTensor', 'deleteTensor', 'tensorDataSync', 'runSavedModel'] as const;
type Name = (typeof FUNCTIONS)[number];
type Binding = Record<Name, (...args: unknown[]) => unknown>;

/** Counts and times the calls from JavaScript into the TensorFlow C library. */
export class BindingCalls {
  #counts = new Map<Name, number>();
  #ops = new Map<string, { calls: number; milliseconds: number }>();
  #milliseconds = 0;
  /** Most tensors and bytes of tensors at the same time. */
  #peakTensors = 0;
  #peakBytes = 0;

  /** Starts to count on the running backend; undefined if it is not the TensorFlow C library. */
  static install(): BindingCalls | undefined {
    const backend = tf.backend() as unknown as { binding?: Binding };
    const { binding } = backend;
    return binding === undefined ? undefined : new BindingCalls(backend as { binding: Binding });
  }

  private constructor(backend: { binding: Binding }) {
    const { binding } = backend;
    const counted: Record<string, unknown> = {};
    for (const name of Object.getOwnPropertyNames(binding)) counted[name] = binding[name as Name];
    for (const name of FUNCTIONS)
      counted[name] = (...args: unknown[]) => {
        const start = performance.now();
        const result = binding[name](...args);
        this.#add(name, name === 'executeOp' ? (args[0] as string) : name, performance.now() - start);
        return result;
      };
    backend.binding = counted as Binding;
  }

  #add(name: Name, op: string, milliseconds: number): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    this.#milliseconds += milliseconds;
    const known = this.#ops.get(op) ?? { calls: 0, milliseconds: 0 };
    this.#ops.set(op, { calls: known.calls + 1, milliseconds: known.milliseconds + milliseconds });
    const { numTensors, numBytes } = tf.memory();
    this.#peakTensors = Math.max(this.#peakTensors, numTensors);
    this.#peakBytes = Math.max(this.#peakBytes, numBytes);
  }

  /** Forgets all calls so far. */
  reset(): void {
    this.#peakTensors = 0;
    this.#peakBytes = 0;
    this.#counts = new Map();
    this.#ops = new Map();
    this.#milliseconds = 0;
  }

  /** Milliseconds inside of the library. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Returns the numbers of calls, the time inside of the library and the most tensors. */
  line(): string {
    const total = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    const counts = FUNCTIONS.map((name) => `${this.#counts.get(name) ?? 0} ${name}`).join(', ');
    const most = `at most ${this.#peakTensors} tensors, ${gigabytes(this.#peakBytes)}`;
    return `${total} calls (${counts}), ${this.#milliseconds.toFixed(0)} ms inside, ${most}`;
  }

  /** Returns a line for each of the operations that are called most often. */
  mostFrequent(count: number): string[] {
    const sorted = [...this.#ops].sort(([, a], [, b]) => b.calls - a.calls);
    return sorted
      .slice(0, count)
      .map(([op, { calls, milliseconds }]) => `${op} ${calls}, ${milliseconds.toFixed(0)} ms`);
  }
}
