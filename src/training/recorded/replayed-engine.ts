import type * as tf from '@tensorflow/tfjs-core';
import type { Recording } from '../../model/recording/recording.js';
import { checkData, RecordingsByShape } from '../../model/recording/recordings-by-shape.js';
import { WebgpuReplay } from '../../model/recording/webgpu/webgpu-replay.js';
import type { TrainingBatch } from '../data/training-batch.js';
import { namedParts, type StepGradients } from '../loss-gradients.js';
import { dropoutSeed, hasDropout } from '../step-dropout.js';
import { EagerEngine, type PassPosition, type StepEngine } from '../step-engine.js';
import { GRADIENT, passData, recordedDropout, recordingStarted, recordPass } from './record-pass.js';
import type { RecordedEngineOptions } from './recorded-engine.js';

const OPTIONS = { target: 'webgpu' } as const;

/** Shapes of batches whose programs and buffers are kept at a time; the least recently used one makes room. */
const MAX_REPLAYS = 4;

interface Replayed {
  readonly recording: Recording;
  readonly replay: WebgpuReplay;
}

/**
 * Computes losses and gradients on webgpu with programs and buffers that are recorded once for each shape; the update is
 * eager, since it is few programs for each weight.
 */
export class ReplayedEngine implements StepEngine {
  readonly #options: RecordedEngineOptions;
  readonly #eager: EagerEngine;
  readonly #replays = new RecordingsByShape<Replayed>(MAX_REPLAYS, ({ replay }) => replay.dispose());

  constructor(options: RecordedEngineOptions) {
    this.#options = options;
    this.#eager = new EagerEngine(options);
  }

  get updates(): number {
    return this.#eager.updates;
  }

  /** @returns gradients that the next call overwrites */
  async gradients(given: TrainingBatch, position: PassPosition): Promise<StepGradients> {
    const { settings, forward, optimizer, prepared, onRecording } = this.#options;
    const batch = prepared(given);
    await forward.prepare(batch);
    const seed = dropoutSeed(settings, position.step, position.part);
    const dropout = () => recordedDropout(hasDropout(settings), seed);
    const pass = () => forward.run(batch, dropout());
    const data = passData(OPTIONS, forward, batch, { dropout: () => void dropout(), pass });
    const { replay } = await this.#replays.of(data.key, {
      record: () => {
        const recorded = recordPass(OPTIONS, optimizer.parameters, pass);
        checkData(data.values, recorded.data);
        return recorded;
      },
      onRecording: (calls) => onRecording(position.step + 1, recordingStarted(batch, calls)),
      make: ({ recording }) => ({ recording, replay: new WebgpuReplay(recording) }),
    });
    const { results, ...outputs } = replay.run(data.values);
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
    this.#replays.dispose();
  }
}
