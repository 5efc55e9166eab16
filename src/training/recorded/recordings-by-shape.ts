import type * as tf from '@tensorflow/tfjs-core';
import type { Recorded } from '../../model/recording/record-kernels.js';
import type { Recording } from '../../model/recording/recording.js';
import type { TrainingBatch } from '../data/training-batch.js';
import { checkSameRecording } from './record-pass.js';

/** What is made from a recording. */
interface Made {
  readonly recording: Recording;
}

/** A step for shapes that have not occurred before. */
export interface RecordingStarted {
  /** Images, height and width of the batch. */
  readonly shape: readonly number[];
  /** Kernel calls of the step. */
  readonly calls: number;
}

/** How a pass is recorded for the first and the second batch of its shapes. */
export interface PassRecorder<T extends Made> {
  /** Records the pass, and checks its data. */
  record(): Recorded;
  /** Called before `make`, which takes seconds. */
  onRecording(event: RecordingStarted): Promise<void>;
  make(recording: Recording): T;
}

/** What is made from recordings, by the shapes of their data. The least recently used shapes make room for others. */
export class RecordingsByShape<T extends Made> {
  readonly #most: number;
  readonly #dispose: (made: T) => void;
  readonly #made = new Map<string, T>();
  /** Those of which a second batch has given the same recording. */
  readonly #checked = new WeakSet<T>();

  /** @param most shapes that are kept at a time */
  constructor(most: number, dispose: (made: T) => void) {
    this.#most = most;
    this.#dispose = dispose;
  }

  /**
   * Returns what belongs to the shapes of the data; records the pass first if there is none.
   * @throws RelflowError (`recording`) if the second batch of the same shapes gives another recording
   */
  async of(
    data: ReadonlyMap<string, tf.TypedArray>,
    { sizes, height, width }: TrainingBatch,
    { record, onRecording, make }: PassRecorder<T>,
  ): Promise<T> {
    const key = [...data]
      .map(([name, { length }]) => `${name} ${length}`)
      .sort()
      .join();
    const known = this.#made.get(key);
    if (known) {
      // The most recently used one is last.
      this.#made.delete(key);
      this.#made.set(key, known);
      if (!this.#checked.has(known)) checkSameRecording(known.recording, record().recording);
      this.#checked.add(known);
      return known;
    }
    const { recording } = record();
    await onRecording({ shape: [sizes.length, height, width], calls: recording.calls.length });
    const oldest = this.#made.size >= this.#most ? this.#made.keys().next().value : undefined;
    if (oldest !== undefined) {
      this.#dispose(this.#made.get(oldest)!);
      this.#made.delete(oldest);
    }
    const made = make(recording);
    this.#made.set(key, made);
    return made;
  }

  /** Disposes of all. */
  dispose(): void {
    for (const made of this.#made.values()) this.#dispose(made);
    this.#made.clear();
  }
}
