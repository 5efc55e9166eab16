import * as tf from '@tensorflow/tfjs-core';
import { noDropout, seededDropout } from '../../model/layers/dropout.js';
import { dataTensor } from '../../model/recording/data-tensor.js';
import type { Recording } from '../../model/recording/recording.js';
import { WebgpuReplay } from '../../model/recording/webgpu/webgpu-replay.js';
import type { TrainingBatch } from '../data/training-batch.js';
import { namedParts, type StepGradients } from '../loss-gradients.js';
import { dropoutSeed, hasDropout } from '../step-dropout.js';
import { EagerEngine, type PassPosition, type StepEngine } from '../step-engine.js';
import { checkData, checkSameRecording, GRADIENT, passData, recordPass } from './record-pass.js';
import type { RecordedEngineOptions } from './recorded-engine.js';

const TARGET = 'webgpu';

/** Shapes of batches whose programs and buffers are kept at a time; the least recently used one makes room. */
const MAX_REPLAYS = 4;

interface Replayed {
  readonly recording: Recording;
  readonly replay: WebgpuReplay;
  /** Whether a second batch has given the same recording. */
  isChecked: boolean;
}

/**
 * Computes losses and gradients on webgpu with programs and buffers that are recorded once for each shape; the update is
 * eager, since it is few programs for each weight.
 */
export class ReplayedEngine implements StepEngine {
  readonly #options: RecordedEngineOptions;
  readonly #eager: EagerEngine;
  readonly #replays = new Map<string, Replayed>();
  readonly #kernels = tf.getKernelsForBackend(TARGET).map(({ kernelName }) => kernelName);

  constructor(options: RecordedEngineOptions) {
    this.#options = options;
    this.#eager = new EagerEngine(options);
  }

  get updates(): number {
    return this.#eager.updates;
  }

  /** @returns gradients that the next call overwrites */
  async gradients(given: TrainingBatch, position: PassPosition): Promise<StepGradients> {
    const { settings, forward, optimizer, prepared } = this.#options;
    const batch = prepared(given);
    await forward.prepare(batch);
    const seed = dropoutSeed(settings, position.step, position.part);
    const dropout = () =>
      hasDropout(settings) ? seededDropout(dataTensor<tf.Scalar>('dropout.seed', Int32Array.of(seed), [])) : noDropout;
    const pass = () => forward.run(batch, dropout());
    const data = passData({ target: TARGET, kernels: this.#kernels }, forward, batch, {
      dropout: () => void dropout(),
      pass,
    });
    const { replay } = await this.#replayFor(batch, pass, data, position.step);
    const { results, ...outputs } = replay.run(data);
    const values = (await results!.data()) as Float32Array;
    results!.dispose();
    const byName = new Map(optimizer.parameters.map(({ name, variable }) => [name, variable.name]));
    const gradients = Object.fromEntries(
      Object.entries(outputs).map(([name, gradient]) => [byName.get(name.slice(GRADIENT.length))!, gradient]),
    );
    return { loss: values[0]!, parts: namedParts(values.slice(1)), gradients };
  }

  update(gradients: Record<string, tf.Tensor>, scheduleFactor: number): Promise<number> {
    return this.#eager.update(gradients, scheduleFactor);
  }

  async sync(): Promise<void> {}

  dispose(): void {
    for (const { replay } of this.#replays.values()) replay.dispose();
    this.#replays.clear();
  }

  /** Returns the programs for the shapes of the data; records first if there are none. */
  async #replayFor(
    { sizes, height, width }: TrainingBatch,
    pass: () => ReturnType<RecordedEngineOptions['forward']['run']>,
    data: ReadonlyMap<string, tf.TypedArray>,
    step: number,
  ): Promise<Replayed> {
    const { optimizer, onRecording } = this.#options;
    const key = [...data]
      .map(([name, { length }]) => `${name} ${length}`)
      .sort()
      .join();
    const record = () => recordPass({ target: TARGET }, optimizer.parameters, pass);
    const known = this.#replays.get(key);
    if (known) {
      // The most recently used one is last.
      this.#replays.delete(key);
      this.#replays.set(key, known);
      if (!known.isChecked) {
        const second = record();
        checkData(data, second.data);
        checkSameRecording(known.recording, second.recording);
        known.isChecked = true;
      }
      return known;
    }
    const { recording, data: walked } = record();
    checkData(data, walked);
    await onRecording(step + 1, { shape: [sizes.length, height, width], calls: recording.calls.length });
    const oldest = this.#replays.size >= MAX_REPLAYS ? this.#replays.keys().next().value : undefined;
    if (oldest !== undefined) {
      this.#replays.get(oldest)!.replay.dispose();
      this.#replays.delete(oldest);
    }
    const replayed = { recording, replay: new WebgpuReplay(recording), isChecked: false };
    this.#replays.set(key, replayed);
    return replayed;
  }
}
