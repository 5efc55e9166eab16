import type * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../../model/parameter-scope.js';
import type { TrainingBatch } from '../data/training-batch.js';
import type { StepGradients, StepLoss } from '../loss-gradients.js';
import { dropoutSeed, hasDropout } from '../step-dropout.js';
import type { PassPosition, StepEngine, StepEngineOptions } from '../step-engine.js';
import type { RecordingStarted } from './record-pass.js';
import { RecordedLosses } from './recorded-losses.js';
import { RecordedStep } from './recorded-step.js';

/** What a recorded training works on. */
export interface RecordedEngineOptions extends StepEngineOptions {
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** Called before a step, counted from 1, is recorded. */
  readonly onRecording: (step: number, event: RecordingStarted) => Promise<void>;
}

/** Runs steps as TensorFlow graphs that are recorded once for each shape; gradients stay on the device. */
export class RecordedEngine implements StepEngine {
  readonly #options: RecordedEngineOptions;
  readonly #step: RecordedStep;
  readonly #losses: RecordedLosses;

  constructor(options: RecordedEngineOptions) {
    this.#options = options;
    const { settings, forward, parameters, optimizer, ema } = options;
    this.#losses = new RecordedLosses(forward);
    this.#step = new RecordedStep({
      ...{ forward, parameters, optimizer, ema },
      emaDecay: settings.emaDecay,
      batches: settings.accumulationSteps,
      hasDropout: hasDropout(settings),
    });
  }

  get updates(): number {
    return this.#step.updates;
  }

  async gradients(batch: TrainingBatch, position: PassPosition): Promise<StepGradients> {
    const { settings, prepared, onRecording } = this.#options;
    const { step, part, isLater, scheduleFactor } = position;
    const seed = dropoutSeed(settings, step, part);
    const pass = { seed, isLater, scheduleFactor };
    const loss = await this.#step.run(prepared(batch), pass, (event) => onRecording(step + 1, event));
    return { ...loss, gradients: {} };
  }

  update(_gradients: Record<string, tf.Tensor>, scheduleFactor: number): Promise<number> {
    return this.#step.update(scheduleFactor);
  }

  startEvaluation(): (batch: TrainingBatch) => Promise<StepLoss> {
    this.#losses.refresh();
    return (batch) => this.#losses.of(batch);
  }

  sync(): Promise<void> {
    return this.#step.sync();
  }

  dispose(): void {
    this.#step.dispose();
    this.#losses.dispose();
  }
}
