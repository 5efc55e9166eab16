import type * as tf from '@tensorflow/tfjs-core';
import { RelflowError } from '../../errors.js';
import type { Recorded } from './record-kernels.js';
import { type Recording, recordingDifference } from './recording.js';

/** What is made from a recording. */
interface Made {
  readonly recording: Recording;
}

/** How a pass is recorded for the first and the second run of its shapes. */
export interface PassRecorder<T extends Made> {
  /** Records the pass, and checks its data. */
  record(): Recorded;
  /** Called before `make`, which takes seconds. @param calls kernel calls of the pass */
  onRecording?(calls: number): Promise<void>;
  make(recorded: Recorded): T;
}

/** What is made from recordings, by the shapes of their data. The least recently used shapes make room for others. */
export class RecordingsByShape<T extends Made> {
  readonly #most: number;
  readonly #dispose: (made: T) => void;
  readonly #made = new Map<string, T>();
  /** Those of which a second run has given the same recording. */
  readonly #checked = new WeakSet<T>();

  /** @param most shapes that are kept at a time */
  constructor(most: number, dispose: (made: T) => void) {
    this.#most = most;
    this.#dispose = dispose;
  }

  get size(): number {
    return this.#made.size;
  }

  /** Key of the shapes that make room for others next; undefined if there are none. */
  get oldest(): string | undefined {
    return this.#made.keys().next().value;
  }

  has(key: string): boolean {
    return this.#made.has(key);
  }

  /** Returns what belongs to the shapes of a pass if it has been recorded. */
  peek(key: string): T | undefined {
    return this.#made.get(key);
  }

  /**
   * Returns what belongs to the shapes of a pass; records the pass first if there is none.
   * @param key of the shapes, see `CollectedData`
   * @throws RelflowError (`recording`) if the second run of the same shapes gives another recording
   */
  async of(key: string, { record, onRecording, make }: PassRecorder<T>): Promise<T> {
    const known = this.#made.get(key);
    if (known) {
      // The most recently used one is last.
      this.#made.delete(key);
      this.#made.set(key, known);
      if (!this.#checked.has(known)) checkSameRecording(known.recording, record().recording);
      this.#checked.add(known);
      return known;
    }
    const recorded = record();
    await onRecording?.(recorded.recording.calls.length);
    const oldest = this.#made.size >= this.#most ? this.oldest : undefined;
    if (oldest !== undefined) {
      this.#dispose(this.#made.get(oldest)!);
      this.#made.delete(oldest);
    }
    const made = make(recorded);
    this.#made.set(key, made);
    return made;
  }

  /** Disposes of all. */
  dispose(): void {
    for (const made of this.#made.values()) this.#dispose(made);
    this.#made.clear();
  }
}

/**
 * Compares the recordings of two runs of the same shapes: a number that depends on the data and is recorded as a constant
 * would give wrong results.
 * @throws RelflowError (`recording`) if they differ
 */
function checkSameRecording(first: Recording, second: Recording): void {
  const difference = recordingDifference(first, second);
  if (difference !== null)
    throw new RelflowError(
      'recording',
      `recording: two runs of the same shapes differ in ${difference}; train with "eager": true`,
    );
}

/** Data that is made alone must be the data of the whole pass. */
export function checkData(alone: ReadonlyMap<string, tf.TypedArray>, walked: ReadonlyMap<string, tf.TypedArray>): void {
  for (const name of new Set([...alone.keys(), ...walked.keys()])) {
    const [a, b] = [alone.get(name), walked.get(name)];
    if (a && b && a.length === b.length && a.every((number, k) => Object.is(number, b[k]))) continue;
    throw new RelflowError(
      'recording',
      `recording: the data ${name} is not that of the pass; train with "eager": true`,
    );
  }
}
